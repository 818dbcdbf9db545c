"""Whom Telegram tells: accounts that were let in, and nobody who waits."""

import pytest

from handlers.errors import NotYours
from handlers.notices import officers as notices
from handlers.people import officer_telegram
from storage.models import Officer
from storage.people import officers, telegram_links
from storage.units import admissions, memberships, units
from storage.words import Channel, Role
from tests.support import founded
from tests.support.desk import Desk, desk

ROUTE = {"unit": "Inspectorate", "by": "sari", "second": "rini"}


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def added(here: Desk, login: str, role: Role) -> Officer:
    with here.database.writing() as session:
        return founded.person(session, here.keys, login, role).officer


def linked(here: Desk, officer: Officer, handle: str) -> None:
    """Link a Telegram as if it had been done while the account was let in."""
    with here.database.writing() as session:
        token = telegram_links.issue(session, here.keys, officer.id, now=here.now)
        place = (Channel.TELEGRAM, handle)
        telegram_links.redeem(session, here.keys, token, *place, now=here.now)


def heard(here: Desk) -> list[str]:
    return sorted(letter.to for letter in here.delivers())


def admitted(here: Desk, officer: Officer) -> None:
    boss = here.house.supervisor
    with here.database.writing() as session:
        unit = units.verified(session, here.keys, here.house.unit.id)
        member = officers.by_id(session, here.keys, boss.officer.id)
        memberships.admit(session, here.keys, unit, officer, member, boss.secret)


@pytest.mark.both_stores
def test_a_change_of_routes_is_heard_by_supervisors_with_a_seat(here: Desk):
    outside = added(here, "tono", Role.SUPERVISOR)
    linked(here, outside, "901")
    linked(here, here.house.supervisor.officer, "900")
    assert here.act(notices.route_changed, notices.ROUTE_ADDED, **ROUTE) == 1
    assert heard(here) == ["900"]
    admitted(here, outside)
    here.later(minutes=1)
    assert here.act(notices.route_changed, notices.ROUTE_REMOVED, **ROUTE) == 2
    assert heard(here) == ["900", "901"]


def test_an_account_that_waits_gets_no_link(here: Desk):
    auditor, handler = (
        added(here, "eka", Role.AUDITOR),
        added(here, "budi", Role.HANDLER),
    )
    with here.database.writing() as session:
        admissions.leave_unconfirmed(session, here.keys, auditor)
    for officer in (auditor, handler):
        with pytest.raises(NotYours):
            here.act(officer_telegram.offer_link, officer)
    with here.database.writing() as session:
        admissions.confirm(session, here.keys, auditor.id)
    admitted(here, handler)
    for officer in (auditor, handler):
        assert here.act(officer_telegram.offer_link, officer)


def test_a_link_that_is_pressed_after_the_account_waits_again_links_nothing(here: Desk):
    auditor = added(here, "eka", Role.AUDITOR)
    token = here.act(officer_telegram.offer_link, auditor)
    with here.database.writing() as session:
        admissions.leave_unconfirmed(session, here.keys, auditor)
    here.say("902", f"/start {token}")
    with here.database.reading() as session:
        assert not telegram_links.is_linked(session, auditor.id)
    (letter,) = here.delivers()
    assert letter.to == "902"
    assert not letter.text.startswith("Telegram")
