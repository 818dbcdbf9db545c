"""Four eyes in two real browsers: no script, nothing that axe finds, by real HTTP."""

import hashlib
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.support.browsers import Desk
from tests.support.chromium import address, chromium, judged, sign_in
from tests.support.founded import Person
from tests.support.revealing import NAME, WHY, held

pytestmark = pytest.mark.browser
__all__ = ["address", "chromium"]


async def at_work(
    desk: Desk, chromium: Browser, address: str, who: Person, theme: str, width: int
) -> Page:
    """Open a browser of somebody who has signed in."""
    context = await chromium.new_context(
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
        accept_downloads=True,
    )
    await sign_in(desk, context, address, who)
    return await context.new_page()


async def ask(page: Page, reason: str) -> None:
    await page.locator("#reason").select_option(reason)
    await page.locator("#justification").fill(WHY)
    await page.locator("form[action$='/reveals'] button").click()
    await page.get_by_text("waits for a custodian").wait_for()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
async def test_officer_and_custodian_open_it_together(
    desk: Desk, chromium: Browser, address: str, theme: str, width: int, tmp_path: Path
):
    here = held(desk)
    sari = await at_work(desk, chromium, address, desk.house.supervisor, theme, width)
    wayan = await at_work(desk, chromium, address, desk.house.custodian, theme, width)

    await wayan.goto(f"{address}/vault")
    assert "No request waits." in await judged(wayan, "vault-empty")
    await sari.goto(f"{address}{here.page}")
    await judged(sari, "case")
    await sari.get_by_text("Ask for the identity").click()
    await judged(sari, "ask-identity")
    await sari.locator("#justification").fill(WHY)
    await sari.locator("#reason").select_option("AWARD")
    await sari.locator("form[action$='/reveals'] button").click()
    assert "needs the reporter's consent" in await judged(sari, "ask-problem")
    assert await sari.locator("#justification").input_value() == WHY
    await ask(sari, "PROTECT")
    await judged(sari, "asked")

    await wayan.reload()
    assert here.case.number in await judged(wayan, "vault-asked")
    await wayan.get_by_role("link", name="Look at the request").click()
    assert WHY in await judged(wayan, "vault-request")
    await wayan.locator("form[action$='/grant'] button").click()
    await wayan.get_by_text("the reporter is told").wait_for()
    assert NAME not in await judged(wayan, "vault-granted")

    await sari.reload()
    await judged(sari, "granted")
    await sari.get_by_role("button", name="Read the identity").click()
    await sari.get_by_text(NAME).wait_for()
    await judged(sari, "opened")
    await sari.get_by_role("button", name="End it now").click()
    await sari.get_by_text("The request is deleted").wait_for()

    await sari.get_by_text("Ask for the original").first.click()
    assert here.sha256 in await judged(sari, "ask-original")
    await ask(sari, "CHAIN")
    await wayan.goto(f"{address}/vault")
    await wayan.get_by_role("link", name="Look at the request").click()
    await wayan.locator("#tell").select_option("DANGER")
    await wayan.locator("form[action$='/grant'] button").click()
    await wayan.get_by_text("It is sealed to the officer").wait_for()
    await sari.reload()
    await judged(sari, "original-granted")
    async with sari.expect_download() as waiting:
        await sari.get_by_role("button", name="Download the original").click()
    download = await waiting.value
    place = tmp_path / "download"
    await download.save_as(place)
    assert hashlib.sha256(place.read_bytes()).hexdigest() == here.sha256
    await sari.goto(f"{address}{here.page}")
    await judged(sari, "case-after")
    await sari.context.close()
    await wayan.context.close()
