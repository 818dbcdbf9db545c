"""Stores that earlier versions wrote: brought to today's schema, they open as before.

Interrupted at any statement, by kill -9 or a full disk, the old schema stands, whole.
"""

import io
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from handlers.cases import receipts
from handlers.messages import Proof
from handlers.rules import numbering
from handlers.work import Work
from storage.audit import log
from storage.backups import proof as backup_proof
from storage.backups import restoring, scratch, writing
from storage.backups.reading import Reader, Sink, unpack
from storage.cases import items
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import Database
from storage.evidence import blobs, files, sealed_files
from storage.evidence.blobs import FolderStore
from storage.inspection import rows as inspection
from storage.models import Case, Register
from storage.units import units
from tests.support.desk import office_of, pick
from tests.support.places import RECORDED, ROOT
from tests.support.terminal import Terminal
from tests.support.unsealing import secret_for

SCRIPT = ScriptDirectory.from_config(schema.config_of_alembic())
OLDER = [one.revision for one in SCRIPT.walk_revisions() if one.nextrev]
KEPT = sorted(path.stem for path in RECORDED.glob("*.kentongan"))
CHANGES = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")
SLOWLY = """
import sys, time
from sqlalchemy import Engine, event
from bot.cli import app
left = {statement}
@event.listens_for(Engine, "before_cursor_execute")
def slowly(connection, cursor, statement, *rest):
    global left
    left -= statement.lstrip().startswith({changes!r})
    if not left:
        print("now", flush=True)
        time.sleep(60)
sys.argv = ["kentongan", "migrate"]
app()
"""


@dataclass
class Old:
    """A store of an earlier schema, and what opens it."""

    revision: str
    store: Database
    folder: Path
    told: dict[str, Any]

    @property
    def keys(self) -> ServerKeys:
        return ServerKeys.from_text(self.told["key"])

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.told["now"])

    @property
    def environ(self) -> dict[str, str]:
        return {
            "DATABASE__URL": self.store.url.render_as_string(hide_password=False),
            "KEYS__SERVER_KEY": self.told["key"],
            "FILES__PATH": str(self.folder),
            "RETENTION__TOMBSTONES_FILE": str(self.folder / "tombstones.log"),
        }

    def rows(self) -> dict[str, list[str]]:
        """Return the rows of every table it had, in the columns it had."""
        found = {}
        with scratch.store() as empty:
            schema.bring(empty, self.revision)
            shape = {
                name: [
                    row[1] for row in empty.execute(text(f"PRAGMA table_info({name})"))
                ]
                for name in scratch.table_names(self.revision)
            }
        with self.store.read_engine.connect() as connection:
            for name, columns in shape.items():
                named = ", ".join(f'"{column}"' for column in columns)
                rows = connection.execute(text(f"SELECT {named} FROM {name}"))  # noqa: S608 - our own names
                found[name] = sorted(str(tuple(row)) for row in rows)
        return found

    def revision_now(self) -> str:
        return schema.current(self.store)


