"""Admins hear of an alarm once, once a day, and once that it is over; of nothing else."""

import pytest

from bot.watch.alarms import Alarm
from handlers.texts import Texts
from handlers.watch import alarms
from storage.jobs import watches
from storage.models import Officer
from storage.people import officers, telegram_links
from storage.units import admissions
from storage.words import Channel, Role
from tests.support import founded
from tests.support.desk import Desk, desk


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def link(here: Desk, officer: bytes, handle: str) -> None:
    with here.database.writing() as session:
        token = telegram_links.issue(session, here.keys, officer, now=here.now)
        telegram_links.redeem(
            session, here.keys, token, Channel.TELEGRAM, handle, now=here.now
        )


def admin(here: Desk) -> Officer:
    """Add an admin with a linked account; somebody who is none has one too."""
    with here.database.writing() as session:
        officer = founded.person(session, here.keys, "admin1", Role.ADMIN).officer
    link(here, officer.id, "700")
    link(here, here.house.supervisor.officer.id, "701")
    here.delivers()
    return officer


def told(here: Desk) -> list[tuple[str, str]]:
    return [(letter.to, letter.text) for letter in here.delivers()]


@pytest.mark.both_stores
def test_an_alarm_is_told_once_then_daily_then_that_it_is_over(here: Desk):
    admin(here)
    assert here.act(alarms.rings, "disk.full") == 1
    (one,) = told(here)
    assert one[0] == "700"
    assert "disk" in one[1]
    here.later(hours=23)
    assert here.act(alarms.rings, "disk.full") == 0
    here.later(hours=1, minutes=1)
    assert here.act(alarms.rings, "disk.full") == 1
    (again,) = told(here)
    assert again[1] != one[1]
    here.later(hours=1)
    assert here.act(alarms.is_over, "disk.full") == 1
    (over,) = told(here)
    assert over[0] == "700"
    assert here.act(alarms.is_over, "disk.full") == 0
    here.later(minutes=1)
    assert here.act(alarms.rings, "disk.full") == 1, "it began anew"


def test_two_alarms_are_two(here: Desk):
    admin(here)
    assert here.act(alarms.rings, "disk.full") == 1
    assert here.act(alarms.rings, "backup.old") == 1
    assert here.act(alarms.is_over, "disk.full") == 1
    with here.database.reading() as session:
        rows = watches.read(session)
    assert rows["alarm.disk.full"].bad is None
    assert rows["alarm.backup.old"].bad is not None


def test_without_an_admin_who_linked_an_account_it_is_remembered(here: Desk):
    assert here.act(alarms.rings, "disk.full") == 0
    with here.database.reading() as session:
        assert watches.read(session)["alarm.disk.full"].bad == here.now
    here.later(hours=1)
    assert here.act(alarms.is_over, "disk.full") == 0
    assert told(here) == []


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("alarm", Alarm)
def test_every_alarm_has_plain_words(alarm, language):
    texts = Texts((language,), {})
    for frame in ("ALARM.RINGS", "ALARM.LASTS", "ALARM.OVER"):
        said = texts.say(
            frame,
            language=language,
            channel=Channel.TELEGRAM,
            what=f"@ALARM.{alarm.value}",
        )
        assert "{" not in said
        assert "ALARM." not in said


def test_an_admin_who_left_hears_nothing(here: Desk):
    gone = admin(here)
    with here.database.writing() as session:
        officers.deactivate(session, here.keys, gone.id)
    assert here.act(alarms.rings, "disk.full") == 0


def test_an_admin_who_waits_to_be_confirmed_hears_no_alarm(here: Desk):
    waits = admin(here)
    with here.database.writing() as session:
        admissions.leave_unconfirmed(session, here.keys, waits)
    assert here.act(alarms.rings, "disk.full") == 0
    assert told(here) == []
    with here.database.writing() as session:
        admissions.confirm(session, here.keys, waits.id)
    here.later(days=1, minutes=1)
    assert here.act(alarms.rings, "disk.full") == 1
    assert [handle for handle, _ in told(here)] == ["700"]
