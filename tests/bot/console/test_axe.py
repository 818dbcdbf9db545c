"""Every page in a real Chromium: nothing that axe finds, nothing wider than the screen."""

from typing import Literal

import pytest
from playwright.async_api import Browser

from bot.console.visit import COOKIE
from storage.people import officers
from storage.words import Role, Stage
from tests.support import authenticator
from tests.support.browsers import Desk
from tests.support.chromium import address, chromium, judged_at_both_widths, sign_in
from tests.support.founded import person

__all__ = ["address", "chromium"]

pytestmark = pytest.mark.browser

PHRASE = "a phrase of sixteen"


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing(
    desk: Desk, chromium: Browser, address: str, theme: Literal["light", "dark"]
):
    """Pages of people, reveals and holds are looked at beside their own tests."""
    case = desk.case()
    with desk.database.writing() as session:
        agus = person(session, desk.keys, "agus", Role.AUDITOR)
        authenticator.enrol(session, desk.keys, agus.officer)
    context = await chromium.new_context(color_scheme=theme)
    page = await context.new_page()

    async def visit(paths: dict[str, int]) -> None:
        for path, status in paths.items():
            answer = await page.goto(address + path)
            assert answer is not None
            assert answer.status == status, path
            assert page.url == address + path
            await judged_at_both_widths(page)

    await visit({"/sign-in": 200})
    await sign_in(desk, context, address, agus, Stage.FIRST)
    await visit({"/sign-in/second": 200})
    await sign_in(desk, context, address, agus)
    await visit(
        {"/log": 200, "/log?family=case": 200, "/reading": 200, "/figures": 200}
    )
    await page.goto(f"{address}/log")
    await page.locator("form[action$='/log/verify'] button").click()
    await page.locator("[role=status], [role=alert]").wait_for()
    await judged_at_both_widths(page)
    await sign_in(desk, context, address)
    await visit(
        {
            "/": 200,
            "/mine": 200,
            "/requests": 200,
            "/prove": 200,
            "/account/factor/set-up": 200,
            "/account/passphrase": 200,
            "/?state=over": 200,
            f"/cases/{case.number}": 200,
            f"/cases/{case.number}/classification": 200,
            f"/cases/{case.number}/conflict": 200,
            "/nowhere": 404,
        }
    )
    await page.goto(f"{address}/account")
    await page.locator("form[action$='/account/link'] button").click()
    await page.locator(".qr svg").wait_for()
    await judged_at_both_widths(page)
    await context.close()


async def test_a_case_is_worked_with_the_keyboard_alone(
    desk: Desk, chromium: Browser, address: str
):
    account = officers.prepare_account(
        desk.keys, "wulan", "Wulan", Role.INTAKE, PHRASE, language="en"
    )
    with desk.database.writing() as session:
        officer = officers.add(session, desk.keys, account)
        phone = authenticator.enrol(session, desk.keys, officer)
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{address}/mine")
    await page.keyboard.press("Tab")
    assert await page.locator(".skip").evaluate("e => e === document.activeElement")
    await page.locator("#login").focus()
    await page.keyboard.type("wulan")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PHRASE)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{address}/sign-in/second?next=/mine")
    assert await page.locator("#code").evaluate("e => e === document.activeElement")
    await page.keyboard.type(phone.code(desk.clock()))
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{address}/mine")
    cookies = await context.cookies(address.replace("http:", "https:"))
    (cookie,) = [one for one in cookies if one.get("name") == COOKIE]
    assert cookie.get("sameSite") == "Strict"
    assert cookie.get("httpOnly")
    case = desk.case()
    await sign_in(desk, context, address)
    await page.goto(f"{address}/cases/{case.number}")
    await page.locator("#note").focus()
    await page.keyboard.type("Written without a mouse.")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{address}/cases/{case.number}?done=noted")
    assert "Written without a mouse." in await page.locator("main").inner_text()
    await context.close()


async def test_a_link_in_an_alert_finds_the_session(
    desk: Desk, chromium: Browser, address: str
):
    case = desk.case()
    context = await chromium.new_context()
    await sign_in(desk, context, address)
    page = await context.new_page()
    link = f'<a href="{address}/cases/{case.number}">open</a>'
    await page.route(
        "http://elsewhere.example/",
        lambda route: route.fulfill(body=link, content_type="text/html"),
    )
    await page.goto("http://elsewhere.example/")
    await page.get_by_text("open").click()
    await page.locator("h1.number").wait_for()
    assert case.number in await page.title()
    await context.close()
