"""What is asked often is found by an index, on both databases, however large the store is."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial

import pytest

from handlers.retention import reports as retention
from handlers.retention import traces
from handlers.watch import canary, digest
from handlers.work import Work
from storage import conversations, outbox
from storage.audit import log
from storage.audit.log import Filters as Lines
from storage.cases import cases, conflicts, figures, worklist
from storage.cases.cases import Filters, Place
from storage.database.database import Database
from storage.jobs import backlog, jobs
from storage.letters import sent
from storage.models import Unit
from storage.notices import failed
from storage.retention import overdue, tombstones
from storage.units import units
from storage.words import Channel, JobKind
from tests.support.desk import Desk, desk
from tests.support.plans import plans_of, read_whole

LATE = date(2040, 1, 1)
AFTER = Place(1, LATE, LATE, b"\x01" * 16)


def queue(**wanted: object) -> Callable[[Work, Unit], object]:
    """Return what asks for two pages of the queue."""

    def ask(work: Work, unit: Unit) -> None:
        filters = Filters(**wanted)  # type: ignore[arg-type] # told by name
        for after in (None, AFTER):
            cases.queue_page(work.store, [unit.id], filters=filters, after=after)

    return ask


def a_round(work: Work, _: Unit) -> None:
    """Ask for every page of a round of the purge."""
    at: retention.Walk | None = retention.Walk()
    while at is not None:
        at = retention.due(work, at)[1]


def log_of(**wanted: object) -> Callable[[Work, Unit], object]:
    filters = Lines(**wanted)  # type: ignore[arg-type] # told by name
    return lambda work, _: log.lines(work.store, before=9**9, filters=filters)


ASKED: dict[str, Callable[[Work, Unit], object]] = {
    "queue": queue(),
    "queue by status": queue(status="FOLLOW_UP"),
    "queue by group": queue(category="RET"),
    "queue by urgency": queue(urgency=1),
    "queue of one's own": queue(officer=b"x" * 16),
    "queue of what is over": queue(is_open=False),
    "queue by both": queue(is_open=False, status="WITHDRAWN", category="RET"),
    "taken": lambda w, u: worklist.taken_by(w.store, [u.id], b"x" * 16),
    "held": lambda w, u: worklist.held_by(w.store, u.id, b"x" * 16),
    "due soon": lambda w, u: worklist.due_by(w.store, [u.id], LATE),
    "approvals": lambda w, u: worklist.awaiting_approval(w.store, w.keys, [u.id]),
    "classes": lambda w, u: worklist.awaiting_class(w.store, w.keys, [u.id]),
    "by number": lambda w, _: cases.by_number(w.store, w.keys, "7K3M-9QXB"),
    "conflicts of units": lambda w, u: conflicts.in_units(w.store, [u.id]),
    "conflicts of a case": lambda w, _: conflicts.who_declared(w.store, b"r" * 16),
    "holds": lambda w, _: overdue.held(w.store),
    "register": lambda w, _: cases.dropped_register_number(w.store, 2026, above=False),
    "figures": lambda w, _: figures.count(
        w.store, date(2026, 1, 1), LATE, today=LATE, above=None
    ),
    "a round of the purge": a_round,
    "undated": lambda w, _: overdue.undated(w.store, limit=50),
    "tombstones to write": lambda w, _: tombstones.unwritten(w.store, w.keys, limit=9),
    "tombstones to drop": lambda w, _: tombstones.drop(w.store, before=LATE),
    "purge of traces": lambda w, _: traces.purge(w),
    "drafts to warn of": lambda w, _: traces.to_be_warned(w),
    "canary's sweep": lambda w, _: canary.sweep(w),
    "digest": lambda w, _: digest.is_due(w),
    "claim": lambda w, _: outbox.claim(
        w.store, w.keys, Channel.SMS, limit=8, now=w.now
    ),
    "claim of the oldest": lambda w, _: outbox.claim(
        w.store, w.keys, Channel.SMS, limit=8, now=w.now, oldest=True
    ),
    "next letter": lambda w, _: outbox.next_due(w.store, Channel.SMS),
    "next job": lambda w, _: jobs.next_due(w.store, JobKind.RECEIPT, now=w.now),
    "failed letters": lambda w, _: (
        failed.listed(w.store, now=w.now, limit=9),
        failed.counts(w.store, now=w.now),
        backlog.failed_letters(w.store, now=w.now),
    ),
    "late letters": lambda w, _: backlog.letters(w.store, now=w.now),
    "dead leases": lambda w, _: backlog.dead_leases(w.store, now=w.now),
    "a provider's list": lambda w, _: conversations.known(
        w.store, w.keys, Channel.SMS, ["SM1", "SM2"]
    ),
    "a status": lambda w, _: sent.status(w.store, w.keys, Channel.SMS, "SM1", 1),
    "head of the log": lambda w, _: log.head(w.store),
    "log": log_of(),
    "log of a family": log_of(codes=("reveal", "case.reveal")),
    "log of an officer": log_of(officer=b"x" * 16),
    "log of a case": log_of(report=b"r" * 16),
}
"""What runs on an officer's page, for each message or letter, or at every tick."""


@pytest.fixture(params=["sqlite", "postgresql"])
def here(request, tmp_path, sqlite_template, keys) -> Iterator[Desk]:
    """Return a store in which nothing else was written: what is left of it sways plans."""
    path = tmp_path / "kentongan.db"
    shutil.copyfile(sqlite_template, path)
    url = f"sqlite:///{path}"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres_url")
    store = Database(url)
    made = desk(store, keys)
    made.reports("555")
    yield made
    store.close()


def test_nothing_that_is_asked_often_reads_a_large_table_whole(here: Desk):
    wrong: dict[str, list[tuple[list[str], str]]] = {}
    with here.database.writing() as session:
        work = here.work(session)
        unit = units.verified(session, here.keys, here.house.unit.id)
        for name, ask in ASKED.items():
            plans = plans_of(session, partial(ask, work, unit))
            assert plans, name
            for statement, plan in plans.items():
                lines = read_whole(statement, plan)
                if lines:
                    wrong.setdefault(name, []).append((lines, statement))
    assert not wrong, "\n".join(f"{n}: {line}" for n, line in wrong.items())
