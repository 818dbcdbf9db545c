"""A data breach: 72 hours, the authority in figures, every reporter once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from handlers import breaches as verbs
from handlers.errors import NotFound
from storage import breaches
from storage.audit import log
from storage.cases import history
from storage.crypto.sealing import NotAuthentic
from storage.inspection import chains
from storage.models import Breach, Item
from storage.notices import subscriptions
from storage.notices.subscribers import Subscriber
from storage.words import Audience, Channel, LetterKind, Wanted
from tests.support.desk import Desk, desk, pick

WORDS = {
    "id": "Salinan cadangan hilang dari kantor pada 1 Maret.",
    "en": "A backup copy was lost from the office on 1 March.",
}


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def opened(here: Desk) -> bytes:
    with here.database.writing() as session:
        known = here.now - timedelta(hours=5)
        row = verbs.record(here.work(session), known=known)
        assert verbs.due(here.office, row) == known + timedelta(hours=72)
        return row.id


def goes_on(here: Desk, breach: bytes, after: bytes = b"") -> tuple[int, bytes | None]:
    return here.act(verbs.tell_reporters, breach, WORDS, after=after)


def test_every_reporter_is_told_once_with_a_neutral_notice(here, monkeypatch):
    monkeypatch.setattr(verbs, "BATCH", 1)
    case, slip = here.reports("555")
    here.reports("777")
    wish = Subscriber(Channel.TELEGRAM, "555", "id", 0, Wanted.FULL)
    here.store(subscriptions.add, case.report, wish)
    breach = opened(here)
    told, after = 0, b""
    for _ in range(2):
        count, going = goes_on(here, breach, after)
        told += count
        assert going is not None
        after = going
    assert goes_on(here, breach, after) == (0, None)
    assert told == 2
    notices = [one for one in here.delivers() if one.kind is LetterKind.NOTICE]
    assert [one.to for one in notices] == ["555"]
    assert not any(words in notices[0].text for words in WORDS.values())
    assert goes_on(here, breach)[0] == 0, "from the start again, nobody twice"
    here.say("555", f"BACA {slip}")
    shown = "\n".join(one.text for one in here.delivers())
    for words in WORDS.values():
        assert words in shown
    with here.database.reading() as session:
        (row,) = breaches.everything(session, here.keys)
        assert row.told_reporters
        now = here.case(case.number)
        assert history.first_broken(session, here.keys, now) is None
        assert history.missing_items(session, now) == 0
        assert list(chains.problems(session, here.keys)) == []
        codes = [line.code for line in log.lines(session)]
        kept = session.exec(
            select(Item).where(Item.audience == Audience.REPORTER.value)
        ).all()
    assert codes.count("breach.told") == 2
    assert {"breach.opened", "breach.reporters"} <= set(codes)
    assert not any(
        words.encode() in one.blob for one in kept for words in WORDS.values()
    )


@pytest.mark.both_stores
def test_a_second_breach_is_told_again(here):
    here.reports("555")
    assert goes_on(here, opened(here)) == (1, None)
    assert goes_on(here, opened(here)) == (1, None)


@pytest.mark.both_stores
def test_the_authority_gets_figures_and_the_time_is_noted_once(here):
    here.reports("555")
    breach = opened(here)
    found = here.act(verbs.tell_authority, breach)
    assert (found.cases, found.reporters, found.identities) == (1, 1, 0)
    here.later(hours=3)
    here.act(verbs.tell_authority, breach)
    with here.database.reading() as session:
        (row,) = breaches.everything(session, here.keys)
        assert row.told_authority == here.now - timedelta(hours=3)
    with pytest.raises(NotFound):
        here.act(verbs.tell_authority, b"nothing")


@pytest.mark.both_stores
@pytest.mark.parametrize("column", ["known", "told_authority", "told_reporters"])
def test_a_changed_breach_is_none(here, column):
    breach = opened(here)
    with here.database.writing() as session:
        row = pick(session, Breach, id=breach)
        setattr(row, column, datetime(2020, 1, 1, tzinfo=UTC))
        session.add(row)
    with pytest.raises(NotAuthentic):
        goes_on(here, breach)
