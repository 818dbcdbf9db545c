"""Failed letters and messages in quarantine in Chromium: nothing axe finds, in both themes."""

import os
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped]  # it has no stubs
    Axe,
)
from playwright.async_api import Browser, Page

from handlers.quarantine import keeping
from handlers.work import Work
from storage.words import Channel, LetterKind, Role
from tests.bot.console.test_axe import address, chromium, sign_in
from tests.bot.console.watch.test_letters import fails
from tests.support.browsers import Desk
from tests.support.founded import person

__all__ = ["address", "chromium"]

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("KENTONGAN_TEST_PICTURES", "")
"""A folder to leave pictures of the pages in, for somebody who looks at them."""
RAW = b"From=%2B6281200000001&Body=LAPOR+Kepala+dinas+meminta+uang+%3Cb%3E&NumMedia=x"


async def check(page: Page, name: str) -> None:
    """Let axe judge a page; both widths of a screen hold it."""
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        found = await Axe().run(page)
        assert found.response["violations"] == [], name
        wide = "document.documentElement.scrollWidth > innerWidth"
        assert not await page.evaluate(wide), name
        if PICTURES:
            path = Path(PICTURES) / f"{name}-{width}.png"
            await page.screenshot(path=path, full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing(
    desk: Desk, chromium: Browser, address: str, theme: Literal["light", "dark"]
):
    context = await chromium.new_context(color_scheme=theme)
    page = await context.new_page()
    with desk.database.writing() as session:
        adi = person(session, desk.keys, "adi", Role.ADMIN)
    await sign_in(desk, context, address, adi)
    await page.goto(f"{address}/letters")
    await check(page, f"letters-none-{theme}")
    fails(desk, n=7)
    fails(desk, "whatsapp.window", LetterKind.NOTICE, Channel.WHATSAPP)
    fails(desk, "telegram.400", LetterKind.ALERT, Channel.TELEGRAM)
    await page.goto(f"{address}/letters")
    for summary in await page.locator("details:not([open]) summary").all():
        await summary.click()
    await check(page, f"letters-{theme}")
    await page.locator("form[action$='/letters/retry'] button").first.click()
    await page.locator("[role=status]").wait_for()
    await check(page, f"letters-done-{theme}")

    await sign_in(desk, context, address, desk.house.custodian)
    await page.goto(f"{address}/quarantine")
    await check(page, f"quarantine-none-{theme}")
    with desk.database.writing() as session:
        for channel, reason in (
            (Channel.SMS, "twilio.media"),
            (Channel.TELEGRAM, "ZeroDivisionError"),
        ):
            keeping.keep(
                Work(session, desk.context.office, desk.clock()),
                RAW,
                reason,
                channel=channel,
            )
    await page.goto(f"{address}/quarantine")
    await check(page, f"quarantine-{theme}")
    await page.locator("form[action$='/read'] button").first.click()
    await page.locator("pre").wait_for()
    await check(page, f"quarantine-open-{theme}")
    await page.locator("form[action$='/drop'] select").select_option("SPAM")
    await page.locator("form[action$='/drop'] button").click()
    await page.locator("[role=status]").wait_for()
    await check(page, f"quarantine-done-{theme}")
    await context.close()
