"""The daily digest: once a day, to linked auditors, with a head that shows a roll-back."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert
from sqlmodel import SQLModel

from handlers.cases import officer
from handlers.watch import digest
from storage.audit import log
from storage.inspection import chains
from storage.models import AuditLine, OfficerLink
from storage.people import telegram_links
from storage.words import Channel, Role
from tests.support import founded, thief
from tests.support.desk import Desk, desk, pick

HOME = "9001"


@pytest.fixture
def here(database, keys) -> Desk:
    found = desk(database, keys)
    with database.writing() as session:
        for login, handle in (("lala", HOME), ("mira", "")):
            auditor = founded.person(session, keys, login, Role.AUDITOR).officer
            if handle:
                token = telegram_links.issue(session, keys, auditor.id, now=found.now)
                telegram_links.redeem(
                    session, keys, token, Channel.TELEGRAM, handle, now=found.now
                )
    found.now = found.now.replace(hour=0, minute=0)  # 07:00 in Jakarta
    return found


def sends(here: Desk, *, broken: int | None = None) -> int | None:
    return here.act(digest.send, broken=broken)


def is_due(here: Desk) -> bool:
    with here.database.reading() as session:
        return digest.is_due(here.work(session))


def head(here: Desk) -> str:
    """Return the head that an auditor got last."""
    return here.letters[-1].text.rsplit("\n", 1)[-1]


def test_it_goes_once_a_day_from_seven_on(here: Desk):
    here.now -= timedelta(seconds=1)
    assert not is_due(here)
    assert sends(here) is None
    here.now += timedelta(seconds=1)
    assert is_due(here)
    assert sends(here) == 1
    assert sends(here) is None
    here.later(hours=16)
    assert not is_due(here)
    here.later(hours=8)
    assert sends(here) == 1
    with here.database.reading() as session:
        codes = [line.code for line in log.lines(session)]
        assert codes.count("digest") == 2
        assert log.verify(session, here.keys) is None


@pytest.mark.both_stores
def test_it_says_what_happened_and_holds_the_head(here: Desk):
    case, _ = here.reports("555")
    here.act(officer.record_reading, case.report, by=here.house.supervisor.officer)
    sends(here)
    (letter,) = [one for one in here.delivers() if one.to == HOME]
    assert "whole" in letter.text
    assert "Cases read: 1." in letter.text
    with here.database.reading() as session:
        now = log.head(session)
        assert head(here) == log.written(now)
        assert log.kept(head(here)) == now
    assert case.number not in letter.text
    here.later(days=1)
    sends(here, broken=7)
    here.delivers()
    assert "NOT WHOLE. Line 7" in here.letters[-1].text
    assert "Cases read: 0." in here.letters[-1].text


@pytest.mark.both_stores
@pytest.mark.parametrize("broken", [None, 7])
def test_it_counts_wrong_second_factors_since_the_last_one(
    here: Desk, broken: int | None
):
    with here.database.writing() as session:
        for _ in range(3):
            who = here.house.supervisor.officer.id
            code = "second_factor_wrong"
            log.record(session, here.keys, code, officer=who, now=here.now)
    sends(here, broken=broken)
    here.delivers()
    assert "Wrong second factors: 3." in here.letters[-1].text
    here.later(days=1)
    sends(here, broken=broken)
    here.delivers()
    assert "Wrong second factors: 0." in here.letters[-1].text


def test_a_planted_link_gets_no_digest(here: Desk):
    with here.database.writing() as session:
        row = pick(session, OfficerLink)
        row.blob = bytes(80)
        session.add(row)
    assert sends(here) == 0


def put_back(here: Desk, rows: thief.Rows) -> None:
    """Make the whole store what it was: every row, every tag, every list."""
    with here.database.writing() as session:
        for table in SQLModel.metadata.tables.values():
            session.connection().execute(delete(table))
            if rows[table.name]:
                session.connection().execute(insert(table), rows[table.name])


def checked(here: Desk, kept: str = "") -> tuple[int | None, list[str]]:
    with here.database.reading() as session:
        expected = log.kept(kept) if kept else None
        broken = log.verify(session, here.keys, expected=expected)
        return broken, list(chains.problems(session, here.keys))


def test_the_whole_store_put_back_shows_by_the_head_alone(here: Desk):
    case, _ = here.reports("555")
    yesterday = thief.rows_of(here.database)
    here.act(officer.take, case.report, by=here.house.supervisor.officer)
    sends(here)
    here.delivers()
    assert checked(here, head(here)) == (None, [])
    put_back(here, yesterday)
    assert checked(here) == (None, []), "every tag is good"
    broken, _ = checked(here, head(here))
    assert broken is not None
    here.act(officer.note, case.report, "x", by=here.house.supervisor.officer)
    here.act(officer.note, case.report, "y", by=here.house.supervisor.officer)
    broken, _ = checked(here, head(here))
    assert broken is not None, "a log that grew again is another one"


def test_a_cut_end_shows_by_the_head(here: Desk):
    case, _ = here.reports("555")
    here.act(officer.take, case.report, by=here.house.supervisor.officer)
    sends(here)
    here.delivers()
    with here.database.writing() as session:
        last = log.head(session)[0]
        session.delete(session.get_one(AuditLine, last))
    assert checked(here)[0] is None
    assert checked(here, head(here))[0] == last
