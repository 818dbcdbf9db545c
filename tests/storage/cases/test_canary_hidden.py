"""The canary's case is in no list and no count: every query over cases is looked at."""

import ast
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, SQLModel, func, select

import bot
import handlers
import storage
from handlers.watch import canary
from storage import breaches
from storage.cases import cases, conflicts, data_requests, figures, tags, worklist
from storage.inspection import chains
from storage.jobs import backlog
from storage.models import Case, Counter, Item, OutboxRow
from storage.rekeying import case_recovery, unit_keys
from storage.retention import overdue
from storage.retention.overdue import Cut
from storage.units import rotation, units
from storage.words import Channel, Erased, RequestKind, Status
from tests.support.desk import STORY, Desk, desk

KNOWN = {
    "storage/cases/cases.py:dropped_register_number": "the canary has no number",
    "storage/audit/log.py:_told": "names the unit above us, whose cases are left out",
    "storage/cases/cases.py:lock": "by a report's id, which no list told",
    "storage/inspection/chains.py:problems": "a mark that somebody set by hand must show",
    "storage/inspection/chains.py:every_case": "a mark that somebody set by hand must show",
    "storage/jobs/backlog.py:open_cases": "takes the canary off by its mark",
    "storage/rekeying/rewriting.py:_case_names": "a new server key is for every row",
    "storage/rekeying/unit_keys.py:batch": "sorts grants; which are due says _due, without it",
    "storage/rekeying/unit_keys.py:_due": "leaves the canary's out by its mark",
    "storage/retention/canary.py:case": "the canary's own",
    "storage/retention/canary.py:cases": "the canary's own",
    "storage/retention/overdue.py:_is_there": "a condition of the queries here",
    "storage/retention/overdue.py:item": "a condition of the queries here",
}
"""Queries over cases that do not say ``REAL``, each with why."""
_ASKS = frozenset({"select", "exists", "delete", "update", "count", "_by"})


def queries() -> dict[str, bool]:
    """Return each function that asks for cases, and whether it says ``REAL``."""
    found = {}
    for package in (bot, handlers, storage):
        home = Path(package.__file__ or "").parent
        for path in sorted(home.rglob("*.py")):
            if "migrations" in path.parts:
                continue
            tree = ast.parse(path.read_text())
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and _asks(node):
                    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                    place = f"{path.relative_to(home.parent)}:{node.name}"
                    found[place] = "REAL" in names
    return found


def _asks(node: ast.FunctionDef) -> bool:
    body = [n for statement in node.body for n in ast.walk(statement)]
    asks = any(
        isinstance(n, ast.Call)
        and getattr(n.func, "id", getattr(n.func, "attr", "")) in _ASKS
        for n in body
    )
    return asks and any(_is_case(n) for n in body)


def _is_case(node: ast.AST) -> bool:
    """Tell whether this names the table itself, not merely its type."""
    return (isinstance(node, ast.Name) and node.id == "Case") or (
        isinstance(node, ast.Attribute) and node.attr == "Case"
    )


def test_every_query_over_cases_leaves_the_canary_out_or_says_why_not():
    silent = {place for place, real in queries().items() if not real}
    assert silent - KNOWN.keys() == set()
    assert KNOWN.keys() - silent == set(), "no longer needed"


@pytest.fixture
def here(database, keys) -> Desk:
    """Let a canary's case stand in the store, as long as it is asked about."""
    made = desk(database, keys)
    assert made.say(canary.HANDLE, STORY, channel=Channel.CANARY)
    made.makes_receipts()
    return made


def the_case(here: Desk) -> Case:
    with here.database.reading() as session:
        return session.exec(select(Case)).one()


def mark(here: Desk, **values: object) -> None:
    """Change the canary's case as no verb would, so that every list would want it."""
    with here.database.writing() as session:
        case = session.exec(select(Case)).one()
        for name, value in values.items():
            setattr(case, name, value)
        tags.tag_case(here.keys, case)
        session.add(case)


OLD = date(2020, 1, 1)
CUTS = [
    Cut(what, frozenset({Status.RECEIVED}), date(2030, 1, 1), False, True)  # noqa: FBT003 - as the table reads
    for what in Erased
]


def _open(here: Desk, session: Session) -> list[object]:
    unit, me = here.house.unit.id, here.house.supervisor.officer.id
    today = here.office.day(here.now)
    return [
        cases.queue_page(session, [unit], filters=cases.Filters()),
        cases.by_number(session, here.keys, session.exec(select(Case.number)).one()),
        worklist.taken_by(session, [unit], me),
        worklist.due_by(session, [unit], date(2040, 1, 1)),
        worklist.awaiting_approval(session, here.keys, [unit]),
        conflicts.in_units(session, [unit]),
        data_requests.open_in(session, [unit]),
        backlog.open_cases(session, today=today + timedelta(days=9), above=None),
        overdue.held(session),
        case_recovery._page(session, None, b"", 9),  # noqa: SLF001 - the query itself
        unit_keys.pending(session, here.house.unit),
    ]