@pytest.fixture(autouse=True, scope="module")
def hashing() -> None:
    """Hash as slowly as when these stores were recorded."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/old.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    store = Database(url, wait=30)
    yield store
    store.close()


def loaded(revision: str, store: Database, folder: Path) -> Old:
    """Put a recorded store as it was into an empty one."""
    told = json.loads((RECORDED / f"{revision}.json").read_text())
    found = Old(revision, store, folder, told)
    with (
        (RECORDED / f"{revision}.kentongan").open("rb") as file,
        store.write_engine.begin() as connection,
    ):
        reader = Reader(file, found.keys)
        schema.bring(connection, revision)
        unpack(reader, restoring.Everything(connection, FolderStore(folder)))
        restoring.count_on(connection)
    return found


@pytest.fixture(params=OLDER)
def old(request: pytest.FixtureRequest, empty: Database, tmp_path: Path) -> Old:
    return loaded(request.param, empty, tmp_path / "files")


@pytest.fixture
def oldest(empty: Database, tmp_path: Path) -> Old:
    return loaded(OLDER[-1], empty, tmp_path / "files")


def opens(old: Old) -> None:
    """Look at everything as an officer, a reporter and an auditor do."""
    keys, told = old.keys, old.told
    schema.check(old.store)
    with old.store.reading() as session:
        assert log.verify(session, keys) is None
        assert list(inspection.problems(session, keys)) == told["faults"]
        unit = units.verified(session, keys, bytes.fromhex(told["unit"]))
        mine = bytes.fromhex(told["cases"]["mine"])
        secret = secret_for(
            session, keys, mine, unit, bytes.fromhex(told["unit_secret"])
        )
        read = items.read(session, keys, mine, secret)
        assert any("minta" in one.content.text for one in read if one.content)
        (file,) = files.of_report(session, keys, mine)
        key = files.copy_key(file, secret)
        assert key is not None
        place = blobs.place(old.folder, file.id, "copy")
        assert b"isi" in b"".join(sealed_files.chunks(place, key))
        number, code = told["slips"]["mine"]
        slip = numbering.read_receipt(f"{number} {code}")
        assert slip is not None
        office = office_of(keys)
        asked = receipts.question(
            Work(session, office, old.now), slip.number, slip.code
        )
    opening = receipts.open_with(office, asked)
    assert opening.proof is Proof.OPENED


def test_every_older_schema_was_recorded_with_every_table_filled():
    """Record a schema before you change it: ``python -m tests.recorded.record``."""
    assert OLDER[-1] == "0001"
    assert set(OLDER) <= set(KEPT)
    for revision in KEPT:
        keys = json.loads((RECORDED / f"{revision}.json").read_text())["key"]
        with (RECORDED / f"{revision}.kentongan").open("rb") as file:
            reader = Reader(file, ServerKeys.from_text(keys))
            assert reader.head.schema == revision
            end = unpack(reader, Sink())
        assert set(end.tables) == scratch.table_names(revision)
        assert not [name for name, count in end.tables.items() if not count]


def test_everything_opens_after_an_upgrade_and_no_row_changed(old: Old):
    before = old.rows()
    schema.upgrade(old.store)
    after = old.rows()
    assert {name for name in before if before[name] != after[name]} <= {"sessions"}
    opens(old)
    out = io.BytesIO()
    writing.write(
        old.store, old.keys, FolderStore(old.folder), out, program="0", now=old.now
    )
    out.seek(0)
    proof = backup_proof.prove(out, old.keys)
    assert (proof.faults, proof.end.lost) == (old.told["faults"], [])


@pytest.mark.parametrize("revision", KEPT)
def test_an_old_backup_is_restored_by_the_newer_program(
    revision: str, empty: Database, tmp_path: Path
):
    told = json.loads((RECORDED / f"{revision}.json").read_text())
    old = Old(revision, empty, tmp_path / "files", told)
    with (RECORDED / f"{revision}.kentongan").open("rb") as file:
        reader = Reader(file, old.keys)
        restoring.run(empty, old.keys, FolderStore(old.folder), reader, now=old.now)
    opens(old)


def kentongan(old: Old, code: str) -> subprocess.Popen:
    environ = {f"KENTONGAN_{name}": value for name, value in old.environ.items()}
    environ |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environ
    )


def statements(old: Old) -> int:
    """Count what an upgrade changes, and take it back."""
    count = 0

    def counting(*args: Any) -> None:
        nonlocal count
        count += args[2].lstrip().startswith(CHANGES)

    event.listen(Engine, "before_cursor_execute", counting)
    try:
        with old.store.write_engine.connect() as connection, connection.begin() as work:
            schema.bring(connection)
            work.rollback()
    finally:
        event.remove(Engine, "before_cursor_execute", counting)
    return count


@pytest.mark.parametrize("part", [1.0, None])
def test_killed_at_any_statement_the_old_schema_stands(oldest: Old, part: float | None):
    before, whole = oldest.rows(), statements(oldest)
    at = secrets.randbelow(whole) if part is None else round(part * (whole - 1))
    script = SLOWLY.format(statement=at + 1, changes=CHANGES)
    with kentongan(oldest, script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n", f"statement {at} of {whole}"
        process.send_signal(signal.SIGKILL)
    assert oldest.revision_now() == oldest.revision
    assert oldest.rows() == before
    terminal = Terminal(oldest.folder)
    line = terminal.refused("serve", **oldest.environ)
    assert "kentongan migrate" in line
    assert terminal("migrate", **oldest.environ).code == 0
    opens(oldest)


def test_two_at_once_do_not_meet(oldest: Old):
    script = "import sys; from bot.cli import app; sys.argv = ['k', 'migrate']; app()"
    both = [kentongan(oldest, script) for _ in range(2)]
    for process in both:
        told, _ = process.communicate(timeout=60)
        assert process.returncode == 0, told
        assert schema.head() in told
    opens(oldest)


def test_a_full_disk_leaves_the_old_schema(tmp_path: Path):
    store = Database(f"sqlite:///{tmp_path}/old.db")
    old = loaded(OLDER[-1], store, tmp_path / "files")
    before = old.rows()
    with store.read_engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    store.close()
    for spare in (0, 2, 5):
        narrow = Database(f"sqlite:///{tmp_path}/old.db")

        @event.listens_for(narrow.write_engine, "connect")
        def on_connect(connection: Any, _: object, most: int = pages + spare) -> None:
            connection.execute(f"PRAGMA max_page_count={most}")

        with pytest.raises(OperationalError, match="full"):
            schema.upgrade(narrow)
        narrow.close()
        assert old.revision_now() == old.revision
        assert old.rows() == before
    schema.upgrade(store)
    opens(old)
    store.close()


def test_a_server_that_runs_and_a_newer_schema_are_refused(oldest: Old, tmp_path: Path):
    terminal = Terminal(oldest.folder)
    with oldest.store.writing() as session:
        run = session.connection().execute
        run(text("UPDATE leases SET until = :t"), {"t": "2126-01-01 00:00:00"})
    assert "stop it" in terminal.refused("migrate", **oldest.environ)
    assert oldest.revision_now() == oldest.revision
    with oldest.store.writing() as session:
        run = session.connection().execute
        run(text("UPDATE alembic_version SET version_num = '9999'"))
    for words in (("migrate",), ("serve",), ("backup", "--to", str(tmp_path))):
        line = terminal.refused(*words, **oldest.environ)
        assert "newer version" in line, words
    assert list(tmp_path.glob("*.kentongan")) == []


def test_migrate_makes_a_backup_of_the_old_schema_first(oldest: Old, tmp_path: Path):
    terminal = Terminal(oldest.folder)
    said = terminal("migrate", "--backup", str(tmp_path), **oldest.environ)
    assert said.code == 0, said
    assert f"schema {oldest.revision} -> {schema.head()}" in said.out
    (path,) = tmp_path.glob("*.kentongan")
    with path.open("rb") as file:
        proof = backup_proof.prove(file, oldest.keys)
    assert proof.head.schema == oldest.revision
    opens(oldest)
    said = terminal("migrate", **oldest.environ)
    assert "nothing to do" in said.out


def test_times_and_days_are_still_what_they_were(oldest: Old):
    schema.upgrade(oldest.store)
    with oldest.store.reading() as session:
        case = pick(session, Case, report=bytes.fromhex(oldest.told["cases"]["mine"]))
        assert case.day == date(2026, 3, 2)
        line = log.lines(session)[0]
        assert line.at.tzinfo is UTC
        assert line.at == oldest.now


def test_marks_say_what_an_older_store_holds(empty: Database, tmp_path: Path):
    """0004 finds cases by marks: a correction that waits, a number left, what is erased."""
    old = loaded("0003", empty, tmp_path / "files")
    asked, dropped = b"1" * 16, b"2" * 16
    with old.store.write_engine.begin() as connection:
        run = connection.execute
        (first,) = run(text("SELECT report FROM cases ORDER BY number LIMIT 1")).one()
        (last,) = run(text("SELECT max(last) FROM registers")).one()
        run(text("UPDATE registers SET last = :n + 1 WHERE last = :n"), {"n": last})
        for report, codes in (
            (asked, ["class_asked"]),
            (dropped, ["class_asked", "class_dropped"]),
        ):
            rest = ", ".join(_rest(connection))
            copy = f"SELECT :new, :number, NULL, NULL, {rest} FROM cases"  # noqa: S608 - our own names
            run(
                text(f"INSERT INTO cases {copy} WHERE report = :old"),
                {"new": report, "number": report[:8].decode(), "old": first},
            )
            for seq, code in enumerate(codes, 900):
                run(
                    text(
                        "INSERT INTO events (id, report, seq, code, actor_class, day, detail, mac)"
                        " VALUES (:id, :report, :seq, :code, 'system', '2026-03-02', '', :id)"
                    ),
                    {
                        "id": report[:15] + bytes((seq % 256,)),
                        "report": report,
                        "seq": seq,
                        "code": code,
                    },
                )
    schema.upgrade(old.store)
    with old.store.reading() as session:
        assert session.get_one(Case, asked).class_asked
        assert not session.get_one(Case, dropped).class_asked
        assert [row.gaps for row in session.exec(select(Register))] == [1]
        for case in session.exec(select(Case).where(col(Case.closed).is_not(None))):
            holds = items.has_identity(session, case.report)
            assert case.identity_swept != holds


def _rest(connection: Connection) -> list[str]:
    """Return the columns of a case but the report, its number and its register number."""
    columns = inspect(connection).get_columns("cases")
    assert [column["name"] for column in columns[:4]] == [
        *("report", "number", "register_year", "register_number")
    ]
    return [column["name"] for column in columns[4:]]
