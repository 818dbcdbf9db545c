"""Every table: a row that is changed, added, or taken away by hand shows, or it is said why not."""

import secrets
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from handlers.cases import conflicts, data_requests, officer
from handlers.people import leaving
from handlers.reveals import verbs as reveals
from storage.audit import log
from storage.cases import cases, history, items
from storage.cases.items import Content
from storage.cases.reveals import Request, Wish
from storage.evidence import files
from storage.evidence.files import Taken
from storage.inspection import chains
from storage.inspection import rows as inspection
from storage.models import AuditLine, Case, Conflict, Event, File
from storage.people import one_time_codes, recovery_codes
from storage.retention import erasing
from storage.words import Audience, Erased, EventCode, ItemKind, RequestKind, RevealOf
from tests.support import founded, thief
from tests.support.desk import Desk, desk, pick
from tests.support.unsealing import secret_for

PROVEN = {model.__tablename__ for model in (AuditLine, Case, Conflict, Event)}
"""Tables that the chains, the case's tag and the histories speak for."""
FREE = {
    "cases.class_asked": "lets a row be found; what waits stands under the tag",
    "cases.files_swept": "lets a row be found; the command of retention counts without it",
    "cases.identity_swept": "as above",
    "officers.language": "no decision hangs on it",
    "grants.recipient_kind": "the seal says to whom",
    "events.id": "a line's place is its number",
}
"""Columns that may change unseen, each with why."""
GONE_UNSEEN = {
    "drafts": "as if the reporter had left",
    "quarantine": "ends within 7 days",
    "applications": "the newcomer asks again",
    "recovery_keys": "`kentongan doctor` says that one is missing",
    "settings": "the lists among them show; `serve` refuses a store without the others",
}
"""Tables where one row less is not said by `audit verify`, each with why."""


@pytest.fixture
def here(database, keys) -> Desk:
    """A house where a lot has happened."""
    found = desk(database, keys)
    case, _ = found.reports("555")
    other, _ = found.reports("556")
    sari, vault = found.house.supervisor.officer, found.house.vault.public_key
    assert vault is not None
    found.act(officer.take, case.report, by=sari)
    found.act(officer.note, case.report, "Cek", by=sari)
    found.act(conflicts.declare, other.report, by=sari)
    with database.writing() as session:
        row = pick(session, Case, report=case.report)
        content = Content(kind=ItemKind.IDENTITY, text="Ketut")
        named = items.add_item(
            session,
            keys,
            case.report,
            content,
            audience=Audience.IDENTITY,
            public=case.public_key,
            vault=vault,
            day=case.day,
        )
        history.append(
            session,
            keys,
            row,
            EventCode.ITEM,
            by=history.REPORTER,
            day=case.day,
            item_hash=named,
        )
        name = files.reserve(session, keys, case.report, day=case.day)
        taken = Taken(b"o" * 32, b"c" * 32, {"type": "image/png"})
        files.taken(session, keys, name, taken, public=case.public_key, vault=vault)
        history.append(
            session,
            keys,
            row,
            EventCode.FILE_TAKEN,
            by=history.SYSTEM,
            day=case.day,
        )
        cases.save(session, keys, row)
        erasing.erase_identity(session, keys, row, day=case.day)
        erasing.record(session, keys, row, Erased.IDENTITY, day=case.day)
        cases.save(session, keys, row)
        founded.person(session, keys, "budi")
        one_time_codes.put(session, keys, sari, one_time_codes.new_seed(), step=1)
        codes = recovery_codes.new_codes()
        recovery_codes.replace(session, keys, sari.id, b"s" * 96, codes)
    found.act(data_requests.ask, case.report, RequestKind.ACCESS)
    secret = found.store(
        secret_for, case.report, found.house.unit, found.house.unit_secret
    )
    found.act(
        reveals.ask,
        case.report,
        Wish(RevealOf.ORIGINAL, "CHAIN", name),
        Request("Perlu untuk rantai bukti", "", "id", ()),
        by=sari,
        case_secret=secret,
    )
    found.say("557", "LAPOR")
    return found


def head(here: Desk) -> tuple[int, bytes]:
    with here.database.reading() as session:
        return log.head(session)


def wrong(here: Desk, kept: tuple[int, bytes] | None = None) -> list[str]:
    with here.database.reading() as session:
        broken = log.verify(session, here.keys, expected=kept)
        said = [] if broken is None else [f"line {broken}"]
        return said + list(
            inspection.problems(session, here.keys, since=here.now.date())
        )


def shows(here: Desk, kept: tuple[int, bytes] | None = None) -> bool:
    """Tell whether anything is wrong; the first fault is enough."""
    with here.database.reading() as session:
        return (
            log.verify(session, here.keys, expected=kept) is not None
            or next(
                inspection.problems(session, here.keys, since=here.now.date()), None
            )
            is not None
        )


