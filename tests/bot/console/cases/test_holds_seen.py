"""A held case and the list of holds in a real Chromium: nothing that axe finds."""

import pytest
from playwright.async_api import Browser

from handlers.cases import holds
from handlers.work import Work
from storage.words import Role
from tests.support.browsers import Desk
from tests.support.chromium import address, chromium, judged, sign_in

pytestmark = pytest.mark.browser
__all__ = ["address", "chromium"]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_about_holds(
    desk: Desk, chromium: Browser, address: str, theme: str
):
    free, held = desk.case(), desk.case()
    colleague = desk.colleague("second", Role.SUPERVISOR)
    with desk.database.writing() as session:
        holds.hold(
            Work(session, desk.context.office, desk.clock()),
            held.report,
            "Perkara nomor 12",
            by=colleague.officer,
        )
    context = await chromium.new_context(
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": 1280 if theme == "dark" else 390, "height": 900},
    )
    page = await context.new_page()
    await sign_in(desk, context, address)
    for path in ("/holds", f"/cases/{held.number}", f"/cases/{free.number}"):
        await page.goto(address + path)
        await judged(page)
    await context.close()
