"""The keeper: erased on schedule, told to the file, and gone again after a restored backup."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel, select

from bot.jobs.scheduler import Scheduler
from bot.retention import keeper, tombstones
from bot.retention.keeper import Keeper
from bot.writer import Writer
from handlers.retention import reports
from storage.cases import cases, history, items
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import blobs
from storage.evidence.blobs import FolderStore
from storage.models import AuditLine, Case, File, Tombstone
from storage.retention import erasing
from storage.retention import tombstones as stored_tombstones
from storage.words import Erased, EventCode, Status
from tests.handlers.retention.test_reports import ends, left
from tests.storage.retention.test_erasing import full_case, holdings, is_whole
from tests.support.desk import Desk, desk


class World:
    """A desk with a running writer, files on disk and a file of tombstones."""

    def __init__(self, here: Desk, folder: Path) -> None:
        self.here, self.folder = here, folder
        self.path = folder / "apart" / "tombstones.log"
        self.evidence = folder / "files"
        self.path.parent.mkdir(exist_ok=True)
        self.starts()

    def starts(self) -> None:
        """Let a process start: a writer, and a keeper that knows nothing yet."""
        self.writer = Writer(self.here.database)
        self.writer.start()
        self.keeper = self.another()

    def another(self) -> Keeper:
        """Return the keeper of a process that starts anew."""
        return Keeper(
            self.writer,
            self.here.office,
            blob_store=FolderStore(self.evidence),
            path=self.path,
        )

    async def tick(self, *, leads: bool = True) -> None:
        async def leading() -> bool:
            return leads

        await self.keeper.run(self.here.now, leads=leading)
        await self.keeper.export(self.here.now)

    def case(self, handle: str) -> Case:
        case, _ = full_case(self.here, handle)
        with self.here.database.reading() as session:
            ids = session.exec(select(File.id).where(File.report == case.report)).all()
        for file_id in ids:
            for which in ("original", "copy"):
                place = blobs.place(self.evidence, file_id, which)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(file_id)
        return case

    def on_disk(self) -> int:
        return len([path for path in self.evidence.glob("*/*") if path.is_file()])

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def erases_identity(self, case: Case) -> None:
        """Erase as a reporter's wish does: identity and contact."""
        here = self.here
        with here.database.writing() as session:
            row = cases.lock(session, here.keys, case.report)
            assert row is not None
            day = here.office.day(here.now)
            assert erasing.erase_identity(session, here.keys, row, day=day)
            assert erasing.erase_contact(session, here.keys, row, day=day)
            erasing.record(
                session,
                here.keys,
                row,
                Erased.IDENTITY,
                day=day,
                code=EventCode.ERASED,
                by=history.REPORTER,
            )
            cases.save(session, here.keys, row)


@pytest.fixture
async def world(
    database: Database, keys: ServerKeys, tmp_path: Path
) -> AsyncIterator[World]:
    world = World(desk(database, keys), tmp_path)
    yield world
    world.writer.stop()


class Backup:
    """A copy of the store and its files, as an operator takes and restores it."""

    def __init__(self, world: World) -> None:
        self.world, self.database = world, world.here.database
        self.files = world.folder / "backup-files"
        shutil.copytree(world.evidence, self.files)
        self.tables = {}
        if self.database.is_sqlite:
            self.database.scrub()
            self.file = Path(self.database.url.database or "")
            shutil.copyfile(self.file, self.file.with_suffix(".backup"))
            return
        with self.database.reading() as session:
            run = session.connection().execute
            for name in self._names():
                rows = run(text(f"SELECT * FROM {name}")).mappings()  # noqa: S608 - our own names
                self.tables[name] = [dict(row) for row in rows]

    def restore(self) -> None:
        """Put the copy back while no server runs, and let one start again."""
        self.world.writer.stop()
        self._put_back()
        self.world.starts()

    def _put_back(self) -> None:
        shutil.rmtree(self.world.evidence)
        shutil.copytree(self.files, self.world.evidence)
        if self.database.is_sqlite:
            self.database.close()
            for suffix in ("-wal", "-shm"):
                self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
            shutil.copyfile(self.file.with_suffix(".backup"), self.file)
            return
        engine = create_engine(self.database.url)
        with engine.begin() as connection:
            for name, rows in self.tables.items():
                connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608 - our own names
                for row in rows:
                    columns = ", ".join(row)
                    values = ", ".join(f":{one}" for one in row)
                    connection.execute(
                        text(f"INSERT INTO {name} ({columns}) VALUES ({values})"),  # noqa: S608 - our own names
                        row,
                    )
        engine.dispose()

    def _names(self) -> list[str]:
        return list(SQLModel.metadata.tables)


