"""The machine is lost: a backup made while people write comes back on another one.

The backup is made and restored by the real commands, in processes of their own, and the
other machine has the other kind of database.
"""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from handlers.work import Work
from storage.audit import log
from storage.cases import cases, items
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import files
from storage.inspection import rows
from storage.models import Case
from storage.people import officers, passphrases
from storage.retention import erasing
from storage.units import units
from storage.words import Erased
from tests.journeys.telling import Receipt, report, until
from tests.support import founded as house
from tests.support.phones import Phone, Simulator
from tests.support.places import ROOT
from tests.support.running import Running, found, running
from tests.support.unsealing import secret_for, unit_secret

pytestmark = pytest.mark.faults

PASSPHRASE = "enam kata yang panjang sekali"
LETTER = b"%PDF-1.4 surat yang asli"


async def kentongan(environ: dict[str, str], *words: str) -> str:
    """Run a command in a process of its own; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from bot.cli import main; main()",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


def environment(url: str, keys: ServerKeys, folder: Path) -> dict[str, str]:
    return {
        "KENTONGAN_DATABASE__URL": url,
        "KENTONGAN_KEYS__SERVER_KEY": keys.to_text(),
        "KENTONGAN_FILES__PATH": str(folder / "files"),
        "KENTONGAN_RETENTION__TOMBSTONES_FILE": str(
            folder / "files" / "tombstones.log"
        ),
    }


@pytest.fixture
async def other_url(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """Return the address of an empty store of the other kind."""
    if database_url.startswith("sqlite"):
        yield request.getfixturevalue("postgres_url")
    else:
        yield f"sqlite:///{tmp_path}/other.db"


async def keeps_writing(town: Running, done: asyncio.Event) -> list[Receipt]:
    """Report again and again, each time as somebody else, until told to end."""
    papers = []
    for n in itertools.count():
        phone = await town.simulator.new_phone(f"ramai{n}", "telegram")
        papers.append(await report(phone, f"Pungutan nomor {n} di loket pelayanan"))
        if done.is_set():
            return papers
    raise AssertionError


def erase(work: Work, number: str) -> None:
    """Erase a case's contents, as two officers do."""
    case = cases.by_number(work.store, work.keys, number)
    assert case is not None
    row = cases.lock(work.store, work.keys, case.report)
    assert row is not None
    assert erasing.erase_contents(work.store, work.keys, row, day=work.day)
    erasing.record(work.store, work.keys, row, Erased.CONTENTS, day=work.day)
    cases.save(work.store, work.keys, row)


def case_of(town: Running, paper: Receipt) -> Case | None:
    with town.app.database.reading() as session:
        return cases.by_number(session, town.keys, paper.number)


def items_of(town: Running, paper: Receipt) -> int:
    case = case_of(town, paper)
    assert case is not None
    with town.app.database.reading() as session:
        return items.count_items(session, case.report)


def words_of(town: Running, case: Case) -> str:
    return "\n".join(content.text for content in town.read(case))


def evidence_name(town: Running, case: Case) -> str:
    """Read a case's file as an officer who types their passphrase does."""
    with town.app.database.reading() as session:
        keys = town.keys
        sari = officers.verified(session, keys, "sari")
        secret = officers.unwrap(keys, sari, PASSPHRASE)
        unit = units.verified(session, keys, case.unit)
        opened = unit_secret(session, keys, unit, sari, secret)
        case_secret = secret_for(session, keys, case.report, unit, opened)
        (row,) = files.of_report(session, keys, case.report)
        key = files.open_original(row, case_secret)
        assert len(key) > 32, "sealed to the vault inside"
        return files.details(row, case_secret)["name"]


async def reports_with_evidence(phone: Phone) -> Receipt:
    paper = await report(phone, "Kepala loket meminta uang untuk tiap berkas")
    await phone.say(f"TAMBAH {paper}")
    await phone.hears("Silakan kirim tambahan")
    await phone.attach(("surat.pdf", "application/pdf", LETTER))
    await phone.hears("sudah dicatat")
    await phone.say("SELESAI")
    return paper


