import re
import sqlite3
from datetime import date, timedelta
from hashlib import shake_256

import pytest

from bot.operations import founding
from bot.terminal import desk
from handlers.rules import numbering
from storage.cases import cases, history
from storage.crypto.sealing import new_pair
from storage.models import Case
from storage.units import units
from storage.words import EventCode, Status

DAY = date(2026, 3, 2)


def number_of(seed):
    """Return the same number for the same seed, another one for another."""
    noise = iter(shake_256(str(seed).encode()).digest(4096))
    return numbering.new_case_number(lambda below: next(noise) % below)


@pytest.fixture
def queue(terminal):
    """Put 120 cases into the queue, every tenth closed."""
    with desk.sit_down(None) as seat, seat.database.writing() as session:
        unit = units.named(session, seat.keys, "Pengaduan")
        for index in range(120):
            status = Status.CLOSED if index % 10 == 0 else Status.RECEIVED
            case = Case(
                report=index.to_bytes(16, "big"),
                number=number_of(index),
                day=DAY,
                status=status.value,
                is_open=cases.is_open(status),
                category="COR",
                track="TPK",
                urgency=index % 3,
                position="JPT",
                province="15",
                unit=unit.id,
                due=DAY + timedelta(days=index % 7),
                public_key=new_pair().public,
                figures=b"",
                head=history.START,
            )
            history.append(
                session, seat.keys, case, EventCode.OPENED, by=history.REPORTER, day=DAY
            )
            assert cases.insert(session, seat.keys, case)
    return terminal


def test_the_queue_is_listed_whole_and_in_order(queue):
    rows = queue("case", "list", "--json").json
    assert len(rows) == 108
    urgencies = ["URGENT", "HIGH", "NORMAL"]
    order = [(urgencies.index(row["urgency"]), row["due"]) for row in rows]
    assert order == sorted(order)
    assert rows[0].keys() == {
        "number", "status", "urgency", "category", "received", "due", "unit",
        "officer", "authentic",
    }  # fmt: skip
    assert len(queue("case", "list", "--closed", "--json").json) == 12
    assert len(queue("case", "list", "--status", "closed", "--json").json) == 12
    assert queue("case", "list", "--status", "REVIEW", "--json").json == []
    assert len(queue("case", "list").out.splitlines()) == 108


def test_one_case_is_shown_without_contents(queue):
    shown = queue("case", "show", number_of(1).lower(), "--json").json
    assert shown["status"] == "RECEIVED"
    assert shown["history"] == ["2026-03-02 reporter opened"]
    assert re.search(r"due\s+2026-03-03", queue("case", "show", number_of(1)).out)


@pytest.mark.parametrize("number", ["", "nonsense", "7K3M-9QXB", "\x1b[31m"])
def test_an_unknown_number_is_refused(terminal, number):
    line = terminal.refused("case", "show", number)
    assert "there is no case" in line
    assert "\x1b" not in line


def test_a_case_changed_by_hand_shows(queue):
    assert queue("audit", "verify").code == 0
    with desk.sit_down(None) as seat, seat.database.writing() as session:
        case = session.get_one(Case, (1).to_bytes(16, "big"))
        case.status = Status.CLOSED.value
        session.add(case)
    rows = queue("case", "list", "--json").json
    assert [row["number"] for row in rows if not row["authentic"]] == [number_of(1)]
    line = queue.refused("audit", "verify")
    assert f"case {number_of(1)} was changed" in line


def test_a_history_changed_by_hand_shows(queue):
    with desk.sit_down(None) as seat, seat.database.writing() as session:
        (event,) = history.of_case(session, (2).to_bytes(16, "big"))
        session.delete(event)
    line = queue.refused("audit", "verify")
    assert f"case {number_of(2)}: its history is broken at line 1" in line


def test_an_audit_log_cut_off_shows_against_a_kept_head(terminal):
    out = terminal("audit", "verify").out
    (head,) = re.findall(r"[0-9]+:[0-9a-f]{66}", out)
    assert terminal("audit", "verify", "--head", head).code == 0
    assert terminal("unit", "add", "Wilayah II").code == 0
    assert terminal("audit", "verify", "--head", head).code == 0
    (lines,) = re.findall(r"whole: ([0-9]+) lines", terminal("audit", "verify").out)
    other = f"2:{head.partition(':')[2]}"
    assert "broken at line 2" in terminal.refused("audit", "verify", "--head", other)
    later = f"99:{head.partition(':')[2]}"
    assert f"broken at line {int(lines) + 1}" in terminal.refused(
        "audit", "verify", "--head", later
    )
    terminal.misused("audit", "verify", "--head", "yesterday")


@pytest.mark.usefixtures("terminal")
def test_the_agency_is_known_by_name():
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        assert founding.agency_of(session, seat.keys) == "Inspektorat Contoh"


def test_lists_that_were_put_back_show(terminal):
    def lists():
        with sqlite3.connect("kentongan.db") as store:
            rows = store.execute("SELECT value, tag, name FROM settings").fetchall()
        store.close()
        return rows

    before = lists()
    assert terminal("unit", "add", "Wilayah II", "--first", "siti").code == 0
    with sqlite3.connect("kentongan.db") as store:
        store.executemany(
            "UPDATE settings SET value = ?, tag = ? WHERE name = ?", before
        )
    store.close()
    assert "older than the audit log says" in terminal.refused("audit", "verify")
    assert "put back by hand" in terminal("doctor").out
