"""What the operator sees of lives, and how a restored store is made to forget."""

import os
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from bot.clock import utc_now
from bot.doctor import doctor
from bot.retention import tombstones as kept
from bot.terminal import desk
from storage.cases import cases, history
from storage.crypto.sealing import new_pair
from storage.evidence import files
from storage.models import Case, File, Tombstone
from storage.retention import tombstones
from storage.units import units
from storage.words import Erased, EventCode, Status
from tests.support.terminal import Terminal

DAY = date(2026, 3, 2)
REPORT = b"r" * 16
LOG = Path("tombstones.log")


@pytest.fixture
def old(terminal: Terminal) -> Terminal:
    """Put a rejected case with a file into the store, past its 90 days."""
    with desk.sit_down(None) as seat, seat.database.writing() as session:
        unit = units.named(session, seat.keys, "Pengaduan")
        case = Case(
            report=REPORT,
            number="7K3M-9QXB",
            day=DAY,
            closed=DAY,
            status=Status.REJECTED.value,
            is_open=False,
            category="COR",
            track="TPK",
            urgency=1,
            position="JPT",
            province="15",
            unit=unit.id,
            due=DAY,
            public_key=new_pair().public,
            figures=b"",
            head=history.START,
        )
        history.append(
            session, seat.keys, case, EventCode.OPENED, by=history.REPORTER, day=DAY
        )
        assert cases.insert(session, seat.keys, case)
        files.reserve(session, seat.keys, REPORT, day=DAY)
    return terminal


def line_of(what: Erased, day: date, *, stays: bool = False) -> str:
    """Return the line of an erasure that the store knows (``stays``) or does not."""
    with desk.sit_down(None) as seat, seat.database.writing() as session:
        row = tombstones.put(session, seat.keys, REPORT, what, day=day)
        line = tombstones.line(seat.keys, row)
        if stays:
            tombstones.mark_written(session, seat.keys, [row.id])
        else:
            session.delete(row)
    return line


def count_files() -> int:
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        return len(session.exec(select(File.id)).all())


def finding() -> tuple[str, str]:
    found = doctor.examine(None, {}, clock=utc_now)
    (one,) = [one for one in found if one.check == "tombstones"]
    return one.state.value, one.says


def test_status_counts_what_is_kept_and_what_goes(old: Terminal):
    told = old("retention", "status", "--json").json
    rows = {row.pop("what"): tuple(row.values()) for row in told["rows"]}
    assert rows == {
        "identity": (0, 0, 0),
        "contact": (None, 0, 0),
        "contents": (1, 1, 1),
        "files": (1, 1, 1),
        "receipt": (0, 0, 0),
    }
    assert (told["on_hold"], told["tombstones_waiting"]) == (0, 0)
    said = old("retention", "status")
    assert "contents\t1\t1\t1" in said.out
    assert "On hold: 0 cases. Tombstones to be written: 0." in said.out


def test_replay_erases_again_once_and_names_what_is_not_ours(old: Terminal):
    assert "no such file" in old.refused("tombstones", "replay")
    today = utc_now().date()
    kept.append(LOG, ["damaged", line_of(Erased.FILES, today)], day=DAY)
    said = old("tombstones", "replay")
    assert said.code == 1
    assert said.out == "Erased again: 1.\n"
    assert "1 lines are not ours or damaged (line 1); all others count" in said.err
    assert count_files() == 0
    LOG.write_text(LOG.read_text().partition("\n")[2])
    said = old("tombstones", "replay")
    assert (said.code, said.out) == (0, "Erased again: 0.\n")


def test_lines_of_any_age_only_when_asked(old: Terminal):
    other = Path("other.log")
    kept.append(other, [line_of(Erased.FILES, DAY)], day=DAY)
    replay = ("tombstones", "replay", "--file", str(other))
    assert old(*replay).out == "Erased again: 0.\n"
    assert old(*replay, "--all").out == "Erased again: 1.\n"


def test_a_case_changed_by_hand_is_told(old: Terminal):
    kept.append(LOG, [line_of(Erased.FILES, utc_now().date())], day=DAY)
    with desk.sit_down(None) as seat, seat.database.writing() as session:
        case = session.get_one(Case, REPORT)
        case.province = "99"
        session.add(case)
    said = old("tombstones", "replay")
    assert said.code == 1
    assert "changed by hand: 1" in said.out
    assert count_files() == 1


@pytest.mark.usefixtures("old")
def test_the_doctor_looks_at_the_file():
    assert finding() == ("ok", "0 in tombstones.log")
    line = line_of(Erased.FILES, DAY, stays=True)
    assert finding()[0] == "wrong"
    assert "is gone" in finding()[1]
    kept.append(LOG, [line], day=DAY)
    assert finding() == ("ok", "1 in tombstones.log")
    kept.append(LOG, [line.replace("files", "contents")], day=DAY)
    assert "1 lines are not ours" in finding()[1]
    LOG.write_text(f"{line}\n")
    with desk.sit_down(None) as seat, seat.database.writing() as session:
        tombstones.put(session, seat.keys, REPORT, Erased.CONTACT, day=DAY)
        assert len(session.exec(select(Tombstone)).all()) == 2
    assert finding()[0] == "warn"
    assert "1 wait to be written" in finding()[1]
    LOG.unlink()
    LOG.mkdir()
    assert finding()[0] == "wrong"
    assert "cannot be written" in finding()[1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(old: Terminal):
    folder = Path("locked")
    folder.mkdir(mode=0o500)
    said = old("doctor", RETENTION__TOMBSTONES_FILE=str(folder / "t.log"))
    assert "cannot be written" in said.out