def founded_with_passphrase(url: str, keys: ServerKeys) -> house.House:
    """Found a house whose supervisor has a passphrase."""
    store = Database(url)
    founded = found(store, keys)
    boss = founded.supervisor
    wrapped = passphrases.wrap(keys, boss.officer.id, boss.secret, PASSPHRASE)
    with store.writing() as session:
        assert officers.rewrap(session, keys, boss.officer, wrapped)
    store.close()
    return founded


@dataclass
class Before:
    """What was on the machine that was lost, and what was carried away of it."""

    paper: Receipt
    slip: Receipt
    erased: Receipt
    late: Receipt
    crowd: list[Receipt]
    told: dict[str, Any]
    tombstones: str
    left: int


async def until_lost(town: Running, folder: Path, url: str, path: Path) -> Before:
    """Let people report and an officer work; back up while more of them write."""
    sari, budi, wati = map(town.phone, ("telegram", "sms", "whatsapp"))
    paper = await reports_with_evidence(sari)
    slip = await report(budi, "Camat menjual beras bantuan desa")
    note = await report(wati, "Juru bayar memotong honor kader posyandu")
    mine = case_of(town, paper)
    assert mine is not None
    taken = (folder / "files").glob
    await until(lambda: bool(list(taken("*/*.original"))), "the letter is taken")
    await town.ask(mine, "Pukul berapa biasanya ia datang?")

    done = asyncio.Event()
    writing = asyncio.create_task(keeps_writing(town, done))
    environ = environment(url, town.keys, folder)
    said = await kentongan(environ, "backup", "--to", str(path), "--json")
    done.set()
    crowd = await writing

    later = await town.simulator.new_phone("terlambat", "telegram")
    late = await report(later, "Ini dikirim sesudah cadangan dibuat")
    had = items_of(town, note)
    await town.app.writer.act(town.app.office, town.clock(), erase, note.number)
    left = items_of(town, note)
    assert left < had
    await town.app.keeper.export(town.clock())
    lines = (folder / "files" / "tombstones.log").read_text()
    return Before(paper, slip, note, late, crowd, json.loads(said), lines, left)


async def test_what_was_lost_comes_back_on_another_machine(
    database_url: str, other_url: str, tmp_path: Path, simulator: Simulator
):
    keys, here, there = ServerKeys.new(), tmp_path / "here", tmp_path / "there"
    founded = founded_with_passphrase(database_url, keys)
    path = tmp_path / "one.kentongan"
    house_of: dict[str, Any] = {"keys": keys, "founded": founded}
    async with running(database_url, here, simulator, **house_of) as town:
        before = await until_lost(town, here, database_url, path)
    assert before.told["faults"] == []
    assert before.told["evidence_files"] >= 1

    sari, budi = town.phone("telegram"), town.phone("sms")
    await sari.say("/start")
    said = await kentongan(
        environment(other_url, keys, there), "restore", str(path), "--yes"
    )
    assert "Nobody is signed in" in said
    (there / "files" / "tombstones.log").write_text(before.tombstones)

    async with running(other_url, there, simulator, **house_of) as again:
        await sari.hears("asisten")
        is_whole(again, before)
        back = case_of(again, before.paper)
        assert back is not None
        assert evidence_name(again, back) == "surat.pdf"
        assert "Kepala loket" in words_of(again, back)
        await sari.say(f"BACA {before.paper}")
        await sari.hears("Pukul berapa biasanya ia datang?")
        await budi.say(f"STATUS {before.slip}")
        await budi.hears("Nomor dan kode cocok")
        count = len(again.cases())
        fresh = await again.simulator.new_phone("baru", "telegram")
        await report(fresh, "Laporan baru di mesin yang baru sekali")
        assert len(again.cases()) == count + 1


def is_whole(again: Running, before: Before) -> None:
    """Look at the restored store: all of the backup, nothing of later, nothing erased."""
    with again.app.database.reading() as session:
        assert log.verify(session, again.keys) is None
        assert list(rows.problems(session, again.keys)) == []
    assert before.told["rows"]["cases"] == len(again.cases())
    assert items_of(again, before.erased) == before.left, (
        "what was erased is erased again"
    )
    assert items_of(again, before.slip) > 0
    assert case_of(again, before.late) is None, "what came after the backup is lost"
    for paper in before.crowd:
        case = case_of(again, paper)
        if case is not None:
            assert "Pungutan nomor" in words_of(again, case)
