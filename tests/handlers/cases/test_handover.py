"""Handing a case over: what ends, what comes along, and who is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select

from handlers.cases import conflicts, data_requests, handover, officer
from handlers.errors import (
    KentonganError,
    NoTarget,
    NotFound,
    NotYours,
    Purged,
    TargetChanged,
)
from handlers.reveals import verbs as asking
from handlers.work import Work
from storage.audit import log
from storage.audit.log import Filters
from storage.cases import cases, history, items
from storage.cases import data_requests as wishes
from storage.cases.reveals import Request, Wish
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.inspection import rows
from storage.models import AuditLine, Case, Event, Grant, Item, Reveal, Unit
from storage.rekeying import case_keys
from storage.units import above, memberships, rotation, units
from storage.words import (
    EventCode,
    Reason,
    RequestKind,
    RequestState,
    RevealOf,
    Status,
    UnitKind,
)
from tests.support import founded
from tests.support.founded import Person
from tests.support.handing import WHY, Handing, handing
from tests.support.unsealing import secret_for


@pytest.fixture
def there(database: Database, keys: ServerKeys, tmp_path: Path) -> Handing:
    return handing(database, keys, tmp_path / "files")


def wrong(there: Handing) -> list[str]:
    with there.here.database.reading() as session:
        assert log.verify(session, there.keys) is None
        return list(rows.problems(session, there.keys))


def told(there: Handing, code: EventCode) -> list[str]:
    with there.here.database.reading() as session:
        events = history.of_case(session, there.case.report)
    return [event.detail for event in events if event.code == code]


def reads(there: Handing, who: Person) -> list[str]:
    """Return the texts of the case as a member of the unit that has it reads them."""
    case, keys = there.again(), there.keys
    with there.here.database.reading() as session:
        unit = units.verified(session, keys, case.unit)
        secret = case_keys.secret_of(session, keys, case, unit, who.officer, who.secret)
        read = items.read(session, keys, case.report, secret)
        return [one.content.text for one in read if one.content]


def asks(there: Handing) -> None:
    """Let sari ask for the original of the file."""
    house, case = there.here.house, there.case
    with there.here.database.reading() as session:
        secret = secret_for(
            session, there.keys, case.report, house.unit, house.unit_secret
        )
    there.here.act(
        asking.ask,
        case.report,
        Wish(RevealOf.ORIGINAL, "CHAIN", there.file),
        Request("The court asked for it.", "", "id", ()),
        case_secret=secret,
        by=there.sari.officer,
    )


@pytest.mark.both_stores
def test_what_waited_ends_and_the_reason_is_sealed(there: Handing):
    act, sari = there.here.act, there.sari.officer
    budi = there.member("budi").officer
    act(officer.take, there.case.report, by=budi)
    for to, why, who in (
        (Status.VERIFICATION, None, sari),
        (Status.REJECTED, Reason.R03, budi),
    ):
        act(officer.change_status, there.case.report, to, by=who, reason=why)
    act(data_requests.ask, there.case.report, RequestKind.ERASE)
    (asked,) = there.here.store(wishes.open_of, there.case.report)
    arguments = (there.case.report, asked.id, RequestState.DONE, "")
    assert not act(data_requests.answer, *arguments, by=sari).settled
    asks(there)
    assert there.again().wanted_by == budi.id
    there.here.delivers()
    there.hand_over()
    case = there.again()
    assert case.unit == there.health.id
    assert (case.officer, case.wanted_status, case.wanted_by) == (None, None, None)
    assert case.status == Status.VERIFICATION
    (asked,) = there.here.store(wishes.open_of, there.case.report)
    assert asked.officer is None
    with there.here.database.reading() as session:
        assert session.exec(select(Reveal)).all() == []
    (ended,) = told(there, EventCode.REVEAL_ENDED)
    assert ended.startswith("original:HANDED_OVER:")
    between = f"{there.here.house.unit.id.hex()}:{there.health.id.hex()}"
    assert told(there, EventCode.HANDED_OVER) == [between]
    assert WHY in reads(there, there.rini)
    assert there.here.delivers() == [], "the reporter hears nothing"
    assert wrong(there) == []
    with there.here.database.reading() as session:
        last = log.lines(session)[0]
    assert (last.code, last.officer) == ("case.handed_over", sari.id)
    assert last.report == there.case.report


@pytest.mark.both_stores
def test_it_comes_back_the_same_way(there: Handing):
    there.hand_over()
    there.here.act(officer.note, there.case.report, "Checked.", by=there.rini.officer)
    there.hand_over(there.rini, there.here.house.unit.id)
    texts = reads(there, there.sari)
    assert texts.count(WHY) == 2
    assert "Checked." in texts
    with pytest.raises(NotAuthentic):
        reads(there, there.rini)
    assert wrong(there) == []


def test_a_declared_conflict_comes_along_and_back(there: Handing):
    budi = there.member("budi")
    for one in (budi, there.tini):
        there.here.act(conflicts.declare, there.case.report, by=one.officer)
    there.hand_over()
    assert WHY in reads(there, there.rini)
    with pytest.raises(case_keys.NotGranted):
        reads(there, there.tini)
    with there.here.database.reading() as session:
        case = there.again()
        assert not case_keys.is_due(session, there.keys, case)
    assert wrong(there) == []
    there.hand_over(there.rini, there.here.house.unit.id)
    assert WHY in reads(there, there.sari)
    with pytest.raises(case_keys.NotGranted):
        reads(there, budi)
    assert wrong(there) == []


def a_handler(there: Handing) -> Person:
    return there.member("budi")


def somebody_else(there: Handing) -> Person:
    return there.rini


def a_custodian(there: Handing) -> Person:
    return there.here.house.custodian


def who_stepped_back(there: Handing) -> Person:
    budi = there.member("budi")
    there.here.act(officer.take, there.case.report, by=budi.officer)
    there.here.act(conflicts.declare, there.case.report, by=budi.officer)
    return budi


REFUSED_PEOPLE = (a_handler, somebody_else, a_custodian, who_stepped_back)


@pytest.mark.parametrize("who", REFUSED_PEOPLE, ids=lambda one: one.__name__)
def test_who_may_not(there: Handing, who: Callable[[Handing], Person]):
    by = who(there)
    with pytest.raises(NotYours):
        there.hand_over(by)
    assert there.again().unit == there.here.house.unit.id


def test_whoever_took_the_case_may(there: Handing):
    budi = there.member("budi")
    there.here.act(officer.take, there.case.report, by=budi.officer)
    there.hand_over(budi)
    assert there.again().unit == there.health.id


def the_vault(there: Handing) -> bytes:
    return there.here.house.vault.id


def the_same_unit(there: Handing) -> bytes:
    return there.here.house.unit.id


def nothing(_: Handing) -> bytes:
    return bytes(16)


def one_without_a_key(there: Handing) -> bytes:
    with there.here.database.writing() as session:
        unit = units.create(session, there.keys, "Empty", UnitKind.HANDLING)
        somebody = founded.person(session, there.keys, "joko")
        memberships.join(session, there.keys, unit, somebody.officer)
        return unit.id


def one_where_everybody_is_barred(there: Handing) -> bytes:
    for one in (there.rini, there.tini):
        there.here.act(conflicts.declare, there.case.report, by=one.officer)
    return there.health.id


def one_with_a_planted_key(there: Handing) -> bytes:
    with there.here.database.writing() as session:
        row = session.get_one(Unit, there.health.id)
        row.public_key = there.here.house.vault.public_key
        session.add(row)
    return there.health.id


def one_with_another_key_since(there: Handing) -> bytes:
    with there.here.database.writing() as session:
        unit = units.verified(session, there.keys, there.health.id)
        rotation.rotate(session, there.keys, unit)
    return there.health.id


REFUSED_UNITS: tuple[tuple[Callable[[Handing], bytes], type[Exception]], ...] = (
    (the_vault, NoTarget),
    (the_same_unit, NoTarget),
    (nothing, NoTarget),
    (one_without_a_key, NoTarget),
    (one_where_everybody_is_barred, NoTarget),
    (one_with_a_planted_key, NotAuthentic),
    (one_with_another_key_since, TargetChanged),
)


@pytest.mark.parametrize(
    ("unit", "error"), REFUSED_UNITS, ids=[one.__name__ for one, _ in REFUSED_UNITS]
)
def test_where_it_may_not_go(
    there: Handing, unit: Callable[[Handing], bytes], error: type[Exception]
):
    shown = there.words(there.health.id)
    into = unit(there)
    words = shown if into == there.health.id else there.words(into)
    with pytest.raises(error):
        there.hand_over(into=into, words=words)
    row = there.again()
    assert (row.unit, row.public_key) == (
        there.here.house.unit.id,
        there.case.public_key,
    )
    assert told(there, EventCode.HANDED_OVER) == []


def purged(there: Handing) -> type[KentonganError]:
    with there.here.database.writing() as session:
        case = cases.lock(session, there.keys, there.case.report)
        assert case is not None
        case.purged = case.day
        cases.save(session, there.keys, case)
    return Purged


def without_a_line(there: Handing) -> type[NotAuthentic]:
    """Take out a line that may have barred somebody."""
    with there.here.database.writing() as session:
        session.delete(session.exec(select(Event)).first())
    return NotAuthentic


@pytest.mark.parametrize("spoil", [purged, without_a_line])
def test_which_case_stays(there: Handing, spoil: Callable[[Handing], type[Exception]]):
    with pytest.raises(spoil(there)):
        there.hand_over()
    assert there.again().unit == there.here.house.unit.id


def lying(there: Handing) -> set[str]:
    """Return what lies in the tables that a hand-over touches."""
    with there.here.database.reading() as session:
        return {
            str(row)
            for model in (Case, Grant, Item, Event, AuditLine, Reveal)
            for row in session.exec(select(model)).all()
        }


def _dying(work: Work, there: Handing) -> None:
    handover.hand_over(
        work,
        there.case.report,
        by=there.sari.officer,
        secret=there.sari.secret,
        into=there.health.id,
        words=there.words(there.health.id),
        text=WHY,
    )
    raise InterruptedError


@pytest.mark.both_stores
def test_it_is_done_whole_or_not_at_all(there: Handing):
    """The process dies after the last statement, before the commit."""
    asks(there)
    before = lying(there)
    with pytest.raises(InterruptedError):
        there.here.act(_dying, there)
    assert lying(there) == before
    assert there.here.reads(there.case)[0].content
    there.hand_over()
    assert lying(there) != before


@pytest.fixture
def upper(there: Handing) -> Handing:
    """Let the other unit be the one above us."""
    with there.here.database.writing() as session:
        unit = units.verified(session, there.keys, there.health.id)
        above.choose(session, there.keys, unit)
    return there


def number_of(there: Handing, case: Case) -> tuple[int | None, int | None]:
    row = there.here.case(case.number)
    return row.register_year, row.register_number


def logged(there: Handing) -> set[bytes | None]:
    """Return the reports that the auditors' log names."""
    with there.here.database.reading() as session:
        filters = Filters(above=above.id_of(session, there.keys))
        return {line.report for line in log.lines(session, filters=filters)}


