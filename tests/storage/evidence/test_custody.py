"""What the log holds of a file: enough to prove it, nothing that names it."""

import secrets
from datetime import date

import pytest
from sqlmodel import select

from storage.audit import log
from storage.evidence import custody
from storage.models import AuditLine

FILE, DAY = secrets.token_bytes(16), date(2026, 3, 2)
DETAILS = {
    "sha256": "ab" * 32,
    "size": "1234",
    "at": "2026-03-02T09:31:07+00:00",
    "ref": "cd" * 32,
    "salt": secrets.token_hex(16),
    "name": "IMG.jpg",
}


def test_what_was_committed_is_found_with_its_day_alone(database, keys):
    with database.writing() as session:
        custody.commit(session, keys, FILE, DETAILS, day=DAY)
    with database.reading() as session:
        assert custody.committed(session, FILE, DETAILS) == DAY
        line = session.exec(select(AuditLine)).one()
        assert log.verify(session, keys) is None
    assert (line.at.hour, line.at.minute, line.at.second) == (0, 0, 0)
    assert line.report is None
    assert line.officer is None
    assert DETAILS["sha256"] not in line.detail
    assert FILE.hex() not in line.detail


@pytest.mark.parametrize("name", ["sha256", "size", "at", "ref", "salt"])
def test_whatever_is_changed_is_another_file(database, keys, name):
    with database.writing() as session:
        custody.commit(session, keys, FILE, DETAILS, day=DAY)
    last = "8" if DETAILS[name].endswith("9") else "9"
    other = DETAILS | {name: DETAILS[name][:-1] + last}
    assert other != DETAILS
    with database.reading() as session:
        assert custody.committed(session, FILE, other) is None
        assert custody.committed(session, secrets.token_bytes(16), DETAILS) is None


def test_without_a_salt_nothing_is_committed(database, keys):
    """A hash alone would tell whoever has the same file that it lies here."""
    bare = {**DETAILS, "salt": ""}
    with database.writing() as session:
        custody.commit(session, keys, FILE, bare, day=DAY)
    with database.reading() as session:
        assert session.exec(select(AuditLine)).all() == []
        assert custody.committed(session, FILE, bare) is None
