"""A backup of a house with everything in flight: read, proved, and put into any store."""

import io
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel, select

from bot.operations import backups
from storage import outbox
from storage.audit import log
from storage.backups import encoding, restoring, writing
from storage.backups import proof as backup_proof
from storage.backups.reading import Reader, Sink, unpack
from storage.backups.records import (
    BackupDamaged,
    BackupKeyMissing,
    BackupTooNew,
    End,
    Head,
    NotABackup,
    WrongKey,
)
from storage.backups.restoring import StoreNotEmpty
from storage.backups.writing import LEFT_OUT, Writer
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import Database
from storage.database.schema import SchemaTooNew
from storage.evidence import blobs
from storage.evidence.blobs import FolderStore
from storage.inspection import rows as inspection
from storage.letters.letter import Letter
from storage.models import File
from storage.rekeying import server_key
from storage.words import Channel, LetterKind
from tests.conftest import own_database
from tests.seizure.building import whole_house
from tests.seizure.whole import Whole
from tests.support import thief
from tests.support.bucket import Named


@pytest.fixture(scope="module")
def built(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Whole, bytes]]:
    """Return a house with everything in flight, built once, and its backup."""
    folder = tmp_path_factory.mktemp("whole")
    shutil.copyfile(sqlite_template, folder / "whole.db")
    store = Database(f"sqlite:///{folder}/whole.db")
    found = whole_house(store, folder / "files")
    yield found, backed_up(found)
    store.close()


@pytest.fixture
def whole(built: tuple[Whole, bytes]) -> Whole:
    """Return the house, to be looked at."""
    return built[0]


@pytest.fixture
def mine(built: tuple[Whole, bytes], tmp_path: Path) -> Iterator[Whole]:
    """Return a copy of the house, to be changed."""
    found = built[0]
    found.database.scrub()
    shutil.copyfile(found.database.url.database or "", tmp_path / "mine.db")
    shutil.copytree(found.folder, tmp_path / "files")
    store = Database(f"sqlite:///{tmp_path}/mine.db")
    here = replace(found.here, database=store)
    yield replace(found, here=here, folder=tmp_path / "files")
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def source(
    request: pytest.FixtureRequest, built: tuple[Whole, bytes], tmp_path: Path
) -> Iterator[Whole]:
    """Return the house on either kind of store."""
    found, backup = built
    if request.param == "sqlite":
        yield found
        return
    with own_database(request.getfixturevalue("postgres_server")) as url:
        store, folder = Database(url), tmp_path / "source"
        restored(found, backup, store, folder)
        yield replace(found, here=replace(found.here, database=store), folder=folder)
        store.close()


