"""Whoever asks how it stands hears of their files: kept, on their way, or lost."""

import pytest

from handlers import evidence
from handlers.messages import Kind, Media
from storage.evidence import files, sealed_files
from storage.evidence.files import Taken
from storage.jobs import jobs
from storage.words import FileState, JobKind
from tests.support.desk import desk


@pytest.fixture
def here(database, keys):
    return desk(database, keys)


def sends_files(here, count):
    """Report, and attach files with the receipt's code; return the receipt."""
    case, slip = here.reports("555")
    here.say("555", f"TAMBAH {slip}")
    for n in range(count):
        media = (Media(f"ref{n}", "image/jpeg", f"{n}.jpg"),)
        here.say("555", "", kind=Kind.MEDIA, media=media)
    here.delivers()
    return case, slip


def asks(here, slip):
    here.say("555", f"STATUS {slip}")
    return "\n".join(one.text for one in here.delivers() if one.to == "555")


def test_files_are_told_by_how_far_they_came(here, tmp_path):
    case, slip = sends_files(here, 4)
    told = asks(here, slip)
    assert "0 tersimpan, 4 sedang diambil, 0 tidak bisa" in told
    due = here.store(jobs.claim, JobKind.FETCH, limit=9, now=here.now)
    lost = (FileState.REFUSED, FileState.GONE, FileState.LATE)
    for job, state in zip(due, lost, strict=False):
        here.act(evidence.refused, job, state)
    original = sealed_files.Sealer(tmp_path / "x.original", apart=True)
    with original:
        original.write(b"isi")
    here.act(evidence.taken, due[3], Taken(original.key, None, {}, (original,)))
    told = asks(here, slip)
    assert "1 tersimpan, 0 sedang diambil, 3 tidak bisa" in told
    with here.database.reading() as session:
        assert len(files.of_report(session, here.keys, case.report)) == 4


@pytest.mark.both_stores
@pytest.mark.parametrize(
    ("state", "why"),
    [
        (FileState.REFUSED, "paling besar 20 MB."),
        (FileState.GONE, "sudah tidak ada di penyedia pesan. Mohon kirim lagi."),
        (FileState.LATE, "setelah dicoba dua hari. Mohon kirim lagi."),
    ],
)
def test_of_a_file_that_did_not_come_it_is_told_why_and_what_else(here, state, why):
    sends_files(here, 1)
    (job,) = here.store(jobs.claim, JobKind.FETCH, limit=9, now=here.now)
    here.act(evidence.refused, job, state)
    (letter,) = here.delivers()
    assert f"{why} Cara lain: " in letter.text


def test_without_files_nothing_is_said_of_them(here):
    _, slip = here.reports("555")
    assert "tersimpan" not in asks(here, slip)
