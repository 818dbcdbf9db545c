"""Rows of files are filled and signed only where they are ours, and the disk tells no time."""

import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial

import pytest
from sqlmodel import select

from handlers import evidence
from handlers.evidence import Outcome
from handlers.messages import Kind, Media
from storage.crypto.sealing import NotAuthentic
from storage.evidence import blobs, files, sealed_files
from storage.evidence.blobs import FolderStore
from storage.evidence.files import Taken
from storage.evidence.sealed_files import Sealer
from storage.jobs import jobs
from storage.models import Event, File, Job
from storage.units import units
from storage.words import Channel, EventCode, FileState, JobKind
from tests.support.desk import desk, pick

STEPS = (
    *("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM", "SUAP", "LEWATI", "LEWATI"),
    *("LEWATI", "Kepala dinas minta uang"),
)
OTHER = b"k" * 32


@pytest.fixture
def here(database, keys):
    """Return a desk where somebody sent a case with one file, still to be fetched."""
    made = desk(database, keys)
    for words in STEPS:
        made.say("555", words)
    made.say(
        "555", "", kind=Kind.MEDIA, media=(Media("ref", "application/pdf", "a.pdf"),)
    )
    made.say("555", "KIRIM")
    return made


@pytest.fixture
def job(here):
    (found,) = here.store(jobs.claim, JobKind.FETCH, limit=5, now=here.now)
    return found


@pytest.mark.parametrize("sent", [True, False], ids=["case", "draft"])
def test_two_files_of_one_message_that_end_together_leave_one_copy_to_erase(
    database, keys, monkeypatch, sent
):
    """Each of them would see the other's job, and neither would be the last."""
    here = desk(database, keys)
    for words in STEPS:
        here.say("555", words)
    both = (Media("one", "image/jpeg", "a.jpg"), Media("two", "image/jpeg", "b.jpg"))
    here.say("555", "", kind=Kind.MEDIA, media=both, erase="SM1")
    if sent:
        here.say("555", "KIRIM")
    due = [
        replace(job, details={**job.details, "channel": Channel.WHATSAPP.value})
        for job in here.store(jobs.claim, JobKind.FETCH, limit=5, now=here.now)
    ]
    done, meet = jobs.done, threading.Barrier(2)

    def slowly(session, job):
        ours = done(session, job)
        with suppress(threading.BrokenBarrierError):
            meet.wait(0.5)
        return ours

    monkeypatch.setattr(jobs, "done", slowly)
    with ThreadPoolExecutor(2) as pool:
        ended = pool.map(
            lambda job: here.act(evidence.refused, job, FileState.GONE), due
        )
        assert list(ended) == [Outcome.GONE] * 2
    monkeypatch.undo()
    with database.reading() as session:
        left = session.exec(select(Job.kind)).all()
    assert [kind for kind in left if kind != JobKind.RECEIPT] == [JobKind.ERASE]


def case_of(here):
    return here.case(here.receipt("555").number)


def change(here, **columns):
    """Change the row as a thief with write access would; returns the row's id."""
    with here.database.writing() as session:
        row = pick(session, File)
        for name, value in columns.items():
            setattr(row, name, value)
        session.add(row)
        return row.id


def row_of(here):
    with here.database.reading() as session:
        return pick(session, File)


def count(here, code):
    with here.database.reading() as session:
        return len(session.exec(select(Event).where(Event.code == code.value)).all())


def some(**more):
    return Taken(OTHER, None, {"name": "a.pdf"}, **more)


PLANTS = [
    {"copy_key": b"planted"},
    {"details": b"planted"},
    {"original_key": b"planted"},
    {"state": FileState.REFUSED.value},
    {"report": bytes(16)},
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: next(iter(plant)))
def test_what_was_planted_is_not_signed_by_taking(here, job, plant):
    change(here, **plant)
    before = row_of(here)
    assert here.act(evidence.taken, job, some()) is Outcome.NOT_OURS
    assert row_of(here) == before
    assert count(here, EventCode.FILE_TAKEN) == 0


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: next(iter(plant)))
def test_what_was_planted_is_not_signed_by_refusing(here, job, plant):
    change(here, **plant)
    before = row_of(here)
    given = here.act(evidence.refused, job, FileState.GONE)
    assert given is Outcome.NOT_OURS
    assert row_of(here) == before
    assert count(here, EventCode.FILE_REFUSED) == 0
    with here.database.reading() as session:
        left = session.exec(select(Job).where(Job.kind == "fetch")).all()
    assert left == [], "no endless try"


@pytest.mark.parametrize("verb", ["taken", "refused"])
def test_storage_itself_signs_no_planted_row(here, job, verb):
    file_id = change(here, copy_key=b"planted")
    how = {
        "taken": partial(files.taken, file=some(), public=b"", vault=b""),
        "refused": partial(files.refused, state=FileState.GONE),
    }
    with pytest.raises(NotAuthentic):
        here.store(how[verb], file_id=file_id)
    with pytest.raises(NotAuthentic):
        here.store(files.awaited, file_id, report=bytes.fromhex(job.details["report"]))


def test_a_refused_file_has_neither_keys_nor_details(here, job):
    case = case_of(here)
    assert here.act(evidence.refused, job, FileState.GONE) is Outcome.GONE
    with here.database.reading() as session:
        (row,) = files.of_report(session, here.keys, case.report)
    assert (row.original_key, row.copy_key, row.details) == (None, None, None)
    assert row.state == FileState.GONE