def backed_up(whole: Whole) -> bytes:
    out = io.BytesIO()
    writing.write(
        whole.database,
        whole.keys,
        FolderStore(whole.folder),
        out,
        program="0",
        now=whole.here.now,
    )
    return out.getvalue()


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return an empty store without a table, of either kind."""
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    store = Database(url)
    yield store
    store.close()


@contextmanager
def own_store(tmp_path: Path) -> Iterator[Database]:
    store = Database(f"sqlite:///{tmp_path}/back.db")
    yield store
    store.close()


def restored(whole: Whole, backup: bytes, store: Database, folder: Path):
    reader = Reader(io.BytesIO(backup), whole.keys)
    return restoring.run(
        store, whole.keys, FolderStore(folder), reader, now=whole.here.now
    )


def test_a_backup_of_either_store_is_proved_and_goes_into_either(
    source: Whole, elsewhere: Database, tmp_path: Path
):
    before = thief.rows_of(source.database)
    assert {name for name, rows in before.items() if not rows} <= LEFT_OUT | {
        "counters", "registers", "watches",
    }  # fmt: skip
    backup = backed_up(source)
    proof = backup_proof.prove(io.BytesIO(backup), source.keys)
    with source.database.reading() as session:
        wrong = list(inspection.problems(session, source.keys))
    assert proof.faults == wrong
    assert proof.opened > 50
    assert proof.end.files == 2
    assert proof.end.tables == {
        name: len(rows) for name, rows in before.items() if name not in LEFT_OUT
    }
    folder = tmp_path / "elsewhere"
    restored(source, backup, elsewhere, folder)
    schema.check(elsewhere)
    after = thief.rows_of(elsewhere)
    for name in set(before) - LEFT_OUT - {"outbox", "jobs", "audit"}:
        assert sorted(map(plain, after[name])) == sorted(map(plain, before[name])), name
    assert not any(after[name] for name in LEFT_OUT - {"leases"})
    made = int(proof.head.made.timestamp())
    listed = {row["name"]: row["cursor"] for row in after["leases"]}
    assert listed == {"twilio.sms": made, "twilio.whatsapp": made}
    assert all(row["doubtful"] and not row["lease_token"] for row in after["outbox"])
    assert all(not row["lease_token"] for row in after["jobs"])
    assert len(after["outbox"]) == len([r for r in before["outbox"] if r["priority"]])
    told = after["audit"].pop()
    assert told["code"] == "store.restored"
    assert len(after["audit"]) == len(before["audit"])
    with elsewhere.reading() as session:
        assert log.verify(session, source.keys) is None
        assert list(inspection.problems(session, source.keys)) == wrong
        server_key.require(session, source.keys)
    for which in ("original", "copy"):
        mine = blobs.place(source.folder, source.file, which)
        its = blobs.place(folder, source.file, which)
        assert its.read_bytes() == mine.read_bytes()
        assert its.stat().st_mode & 0o777 == 0o600
        day = datetime.fromtimestamp(its.stat().st_mtime, UTC)
        assert (day.date(), day.hour) == (source.cases["mine"].day, 0)


def test_files_go_from_a_folder_into_a_bucket_and_back(
    whole: Whole, elsewhere: Database, tmp_path: Path, bucket: Named
):
    """Under the names they have: what a killed try left beside them comes along."""
    far = bucket.blob_store(tmp_path / "waiting")
    reader = Reader(io.BytesIO(backed_up(whole)), whole.keys)
    restoring.run(elsewhere, whole.keys, far, reader, now=whole.here.now)
    (name,) = far.names(whole.file, "original")
    killed = f"{name}.{'0a' * 8}"
    far.bring_back(killed, [b"killed"], day=whole.here.now.date())
    out = io.BytesIO()
    end = writing.write(
        elsewhere, whole.keys, far, out, program="0", now=whole.here.now
    )
    assert (end.files, end.lost) == (3, [])
    out.seek(0)
    with own_store(tmp_path) as back:
        restoring.run(
            back,
            whole.keys,
            near := FolderStore(tmp_path / "back"),
            Reader(out, whole.keys),
            now=whole.here.now,
        )
    assert near.names(whole.file, "original") == [name, killed]
    for which in ("original", "copy"):
        mine = blobs.place(whole.folder, whole.file, which)
        assert (
            blobs.place(near.path, whole.file, which).read_bytes() == mine.read_bytes()
        )


def test_a_file_that_is_erased_while_it_is_read_ends_no_backup(
    mine: Whole, tmp_path: Path
):
    """A bucket's object may go between two of its parts; then all is written once more."""

    class Goes(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                FolderStore(mine.folder).remove(mine.file)
                with mine.database.writing() as session:
                    session.connection().execute(text("DELETE FROM files"))
                raise FileNotFoundError
            return super().read(size)

    class Once(FolderStore):
        def open(self, name: str) -> BinaryIO:
            with super().open(name) as file:
                return Goes(file.read())

    made = backups.make(
        mine.database,
        mine.keys,
        Once(mine.folder),
        tmp_path / f"b{backups.SUFFIX}",
        since=lambda _: mine.here.now.date(),
        now=mine.here.now,
    )
    assert made.end.files == 0


def plain(row: dict) -> str:
    """Return a row as both kinds of store tell it: SQLite has no booleans and no zones."""

    def same(value):
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, datetime):
            value = value if value.tzinfo else value.replace(tzinfo=UTC)
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        return value.isoformat() if isinstance(value, date) else value

    return str(sorted((name, same(value)) for name, value in row.items()))


def test_new_rows_are_numbered_behind_the_old_ones(
    whole: Whole, elsewhere: Database, tmp_path: Path
):
    restored(whole, backed_up(whole), elsewhere, tmp_path / "elsewhere")
    letter = Letter(LetterKind.REPLY, Channel.SMS, "+62811", "halo")
    with elsewhere.writing() as session:
        outbox.put(session, whole.keys, letter, now=whole.here.now)
        now, keys = whole.here.now, whole.keys
        log.record(session, keys, "unit.rotated", officer=None, now=now)
    ids = [row["id"] for row in thief.rows_of(elsewhere)["outbox"]]
    assert ids[-1] == max(ids)
    assert len(set(ids)) == len(ids)


