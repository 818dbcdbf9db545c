"""A case that ends has the day of its end, whatever ended it; one that goes on has none."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from handlers.cases import due_dates, officer, reporter
from handlers.cases.named import Named
from handlers.errors import Purged
from handlers.inbox import Outcome
from handlers.messages import Kind, Media
from storage.cases import cases, history
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import jobs
from storage.models import Case, File, Quarantine
from storage.words import JobKind, Reason, Role, Status
from tests.support import founded
from tests.support.desk import Desk, desk
from tests.support.places import ROOT

WAYS = {
    Status.CLOSED: ("VERIFICATION", "REVIEW", "CLOSED:C01"),
    Status.REJECTED: ("VERIFICATION", "REJECTED:R03"),
    Status.MERGED: ("VERIFICATION", "MERGED"),
}


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


def second(here: Desk) -> founded.Person:
    return here.member("second", Role.SUPERVISOR)


def moves(here: Desk, case: Case, way: tuple[str, ...], other: founded.Person) -> None:
    """Take a case along, proposing and confirming where four eyes are needed."""
    for step in way:
        to, _, reason = step.partition(":")
        named = None
        if to == Status.MERGED:
            named = Named(case=here.reports("888")[0].number)
        for by in (here.house.supervisor, other):
            if here.act(
                officer.change_status,
                case.report,
                Status(to),
                by=by.officer,
                reason=Reason(reason) if reason else None,
                named=named,
            ):
                break
            named = here.named(case)


def passes(here: Desk, case: Case) -> Case:
    with here.database.reading() as session:
        row = cases.get(session, here.keys, case.report)
        assert row is not None
        assert history.first_broken(session, here.keys, row) is None
    return row


@pytest.mark.both_stores
@pytest.mark.parametrize("status", WAYS)
def test_an_officer_ends_it_and_takes_it_up_again(here: Desk, status: Status):
    case, _ = here.reports("555")
    other = second(here)
    here.later(days=3)
    moves(here, case, WAYS[status], other)
    row = passes(here, case)
    assert (row.status, row.is_open, row.closed) == (
        status,
        False,
        here.office.day(here.now),
    )
    again = "REVIEW" if status is Status.CLOSED else "VERIFICATION"
    moves(here, case, (again,), other)
    row = passes(here, case)
    assert (row.status, row.is_open, row.closed) == (again, True, None)


@pytest.mark.both_stores
def test_its_reporter_ends_it_early_and_only_then(here: Desk):
    early, _ = here.reports("555")
    late, _ = here.reports("777")
    moves(here, late, ("VERIFICATION", "REVIEW"), second(here))
    here.later(days=1)
    for case in (early, late):
        here.act(reporter.withdraw, case.report)
    assert passes(here, early).status == Status.WITHDRAWN
    assert passes(here, early).closed == here.office.day(here.now)
    assert (passes(here, late).is_open, passes(here, late).closed) == (True, None)


def test_nothing_else_opens_or_ends_a_case():
    for path in (ROOT / "handlers").rglob("*.py"):
        if path.stem != Path(due_dates.__file__).stem:
            assert ".is_open = " not in path.read_text(), path.name
            assert "case.status = " not in path.read_text(), path.name


def test_what_was_erased_is_not_written_to_any_more(here: Desk):
    case, _ = here.reports("555")
    with here.database.writing() as session:
        row = cases.lock(session, here.keys, case.report)
        assert row is not None
        row.purged = here.office.day(here.now)
        cases.save(session, here.keys, row)
    by = here.house.supervisor.officer
    acts: dict[Any, tuple[Any, ...]] = {
        officer.note: ("Catatan",),
        officer.ask: ("Kapan?",),
        officer.change_status: (Status.VERIFICATION,),
    }
    for verb, words in acts.items():
        reason = {"reason": None} if verb is officer.change_status else {}
        with pytest.raises(Purged):
            here.act(verb, case.report, *words, by=by, **reason)
    assert passes(here, case).head_seq == case.head_seq


FILE = Media("BQAD-1", "image/png", "bukti.png")


@pytest.mark.parametrize("drafts", [False, True])
@pytest.mark.parametrize("media", [(), (FILE,)])
@pytest.mark.parametrize(
    ("language", "told"), [("", "balas LAPOR"), ("ENGLISH", "reply REPORT")]
)
def test_an_addition_to_what_was_erased_is_answered_and_not_kept(
    here: Desk, language: str, told: str, media: tuple[Media, ...], *, drafts: bool
):
    case, slip = here.reports("555")
    with here.database.writing() as session:
        row = cases.lock(session, here.keys, case.report)
        assert row is not None
        row.purged = here.office.day(here.now)
        cases.save(session, here.keys, row)
    if language:
        here.say("555", language)
    if drafts:
        here.say("555", "REPORT" if language else "LAPOR")
    here.say("555", f"TAMBAH {slip}")
    here.delivers()
    more = {"media": media, "erase": "SM1", "kind": Kind.MEDIA} if media else {}
    assert here.say("555", "Bukti baru dari saya", **more) is Outcome.TAKEN
    (letter,) = here.delivers()
    assert "02/03/2026" in letter.text
    assert told in letter.text
    with here.database.reading() as session:
        assert session.exec(select(Quarantine)).all() == []
        assert session.exec(select(File)).all() == []
        assert list(jobs.waiting(session, here.keys, JobKind.FETCH)) == []
        owed = list(jobs.waiting(session, here.keys, JobKind.ERASE))
    assert len(owed) == len(media)
    assert passes(here, case).head_seq == case.head_seq
    here.say("555", "Masih di sini?")
    assert told not in here.delivers()[-1].text
