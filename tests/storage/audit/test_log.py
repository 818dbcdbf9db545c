import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlmodel import Session, select

from storage.audit import log
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import AuditLine

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


def fill(session: Session, keys: ServerKeys) -> None:
    log.record(session, keys, "signed_in", officer=b"o" * 16, now=NOW)
    jakarta = NOW.astimezone(timezone(timedelta(hours=7)))
    log.record(
        session, keys, "opened", officer=b"o" * 16, report=b"r" * 16, now=jakarta
    )
    log.record(
        session, keys, "route_added", officer=None, detail="COR>inspectorate", now=NOW
    )


def test_the_chain_holds(database: Database, keys: ServerKeys):
    with database.writing() as session:
        assert log.head(session) == (0, b"")
        fill(session, keys)
    with database.reading() as session:
        assert log.verify(session, keys) is None
        assert log.head(session)[0] == 3
        assert log.verify(session, keys, expected=log.head(session)) is None
        assert [line.seq for line in log.lines(session, limit=2)] == [3, 2]
        assert [line.seq for line in log.lines(session, before=2)] == [1]


def test_it_survives_a_new_server_key(database: Database, keys: ServerKeys):
    with database.writing() as session:
        fill(session, keys)
        both = ServerKeys({**keys.ring, 2: ServerKeys.new().ring[1]})
        log.record(session, both, "key_rotated", officer=None, now=NOW)
        assert log.verify(session, both) is None
        assert log.verify(session, keys) == 4


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("code", "signed_out"),
        ("officer", b"x" * 16),
        ("report", None),
        ("detail", "x"),
        ("at", NOW + timedelta(seconds=1)),
        ("mac", b""),
    ],
)
def test_a_changed_line_shows(
    database: Database, keys: ServerKeys, column: str, value: object
):
    with database.writing() as session:
        fill(session, keys)
        line = session.get(AuditLine, 2)
        setattr(line, column, value)
        session.add(line)
    with database.reading() as session:
        assert log.verify(session, keys) == 2


def test_a_missing_line_shows(database: Database, keys: ServerKeys):
    with database.writing() as session:
        fill(session, keys)
        session.delete(session.get(AuditLine, 2))
    with database.reading() as session:
        assert log.verify(session, keys) == 2


def test_a_cut_or_rewritten_end_shows_by_the_head_kept_elsewhere(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        fill(session, keys)
        kept = log.head(session)
        session.delete(session.get(AuditLine, 3))
        session.flush()
        assert log.verify(session, keys) is None
        assert log.verify(session, keys, expected=kept) == 3
        log.record(session, keys, "signed_out", officer=None, now=NOW)
        assert log.verify(session, keys, expected=kept) == 3


@pytest.mark.parametrize(
    ("code", "detail"),
    [("", ""), ("two words", ""), ("ok", "a story, told"), ("ok", "é")],
)
def test_a_line_takes_codes_only(
    database: Database, keys: ServerKeys, code: str, detail: str
):
    with database.writing() as session, pytest.raises(ValueError, match="short codes"):
        log.record(session, keys, code, officer=None, detail=detail, now=NOW)


def test_many_writers_make_one_chain(database: Database, keys: ServerKeys):
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                with database.writing() as session:
                    log.record(session, keys, "tick", officer=None, now=NOW)
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.reading() as session:
        assert len(session.exec(select(AuditLine)).all()) == 20
        assert log.verify(session, keys) is None
