"""Four eyes in two real browsers: no script, nothing that axe finds, by real HTTP."""

import hashlib
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped]  # it has no stubs
    Axe,
)
from playwright.async_api import Browser, Page

from bot.console.visit import COOKIE
from storage.people import sessions
from storage.words import Stage
from tests.bot.console.test_axe import address, chromium
from tests.support.browsers import Desk
from tests.support.founded import Person
from tests.support.revealing import NAME, WHY, held

pytestmark = pytest.mark.browser
__all__ = ["address", "chromium"]


async def at_work(
    desk: Desk, chromium: Browser, address: str, who: Person, theme: str, width: int
) -> Page:
    """Open a browser of somebody who has signed in."""
    with desk.database.writing() as session:
        cookie = sessions.begin(
            session,
            desk.keys,
            who.officer,
            who.secret,
            stage=Stage.FULL,
            now=desk.clock(),
        )
    context = await chromium.new_context(
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
        accept_downloads=True,
    )
    await context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": cookie,
                "url": address.replace("http:", "https:"),
                "secure": True,
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )
    return await context.new_page()


async def look(page: Page, name: str) -> str:
    """Let axe judge a page; returns what stands in it."""
    found = await Axe().run(page)
    assert found.response["violations"] == [], name
    wide = "document.documentElement.scrollWidth > innerWidth"
    assert not await page.evaluate(wide), name
    return await page.locator("main").inner_text()


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
    assert "No request waits." in await look(wayan, "vault-empty")
    await sari.goto(f"{address}{here.page}")
    await look(sari, "case")
    await sari.get_by_text("Ask for the identity").click()
    await look(sari, "ask-identity")
    await sari.locator("#justification").fill(WHY)
    await sari.locator("#reason").select_option("AWARD")
    await sari.locator("form[action$='/reveals'] button").click()
    assert "needs the reporter's consent" in await look(sari, "ask-problem")
    assert await sari.locator("#justification").input_value() == WHY
    await ask(sari, "PROTECT")
    await look(sari, "asked")

    await wayan.reload()
    assert here.case.number in await look(wayan, "vault-asked")
    await wayan.get_by_role("link", name="Look at the request").click()
    assert WHY in await look(wayan, "vault-request")
    await wayan.locator("form[action$='/grant'] button").click()
    await wayan.get_by_text("the reporter is told").wait_for()
    assert NAME not in await look(wayan, "vault-granted")

    await sari.reload()
    await look(sari, "granted")
    await sari.get_by_role("button", name="Read the identity").click()
    await sari.get_by_text(NAME).wait_for()
    await look(sari, "opened")
    await sari.get_by_role("button", name="End it now").click()
    await sari.get_by_text("The request is deleted").wait_for()

    await sari.get_by_text("Ask for the original").first.click()
    assert here.sha256 in await look(sari, "ask-original")
    await ask(sari, "CHAIN")
    await wayan.goto(f"{address}/vault")
    await wayan.get_by_role("link", name="Look at the request").click()
    await wayan.locator("#tell").select_option("DANGER")
    await wayan.locator("form[action$='/grant'] button").click()
    await wayan.get_by_text("It is sealed to the officer").wait_for()
    await sari.reload()
    await look(sari, "original-granted")
    async with sari.expect_download() as waiting:
        await sari.get_by_role("button", name="Download the original").click()
    download = await waiting.value
    place = tmp_path / "download"
    await download.save_as(place)
    assert hashlib.sha256(place.read_bytes()).hexdigest() == here.sha256
    await sari.goto(f"{address}{here.page}")
    await look(sari, "case-after")
    await sari.context.close()
    await wayan.context.close()
