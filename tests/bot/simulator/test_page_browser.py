"""The page in a real browser: fresh without reloading, accessible, right without a script."""

from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped] # no types there
    Axe,
)
from playwright.async_api import Page, async_playwright

from tests.support.chromium import ARGUMENTS, CHROMIUM

SARI = 6281234501

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS
        )
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser, simulator) -> AsyncIterator[Page]:
    page = await browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda said: problems.append(said.text) if said.type == "error" else None,
    )
    await page.goto(simulator.url)
    yield page
    assert problems == []


async def test_what_is_typed_arrives_and_answers_appear_by_themselves(api, page):
    await page.fill("#text-telegram", "saya mau lapor")
    await page.press("#text-telegram", "Enter")
    await page.get_by_text("saya mau lapor").wait_for()
    assert await page.input_value("#text-telegram") == ""
    markup = {"inline_keyboard": [[{"text": "Ya", "callback_data": "1"}]]}
    long = "\n".join(f"baris {number}" for number in range(60))
    await api.result("sendMessage", chat_id=SARI, text=long, reply_markup=markup)
    button = page.get_by_role("button", name="Ya", exact=True)
    await button.wait_for()
    assert await page.evaluate(
        "() => { const b = document.querySelector('#phone-telegram .key').getBoundingClientRect();"
        " const t = document.querySelector('#phone-telegram .thread').getBoundingClientRect();"
        " return b.height >= 44 && b.bottom <= t.bottom + 1; }"
    )
    await button.click()
    await page.get_by_text("Ditekan: Ya").wait_for()
    updates = await api.result("getUpdates")
    assert updates[-1]["callback_query"]["data"] == "1"


async def test_links_open_on_the_officers_phone_and_files_attach(api, page):
    await page.fill("#link-officer", "https://t.me/kentongan_demo_bot?start=abc")
    await page.press("#link-officer", "Enter")
    await page.get_by_text("/start abc").wait_for()
    file = {"name": "bukti.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
    await page.set_input_files("#phone-telegram input[type=file]", [file])
    await page.click("#phone-telegram .send")
    await page.locator(".line .file", has_text="bukti.pdf").wait_for()
    assert (await api.result("getUpdates"))[-1]["message"]["document"]["file_size"] == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(api, simulator, page, scheme):
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for phone in ("telegram", "officer", "whatsapp", "sms"):
        await simulator.phone(phone).say("hai")
    await simulator.phone("sms").say("STOP")
    buttons = [
        {"text": "Ya", "callback_data": "1"},
        {"text": "Buka", "url": "https://x.test/"},
    ]
    text = "lihat https://t.me/kentongan_demo_bot?start=a dan https://x.test/"
    markup = {"inline_keyboard": [buttons]}
    await api.result("sendMessage", chat_id=SARI, text=text, reply_markup=markup)
    await simulator.phone("telegram").press("Ya")
    await page.get_by_text("Ditekan: Ya").wait_for()
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


async def test_a_narrow_screen_never_scrolls_sideways(page):
    await page.set_viewport_size({"width": 320, "height": 700})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320


async def test_it_works_without_a_script(api, simulator, browser):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{simulator.url}/?lang=en")
    await page.get_by_role("button", name="/start").click()
    await page.get_by_text("/start").first.wait_for()
    await page.fill("#text-telegram", "tanpa skrip")
    await page.click("#phone-telegram .send")
    await page.get_by_text("tanpa skrip").wait_for()
    assert await page.get_attribute("html", "lang") == "en"
    texts = [update["message"]["text"] for update in await api.result("getUpdates")]
    assert texts == ["/start", "tanpa skrip"]
    await context.close()
