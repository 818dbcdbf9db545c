"""The invented agency of the handbook's pictures: people of every role, in one language."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.async_api import Browser
from sqlmodel import Session
from starlette.applications import Starlette

from bot.console.app import ConsoleContext, routes
from bot.writer import Writer
from storage.audit import installation
from storage.crypto.sealing import new_pair
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.database.schema import upgrade
from storage.evidence.blobs import FolderStore
from storage.people import officers
from storage.units import admissions, memberships, recovery_keys, units
from storage.units import routes as routing
from storage.words import Role, UnitKind
from tests.support import authenticator
from tests.support.browsers import ORIGIN, Clock, Desk, make_office
from tests.support.founded import House, Person, prepared
from tests.support.serving import served


@dataclass(frozen=True)
class Words:
    """What invented people wrote, in one language."""

    story: str
    others: tuple[str, ...]
    name: str
    why: str
    unit: str
    vault: str
    slip: tuple[str, ...]
    letter: str
    judgment: str


WORDS = {
    "en": Words(
        "Every month each of us at the licensing desk is told to hand in 500,000 rupiah "
        "“for the head”. Whoever refuses gets no more applications to work on.",
        (
            "The road fund of the village was paid out twice.",
            "My classmate's mother paid for a place at the school.",
            "The guard sells queue numbers at the hospital.",
        ),
        "Wati (not her real name), by telephone after 19:00",
        "The reporter writes that her office searches for her. The protection agency "
        "needs to reach her tonight; a question through the bot was not read for two days.",
        "Complaints",
        "Identities",
        ("RECEIPT", "Received: Rp 500.000", "For: the head", "No. 17, February"),
        "letter.pdf",
        "Names the collector and the month; the handwriting may be known.",
    ),
    "id": Words(
        "Setiap bulan kami di loket perizinan disuruh setor lima ratus ribu “untuk "
        "kepala”. Yang menolak tidak diberi berkas lagi.",
        (
            "Dana jalan desa dicairkan dua kali.",
            "Ibu teman saya membayar supaya anaknya diterima di sekolah itu.",
            "Penjaga menjual nomor antrean di rumah sakit.",
        ),
        "Wati (nama samaran), telepon sesudah pukul 19.00",
        "Pelapor menulis bahwa kantornya sedang mencarinya. Lembaga perlindungan perlu "
        "menghubunginya malam ini; pertanyaan lewat bot dua hari tidak dibaca.",
        "Pengaduan",
        "Penjaga Identitas",
        ("KUITANSI", "Terima: Rp 500.000", "Untuk: kepala", "No. 17, Februari"),
        "surat.pdf",
        "Menyebut pemungut dan bulannya; tulisan tangannya mungkin dikenal.",
    ),
}


@dataclass(frozen=True)
class Scene:
    """The agency, and who sits where."""

    desk: Desk
    language: str
    people: dict[str, Person]
    chromium: Browser
    address: str

    @property
    def words(self) -> Words:
        return WORDS[self.language]


def _person(
    session: Session, keys: ServerKeys, language: str, name: str, role: Role
) -> Person:
    account, secret = prepared(name.split(maxsplit=1)[0].lower(), role)
    account = replace(account, name=name, language=language)
    officer = officers.add(session, keys, account)
    authenticator.enrol(session, keys, officer)
    return Person(officer, secret)


def _found(
    database: Database, keys: ServerKeys, language: str
) -> tuple[House, dict[str, Person]]:
    """Make an agency with people of every role."""
    words = WORDS[language]

    with database.writing() as session:

        def comes(name: str, role: Role) -> Person:
            return _person(session, keys, language, name, role)

        installation.set_setting(session, keys, "demo", "no")
        cases, identities = new_pair(), new_pair()
        recovery_keys.add_recovery(session, keys, "cases", cases.public)
        recovery_keys.add_recovery(session, keys, "identities", identities.public)
        unit = units.create(session, keys, words.unit, UnitKind.HANDLING)
        vault = units.create(session, keys, words.vault, UnitKind.VAULT)
        siti, wayan = (
            comes("Siti Rahma", Role.SUPERVISOR),
            comes("Wayan Putra", Role.CUSTODIAN),
        )
        secret = memberships.admit_first(session, keys, unit, siti.officer)
        memberships.admit_first(session, keys, vault, wayan.officer)
        routing.add_route(session, keys, unit)
        budi = comes("Budi Santoso", Role.HANDLER)
        memberships.admit(session, keys, unit, budi.officer, siti.officer, siti.secret)
        rini = comes("Rini Halim", Role.HANDLER)
        admissions.apply(session, keys, unit, rini.officer)
        lala = comes("Lala Anwar", Role.AUDITOR)
    house = House(unit, vault, siti, wayan, secret, cases.secret, identities.secret)
    everybody = (siti, wayan, budi, rini, lala)
    return house, {one.officer.login: one for one in everybody}


@asynccontextmanager
async def scene(chromium: Browser, folder: Path, language: str) -> AsyncIterator[Scene]:
    """Run a console on this machine, over a store of its own."""
    database = Database(f"sqlite:///{folder / language}.db")
    upgrade(database)
    keys = ServerKeys.new()
    house, people = _found(database, keys, language)
    writer, clock = Writer(database), Clock()
    writer.start()
    context = ConsoleContext(
        writer=writer,
        database=database,
        office=make_office(keys),
        clock=clock,
        blob_store=FolderStore(folder / f"{language}-files"),
        public_url=ORIGIN,
        bot_url=lambda: "https://t.me/contoh_bot",
        agency="Inspektorat Contoh",
    )
    desk = Desk(context, Starlette(routes=routes(context)), house, clock)
    async with served(desk.app) as url:
        yield Scene(desk, language, people, chromium, f"{url}/console")
    await asyncio.to_thread(writer.stop)
    database.close()
