"""The page that says how the server itself is, and the banner that leads there."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Literal

import pytest
from playwright.async_api import Browser as Chromium
from starlette.applications import Starlette

from bot.console.app import routes
from bot.telemetry.metrics import Level
from bot.watch.alarms import Alarm
from storage.jobs import watches
from storage.words import Role
from tests.support.browsers import Desk
from tests.support.chromium import address, chromium, judged, sign_in
from tests.support.founded import person

__all__ = ["address", "chromium"]


@pytest.fixture
def ringing(desk: Desk) -> Desk:
    """Let two alarms ring, and something fail."""
    since = desk.clock() - timedelta(minutes=20)
    desk.context = replace(
        desk.context,
        rings=lambda: {Alarm.DISK_FULL: since, Alarm.SMS_SENDING: since},
        levels=lambda: dict.fromkeys(Level, 0.0) | {Level.OUTBOX_OLDEST_DUE: 5400.0},
    )
    desk.app = Starlette(routes=routes(desk.context))
    with desk.database.writing() as session:
        watches.good(session, "canary", now=since)
        watches.bad(session, "sms.sending", "refused", now=since)
        watches.bad(session, "sms.sending", "refused", now=since)
    return desk


def officer(desk: Desk, role: Role):
    with desk.database.writing() as session:
        one = person(session, desk.keys, f"one-{role}", role)
    return desk.signed_in(one)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
async def test_it_says_what_rings_what_to_do_and_what_fails(ringing: Desk, role: Role):
    page = await officer(ringing, role).get("/health")
    assert page.status_code == 200
    for words in (
        "A disk is nearly full",
        "Make room",
        "SMS: sending",
        "refused, 2 times",
        "90 min",
    ):
        assert words in page.text
    assert "Alarm: A disk" not in page.text, "no banner where the alarm itself stands"


@pytest.mark.parametrize("role", [Role.CUSTODIAN, Role.HANDLER, Role.INTAKE])
async def test_it_is_for_nobody_else(ringing: Desk, role: Role):
    browser = officer(ringing, role)
    assert (await browser.get("/health")).status_code == 404
    assert "Alarm:" not in (await browser.get("/account")).text


async def test_admins_and_supervisors_see_a_banner_on_every_page(ringing: Desk):
    for browser in (
        officer(ringing, Role.ADMIN),
        ringing.signed_in(ringing.house.supervisor),
    ):
        page = (await browser.get("/account")).text
        assert "Alarm: A disk is nearly full" in page
        assert "/console/health" in page
    auditor = officer(ringing, Role.AUDITOR)
    assert "Alarm: A disk" not in (await auditor.get("/account")).text


@pytest.mark.both_stores
async def test_all_is_quiet(desk: Desk):
    page = await officer(desk, Role.ADMIN).get("/health")
    assert "No alarm rings." in page.text
    assert "Nothing was watched yet." in page.text


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing(
    ringing: Desk,
    chromium: Chromium,
    address: str,
    theme: Literal["light", "dark"],
):
    context = await chromium.new_context(color_scheme=theme)
    page = await context.new_page()
    await sign_in(ringing, context, address)
    for path, width in product(("/health", "/mine"), (1280, 390)):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto(address + path)
        await judged(page, path)
    await context.close()
