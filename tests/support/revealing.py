"""What tests of reveals share: cases with an identity, sealed files, asking and deciding."""

import hashlib
from dataclasses import dataclass
from typing import Any

from handlers.cases import reporter
from handlers.reveals import verbs
from handlers.work import Work
from storage.cases import reveals
from storage.cases.items import Content
from storage.cases.reveals import Request, Wish
from storage.evidence import blobs, files
from storage.evidence.files import Taken
from storage.evidence.sealed_files import Sealer
from storage.models import Case, Reveal
from storage.units import units
from storage.words import Audience, ItemKind, RevealOf
from tests.support.browsers import Desk
from tests.support.founded import Person
from tests.support.unsealing import secret_for

NAME = "Ibu Wati Kusumawardani, 0812-3456-7890"
WHY = "The reporter was threatened; the police need to reach her tonight."
SCAN = b"%PDF-1.7 the letter as it was sent, with its author" * 3000


@dataclass(frozen=True)
class Held:
    """A case with everything that two people may open."""

    case: Case
    file: bytes
    sha256: str

    @property
    def page(self) -> str:
        return f"/cases/{self.case.number}"


def held(desk: Desk, *, name: str = NAME, receipt: bool = True, **options: Any) -> Held:
    """Let a report arrive whose reporter left a name and sent a file."""
    case = desk.case(receipt=receipt, **options)
    with desk.database.writing() as session:
        vault = units.vault(session, desk.keys).public_key or b""
        said = Content(ItemKind.ANSWER, name, "", "Q05b", language="en")
        kept = [(said, Audience.IDENTITY)]
        office, now = desk.context.office, desk.clock()
        assert reporter.add(Work(session, office, now), case.report, kept, vault=vault)
        row = files.reserve(session, desk.keys, case.report, day=case.day)
        with Sealer(
            blobs.place(desk.context.blob_store.path, row, "original")
        ) as sealer:
            sealer.write(SCAN)
        digest = hashlib.sha256(SCAN).hexdigest()
        details = {"name": "letter.pdf", "type": "application/pdf", "sha256": digest}
        taken = Taken(sealer.key, None, details)
        public = case.public_key
        assert files.taken(session, desk.keys, row, taken, public=public, vault=vault)
    return Held(desk.again(case), row, digest)


def case_secret(desk: Desk, case: Case) -> bytes:
    """Open the case's key as its unit does."""
    with desk.database.reading() as session:
        unit = units.verified(session, desk.keys, case.unit)
        return secret_for(session, desk.keys, case.report, unit, desk.house.unit_secret)


def asks(
    desk: Desk,
    here: Held,
    who: Person | None = None,
    *,
    file: bytes | None = None,
    reason: str = "",
    **words: str,
) -> bytes:
    """Ask as an officer's session does; returns the id."""
    who = who or desk.house.supervisor
    what = RevealOf.ORIGINAL if file else RevealOf.IDENTITY
    wish = Wish(what, reason or ("CHAIN" if file else "PROTECT"), file)
    request = Request(words.get("why", WHY), words.get("consent", ""), "en", ())
    with desk.database.writing() as session:
        return verbs.ask(
            Work(session, desk.context.office, desk.clock()),
            here.case.report,
            wish,
            request,
            case_secret=case_secret(desk, here.case),
            by=who.officer,
        )


def grants(
    desk: Desk, reveal: bytes, who: Person | None = None, untold: str = ""
) -> bool:
    """Decide as a custodian's session does."""
    who = who or desk.house.custodian
    return bool(act(desk, verbs.grant, reveal, who, untold=untold, secret=who.secret))


def opens(
    desk: Desk, here: Held, reveal: bytes, who: Person | None = None
) -> verbs.Opened:
    """Open as the officer who asked does."""
    who = who or desk.house.supervisor
    with desk.database.writing() as session:
        return verbs.open_answer(
            Work(session, desk.context.office, desk.clock()),
            here.case.report,
            reveal,
            secret=who.secret,
            by=who.officer,
        )


def act(desk: Desk, verb: Any, reveal: bytes, who: Person, **more: Any) -> Any:
    """Run a verb on a reveal."""
    with desk.database.writing() as session:
        work = Work(session, desk.context.office, desk.clock())
        return verb(work, reveal, by=who.officer, **more)


def row(desk: Desk, reveal: bytes) -> Reveal | None:
    """Return the row as it lies."""
    with desk.database.reading() as session:
        return reveals.get(session, desk.keys, reveal)
