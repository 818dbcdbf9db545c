"""Steps, owners and stale forms in a real Chromium: nothing that axe finds, nothing too wide."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from handlers.cases import officer
from storage.words import Role, Status
from tests.bot.console.cases.test_moves import WORDS, verified
from tests.support.browsers import Desk
from tests.support.chromium import address, chromium, judged, sign_in

pytestmark = pytest.mark.browser
__all__ = ["address", "chromium"]


async def views(desk: Desk, page: Page, address: str) -> AsyncIterator[str]:
    """Walk through a referral that a colleague overtakes; yield a name for each page."""
    case = await verified(desk, "")
    dewi, budi = desk.colleague("dewi", Role.SUPERVISOR), desk.colleague("budi")
    await sign_in(desk, page.context, address, dewi)
    path = f"{address}/cases/{case.number}"
    await page.goto(path)
    await page.locator("details summary", has_text="").last.click()
    yield "case"
    await page.select_option("#to", "REFERRED")
    await page.locator("section[aria-labelledby=step] button").click()
    yield "names"
    await page.select_option("#partner", "OTHER")
    await page.fill("#day", "2026-03-02")
    await page.locator("form:has(#words) button").click()
    yield "lacks"
    await page.select_option("#partner", "KPK")
    await page.fill("#words", WORDS)
    await page.locator("form:has(#words) button").click()
    yield "reads"
    by = desk.house.supervisor.officer
    await desk.act(
        officer.change_status, case.report, Status.REVIEW, by=by, reason=None
    )
    await page.locator("section[aria-labelledby=reads] button").click()
    assert await page.input_value("#words") == WORDS
    yield "stale-step"
    await page.locator("section[aria-labelledby=reads] button").click()
    await sign_in(desk, page.context, address, budi)
    await page.goto(path)
    yield "proposal"
    await page.fill("#question", "Who was there?")
    await desk.act(officer.ask, case.report, "Who was there?", by=by)
    await page.locator("form:has(#question) button").click()
    assert await page.input_value("#question") == "Who was there?"
    yield "twin"
    await desk.act(
        officer.change_status, case.report, Status.INFO_GATHERING, by=by, reason=None
    )
    await page.locator("form:has(#question) button").click()
    assert await page.input_value("#question") == "Who was there?"
    yield "stale-question"
    await desk.act(officer.take, case.report, by=budi.officer)
    desk.clock.pass_time(days=8)
    await sign_in(desk, page.context, address, dewi)
    await page.goto(path)
    yield "absent"


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_and_nothing_is_too_wide(
    desk: Desk, chromium: Browser, address: str, theme: str
):
    width = 390 if theme == "light" else 1400
    context = await chromium.new_context(
        color_scheme="light" if theme == "light" else "dark",
        viewport={"width": width, "height": 900},
        java_script_enabled=True,
    )
    page = await context.new_page()
    seen = []
    async for name in views(desk, page, address):
        seen.append(name)
        await judged(page, f"{name}-{theme}")
    assert seen[-1] == "absent"
    await context.close()
