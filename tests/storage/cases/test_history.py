"""A case's history shows every change that was made by hand."""

import secrets
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlmodel import select

from handlers.cases import officer
from storage.cases import history, tags
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, Event
from storage.words import Status
from tests.support import thief
from tests.support.desk import Desk, desk


@pytest.fixture
def here(database, keys) -> Desk:
    found = desk(database, keys)
    case, slip = found.reports("555")
    sari = found.house.supervisor.officer
    found.act(officer.take, case.report, by=sari)
    found.act(officer.note, case.report, "Cek", by=sari)
    found.act(
        officer.change_status, case.report, Status.VERIFICATION, by=sari, reason=None
    )
    found.say("555", f"TAMBAH {slip}")
    found.say("555", "Ada saksi lagi")
    return found


def broken(here: Desk) -> int | None:
    with here.database.reading() as session:
        case = session.exec(select(Case)).one()
        return history.first_broken(session, here.keys, case)


def test_every_single_change_is_found(here):
    events = sorted(
        thief.rows_of(here.database)["events"], key=lambda row: int(str(row["seq"]))
    )
    assert broken(here) is None
    assert len(events) >= 6
    tried = 0
    for row in events:
        for name, value in row.items():
            if name == "id" or (name == "at" and row["actor_class"] != "officer"):
                continue
            change(here, row["id"], **{name: other(name, value)})
            found = broken(here)
            assert found is not None, (row["seq"], name)
            change(here, row["id"], **{name: value})
            tried += 1
    assert broken(here) is None
    assert tried > 50


def other(name: str, value: object) -> object:
    """Return another value of the same kind."""
    match value:
        case None if name == "at":
            return None
        case None | bytes():
            return secrets.token_bytes(16)
        case int():
            return value + 100
        case str() if name == "actor_class":
            return "system" if value == "officer" else "officer"
        case str():
            return value + "x"
        case _:
            return value + timedelta(days=1)  # type: ignore[operator] # a date or a moment


def change(here: Desk, event: object, **values: object) -> None:
    with here.database.writing() as session:
        row = session.get(Event, event)
        assert row
        if values.get("actor_class") == "system":
            values["at"] = None
        elif "actor_class" in values and row.actor_class == "system":
            values["at"] = here.now
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


def test_a_line_cut_out_put_in_or_swapped_is_found(here):
    events = sorted(
        thief.rows_of(here.database)["events"], key=lambda row: int(str(row["seq"]))
    )
    for row in events:
        with here.database.writing() as session:
            session.delete(session.get(Event, row["id"]))
        assert broken(here) == row["seq"], "the first place that does not fit"
        with here.database.writing() as session:
            session.add(Event(**row))
        assert broken(here) is None
    last = dict(events[-1]) | {"id": b"n" * 16, "seq": len(events) + 1}
    with here.database.writing() as session:
        session.add(Event(**last))
    assert broken(here) == len(events) + 1
    with here.database.writing() as session:
        session.delete(session.get(Event, b"n" * 16))
    for one, two in pairwise(events):
        swap(here, one, two)
        assert broken(here) == one["seq"]
        swap(here, {**one, "seq": two["seq"]}, {**two, "seq": one["seq"]})
    assert broken(here) is None


def swap(here: Desk, one: dict[str, Any], two: dict[str, Any]) -> None:
    with here.database.writing() as session:
        for row in (one, two):
            session.delete(session.get(Event, row["id"]))
    with here.database.writing() as session:
        session.add(Event(**{**one, "seq": two["seq"]}))
        session.add(Event(**{**two, "seq": one["seq"]}))


def test_a_head_taken_back_shows(here):
    with here.database.writing() as session:
        case = session.exec(select(Case)).one()
        events = history.of_case(session, case.report)
        case.head, case.head_seq = events[-2].mac, events[-2].seq
        session.add(case)
    assert broken(here) is not None
    with here.database.writing() as session:
        session.delete(
            history.of_case(session, session.exec(select(Case)).one().report)[-1]
        )
    assert broken(here) is None, "chain and head agree again ..."
    with here.database.reading() as session, pytest.raises(NotAuthentic):
        tags.check_case(
            here.keys, session.exec(select(Case)).one()
        )  # ... the tag does not
