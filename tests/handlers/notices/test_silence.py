"""Whoever does not want notices any more gets none, not even those that waited."""

import secrets

import pytest
from sqlmodel import select

from handlers.cases import officer as verbs
from handlers.cases import reporter
from handlers.notices import statuses
from handlers.notices.statuses import News
from storage import outbox
from storage.crypto.sealing import Context
from storage.crypto.server_key import Purpose
from storage.jobs import jobs
from storage.letters.letter import Letter
from storage.models import Departed, Subscription
from storage.notices import subscriptions
from storage.words import Channel, JobKind, LetterKind, Status
from tests.support.desk import Desk, desk


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def _moves(here: Desk, case) -> None:
    officer = here.house.supervisor.officer
    here.act(
        verbs.change_status, case.report, Status.VERIFICATION, by=officer, reason=None
    )


def _subscribed(here: Desk, handle: str, **more):
    case, slip = here.reports(handle, **more)
    here.say(handle, f"KABAR NETRAL {slip}", **more)
    here.delivers(more.get("channel", Channel.TELEGRAM))
    return case, slip


def _notices(letters: list[Letter]) -> list[str]:
    return [one.case for one in letters if one.kind is LetterKind.NOTICE]


def _departs(here: Desk, channel: Channel) -> list[str]:
    """Let the provider take everything without telling its end; returns the ids."""
    ids = []
    with here.database.writing() as session:
        for one in outbox.claim(session, here.keys, channel, limit=50, now=here.now):
            ids.append(secrets.token_hex(16))
            outbox.sent(
                session,
                here.keys,
                one,
                provider_id=ids[-1],
                final=False,
                now=here.now,
            )
    return ids


def _left(here: Desk) -> list[Letter]:
    with here.database.reading() as session:
        rows = session.exec(select(Departed)).all()
    found = []
    for row in rows:
        place = Context("departed", row.name, "blob")
        found.append(
            Letter.from_bytes(here.keys.unlock(Purpose.OUTBOX, row.blob, place))
        )
    return found


def test_nothing_leaves_after_stop(here):
    case, _ = _subscribed(here, "555")
    _moves(here, case)
    here.say("555", "STOP")
    told = here.delivers()
    assert _notices(told) == []
    assert told, "the stop itself is answered"


@pytest.mark.parametrize("verb", [reporter.withdraw, reporter.erase])
def test_nothing_about_a_case_leaves_after_its_reporter_ended_it(here, verb):
    first, _ = _subscribed(here, "555")
    second, _ = _subscribed(here, "555")
    for case in (first, second):
        _moves(here, case)
    here.act(verb, first.report)
    assert _notices(here.delivers()) == [second.report.hex()]


@pytest.mark.both_stores
def test_what_left_leads_to_nobody_and_its_copy_is_still_erased(here):
    case, slip = _subscribed(here, "+62811", channel=Channel.SMS)
    _moves(here, case)
    (provider_id,) = _departs(here, Channel.SMS)
    assert [one.to for one in _left(here)] == ["+62811"]

    here.orders("+62811", "HAPUS", slip, channel=Channel.SMS)
    assert [(one.to, one.case) for one in _left(here)] == [("", "")]

    news = News(Channel.SMS, provider_id, rank=3, final=True, unreachable="gone")
    assert here.act(statuses.apply, news)
    assert _left(here) == []
    with here.database.reading() as session:
        owed = list(jobs.waiting(session, here.keys, JobKind.ERASE))
    assert {"channel": "sms", "id": provider_id} in owed


@pytest.mark.both_stores
def test_a_person_who_can_not_be_reached_hears_no_more(here):
    case, _ = _subscribed(here, "+62811", channel=Channel.SMS)
    _moves(here, case)
    (provider_id,) = _departs(here, Channel.SMS)
    officer = here.house.supervisor.officer
    here.act(verbs.ask, case.report, "Siapa?", by=officer)
    for final in (False, True):
        news = News(Channel.SMS, provider_id, 3 + final, final, unreachable="gone")
        assert here.act(statuses.apply, news)
    assert _notices(here.delivers(Channel.SMS)) == []
    with here.database.reading() as session:
        assert session.exec(select(Subscription)).all() == []
        assert subscriptions.of_case(session, here.keys, case.report) == []
