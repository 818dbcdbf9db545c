"""What tests of handing over share: a case with all that a key opens, two units."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handlers.cases import handover, reporter
from storage.cases.items import Content
from storage.crypto import fingerprints
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import blobs, files
from storage.evidence.files import Taken
from storage.evidence.sealed_files import Sealer
from storage.models import Case, Grant, Unit
from storage.units import memberships, units
from storage.words import Audience, ItemKind
from tests.support import founded
from tests.support.desk import Desk, desk, pick
from tests.support.founded import Person

NAME = "Ketut Namarahasia, 0812-3456-7890"
STORY = "LAPOR Kepala pasar meminta setoran dari tiap pedagang"
WHY = "Pasarnya di bawah unit itu"
ORIGINAL = b"the original as it was sent "
COPY = b"the working copy "


@dataclass
class Handing:
    """A house with a second unit, and a case of the first."""

    here: Desk
    folder: Path
    case: Case
    file: bytes
    health: Unit
    rini: Person
    """Supervisor of the other unit."""
    tini: Person
    """Handler of the other unit."""
    old_grant: dict[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> ServerKeys:
        return self.here.keys

    @property
    def sari(self) -> Person:
        """Supervisor of the unit that has the case."""
        return self.here.house.supervisor

    def again(self) -> Case:
        return self.here.case(self.case.number)

    def member(self, login: str) -> Person:
        """Add a handler to the first unit."""
        boss, house = self.sari, self.here.house
        with self.here.database.writing() as session:
            new = founded.person(session, self.keys, login)
            unit = units.verified(session, self.keys, house.unit.id)
            memberships.admit(
                session, self.keys, unit, new.officer, boss.officer, boss.secret
            )
        return new

    def hand_over(
        self,
        by: Person | None = None,
        into: bytes | None = None,
        words: str | None = None,
    ) -> None:
        """Hand the case over as a session does; from sari to the other unit."""
        by = by or self.sari
        into = self.health.id if into is None else into
        if words is None:
            words = self.words(into)
        self.here.act(
            handover.hand_over,
            self.case.report,
            by=by.officer,
            secret=by.secret,
            into=into,
            words=words,
            text=WHY,
        )

    def words(self, unit: bytes) -> str:
        with self.here.database.reading() as session:
            row = session.get(Unit, unit)
            return fingerprints.words(row.public_key or b"") if row else ""


def handing(database: Database, keys: ServerKeys, folder: Path) -> Handing:
    """Let a report with a name and a file arrive at the first of two units."""
    here = desk(database, keys)
    case, _ = here.reports("501", STORY)
    with database.writing() as session:
        health, (rini, tini) = founded.unit_of(session, keys, "Health", "rini", "tini")
        vault = here.house.vault.public_key or b""
        named = Content(ItemKind.ANSWER, NAME, "", "Q05b", language="id")
        kept = [(named, Audience.IDENTITY)]
        assert reporter.add(here.work(session), case.report, kept, vault=vault)
        file = files.reserve(session, keys, case.report, day=case.day)
        original = _sealed(folder, file, "original", ORIGINAL)
        copy = _sealed(folder, file, "copy", COPY)
        details = {"name": "nota.pdf", "type": "application/pdf"}
        taken = Taken(original, copy, details)
        files.taken(session, keys, file, taken, public=case.public_key, vault=vault)
        grant = pick(session, Grant, report=case.report).model_dump()
    return Handing(
        here, folder, here.case(case.number), file, health, rini, tini, grant
    )


def _sealed(folder: Path, file: bytes, which: str, text: bytes) -> bytes:
    with Sealer(blobs.place(folder, file, which)) as sealer:
        sealer.write(text * 9)
    return sealer.key
