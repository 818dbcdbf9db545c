"""Pages about people in a real Chromium: nothing that axe finds, nothing too wide."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from storage.rekeying import unit_keys
from storage.units import rotation
from storage.words import Role
from tests.support.browsers import Desk
from tests.support.chromium import address, chromium, judged, sign_in
from tests.support.founded import person

pytestmark = pytest.mark.browser
__all__ = ["address", "chromium"]

PHRASE = "sebuah frasa yang panjang"


async def invited(desk: Desk, page: Page, address: str, login: str) -> str:
    """Fill in the form of an invitation and return the address of the link."""
    await page.goto(f"{address}/people/invite")
    await page.locator("#name").fill(login.title())
    await page.locator("#login").fill(login)
    await page.locator("#role").select_option("handler")
    await page.locator("#unit").select_option(desk.house.unit.id.hex())
    await page.locator("main form button").click()
    link = await page.locator(".address").inner_text()
    return address + "/join/" + link.rpartition("/")[2]


async def views(desk: Desk, page: Page, address: str) -> AsyncIterator[str]:
    """Walk through every page about people; yield a name as each one stands."""
    sari, context = desk.house.supervisor, page.context
    with desk.database.writing() as session:
        adi = person(session, desk.keys, "adi", Role.ADMIN)
    await sign_in(desk, context, address, sari)
    await page.goto(f"{address}/people/invite")
    yield "invite"
    await page.evaluate("document.querySelector('main form').noValidate = true")
    await page.locator("main form button").click()
    yield "invite-refused"
    rini = await invited(desk, page, address, "rini")
    budi = await invited(desk, page, address, "budi")
    yield "invited"
    await context.clear_cookies()
    await page.goto(budi)
    yield "join"
    await page.locator("#passphrase").fill(PHRASE)
    await page.locator("#again").fill(PHRASE + "!")
    await page.locator("#again").press("Enter")
    yield "join-refused"
    await page.locator("form.other button").click()
    yield "joined"
    await page.goto(rini.rpartition("/")[0] + "/nothing")
    yield "join-gone"
    await sign_in(desk, context, address, sari)
    await page.goto(f"{address}/people/officers/budi")
    yield "person-invited"
    await sign_in(desk, context, address, desk.colleague("dewi"))
    await page.goto(f"{address}/people")
    yield "people-member"
    await page.goto(f"{address}/people/officers/budi")
    yield "person-waiting"
    await page.locator("[name=compared]").check()
    await page.locator("form[action$='/admit'] button").click()
    yield "people-admitted"
    await sign_in(desk, context, address, sari)
    await page.goto(f"{address}/people/officers/sari")
    yield "person-last"
    await sign_in(desk, context, address, adi)
    await page.goto(f"{address}/people")
    yield "people-admin"
    await page.goto(f"{address}/people/officers/budi")
    yield "person-admin"
    for _ in range(3):
        desk.case()
    with desk.database.writing() as session:
        rotation.rotate(session, desk.keys, desk.house.unit)
    await sign_in(desk, context, address, sari)
    await page.goto(f"{address}/")
    yield "queue-resealing"


@pytest.mark.parametrize(
    ("theme", "width"), [("light", 1280), ("dark", 390), ("dark", 1280), ("light", 390)]
)
async def test_axe_finds_nothing_about_people(
    desk: Desk,
    chromium: Browser,
    address: str,
    theme: str,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(unit_keys.batch, "__kwdefaults__", {"limit": 1})
    context = await chromium.new_context(
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    page, seen = await context.new_page(), 0
    async for name in views(desk, page, address):
        await judged(page, name)
        seen += 1
    assert seen > 12
    await context.close()
