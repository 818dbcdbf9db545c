"""Makes a large store: most cases ended, some purged, owners, histories, letters that wait.

    python -m benchmarks.large FOLDER CASES [postgresql://…]

Rows are written in bulk, in the order of their keys, with the tags and chains that the program
would have made, so that lists show them and the audit finds them whole. Nobody opens what
is sealed: three blobs serve every case. The server key lies beside the store.
"""

import random  # noqa: TID251 - the same store in every run, and no secret in it
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.progress import Progress
from sqlmodel import SQLModel, func, select

from handlers.conversation.memory import Memory
from storage.audit import log
from storage.cases import codes, history, items, tags
from storage.crypto import sealing
from storage.crypto.sealing import Context, encode
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database import schema
from storage.database.database import Database
from storage.letters.letter import Letter
from storage.models import (
    AuditLine,
    Case,
    Conversation,
    Event,
    Grant,
    Inbox,
    Item,
    OutboxRow,
    Register,
    Subscription,
)
from storage.outbox import context as letter_place
from storage.units import memberships
from storage.words import Channel, Group, LetterKind
from tests.support import founded
from tests.support.founded import House, Person

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
YEARS = 8
OPEN = 0.05
"""Of all cases; what reporters and officers have under way is bounded by people, not years."""
UNREAD, WANTED, ASKED, TOLD = 0.05, 0.01, 0.005, 0.4
"""Of the open ones: unread words, a step or a class that waits for two, wishes for notices."""
MOST_UNDER_WAY = 50_000
SLIM = 600
"""Bytes of a blob that nobody opens: less than half of a real one, so that a million fit."""
AT_ONCE = 5_000
_STEPS = ("VERIFICATION", "REVIEW", "INFO_GATHERING", "RECOMMENDATION", "FOLLOW_UP")
_GROUPS = tuple(group.value for group in Group)
_ENDS = {"CLOSED": 70, "REJECTED": 20, "MERGED": 5, "WITHDRAWN": 5}
_KEPT = {"CLOSED": 5 * 366, "MERGED": 5 * 366, "REJECTED": 91, "WITHDRAWN": 91}
_COPY = "a55a"
WHOLE = 100_000
"""So many cases are made one by one; a larger store holds them several times, under other ids:
the copies' tags are no good, but no list asks for more than a page of them."""


