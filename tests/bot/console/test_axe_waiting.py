"""Pages about who waits, who stays and who steps back in Chromium: nothing axe finds."""

import pytest
from playwright.async_api import Browser

from storage.units import admissions
from storage.words import Role
from tests.support import authenticator
from tests.support.browsers import Desk
from tests.support.chromium import address, chromium, judged_at_both_widths, sign_in
from tests.support.founded import person
from tests.support.revealing import asks, held

__all__ = ["address", "chromium"]

pytestmark = pytest.mark.browser


async def test_axe_finds_nothing_on_pages_of_waiting_and_of_a_custodians_conflict(
    desk: Desk,
    chromium: Browser,
    address: str,
):
    reveal = asks(desk, held(desk)).hex()
    with desk.database.writing() as session:
        eka = person(session, desk.keys, "eka", Role.ADMIN)
        authenticator.enrol(session, desk.keys, eka.officer)
        admissions.leave_unconfirmed(session, desk.keys, eka.officer)
        adi = person(session, desk.keys, "adi", Role.ADMIN)
        authenticator.enrol(session, desk.keys, adi.officer)
    looks = (
        (eka, "/account"),
        (adi, "/people"),
        (adi, "/people/officers/eka"),
        (adi, "/people/officers/sari"),
        (desk.house.custodian, f"/vault/{reveal}/conflict"),
    )
    context = await chromium.new_context()
    page = await context.new_page()
    for who, path in looks:
        await sign_in(desk, context, address, who)
        answer = await page.goto(address + path)
        assert answer is not None
        assert answer.status == 200, path
        await judged_at_both_widths(page, path)
    await context.close()