def put(here: Desk, table, rows: list[dict[str, Any]]) -> None:
    with here.database.writing() as session:
        session.connection().execute(delete(table))
        if rows:
            session.connection().execute(insert(table), rows)


def other(value: object) -> object:
    """Return another value of the same kind."""
    match value:
        case None:
            return None
        case bool():
            return not value
        case int():
            return value + 100
        case bytes():
            return secrets.token_bytes(len(value) or 16)
        case datetime() | date():
            return value + timedelta(days=1)
        case _:
            return OTHERS.get(str(value), f"{value}x")


OTHERS = {
    "TPK": "NON_TPK",
    "handling": "vault",
    "vault": "handling",
    "RECEIVED": "CLOSED",
    "COR": "ASP",
    "ADM": "KDH",
    "reporter": "system",
    "system": "reporter",
    "officer": "system",
}


def test_every_table_has_somebody_who_speaks_for_it():
    checked = {str(model.__tablename__) for model in inspection.CHECKS}
    tables = set(SQLModel.metadata.tables)
    assert checked | PROVEN | set(inspection.UNSEEN) == tables
    assert not (checked | PROVEN) & set(inspection.UNSEEN)


def test_a_house_at_work_is_whole(here: Desk):
    assert wrong(here) == []


def test_cases_are_looked_at_a_page_at_a_time(
    here: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(chains, "_AT_ONCE", 1)
    seen = 0

    def one_more() -> None:
        nonlocal seen
        seen += 1

    with here.database.reading() as session:
        there = len(session.exec(select(Case.report)).all())
        assert there > 1
        assert list(inspection.problems(session, here.keys, seen=one_more)) == []
    assert seen == 2 * there


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_changed_column_shows(here: Desk):
    rows = thief.rows_of(here.database)
    unseen, tried = [], 0
    for name, table in SQLModel.metadata.tables.items():
        if name in inspection.UNSEEN or not rows[name]:
            continue
        for column in table.columns:
            place = f"{name}.{column.name}"
            first = next(
                (row for row in rows[name] if row[column.name] is not None),
                rows[name][0],
            )
            rest = [row for row in rows[name] if row is not first]
            changed = other(first[column.name])
            if place in FREE or changed == first[column.name]:
                continue
            tried += 1
            try:
                put(here, table, [{**first, column.name: changed}, *rest])
                if not shows(here):
                    unseen.append(place)
            except IntegrityError:
                continue  # the store itself refuses it
            finally:
                put(here, table, rows[name])
    assert unseen == []
    assert tried > 80
    assert wrong(here) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_row_that_is_gone_shows(here: Desk):
    rows, kept = thief.rows_of(here.database), head(here)
    unseen, tried = set(), set()
    for name, table in SQLModel.metadata.tables.items():
        if name in inspection.UNSEEN or not rows[name]:
            continue
        for row in rows[name]:
            if name == "items" and row["audience"] == Audience.REPORTER:
                continue  # only the reporter's language, made with the receipt
            tried.add(name)
            put(here, table, [one for one in rows[name] if one is not row])
            if not shows(here, kept):
                unseen.add(name)
        put(here, table, rows[name])
    assert unseen <= set(GONE_UNSEEN), unseen
    assert {"data_requests", "reveals", "second_factors", "tombstones"} <= tried
    assert wrong(here) == []


def test_a_row_that_was_put_back_shows(here: Desk):
    """Old rows, each with a good tag, over what has happened since."""
    old = thief.rows_of(here.database)
    sari = here.house.supervisor.officer
    case = next(row for row in old["cases"] if row["officer"])
    here.act(officer.note, case["report"], "Baru", by=sari)
    here.act(officer.let_go, case["report"], by=sari)
    now, kept = thief.rows_of(here.database), head(here)
    assert wrong(here, kept) == []
    for name in ("cases", "events", "items", "audit"):
        table = SQLModel.metadata.tables[name]
        put(here, table, old[name])
        assert wrong(here, kept), name
        put(here, table, now[name])
    assert wrong(here) == []


def test_whoever_leaves_ends_what_they_asked_for_with_a_line(here: Desk):
    sari, unit = here.house.supervisor.officer, here.house.unit
    here.act(leaving.remove, unit.id, sari.id, by=None, knowing=True)
    assert wrong(here) == []


def test_files_that_two_officers_erased_are_not_missed(here: Desk):
    with here.database.writing() as session:
        report = session.exec(select(File.report)).one()
        row = session.get_one(Case, report)
        row.is_open = False
        day = here.now.date()
        erasing.erase_files(session, here.keys, row, day=day)
        erasing.record(session, here.keys, row, Erased.FILES, day=day)
        cases.save(session, here.keys, row)
    assert wrong(here) == []