async def test_a_restored_backup_forgets_again(world: World):
    """THE test: a copy, erasures after it, the copy put back, a start."""
    here = world.here
    theirs, spam, other = (world.case(handle) for handle in ("555", "666", "777"))
    ends(here, spam, Status.REJECTED)
    here.later(days=80)
    await world.tick()
    whole = holdings(here, other.report)
    before = world.on_disk()
    backup = Backup(world)
    world.erases_identity(theirs)
    here.later(days=20)
    await world.tick()
    assert left(here, spam) == {Erased.RECEIPT}
    assert Erased.IDENTITY not in left(here, theirs)
    assert world.on_disk() == before - 2
    backup.restore()
    assert left(here, spam) >= {Erased.CONTENTS, Erased.FILES, Erased.IDENTITY}
    assert left(here, theirs) == set(Erased)
    assert world.on_disk() == before
    done = await world.another().replay(here.now)
    assert (done.erased, done.refused, done.held_up) == (5, [], 0)
    assert left(here, spam) == {Erased.RECEIPT}
    assert left(here, theirs) == {Erased.CONTENTS, Erased.FILES, Erased.RECEIPT}
    assert world.on_disk() == before - 2
    for case in (theirs, spam, other):
        assert is_whole(here, case.report)
    assert holdings(here, other.report) == whole
    with here.database.reading() as session:
        said = session.exec(select(AuditLine)).all()
    assert [line.code for line in said].count("retention.replayed") == 5
    assert (await world.another().replay(here.now)).erased == 0, "once is enough"


async def test_a_forged_or_damaged_line_is_named_and_stops_nobody(world: World):
    here = world.here
    theirs, other = world.case("555"), world.case("777")
    backup = Backup(world)
    world.erases_identity(theirs)
    await world.tick()
    first, second = world.lines()
    forged = first.replace(theirs.report.hex(), other.report.hex())
    world.path.write_text(
        "\n".join([forged, first[:-7], "", "x" * 5000, "1 \xe4", second, first])
    )
    backup.restore()
    done = await world.another().replay(here.now)
    assert (done.erased, done.refused) == (2, [1, 2, 4, 5])
    assert Erased.IDENTITY not in left(here, theirs)
    assert Erased.IDENTITY in left(here, other)


async def test_an_older_line_than_any_backup_is_left_alone(world: World):
    here = world.here
    case = world.case("555")
    backup = Backup(world)
    world.erases_identity(case)
    await world.tick()
    backup.restore()
    here.later(days=here.office.backup_days + 1)
    assert (await world.another().replay(here.now)).erased == 0
    done = keeper.replay(
        here.database,
        here.office,
        world.path,
        FolderStore(world.evidence),
        now=here.now,
        everything=True,
    )
    assert done.erased == 2
    assert Erased.IDENTITY not in left(here, case)


async def test_what_was_written_is_on_disk_before_the_store_says_so(world: World):
    case = world.case("555")
    world.erases_identity(case)
    world.path.parent.rmdir()
    with pytest.raises(OSError, match="tombstones"):
        await world.keeper.export(world.here.now)
    with world.here.database.reading() as session:
        assert stored_tombstones.waiting(session) == 2
    world.path.parent.mkdir()
    world.path.write_text("1 cut off")
    assert await world.keeper.export(world.here.now) == 2
    lines = world.lines()
    assert lines[0] == "1 cut off"
    for line in lines[1:]:
        assert stored_tombstones.from_line(world.here.keys, line).report == case.report
    assert await world.keeper.export(world.here.now) == 0
    with world.here.database.reading() as session:
        assert stored_tombstones.waiting(session) == 0