def _ended(here: Desk, session: Session) -> list[object]:
    return [
        [
            one
            for cut in CUTS
            for one in overdue.page(
                session, cut, Status.RECEIVED, after=overdue.BEGIN, limit=9
            )
        ],
        overdue.told(session, here.keys, CUTS, after=b"", limit=9)[0],
        overdue.with_contact(session, here.keys, CUTS),
        [n for _, n in overdue.counts(session, CUTS) if n],
        [n for _, n in overdue.past(session, here.keys, CUTS) if n],
        overdue.undated(session, limit=9),
    ]


def test_no_list_and_no_count_knows_it(here: Desk):
    me = here.house.supervisor.officer.id
    case = the_case(here)
    assert case.canary
    assert case.register_number is None
    mark(here, officer=me, wanted_by=me, wanted_status="CLOSED", hold=True)
    here.store(conflicts.declare, case.report, me, now=here.now)
    day = here.office.day(here.now)
    here.store(
        data_requests.ask,
        case.report,
        RequestKind.ERASE,
        day=day,
        answer_due=day,
        due=day,
    )
    with here.database.writing() as session:
        rotation.rotate(
            session, here.keys, units.verified(session, here.keys, here.house.unit.id)
        )
    with here.database.reading() as session:
        unit = units.verified(session, here.keys, here.house.unit.id)
        assert unit_keys.pending(session, unit) == 0
        assert [x for x in _open(here, session) if x] == []
        late = date(2040, 1, 1)
        found = figures.count(session, OLD, late, today=late, above=None)
        assert (found.total, found.open, found.late) == (0, 0, 0)
        assert not any(found.by.values())
        counted = breaches.figures(session)
        assert (counted.cases, counted.reporters) == (0, 0)
    mark(here, is_open=False, closed=OLD, hold=False)
    with here.database.reading() as session:
        assert [x for x in _ended(here, session) if x] == []
    mark(here, closed=None)
    with here.database.reading() as session:
        assert overdue.undated(session, limit=9) == []


def test_a_persons_case_is_in_all_of_them(here: Desk):
    """The same questions see a case that is real: they were not asked in vain."""
    me = here.house.supervisor.officer.id
    mark(
        here, canary=False, officer=me, wanted_by=me, wanted_status="CLOSED", hold=True
    )
    report = the_case(here).report
    here.store(conflicts.declare, report, me, now=here.now)
    with here.database.reading() as session:
        seen = _open(here, session)
        assert [bool(x) for x in seen[:6]] == [True] * 6
        assert seen[7] == 1
        assert seen[8]
    mark(here, is_open=False, closed=OLD, hold=False)
    with here.database.reading() as session:
        assert [bool(x) for x in _ended(here, session)[:1]] == [True]


def test_nobody_is_alerted_and_nothing_is_counted(here: Desk):
    with here.database.reading() as session:
        assert session.exec(select(Counter)).all() == []
        channels = set(session.exec(select(OutboxRow.channel)))
    assert channels == {Channel.CANARY}


@pytest.mark.parametrize("far", ["question", "draft", "submit", "receipt"])
def test_a_crash_leaves_nothing_behind_for_long(database, keys, far: str):
    here = desk(database, keys)
    before = _rows(here)
    with here.database.writing() as session:
        assert canary.begin(here.work(session), holder="dead")
    here.say(canary.HANDLE, "LAPOR", channel=Channel.CANARY, name=canary.message_id(0))
    if far != "question":
        words = STORY.removeprefix("LAPOR ") if far == "draft" else STORY
        for number, said in enumerate(("1", "1", "1", "1", words), 1):
            here.say(
                canary.HANDLE,
                said,
                channel=Channel.CANARY,
                name=canary.message_id(number),
            )
    if far == "receipt":
        here.makes_receipts()
    assert _rows(here) != before
    assert here.act(canary.sweep) == 0, "its lease is held: it may be alive"
    here.later(seconds=canary.LEASE_SECONDS + 1)
    here.act(canary.sweep)
    assert _rows(here) == before


def test_a_case_that_was_marked_by_hand_is_never_erased(database, keys):
    here = desk(database, keys)
    case, _ = here.reports("555")
    with here.database.writing() as session:
        found = session.exec(select(Case)).one()
        found.canary = True
        session.add(found)
    assert here.act(canary.sweep) == 0
    with here.database.reading() as session:
        assert session.exec(select(Case)).one().report == case.report
        assert session.exec(select(Item)).all()
        assert any(case.number in one for one in chains.problems(session, here.keys))


def _rows(here: Desk) -> dict[str, int]:
    with here.database.reading() as session:
        return {
            name: session.exec(select(func.count()).select_from(table)).one()
            for name, table in SQLModel.metadata.tables.items()
            if name != "leases"
        }