@dataclass
class Bulk:
    """Writes rows of many tables at once, by the driver's own fastest way."""

    raw: Any
    is_sqlite: bool
    rows: dict[type[SQLModel], list[tuple[Any, ...]]] = field(default_factory=dict)

    def put(self, model: type[SQLModel], row: Any) -> None:  # noqa: ANN401 - anything with the columns
        """Keep a row for the next ``write``."""
        values = getter(model)(row)
        if self.is_sqlite:
            values = tuple(map(_plain, values))
        self.rows.setdefault(model, []).append(values)

    def write(self) -> None:
        """Write what was kept."""
        cursor = self.raw.cursor()
        for model, rows in self.rows.items():
            names, table = columns(model), model.__tablename__
            if self.is_sqlite:
                places = ",".join("?" * len(names))
                cursor.executemany(
                    f"INSERT INTO {table} ({','.join(names)}) VALUES ({places})",  # noqa: S608 - our own names
                    rows,
                )
                continue
            with cursor.copy(f"COPY {table} ({','.join(names)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        self.rows.clear()


def _plain(value: Any) -> Any:  # noqa: ANN401 - a column's value
    """Return a value as SQLite keeps it."""
    kind = type(value)
    if kind is datetime:
        return value.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    return value.isoformat() if kind is date else value


@cache
def getter(model: type[SQLModel]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what takes the columns of a row."""
    return attrgetter(*columns(model))


@cache
def columns(model: type[SQLModel]) -> tuple[str, ...]:
    """Return the columns that are written; the store counts letters itself."""
    every = tuple(
        column.name for column in SQLModel.metadata.tables[model.__tablename__].columns
    )  # type: ignore[index] # a name of ours
    return tuple(n for n in every if (model, n) != (OutboxRow, "id"))


@dataclass
class Town:
    """Who is there, and what each next case takes from."""

    keys: ServerKeys
    house: House
    units: Sequence[tuple[bytes, int, Sequence[bytes]]]
    chance: random.Random
    bulk: Bulk
    blobs: tuple[bytes, ...]
    registers: dict[int, int] = field(default_factory=dict)
    audit: tuple[int, bytes] = (0, b"")
    lines: list[tuple[datetime, str, bytes, bytes, str]] = field(default_factory=list)

    def token(self) -> bytes:
        """Return 16 bytes: the same in every run, unlike a row's real id."""
        return self.chance.randbytes(16)


def case(town: Town, report: bytes, number: int, *, is_open: bool) -> None:
    """Write one case with all of its rows."""
    chance, keys = town.chance, town.keys
    unit, generation, people = town.units[
        min(int(chance.expovariate(0.6)), len(town.units) - 1)
    ]
    back = chance.randrange(120) if is_open else chance.randrange(30, YEARS * 365)
    day = NOW.date() - timedelta(days=back)
    status = (
        chance.choice(("RECEIVED", *_STEPS))
        if is_open
        else chance.choices(list(_ENDS), list(_ENDS.values()))[0]
    )
    closed = (
        None
        if is_open
        else min(
            day + timedelta(days=chance.randrange(2, 100)),
            NOW.date() - timedelta(days=1),
        )
    )
    gone = closed is not None and (NOW.date() - closed).days > _KEPT[status]
    purged = closed + timedelta(days=_KEPT[status]) if gone and closed else None
    owner = None if status == "RECEIVED" else chance.choice(people)
    row = SimpleNamespace(
        **dict.fromkeys(columns(Case)),
    )
    vars(row).update(
        report=report,
        number=_number(number),
        day=day,
        status=status,
        is_open=is_open,
        reason="C05" if status == "CLOSED" else "R01" if status == "REJECTED" else None,
        category=chance.choice(_GROUPS),
        track="TPK",
        urgency=chance.choices((0, 1, 2), (4, 16, 80))[0],
        position="UNK",
        province="31",
        unit=unit,
        due=day + timedelta(days=chance.choice((3, 14, 60))),
        due_rule="D03",
        officer=owner,
        reporter_withdrawn=False,
        unread_from_reporter=is_open and chance.random() < UNREAD,
        closed=closed,
        hold=False,
        purged=purged,
        canary=False,
        public_key=town.blobs[0][: SLIM // 2],
        figures=town.blobs[1][: SLIM // 2],
        head=history.START,
        head_seq=0,
    )
    _history(town, row, owner)
    if is_open and owner and chance.random() < WANTED:
        row.wanted_status, row.wanted_reason, row.wanted_by = "CLOSED", "C05", owner
    elif is_open and owner and chance.random() < ASKED:
        _propose(town, row, owner)
    row.tag = keys.tag(Context("cases", report, "row", report), tags.case_content(row))  # type: ignore[arg-type] # has the columns
    town.bulk.put(Case, row)
    if purged is None:
        _contents(town, row, generation)
    if is_open and chance.random() < TOLD:
        name = keys.look_up(Purpose.SUBSCRIPTION_CASE, report)
        wish = SimpleNamespace(
            id=report,
            subscriber=sha256(report).digest(),
            case_name=name,
            blob=town.blobs[1],
        )
        town.bulk.put(Subscription, wish)


def _number(number: int) -> str:
    """Return a case number's shape; its check character would take most of the time."""
    scattered = number * 2_654_435_761 % (1 << 35)
    letters = [sealing_alphabet[scattered >> (5 * place) & 31] for place in range(7)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:]) + "0"


sealing_alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _history(town: Town, row: Any, owner: bytes | None) -> None:  # noqa: ANN401 - has a case's columns
    """Chain what happened, and keep the officers' acts for the audit log."""
    lived = ((row.closed or NOW.date()) - row.day).days
    hashes = [sha256(blob).digest() for blob in town.blobs]
    _event(town, row, "opened", row.day)
    for one in hashes:
        _event(town, row, "item", row.day, item_hash=one)
    if owner is not None:
        _register(town, row)
        steps = ["read_by_officer", "taken", f"status:{row.status}"]
        for number, step in enumerate(steps, 1):
            code, _, detail = step.partition(":")
            at = datetime.combine(row.day, datetime.min.time(), UTC) + timedelta(
                days=lived * number // len(steps),
                seconds=town.chance.randrange(1, 86_000),
            )
            at = min(at, NOW - timedelta(seconds=1))
            _event(town, row, code, at.date(), detail=detail, officer=owner, at=at)
            act = {
                "read_by_officer": "case.read",
                "taken": "case.take",
                "status": "case.status",
            }[code]
            town.lines.append((at, act, owner, row.report, history.short(row.head)))
    if row.purged:
        left = sha256(encode(b"left")).digest()
        _event(town, row, "purged", row.purged, detail="contents", item_hash=left)


def _event(
    town: Town,
    row: Any,  # noqa: ANN401 - has a case's columns
    code: str,
    day: date,
    *,
    detail: str = "",
    officer: bytes | None = None,
    at: datetime | None = None,
    item_hash: bytes | None = None,
) -> None:
    row.head_seq += 1
    event = SimpleNamespace(
        id=row.report[:14] + row.head_seq.to_bytes(2, "big"),
        report=row.report,
        seq=row.head_seq,
        code=code,
        actor_class="officer"
        if officer
        else "system"
        if code == "purged"
        else "reporter",
        officer=officer,
        day=day,
        at=at,
        detail=detail,
        item_hash=item_hash,
    )
    event.mac = row.head = history._mac(town.keys, row.head, event, town.keys.newest)  # type: ignore[arg-type] # noqa: SLF001 - the chain as the program makes it
    town.bulk.put(Event, event)


def _propose(town: Town, row: Any, owner: bytes) -> None:  # noqa: ANN401 - has a case's columns
    """Let somebody propose a milder class: that is found by the history."""
    held: dict[str, str] = {"subcategory": "COR-09"}
    proposal = codes.Proposal({"urgency": "NORMAL"}, {"urgency": "URGENT"}, "K1", owner)
    codes.propose(held, proposal)
    row.figures = codes.sealed(town.keys, row.report, held)
    at = NOW - timedelta(hours=1)
    _event(
        town, row, "class_asked", at.date(), detail="urgency:K1", officer=owner, at=at
    )
    town.lines.append(
        (at, "case.class_asked", owner, row.report, history.short(row.head))
    )


def _register(town: Town, row: Any) -> None:  # noqa: ANN401 - has a case's columns
    year = row.day.year
    town.registers[year] = town.registers.get(year, 0) + 1
    row.register_year, row.register_number = year, town.registers[year]


def _contents(town: Town, row: Any, generation: int) -> None:  # noqa: ANN401 - has a case's columns
    report = row.report
    for seq, blob in enumerate(town.blobs, 1):
        item = SimpleNamespace(
            id=report[:14] + seq.to_bytes(2, "big"),
            report=report,
            seq=seq,
            day=row.day,
            audience="case",
            by_officer=False,
            unread=False,
            blob=blob,
        )
        place = items._item_context(item.id, report, seq)  # noqa: SLF001 - the tag as the program makes it
        item.tag = town.keys.tag(place, items._item_content(item))  # type: ignore[arg-type] # noqa: SLF001 - as above
        town.bulk.put(Item, item)
    place = Context("grants", report, "secret", report, 0, generation)
    secret = town.blobs[0]
    town.bulk.put(
        Grant,
        SimpleNamespace(
            id=report,
            report=report,
            recipient_kind="unit",
            recipient=row.unit,
            generation=generation,
            wrapped=False,
            secret=secret,
            tag=town.keys.tag(place, encode(row.unit, secret)),
        ),
    )


def audit(town: Town) -> Iterator[int]:
    """Write the officers' acts in their order as one chain; yields how many are written."""
    town.lines.sort()
    seq, before = town.audit
    for at, code, officer, report, detail in town.lines:
        seq += 1
        line = SimpleNamespace(
            seq=seq, code=code, officer=officer, report=report, at=at, detail=detail
        )
        line.mac = before = log._mac(town.keys, line, before, town.keys.newest)  # type: ignore[arg-type] # noqa: SLF001 - the chain as the program makes it
        town.bulk.put(AuditLine, line)
        if seq % AT_ONCE == 0:
            town.bulk.write()
            yield AT_ONCE
    town.bulk.write()
    for year, last in town.registers.items():
        town.bulk.put(Register, SimpleNamespace(year=year, last=last))
    town.bulk.write()


def people(town: Town, count: int) -> Iterator[int]:
    """Write what touches people: talks under way, letters that wait, what was taken lately."""
    keys = town.keys
    for number in range(count):
        handle = str(7_000_000_000 + number)
        begun = NOW - timedelta(minutes=town.chance.randrange(29))
        memory = Memory(
            Channel.TELEGRAM,
            handle,
            last_inbound=int(begun.timestamp()),
            heard=int(begun.timestamp()),
        )
        row = Conversation(
            handle=keys.look_up(Purpose.HANDLE, Channel.TELEGRAM, handle),
            state=b"",
            expiry_hour=int(NOW.timestamp() // 3600) + 1 + number % 24,
        )
        row.state = keys.lock(
            Purpose.CONVERSATION,
            memory.to_bytes(),
            Context("conversations", row.handle, "state", key=b""),
        )
        town.bulk.put(Conversation, row)
        letter = Letter(
            LetterKind.ALERT if number % 3 else LetterKind.REPLY,
            Channel.TELEGRAM,
            handle,
            "Pesan",
        )
        order = keys.look_up(Purpose.ORDER, letter.channel, letter.to)
        ends = (NOW + timedelta(hours=20)).replace(minute=0, second=0, microsecond=0)
        town.bulk.put(
            OutboxRow,
            OutboxRow(
                channel=letter.channel.value,
                priority=3 if number % 3 else 1,
                due=NOW - timedelta(minutes=1),
                expires=ends,
                order_name=order,
                blob=keys.lock(
                    Purpose.OUTBOX, letter.to_bytes(), letter_place(order, ends)
                ),
            ),
        )
        for part in range(3):
            name = sha256(f"{number}.{part}".encode()).digest()
            town.bulk.put(
                Inbox,
                SimpleNamespace(name=name, day=NOW.date() - timedelta(days=number % 7)),
            )
        if number % AT_ONCE == AT_ONCE - 1:
            town.bulk.write()
            yield AT_ONCE
    town.bulk.write()


def found(
    database: Database, keys: ServerKeys
) -> tuple[House, list[tuple[bytes, int, list[bytes]]]]:
    """Found a house of six units, each with five officers."""
    with database.writing() as session:
        house = founded.build(session, keys)
        made = [(house.unit, [house.supervisor])]
        for number in range(19):
            one = founded.person(session, keys, f"h{number}")
            memberships.admit(
                session,
                keys,
                house.unit,
                one.officer,
                house.supervisor.officer,
                house.supervisor.secret,
            )
            made[0][1].append(one)
        made += [
            founded.unit_of(
                session, keys, f"Unit {unit}", *(f"o{unit}-{n}" for n in range(5))
            )
            for unit in range(5)
        ]
        return house, [
            (unit.id, unit.generation, [one.officer.id for one in them])
            for unit, them in made
        ]


def multiply(bulk: Bulk, times: int, tell: Callable[[int], None]) -> None:
    """Put every case into the store so many times, with all of its rows, under other ids."""
    (last,) = bulk.raw.execute("SELECT max(seq) FROM audit").fetchone()
    kind = "BLOB" if bulk.is_sqlite else "bytea"
    for number in range(1, times):
        mark = (
            f"X'{number:02x}{_COPY}'"
            if bulk.is_sqlite
            else f"'\\x{number:02x}{_COPY}'::bytea"
        )
        plain = f"X'{_COPY}'" if bulk.is_sqlite else f"'\\x{_COPY}'::bytea"
        new = {
            name: f"CAST(substr({name}, 1, 11) || {mark} || substr({name}, 15, 2) AS {kind})"
            for name in ("report", "id")
        }
        new["number"] = f"substr(number, 1, 8) || '{number}'"
        last_of = "(SELECT last FROM registers WHERE year = register_year)"
        new["register_number"] = f"register_number + {number} * {last_of}"
        for model in (Case, Event, Item, Grant, AuditLine, Subscription):
            names, key = columns(model), "id" if model is Subscription else "report"
            own = {"seq": f"seq + {number * last}"} if model is AuditLine else {}
            chosen = ", ".join({**new, **own}.get(name, name) for name in names)
            table = model.__tablename__
            first = f"substr({key}, 13, 2) <> {plain} ORDER BY 1"
            rows = f"SELECT {chosen} FROM {table} WHERE {first}"  # noqa: S608 - our own words
            bulk.raw.execute(f"INSERT INTO {table} ({', '.join(names)}) {rows}")
        tell(number)
    bulk.raw.execute(f"UPDATE registers SET last = last * {times}")  # noqa: S608 - a number


def build(
    database: Database, keys: ServerKeys, cases: int, *, seed: int = 13
) -> tuple[House, Person]:
    """Fill an empty, migrated store; returns its house, and its first supervisor."""
    house, units = found(database, keys)
    chance = random.Random(seed)  # noqa: S311 - a store for measuring, the same in every run
    with database.reading() as session:
        head = log.head(session)
    raw = database.write_engine.raw_connection()
    pair = sealing.new_pair()
    blobs = tuple(
        sealing.seal(
            sealing.pad(b"x"), pair.public, Context("items", bytes(16), str(n))
        )[:SLIM]
        for n in range(2)
    )
    town = Town(
        keys,
        house,
        units,
        chance,
        Bulk(raw.driver_connection, database.is_sqlite),
        blobs,
        audit=head,
    )
    if database.is_sqlite:
        town.bulk.raw.execute("PRAGMA synchronous=OFF")
        town.bulk.raw.execute("PRAGMA cache_size=-400000")
        town.bulk.raw.execute("BEGIN IMMEDIATE")
    indexes = _without_indexes(town.bulk)
    times = -(-cases // WHOLE)
    cases //= times
    aside = min(MOST_UNDER_WAY, times * cases // 20)
    with Progress(transient=True) as progress:
        one = progress.add_task(f"{cases} cases", total=cases)
        step = (1 << 112) // max(1, cases)
        for number in range(cases):
            report = (step * number).to_bytes(14, "big") + chance.randbytes(2)
            case(town, report, number, is_open=chance.random() < OPEN)
            if number % AT_ONCE == AT_ONCE - 1:
                town.bulk.write()
                progress.update(one, advance=AT_ONCE)
        town.bulk.write()
        two = progress.add_task("log", total=len(town.lines))
        for done in audit(town):
            progress.update(two, advance=done)
        if times > 1:
            more = progress.add_task("copies", total=times - 1)
            multiply(
                town.bulk, times, lambda number: progress.update(more, completed=number)
            )
        three = progress.add_task("people", total=aside)
        for done in people(town, aside):
            progress.update(three, advance=done)
    for statement in indexes:
        town.bulk.raw.execute(statement)
    town.bulk.raw.execute("ANALYZE" if not database.is_sqlite else "SELECT 1")
    town.bulk.raw.commit()
    raw.close()
    return house, house.supervisor


def _without_indexes(bulk: Bulk) -> list[str]:
    """Drop the indexes that are no constraints; returns what makes them anew."""
    if bulk.is_sqlite:
        asked = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({})"
    else:
        asked = "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef NOT LIKE 'CREATE UNIQUE%' AND tablename IN ({})"
    names = "'cases','events','items','grants','audit','inbox','conversations','outbox','subscriptions'"
    kept = []
    for name, definition in bulk.raw.execute(asked.format(names)).fetchall():
        bulk.raw.execute(f"DROP INDEX {name}")
        kept.append(definition)
    return kept


def store(folder: Path, cases: int, url: str = "") -> tuple[Database, ServerKeys]:
    """Return the large store of a folder, made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / f"{cases}.key"
    path = folder / f"{cases}.db"
    database = Database(url or f"sqlite:///{path}", wait=60)
    if key.exists():
        schema.upgrade(database)
        return database, ServerKeys.from_text(key.read_text())
    schema.upgrade(database)
    keys = ServerKeys.new()
    house, _ = build(database, keys, cases)
    (folder / f"{cases}.secret").write_bytes(house.supervisor.secret)
    key.write_text(keys.to_text())
    return database, keys


def main() -> None:
    """Make one store and say what it took."""
    folder, cases = Path(sys.argv[1]), int(sys.argv[2])
    began = time.process_time()
    database, _ = store(folder, cases, *sys.argv[3:4])
    with database.reading() as session:
        for model in (Case, Event, Item, AuditLine, OutboxRow, Conversation):
            rows = session.exec(select(func.count()).select_from(model)).one()
            print(f"{model.__tablename__:14}{rows:>10}")
    print(f"{time.process_time() - began:.0f} s of processor time")
    database.close()


if __name__ == "__main__":
    main()
