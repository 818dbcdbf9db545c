"""A real Chromium for tests: Debian's, headless, silent towards the net.

A module that imports the fixtures names them in ``__all__``.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped]  # it has no stubs
    Axe,
)
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from bot.console.visit import COOKIE
from storage.people import sessions
from storage.words import Stage
from tests.support.browsers import Desk
from tests.support.founded import Person
from tests.support.serving import served

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PICTURES = os.environ.get("KENTONGAN_TEST_PICTURES", "")
"""A folder to leave pictures of the pages in, for somebody who looks at them."""
WIDTHS = (1280, 390)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS
        )
        yield browser
        await browser.close()


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    async with served(desk.app) as url:
        yield f"{url}/console"


async def sign_in(
    desk: Desk,
    context: BrowserContext,
    address: str,
    who: Person | None = None,
    stage: Stage = Stage.FULL,
) -> None:
    who = who or desk.house.supervisor
    with desk.database.writing() as session:
        cookie = sessions.begin(
            session,
            desk.keys,
            who.officer,
            who.secret,
            stage=stage,
            now=desk.clock(),
        )
    await context.clear_cookies()
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


async def judged(page: Page, name: str = "") -> str:
    """Let axe judge a page; the screen holds it. Returns what stands in it."""
    name = name or page.url
    found = await Axe().run(page)
    assert found.response["violations"] == [], name
    wide = "document.documentElement.scrollWidth > innerWidth"
    assert not await page.evaluate(wide), name
    if PICTURES:
        size = page.viewport_size or {"width": 0}
        path = Path(PICTURES) / f"{Path(name).name}-{size['width']}.png"
        await page.screenshot(path=path, full_page=True)
    return await page.locator("main").inner_text()


async def judged_at_both_widths(page: Page, name: str = "") -> None:
    """Judge a page as a screen on a desk and one in a hand show it."""
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        await judged(page, name)