def test_keys_beside_another_state_open_nothing(here):
    row = File(
        id=bytes(16), report=bytes(16), day=here.now.date(), state="gone",
        copy_key=b"x", details=b"x", tag=b"",
    )  # fmt: skip
    assert files.copy_key(row, b"secret") is None
    assert files.details(row, b"secret") == {}


def test_a_file_is_settled_once(here, job):
    file_id = bytes.fromhex(job.details["file"])
    assert here.act(evidence.taken, job, some()) is Outcome.TAKEN
    again = row_of(here)
    public = vault = again.details  # never used
    assert not here.store(files.taken, file_id, some(), public=public, vault=vault)
    assert not here.store(files.refused, file_id, FileState.GONE)
    assert row_of(here) == again


def test_a_job_never_fills_a_row_of_another_report(here, job):
    file_id = bytes.fromhex(job.details["file"])
    assert not here.store(files.awaited, file_id, report=secrets.token_bytes(16))
    details = {**job.details, "file": secrets.token_hex(16)}
    strange = jobs.Claimed(job.id, job.token, job.kind, details, 1, job.expires)
    assert here.act(evidence.taken, strange, some()) is Outcome.LOST
    assert row_of(here).state == FileState.WAITING


def test_a_lost_lease_is_told_from_a_report_that_is_gone(here, job):
    here.later(seconds=61)
    (later,) = here.store(jobs.claim, JobKind.FETCH, limit=5, now=here.now)
    assert here.act(evidence.taken, job, some()) is Outcome.LOST
    refused = here.act(evidence.refused, job, FileState.GONE)
    assert refused is Outcome.LOST
    here.say("555", "BATAL")
    assert here.act(evidence.taken, later, some()) is Outcome.TAKEN


def test_a_cancelled_report_leaves_nothing_to_take(database, keys):
    made = desk(database, keys)
    for words in STEPS:
        made.say("555", words)
    made.say("555", "", kind=Kind.MEDIA, media=(Media("ref", "image/png", "a.png"),))
    (held,) = made.store(jobs.claim, JobKind.FETCH, limit=5, now=made.now)
    made.say("555", "BATAL")
    made.say("555", "YA")
    assert made.act(evidence.taken, held, some()) is Outcome.GONE


def test_files_get_their_names_under_the_lock_of_the_row(here, job, tmp_path):
    """Nothing stands there before the commit's own transaction, and nothing is replaced."""
    file_id = bytes.fromhex(job.details["file"])
    place = blobs.place(tmp_path, file_id, "original")
    with Sealer(place, apart=True) as first:
        first.write(b"first")
    with Sealer(place, apart=True) as second:
        second.write(b"second")
    assert first.part != second.part
    assert not place.exists()
    taken = Taken(first.key, None, {}, (first,))
    assert here.act(evidence.taken, job, taken) is Outcome.TAKEN
    late = Taken(second.key, None, {}, (second,))
    assert here.act(evidence.taken, job, late) is Outcome.LOST
    second.drop()
    assert b"".join(sealed_files.chunks(place, first.key)) == b"first"
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_rolled_back_settling_may_be_repeated(here, job, tmp_path):
    place = blobs.place(tmp_path, bytes.fromhex(job.details["file"]), "original")
    with Sealer(place, apart=True) as sealer:
        sealer.write(b"evidence")
    taken = Taken(sealer.key, None, {}, (sealer,))

    def breaks(work):
        evidence.taken(work, job, taken)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        here.act(breaks)
    assert row_of(here).state == FileState.WAITING
    assert here.act(evidence.taken, job, taken) is Outcome.TAKEN
    assert b"".join(sealed_files.chunks(place, sealer.key)) == b"evidence"


def test_the_disk_tells_the_day_and_no_more(here, job, tmp_path):
    file_id = bytes.fromhex(job.details["file"])
    places = [blobs.place(tmp_path / "f", file_id, w) for w in ("original", "copy")]
    parts = []
    for place in places:
        with Sealer(place, apart=True) as sealer:
            sealer.write(b"x")
        parts.append(sealer)
    taken = Taken(parts[0].key, parts[1].key, {}, tuple(parts))
    assert here.act(evidence.taken, job, taken) is Outcome.TAKEN
    day = datetime.combine(row_of(here).day, time(), UTC).timestamp()
    for place in places:
        found = place.stat()
        assert (found.st_mtime, found.st_atime) == (day, day)
        assert place.parent.stat().st_mtime == 0
    assert (tmp_path / "f").stat().st_mtime == 0
    FolderStore(tmp_path / "f").remove(file_id)
    assert [*places[0].parent.iterdir()] == []
    assert places[0].parent.stat().st_mtime == 0


def test_an_attempt_that_fails_leaves_neither_file_nor_time(tmp_path):
    place = tmp_path / "f" / "ab" / "x.original"
    with suppress(RuntimeError), Sealer(place) as sealer:
        sealer.write(b"x")
        raise RuntimeError
    assert [*place.parent.iterdir()] == []
    assert place.parent.stat().st_mtime == 0


def test_a_disk_that_is_full_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "no space")

    place = tmp_path / "ab" / "x.original"
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"), Sealer(place) as sealer:
        sealer.write(b"x")
    assert [*place.parent.iterdir()] == []


def test_a_key_is_in_no_repr():
    shown = repr(Taken(b"SECRET", b"SECRET", {"name": "nama.jpg"}))
    assert "SECRET" not in shown
    assert "nama" not in shown


def test_without_a_vault_nothing_is_taken(here, job, monkeypatch):
    vault = here.house.vault
    vault.public_key = None
    monkeypatch.setattr(units, "vault", lambda *_: vault)
    assert here.act(evidence.taken, job, some()) is Outcome.GONE
    assert timedelta(seconds=60) == jobs.LEASE