class Names(Sink):
    """Notes the random name of each row and each file, in the order in which they come."""

    def __init__(self) -> None:
        self.found: dict[str, list[bytes]] = {}

    def table(self, name, columns):
        self.at = columns.index("id") if "id" in columns else None
        self.here = self.found.setdefault(name, [])

    def rows(self, rows):
        if self.at is not None:
            self.here += [row[self.at] for row in rows]

    def file(self, name, pieces):
        del pieces
        self.found.setdefault("evidence", []).append(bytes.fromhex(name[:32]))


def test_the_order_of_rows_and_files_does_not_tell_when_they_came(
    whole: Whole, elsewhere: Database, tmp_path: Path
):
    """PostgreSQL's own order is that of arrival: here from the largest name down."""
    folder = tmp_path / "elsewhere"
    restored(whole, backed_up(whole), elsewhere, folder)
    came = [bytes((first,)) + secrets.token_bytes(15) for first in (9, 7, 5, 3, 1)]
    with elsewhere.writing() as session:
        (row,) = session.exec(select(File).where(File.id == whole.file)).all()
        for file_id in came:
            session.add(File(**{**row.model_dump(), "id": file_id}))
            session.flush()
            FolderStore(folder).bring_back(
                f"{file_id.hex()}.original", [b"x"], day=row.day
            )
        pages = session.connection().execute(text("SELECT id FROM files")).scalars()
        if not elsewhere.is_sqlite:
            assert list(pages)[-5:] == came, "a plain query tells it"
    there = replace(whole, here=replace(whole.here, database=elsewhere), folder=folder)
    names = Names()
    unpack(Reader(io.BytesIO(backed_up(there)), whole.keys), names)
    for name in ("files", "evidence"):
        assert set(came) < set(names.found[name])
    for name, found in names.found.items():
        assert found == sorted(found), name


def test_nothing_in_it_can_be_read_without_the_key(whole: Whole):
    backup = backed_up(whole)
    loot = thief.Loot({}, {"backup": backup})
    assert loot.finds(whole.marks) == []
    for word in (b"CLOSED", b"RECEIVED", b"sari", b"sqlite", b"cases", b"2026"):
        assert word not in backup


