"""MERGED, REFERRED and R01 name something; the reporter reads it with number and code alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from handlers.cases import officer
from handlers.cases.named import Named
from handlers.errors import (
    AnsweredAlready,
    KentonganError,
    NamedCaseUnknown,
    NameNeeded,
    SecondOfficerNeeded,
)
from storage.cases import cases, history
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Case, Event, Officer
from storage.words import LetterKind, Reason, Role, Status
from tests.support.desk import Desk, Slip, desk

WORDS = "Surat B/12/2026, loket 3, Jl. Contoh 5"
RESULT = {
    Status.REFERRED: ("KPK", None),
    Status.REJECTED: ("ORI", Reason.R01),
    Status.MERGED: ("", None),
}


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


@pytest.fixture
def budi(here: Desk) -> Officer:
    return here.member("budi").officer


def reviewed(here: Desk) -> tuple[Case, Slip]:
    case, slip = here.reports("555")
    step(here, case, Status.VERIFICATION)
    here.delivers()
    return here.case(case.number), slip


def step(
    here: Desk,
    case: Case,
    to: Status,
    named: Named | None = None,
    by: Officer | None = None,
    reason: Reason | None = None,
) -> bool:
    who = by or here.house.supervisor.officer
    return here.act(
        officer.change_status, case.report, to, by=who, reason=reason, named=named
    )


def kept(here: Desk, case: Case) -> Named:
    named = here.named(case)
    assert named is not None
    return named


def naming(here: Desk, to: Status) -> tuple[Named, Reason | None]:
    partner, reason = RESULT[to]
    if to is Status.MERGED:
        other, _ = here.reports("777")
        here.delivers()
        return Named(case=other.number, words="same office"), reason
    return Named(partner=partner, day=here.office.day(here.now), words=WORDS), reason


def answered(here: Desk, slip: Slip, word: str = "STATUS") -> str:
    here.say("555", f"{word} {slip}")
    return "\n".join(one.text for one in here.delivers())


@pytest.mark.both_stores
@pytest.mark.parametrize("word", ["STATUS", "BACA"])
@pytest.mark.parametrize("to", RESULT)
def test_two_officers_name_it_and_the_reporter_reads_it_with_the_code(
    here: Desk, budi: Officer, to: Status, word: str
):
    case, slip = reviewed(here)
    named, reason = naming(here, to)
    assert not step(here, case, to, named, reason=reason)
    assert here.case(case.number).status == Status.VERIFICATION
    assert WORDS not in answered(here, slip, word)
    proposed = kept(here, case)
    assert replace(proposed, proposal=0) == named
    with pytest.raises(SecondOfficerNeeded):
        step(here, case, to, proposed, reason=reason)
    assert step(here, case, to, proposed, by=budi, reason=reason)
    assert here.case(case.number).status == to
    for letter in here.delivers():
        assert letter.kind is not LetterKind.NOTICE or WORDS not in letter.text
    told = answered(here, slip, word)
    assert (WORDS in told) is (to is not Status.MERGED)
    assert ("Ombudsman" in told) is (to is Status.REJECTED)
    assert ("02/03/2026" in told) is (to is Status.REFERRED)
    assert named.case not in told or not named.case
    with here.database.reading() as session:
        row = cases.by_number(session, here.keys, case.number)
        assert row is not None
        assert history.first_broken(session, here.keys, row) is None
        assert history.missing_items(session, row) == 0
        details = {event.detail for event in session.exec(select(Event))}
    ours = {to.value, f"{to}:{reason}"}
    assert details <= {"", "VERIFICATION", "let_go"} | ours, "codes, no names"


LACKS = {
    "nothing": (Status.REFERRED, None),
    "no partner": (Status.REFERRED, Named(words=WORDS)),
    "no day": (Status.REFERRED, Named(partner="KPK")),
    "unknown partner": (Status.REFERRED, Named(partner="CIA")),
    "another without its name": (Status.REFERRED, Named(partner="OTHER")),
    "too many words": (Status.REFERRED, Named(partner="KPK", words="x" * 501)),
    "no case": (Status.MERGED, Named(words=WORDS)),
    "no address": (Status.REJECTED, Named()),
    "another address without words": (Status.REJECTED, Named(partner="OTHER")),
}


@pytest.mark.parametrize(("to", "named"), LACKS.values(), ids=LACKS)
def test_what_is_not_named_is_asked_for(here: Desk, to: Status, named: Named | None):
    case, _ = reviewed(here)
    today = here.office.day(here.now)
    if (named and named.partner in {"CIA", "OTHER"}) or (
        named and len(named.words) > 500
    ):
        named = replace(named, day=today)
    with pytest.raises(NameNeeded):
        step(here, case, to, named, reason=RESULT[to][1])
    row = here.case(case.number)
    assert (row.wanted_status, row.head) == (None, case.head)


def test_nothing_was_received_tomorrow(here: Desk):
    case, _ = reviewed(here)
    tomorrow = here.office.day(here.now) + timedelta(days=1)
    with pytest.raises(NameNeeded):
        step(here, case, Status.REFERRED, Named(partner="KPK", day=tomorrow))


def test_a_case_is_merged_only_into_one_that_both_can_open_and_that_goes_on(
    here: Desk, budi: Officer
):
    case, _ = reviewed(here)
    other, _ = here.reports("777")
    for number in (case.number, "ZZZZ-ZZZZ", ""):
        with pytest.raises((NamedCaseUnknown, NameNeeded)):
            step(here, case, Status.MERGED, Named(case=number))
    assert not step(here, case, Status.MERGED, Named(case=other.number))
    proposed = kept(here, case)
    with here.database.writing() as session:
        row = cases.lock(session, here.keys, other.report)
        assert row is not None
        row.unit = b"elsewhere"
        cases.save(session, here.keys, row)
    with pytest.raises(NamedCaseUnknown):
        step(here, case, Status.MERGED, proposed, by=budi)
    with here.database.writing() as session:
        row = cases.lock(session, here.keys, other.report)
        assert row is not None
        row.unit, row.status, row.is_open = here.house.unit.id, "MERGED", False
        cases.save(session, here.keys, row)
    with pytest.raises(NamedCaseUnknown):
        step(here, case, Status.MERGED, proposed, by=budi)
    assert here.case(case.number).status == Status.VERIFICATION


def test_an_approval_is_for_what_was_proposed_last(here: Desk, budi: Officer):
    case, slip = reviewed(here)
    today = here.office.day(here.now)
    assert not step(here, case, Status.REFERRED, Named(partner="KPK", day=today))
    old = kept(here, case)
    better = Named(partner="BPKP", day=today)
    assert not step(here, case, Status.REFERRED, better, by=budi), "named anew"
    with pytest.raises(AnsweredAlready):
        step(here, case, Status.REFERRED, old)
    assert step(here, case, Status.REFERRED, kept(here, case))
    told = answered(here, slip)
    assert "BPKP" in told
    assert "KPK)" not in told.replace("(BPKP)", "")


def test_who_alone_takes_the_case_cannot_let_it_vanish(here: Desk):
    """What happened: intake alone merged an urgent case, and its reporter was consoled."""
    case, slip = here.reports("555")
    wati = here.member("wati", Role.INTAKE).officer
    with pytest.raises(KentonganError):
        step(here, case, Status.MERGED, by=wati)
    other, _ = here.reports("777")
    assert not step(here, case, Status.MERGED, Named(case=other.number), by=wati)
    assert here.case(case.number).is_open
    assert "bersama informasi lain" not in answered(here, slip)
