"""Handing over in Chromium: nothing axe finds, in both themes."""

from typing import Literal

import pytest
from playwright.async_api import Browser

from tests.bot.console.test_axe import address, chromium, sign_in
from tests.bot.console.test_axe_letters import check
from tests.support import founded
from tests.support.browsers import Desk

__all__ = ["address", "chromium"]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing(
    desk: Desk, chromium: Browser, address: str, theme: Literal["light", "dark"]
):
    case = desk.case()
    with desk.database.writing() as session:
        founded.unit_of(session, desk.keys, "Inspektur Pembantu Wilayah III", "rini")
    context = await chromium.new_context(color_scheme=theme)
    await sign_in(desk, context, address)
    page = await context.new_page()
    await page.goto(f"{address}/cases/{case.number}")
    await page.locator("a[href$='/hand-over']").click()
    await check(page, f"handover-{theme}")
    await page.select_option("#unit", label="Inspektur Pembantu Wilayah III")
    await page.fill("#reason", "Pasarnya di wilayah mereka.")
    await page.locator("form[action$='/hand-over'] button").click()
    await page.locator("[name=words]").wait_for(state="attached")
    await check(page, f"handover-confirm-{theme}")
    await page.locator("form[action$='/hand-over'] button").click()
    await page.wait_for_url(f"{address}/cases/{case.number}")
    await check(page, f"handed-over-{theme}")
    await page.goto(f"{address}/")
    await check(page, f"queue-{theme}")
    await page.fill("#number", case.number.lower())
    await page.locator("form[action$='/find'] button").click()
    await page.wait_for_url(f"{address}/cases/{case.number}")
    await context.close()
