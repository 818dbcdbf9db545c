"""The unit above us: who may be it, what it lacks, and that nobody counts its cases."""

from datetime import date, datetime

import pytest
from sqlmodel import Session

from storage.audit import log
from storage.audit.log import Filters
from storage.cases import cases, figures
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import backlog
from storage.models import Unit
from storage.units import above, memberships, rotation, routes, units
from storage.words import CONFLICTED, Role, UnitKind
from tests.support import founded
from tests.support.desk import desk

LATE = date(2040, 1, 1)


def new_unit(session: Session, keys: ServerKeys, members: int) -> Unit:
    unit = units.create(session, keys, f"Above {members}", UnitKind.HANDLING)
    people = [
        founded.person(session, keys, f"above{number}", Role.SUPERVISOR)
        for number in range(members)
    ]
    for number, one in enumerate(people):
        if number == 0:
            memberships.admit_first(session, keys, unit, one.officer)
        else:
            first = people[0]
            memberships.admit(
                session, keys, unit, one.officer, first.officer, first.secret
            )
    return unit


def test_it_takes_two_people_in_a_handling_unit(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        for unit in (new_unit(session, keys, 1), built.vault):
            with pytest.raises(above.NotAbove):
                above.choose(session, keys, unit)
        assert above.find(session, keys) is None


def test_it_gets_a_route_for_every_conflict_class_once(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        founded.build(session, keys)
        assert above.missing(session, keys) == [above.NOBODY]
        unit = new_unit(session, keys, 2)
        made = above.choose(session, keys, unit)
        assert {one.position for one in made} == CONFLICTED
        assert above.choose(session, keys, unit) == []
    with database.reading() as session:
        found = above.find(session, keys)
        assert found is not None
        assert found.id == above.id_of(session, keys) == unit.id
        assert above.missing(session, keys) == []


def without_a_route(session: Session, keys: ServerKeys, _: Unit) -> None:
    (route,) = [
        one for one in routes.verified_routes(session, keys) if one.position == "INS"
    ]
    routes.remove_route(session, keys, route)


def past_it(session: Session, keys: ServerKeys, _: Unit) -> None:
    other = units.named(session, keys, "Inspectorate")
    routes.add_route(session, keys, other, province="15", position="KDH")


def left_alone(session: Session, keys: ServerKeys, unit: Unit) -> None:
    member = memberships.members(session, keys, unit)[0]
    assert rotation.leave(session, keys, unit, member)


def changed_by_hand(session: Session, _: ServerKeys, unit: Unit) -> None:
    row = session.get_one(Unit, unit.id)
    row.name = "Somebody else"
    session.add(row)


LACKS = {
    "a route": (without_a_route, "class INS have no route"),
    "a way that is not passed by": (past_it, "class KDH past the unit above us"),
    "a second member": (left_alone, "fewer than two members"),
    "our own hand": (changed_by_hand, "changed outside the program"),
}


@pytest.mark.parametrize(("breaks", "line"), LACKS.values(), ids=LACKS)
def test_what_it_lacks_is_told(database: Database, keys: ServerKeys, breaks, line):
    with database.writing() as session:
        founded.build(session, keys)
        unit = new_unit(session, keys, 2)
        above.choose(session, keys, unit)
    with database.writing() as session:
        breaks(session, keys, unit)
    with database.reading() as session:
        (problem,) = above.missing(session, keys)
        assert line in problem


def test_no_count_and_no_log_knows_its_cases(
    database: Database, keys: ServerKeys, now: datetime
):
    here = desk(database, keys)
    with database.writing() as session:
        unit = new_unit(session, keys, 2)
        above.choose(session, keys, unit)
        log.record(session, keys, "signed_in", officer=None, now=now)
    ours, theirs = (here.reports(handle)[0] for handle in ("501", "502"))
    with database.writing() as session:
        case = cases.lock(session, keys, theirs.report)
        assert case is not None
        case.unit = unit.id
        cases.save(session, keys, case)
        for one in (ours, theirs):
            log.record(
                session, keys, "case.read", officer=None, report=one.report, now=now
            )
    with database.reading() as session:
        hidden = above.id_of(session, keys)
        counted = figures.count(session, date.min, LATE, today=LATE, above=hidden)
        assert (counted.total, counted.open, counted.late) == (1, 1, 1)
        assert set(counted.by["unit"]) == {here.house.unit.id.hex()}
        assert backlog.open_cases(session, today=LATE, above=hidden) == 1
        assert backlog.open_cases(session, today=LATE, above=None) == 2
        reads = log.lines(session, filters=Filters(codes=("case.read",), above=hidden))
        assert [one.report for one in reads] == [ours.report]
        assert log.counts(session, after=None, above=hidden)["case.read"] == 1
        assert log.counts(session, after=None, above=hidden)["signed_in"] == 1
        assert log.counts(session, after=None, above=None)["case.read"] == 2
