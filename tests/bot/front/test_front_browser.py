"""The pages for everybody in a real Chromium: readable, by keyboard, on paper."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pypdfium2
import pytest
from playwright.async_api import Browser
from starlette.applications import Starlette

from bot.front.front import OURS, PAGES
from tests.support.chromium import chromium, judged
from tests.support.fronts import PLACE, SMS, TOKEN, TWILIO, WHATSAPP, front
from tests.support.serving import served

pytestmark = pytest.mark.browser
__all__ = ["chromium"]
LONG = "Inspektorat Kabupaten Hulu Sungai Tengah Baru"


@pytest.fixture
async def address() -> AsyncIterator[str]:
    made = front(AGENCY__NAME=LONG, **TOKEN, **TWILIO, **SMS, **WHATSAPP, **PLACE)
    async with served(Starlette(routes=made.routes())) as url:
        yield url


async def test_axe_finds_nothing_and_no_screen_is_too_narrow(
    chromium: Browser, address: str
):
    asked: list[str] = []
    for theme, width in itertools.product(("light", "dark"), (1400, 390)):
        context = await chromium.new_context(
            color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": width, "height": 900},
        )
        page = await context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        for path, language in itertools.product(PAGES, OURS):
            await page.goto(f"{address}{path}?language={language}")
            await judged(page, f"front{path.replace('/', '-')}-{language}-{theme}")
        assert await context.cookies() == []
        await context.close()
    assert asked
    assert all(one.startswith(address) for one in asked)


async def test_it_is_read_with_the_keyboard_alone(chromium: Browser, address: str):
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{address}/?language=id")
    await page.keyboard.press("Tab")
    assert await page.locator(".skip").evaluate("e => e === document.activeElement")
    for _ in range(2):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{address}/?language=en")
    assert await page.locator("html").get_attribute("lang") == "en"
    await context.close()


@pytest.mark.parametrize("language", OURS)
async def test_the_leaflet_is_one_sheet_of_paper(
    chromium: Browser, address: str, language: str, tmp_path: Path
):
    page = await chromium.new_page(color_scheme="dark")
    await page.goto(f"{address}/poster?language={language}")
    path = tmp_path / "leaflet.pdf"
    await page.pdf(path=path, prefer_css_page_size=True)
    with pypdfium2.PdfDocument(path) as sheet:
        assert len(sheet) == 1
        assert [round(size) for size in sheet[0].get_size()] == [595, 842]
        drawn = sheet[0].render(scale=1).to_pil().convert("L")
    assert drawn.getpixel((5, 5)) == 255, "dark on white, whatever the screen shows"
    await page.close()