@pytest.mark.both_stores
def test_to_the_unit_above_us_and_back_leaves_no_gap(upper: Handing):
    here, year = upper.here, upper.case.day.year
    others = [here.reports(handle)[0] for handle in ("502", "503", "504")]
    sari, rini = upper.sari.officer, upper.rini.officer
    for case in (upper.case, others[0]):
        here.act(officer.record_reading, case.report, by=sari)
    assert number_of(upper, upper.case) == (year, 1)
    assert upper.case.report in logged(upper)
    upper.hand_over()
    assert upper.case.report not in logged(upper)
    assert number_of(upper, upper.case) == (None, None)
    here.act(officer.record_reading, upper.case.report, by=rini)
    assert number_of(upper, upper.case) == (year, -1)
    here.act(officer.record_reading, others[1].report, by=sari)
    assert number_of(upper, others[1]) == (year, 1), "the gap is filled first"
    upper.hand_over(upper.rini, here.house.unit.id)
    assert upper.case.report in logged(upper)
    assert number_of(upper, upper.case) == (None, None)
    here.act(officer.record_reading, upper.case.report, by=sari)
    assert number_of(upper, upper.case) == (year, 3)
    here.act(officer.record_reading, others[2].report, by=sari)
    assert number_of(upper, others[2]) == (year, 4)
    assert wrong(upper) == []


def test_between_other_units_the_register_number_stays(there: Handing):
    there.here.act(officer.record_reading, there.case.report, by=there.sari.officer)
    was = number_of(there, there.case)
    there.hand_over()
    assert number_of(there, there.case) == was != (None, None)


def test_a_unit_without_reports_of_its_own_may_get_it(there: Handing):
    """No route names the other unit: the limit of 8 holds for entry units alone."""
    with there.here.database.writing() as session:
        more = [
            founded.unit_of(session, there.keys, f"Unit {number}", f"u{number}")
            for number in range(9)
        ]
    by = there.sari
    for unit, (boss,) in more:
        there.hand_over(by, unit.id)
        by = boss
    assert reads(there, by).count(WHY) == len(more) == 9


def test_nobody_learns_of_a_report_that_is_none(there: Handing):
    there.case.report = bytes(16)
    with pytest.raises(NotFound):
        there.hand_over()
