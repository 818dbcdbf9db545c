"""Invited admins and auditors wait until somebody else has compared their words."""

import pytest

from handlers import authority
from handlers.errors import LastAdmin, NotYours, SecondOfficerNeeded
from handlers.people import confirming, leaving
from handlers.watch import digest
from storage.audit import log, manifests
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.inspection import rows
from storage.people import telegram_links
from storage.units import admissions
from storage.words import Channel, Role
from tests.handlers.people.test_joining_and_leaving import admin, invited, joined
from tests.support import desk, founded
from tests.support.desk import Desk
from tests.support.founded import Person


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk.desk(database, keys)


def guest(
    here: Desk, by: Person | None, role: Role = Role.ADMIN, login: str = "budi"
) -> Person:
    token = invited(here, by, login, role=role, unit=None)
    return joined(here, token, login, role)


def waits(here: Desk) -> list[str]:
    with here.database.reading() as session:
        return [
            one.login for one in admissions.unconfirmed_accounts(session, here.keys)
        ]


def confirms(here: Desk, by: Person, whom: Person) -> None:
    here.act(confirming.confirm, whom.officer.id, by=by.officer.id)


@pytest.mark.both_stores
@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
def test_an_account_without_a_unit_waits_for_a_second_pair_of_eyes(
    here: Desk, role: Role
):
    adi = admin(here)
    budi = guest(here, adi, role)
    assert waits(here) == ["budi"]
    with here.database.reading() as session, pytest.raises(NotYours):
        authority.present(here.work(session), budi.officer.id)
    with pytest.raises(SecondOfficerNeeded):
        confirms(here, adi, budi)
    with pytest.raises(NotYours):
        confirms(here, budi, budi)
    confirms(here, here.house.supervisor, budi)
    assert waits(here) == []
    with here.database.reading() as session:
        assert authority.present(here.work(session), budi.officer.id).active
        codes = [line.code for line in log.lines(session)]
        assert "officer.confirmed" in codes
        assert list(rows.problems(session, here.keys)) == []
        assert manifests.rolled_back(session, here.keys) == []
    with pytest.raises(admissions.NotUnconfirmed):
        confirms(here, here.house.supervisor, budi)


def test_whom_the_operator_invited_any_admin_confirms(here: Desk):
    adi, budi = admin(here), guest(here, None)
    assert waits(here) == ["budi"]
    with here.database.reading() as session:
        assert list(rows.problems(session, here.keys)) == []
    confirms(here, adi, budi)
    assert waits(here) == []


def test_who_has_no_seat_or_another_role_confirms_nobody(here: Desk):
    budi = guest(here, admin(here))
    with here.database.writing() as session:
        seatless = founded.person(session, here.keys, "joko", Role.SUPERVISOR)
        auditor = founded.person(session, here.keys, "wati", Role.AUDITOR)
    other = guest(here, None, login="eka")
    for person in (seatless, auditor, other, here.house.custodian):
        with pytest.raises(NotYours):
            confirms(here, person, budi)
    assert waits(here) == ["budi", "eka"]


def test_who_waits_does_nothing_to_people_and_is_no_admin_yet(here: Desk):
    adi = admin(here)
    budi = guest(here, adi)
    with pytest.raises(NotYours):
        invited(here, budi, "rini")
    with pytest.raises(NotYours):
        here.act(leaving.end, adi.officer.id, by=budi.officer.id)
    with pytest.raises(LastAdmin):
        here.act(leaving.end, adi.officer.id, by=adi.officer.id)
    here.act(leaving.end, budi.officer.id, by=adi.officer.id)
    assert waits(here) == []
    with here.database.reading() as session:
        assert not admissions.is_unconfirmed(session, here.keys, budi.officer.id)
    with pytest.raises(admissions.NotUnconfirmed):
        confirms(here, here.house.supervisor, budi)


def test_an_auditor_who_waits_gets_no_digest(here: Desk):
    budi = guest(here, admin(here), Role.AUDITOR)
    with here.database.writing() as session:
        token = telegram_links.issue(session, here.keys, budi.officer.id, now=here.now)
        telegram_links.redeem(
            session, here.keys, token, Channel.TELEGRAM, "9001", now=here.now
        )
    assert here.act(digest.send, broken=None) == 0
    confirms(here, here.house.supervisor, budi)
    here.later(days=1)
    assert here.act(digest.send, broken=None) == 1