async def test_the_file_is_its_owners_alone(world: World):
    day = world.here.office.day(world.here.now)
    tombstones.append(world.path, ["one"], day=day)
    tombstones.append(world.path, ["two"], day=day)
    dated = datetime.fromtimestamp(world.path.stat().st_mtime, UTC)
    assert dated == datetime.combine(day, time(), UTC), "the day, not the minute"
    assert world.path.stat().st_mode & 0o777 == 0o600
    assert world.lines() == ["one", "two"]
    assert tombstones.count(world.path) == 2
    assert tombstones.count(world.folder / "nowhere") == 0


async def test_only_the_holder_of_the_lease_purges_and_once_an_hour(world: World):
    here = world.here
    case = world.case("555")
    ends(here, case, Status.REJECTED)
    here.later(days=91)
    await world.tick(leads=False)
    assert Erased.CONTENTS in left(here, case)
    await world.tick()
    assert left(here, case) == {Erased.RECEIPT}
    another = world.case("666")
    ends(here, another, Status.REJECTED, closed=here.case(case.number).closed)
    here.later(minutes=59)
    await world.tick()
    assert Erased.CONTENTS in left(here, another)
    here.later(minutes=1)
    await world.tick()
    assert left(here, another) == {Erased.RECEIPT}


async def test_a_long_list_goes_on_at_the_next_tick(world: World, monkeypatch):
    monkeypatch.setattr(reports, "AT_ONCE", 1)
    monkeypatch.setattr(keeper, "PAGES", 1)
    here = world.here
    made = [world.case(handle) for handle in ("555", "666")]
    for case in made:
        ends(here, case, Status.REJECTED)
    here.later(days=91)
    for gone in (1, 2):
        await world.tick()
        assert sum(left(here, case) == {Erased.RECEIPT} for case in made) == gone


async def test_the_scheduler_purges_and_tells_the_file(world: World):
    here = world.here
    case = world.case("555")
    ends(here, case, Status.REJECTED)
    here.later(days=91)
    scheduler = Scheduler(
        world.writer,
        here.office,
        holder="one",
        blob_store=FolderStore(world.evidence),
        keeper=world.keeper,
        clock=lambda: here.now,
    )
    await scheduler.purge()
    assert left(here, case) == {Erased.RECEIPT}
    assert len(world.lines()) == 4
    assert world.on_disk() == 0


async def test_rows_of_tombstones_go_after_the_last_backup(world: World):
    case = world.case("555")
    world.erases_identity(case)
    await world.tick()
    scheduler = Scheduler(
        world.writer,
        world.here.office,
        holder="one",
        blob_store=FolderStore(world.evidence),
        keeper=world.keeper,
        clock=lambda: world.here.now,
    )
    for days, rows in ((60, 2), (1, 0)):
        world.here.now += timedelta(days=days)
        await scheduler.purge()
        with world.here.database.reading() as session:
            assert len(session.exec(select(Tombstone)).all()) == rows


async def test_nothing_erased_is_left_in_the_raw_file(world: World):
    here = world.here
    if not here.database.is_sqlite:
        pytest.skip(
            "PostgreSQL's files are not ours to read; VACUUM follows each purge"
        )
    case = world.case("555")
    with here.database.reading() as session:
        blobs = [
            bytes(row[0][200:264])
            for row in session.connection().execute(text("SELECT blob FROM items"))
        ]
        assert items.count_items(session, case.report) == len(blobs)
    ends(here, case, Status.REJECTED)
    raw = Path(here.database.url.database or "")

    def found() -> int:
        paths = [raw, raw.with_name(raw.name + "-wal")]
        every = b"".join(path.read_bytes() for path in paths if path.exists())
        return sum(blob in every for blob in blobs)

    assert found() == len(blobs)
    here.later(days=91)
    await world.tick()
    here.later(days=367)
    await world.tick()
    world.writer.stop()
    assert here.database.scrub()
    assert found() == 0
