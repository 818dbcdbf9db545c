"""A thief one second after a submit: database, write-ahead log and server key in hand."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from storage import conversations
from storage.crypto.server_key import ServerKeys
from storage.words import Channel
from tests.journeys.telling import receipt, until
from tests.support import thief
from tests.support.phones import Phone
from tests.support.running import Running, running

PEOPLE = ("conversations", "outbox", "departed", "jobs", "subscriptions")
ALLOWED_MOMENTS = {
    "leases.until",
    "audit.at",
    "watches.good",
    "watches.bad",
    "watches.told",
}
"""Of an officer's acts and of machines, at their own hours (tests/storage/database/test_schema.py)."""


@pytest.fixture
async def town(database_url, tmp_path, simulator):
    async with running(database_url, tmp_path, simulator) as here:
        yield here


async def nothing_waits(town: Running) -> None:
    def quiet() -> bool:
        found = thief.rows_of(town.app.database, *PEOPLE)
        return town.app.writer.clean and not any(found.values())

    await until(quiet, "everything was delivered and cleaned up")


async def only_trails_are_left(town: Running) -> None:
    """Open what is kept for a clean chat as a thief with the server key does."""

    def quiet() -> bool:
        found = thief.rows_of(town.app.database, *PEOPLE)
        return not any(found[name] for name in PEOPLE if name != "conversations")

    await until(quiet, "everything was delivered")
    cases = town.cases()
    with town.app.database.reading() as session:
        for row in conversations.everyone(session):
            raw = conversations.read(town.keys, row)
            kept = json.loads(raw)
            assert kept["handle"]
            assert kept["trail"]
            assert not kept["report"]
            assert not kept["last_inbound"]
            for case in cases:
                for mark in (case.report.hex(), case.number, *case.category.split()):
                    assert mark.encode() not in raw


async def clean(phone: Phone) -> None:
    """Have the chat cleaned and see that nothing of it is left."""
    await phone.say("BERSIHKAN")
    await phone.hears("Hapus percakapan ini?")
    await phone.say("YA")
    await phone.looks_until(
        lambda seen: all(one["deleted"] for one in seen["messages"])
    )


def everything_people(loot: thief.Loot) -> list[bytes]:
    """Return every long value that a table of people holds."""
    return [
        value
        for table, _, value in loot.blobs()
        if table in PEOPLE and len(value) >= thief.SLICE
    ]


async def test_server_key_and_database_lead_from_no_case_to_a_person(
    town: Running, tmp_path: Path
):
    keys, database = town.keys, town.app.database
    sari = town.phone("telegram")
    dewi = await town.simulator.new_phone("dewi", "telegram")
    budi = town.phone("sms")
    handles = [
        (Channel.TELEGRAM, (await sari.look())["address"]),
        (Channel.TELEGRAM, (await dewi.look())["address"]),
        (Channel.SMS, (await budi.look())["address"]),
    ]

    await sari.say("LAPOR")
    await sari.hears("aman")
    early = thief.steal(database, tmp_path / "files")
    whole = b"\0".join(early.files.values())
    assert early.rows["conversations"], "a conversation lives"
    assert thief.opened_by_server_key(keys, whole), "the key is the right one"
    old = everything_people(early)

    await sari.say("BATAL")
    await sari.say("LAPOR Camat menahan bantuan beras untuk empat puluh keluarga")
    await budi.say("LAPOR Lurah meminta dua juta untuk tanda tangan surat tanah")
    await dewi.say("LAPOR Bendahara sekolah memotong beasiswa lima puluh anak")
    for phone in (sari, budi, dewi):
        await receipt(phone)
        old += everything_people(thief.steal(database))
    await only_trails_are_left(town)
    for phone in (sari, dewi):
        await clean(phone)
    await nothing_waits(town)
    loot = thief.steal(database, tmp_path / "files")
    await town.app.writer.run(lambda _: None)

    assert len(loot.rows["cases"]) == 3
    assert {name: loot.rows[name] for name in PEOPLE} == {name: [] for name in PEOPLE}

    known = {what for what, _ in thief.opened_by_server_key(keys, whole_of(loot))}
    figures = len(loot.rows["cases"])
    assert known <= {"figures"}, "not an item, a grant or a conversation opens"
    opened = [
        (table, column)
        for table, column, value in loot.blobs()
        if thief.opened_by_server_key(keys, value)
    ]
    assert opened == [("cases", "figures")] * figures

    names = {
        f"{what} ({handle})": name
        for channel, handle in handles
        for what, name in thief.names_of(keys, channel, handle).items()
    }
    stored = {value for _, _, value in loot.blobs()}
    assert not stored.intersection(names.values())
    assert loot.finds({handle: handle for _, handle in handles}) == []
    assert not [what for what, name in names.items() if name in whole_of(loot)]
    if database.is_sqlite:
        assert thief.left_of(old, loot) == 0, "secure_delete and an empty log"
        assert not loot.files.get("sqlite-wal"), "the write-ahead log is empty"

    assert set(thief.moments(loot.rows)) <= ALLOWED_MOMENTS
    assert len(thief.days(loot.rows)) <= 3, "today, and the days of deadlines"


def whole_of(loot: thief.Loot) -> bytes:
    """Return what was stolen in one piece; of PostgreSQL a dump.

    Its heap and its log keep deleted rows until they are reused: docs/threat-model.md.
    """
    return b"\0".join(
        content for name, content in loot.files.items() if not name.startswith("heap")
    )


async def test_the_order_of_rows_tells_no_order_of_people(town: Running):
    phones = [
        await town.simulator.new_phone(f"phone {n}", "telegram") for n in range(8)
    ]
    for n, phone in enumerate(phones):
        await phone.say(f"LAPOR Cerita nomor {n} tentang pungutan di pasar")
        await receipt(phone)
    await only_trails_are_left(town)

    loot = thief.steal(town.app.database)
    stories = {
        case.report: int(next(iter(town.story(case).values())).split()[2])
        for case in town.cases()
    }
    shown = [stories[bytes(row["report"])] for row in loot.rows["cases"]]
    assert sorted(shown) == list(range(8))
    if town.app.database.is_sqlite:
        assert shown != list(range(8)), "rows lie by random id"
        ordered = _tables_in_order(town)
        assert ordered == {"outbox", "audit"}, "no row id counts up anywhere else"
    for row in loot.rows["inbox"]:
        assert set(row) == {"name", "day"}
    inbox = {bytes(row["name"]) for row in loot.rows["inbox"]}
    others = {value for table, _, value in loot.blobs() if table != "inbox"}
    assert len(inbox) == 8
    assert not inbox & others


def _tables_in_order(town: Running) -> set[str]:
    """Return the tables whose rows carry SQLite's ascending row id."""
    found = set()
    with town.app.database.read_engine.connect() as connection:
        for name in thief.rows_of(town.app.database):
            sql = connection.scalar(
                text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}
            )
            if "WITHOUT ROWID" not in str(sql).upper():
                found.add(name)
    return found


def test_the_tool_opens_what_is_to_be_opened():
    keys = ServerKeys.new()
    from storage.crypto.sealing import Context  # noqa: PLC0415 - beside its only use
    from storage.crypto.server_key import Purpose  # noqa: PLC0415 - beside its only use

    blob = keys.lock(Purpose.JOB, b'{"report": "00112233"}', Context("t", b"1", "c"))
    found = thief.opened_by_server_key(keys, bytes(100) + blob + bytes(100))
    assert found == [("job", 100)]
    assert thief.opened_by_server_key(ServerKeys.new(), blob) == []