def test_any_change_shows(whole: Whole):
    backup = backed_up(whole)
    wrong = [
        backup[:-1],
        backup[: len(backup) // 2],
        backup[:-65552],
        backup + b"x",
        backup + backup[-65552:],
        backup[:30],
    ]
    for _ in range(20):
        at = 36 + secrets.randbelow(len(backup) - 36)
        wrong.append(backup[:at] + bytes((backup[at] ^ 1,)) + backup[at + 1 :])
    for changed in wrong:
        with pytest.raises((BackupDamaged, WrongKey, BackupKeyMissing)):
            backup_proof.prove(io.BytesIO(changed), whole.keys)


def test_a_foreign_file_a_newer_one_and_another_key_are_named(whole: Whole):
    backup = backed_up(whole)
    with pytest.raises(NotABackup):
        Reader(io.BytesIO(b"SQLite format 3\0"), whole.keys)
    with pytest.raises(BackupTooNew):
        Reader(io.BytesIO(backup[:17] + b"\x02" + backup[18:]), whole.keys)
    with pytest.raises(WrongKey):
        Reader(io.BytesIO(backup), ServerKeys.new().with_new())
    with pytest.raises(BackupKeyMissing, match="line 2"):
        Reader(io.BytesIO(backup), whole.keys.without(2))
    with pytest.raises(server_key.KeyMissing, match="line 1"):
        backup_proof.prove(io.BytesIO(backup), whole.keys.without(1))


def test_a_backup_of_a_newer_schema_is_refused(mine: Whole):
    with mine.database.writing() as session:
        session.connection().execute(
            text("UPDATE alembic_version SET version_num = '9999_of_tomorrow'")
        )
    with pytest.raises(SchemaTooNew):
        backed_up(mine)


def test_what_was_changed_by_hand_and_what_is_lost_is_told(mine: Whole):
    blobs.place(mine.folder, mine.file, "copy").unlink()
    with mine.database.writing() as session:
        session.connection().execute(text("UPDATE cases SET province = '99'"))
        session.connection().execute(text("DELETE FROM jobs"))
    proof = backup_proof.prove(io.BytesIO(backed_up(mine)), mine.keys)
    assert proof.end.lost == [f"{mine.file.hex()}.copy"]
    assert "evidence files missing on disk: 1" in proof.faults
    assert any("changed by hand" in line for line in proof.faults)


def test_what_does_not_open_is_told(mine: Whole):
    with mine.database.writing() as session:
        blob = secrets.token_bytes(90)
        query = text("UPDATE subscriptions SET blob = :blob")
        session.connection().execute(query, {"blob": blob})
    proof = backup_proof.prove(io.BytesIO(backed_up(mine)), mine.keys)
    assert "subscriptions: rows that do not open: 2" in proof.faults


def test_a_file_that_is_erased_meanwhile_is_named_and_no_error(
    mine: Whole, monkeypatch: pytest.MonkeyPatch
):
    """The rows were read, then the reporter's wish came."""
    original = writing.named_files

    def then_erased(connection):
        named = list(original(connection))
        connection.rollback()
        with mine.database.writing() as session:
            session.connection().execute(text("DELETE FROM files"))
        FolderStore(mine.folder).remove(mine.file)
        return iter(named)

    monkeypatch.setattr(writing, "named_files", then_erased)
    proof = backup_proof.prove(io.BytesIO(backed_up(mine)), mine.keys)
    assert len(proof.end.erased) == 2
    assert proof.end.lost == []
    assert not [line for line in proof.faults if "disk" in line]


def test_a_restore_needs_an_empty_store(whole: Whole, tmp_path: Path):
    backup = backed_up(whole)
    with pytest.raises(StoreNotEmpty):
        restored(whole, backup, whole.database, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_a_restore_that_breaks_off_leaves_an_empty_store(
    whole: Whole, elsewhere: Database, tmp_path: Path
):
    backup, folder = backed_up(whole), tmp_path / "elsewhere"
    stray = blobs.place(folder, b"s" * 16, "original")
    for most in (20, 66, 95, 99):
        cut = backup[: len(backup) * most // 100]
        with pytest.raises(BackupDamaged):
            restored(whole, cut, elsewhere, folder)
        assert schema.current(elsewhere) == ""
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"of the try before")
    restored(whole, backup, elsewhere, folder)
    assert not stray.exists()
    assert len([path for path in folder.glob("*/*") if path.is_file()]) == 2


def test_values_travel_as_they_are():
    moment = datetime(2026, 3, 2, 9, 30, 1, 5, tzinfo=UTC)
    row = (
        None,
        True,
        False,
        0,
        -(10**20),
        "é\ud800\0",
        b"\0\xff",
        moment,
        date(2026, 3, 2),
    )
    assert encoding.unpacked(encoding.packed(row) * 2, len(row)) == [row, row]
    naive = moment.replace(tzinfo=None)
    jakarta = moment.astimezone(ZoneInfo("Asia/Jakarta"))
    for one in (naive, jakarta):
        assert encoding.unpacked(encoding.packed((one,)), 1) == [(moment,)]
    with pytest.raises(TypeError):
        encoding.packed((1.5,))
    for bad in (b"q\0\0\0\0", encoding.packed(row)):
        with pytest.raises(BackupDamaged):
            encoding.unpacked(bad, 2)


class Most(Sink):
    """Notes the largest piece that was in memory."""

    most = 0

    def file(self, name, pieces):
        assert len(name) == 41
        for piece in pieces:
            self.most = max(self.most, len(piece))


def test_a_large_file_is_never_whole_in_memory(keys: ServerKeys, tmp_path: Path):
    large, target = tmp_path / "large", tmp_path / "backup"
    with large.open("wb") as file:
        file.truncate(40 << 20)
    with target.open("wb") as out:
        writer = Writer(out, keys)
        writer.head(Head("0003", "0", datetime(2026, 3, 2, tzinfo=UTC), (1,)))
        with large.open("rb") as file:
            size = writer.file(f"{'0' * 32}.original", file)
        writer.end(End(files=1, bytes=size))
    sink = Most()
    with target.open("rb") as file:
        end = unpack(Reader(file, keys), sink)
    assert end.bytes == 40 << 20
    assert sink.most == 1 << 20


def test_what_is_left_out_ends_by_itself():
    assert set(SQLModel.metadata.tables) > LEFT_OUT
    for name in LEFT_OUT - {"leases"}:
        for column in SQLModel.metadata.tables[name].columns:
            assert column.info["purge"] != "never"
