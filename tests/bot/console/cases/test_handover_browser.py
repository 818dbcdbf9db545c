"""A case goes to another unit and back in a real Chromium: two officers, each by their own key."""

import pytest
from playwright.async_api import Browser, Page

from tests.support import founded
from tests.support.browsers import STORY, Desk
from tests.support.chromium import address, chromium, judged, sign_in
from tests.support.founded import Person

pytestmark = pytest.mark.browser
__all__ = ["address", "chromium"]
EAST = "Inspektur Pembantu Wilayah III"
WHY = "Pasarnya di wilayah mereka."
BACK = "Pasarnya di sisi kita."


async def hands_over(page: Page, unit: str, reason: str, theme: str) -> str:
    """Fill the form in, compare the key, confirm; returns the key's words."""
    await page.locator("a[href$='/hand-over']").click()
    await judged(page, f"handover-{theme}")
    await page.select_option("#unit", label=unit)
    await page.fill("#reason", reason)
    await page.locator("form[action$='/hand-over'] button").click()
    words = await page.locator("[name=words]").get_attribute("value")
    shown = await judged(page, f"handover-confirm-{theme}")
    assert words
    assert words in shown
    assert reason in shown
    await page.locator("form[action$='/hand-over'] button").click()
    return words


@pytest.mark.parametrize(("theme", "width"), [("light", 390), ("dark", 1400)])
async def test_a_case_goes_by_key_and_comes_back(
    desk: Desk, chromium: Browser, address: str, theme: str, width: int
):
    case, sari = desk.case(), desk.house.supervisor
    with desk.database.writing() as session:
        _, (rini,) = founded.unit_of(session, desk.keys, EAST, "rini")
    context = await chromium.new_context(
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
        java_script_enabled=True,
    )
    page, at = await context.new_page(), f"{address}/cases/{case.number}"

    async def sees(who: Person) -> str:
        await sign_in(desk, context, address, who)
        await page.goto(at)
        return await page.locator("main").inner_text()

    assert STORY in await sees(sari)
    theirs = await hands_over(page, EAST, WHY, theme)
    left = await judged(page, f"handed-over-{theme}")
    assert EAST in left
    assert STORY not in left
    await page.goto(f"{address}/")
    assert case.number not in await judged(page, f"queue-{theme}")
    await page.fill("#number", case.number.lower())
    await page.locator("form[action$='/find'] button").click()
    await page.wait_for_url(at)

    there = await sees(rini)
    assert STORY in there
    assert WHY in there
    ours = await hands_over(page, desk.house.unit.name, BACK, theme)
    assert ours != theirs
    assert STORY not in await page.locator("main").inner_text()

    again = await sees(sari)
    for text in (STORY, WHY, BACK):
        assert text in again
    assert STORY not in await sees(rini)
    await context.close()
