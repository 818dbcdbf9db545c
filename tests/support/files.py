"""Put a file into a case the way the media worker does, without a provider."""

from sqlmodel import Session

from bot.evidence import copying
from bot.evidence.kinds import HEAD, recognise
from storage.cases import items
from storage.cases.items import Content
from storage.evidence import files
from storage.evidence.files import Taken
from storage.models import Case
from storage.units import units
from storage.words import Audience, ItemKind
from tests.support.browsers import Desk


def reserve(desk: Desk, session: Session, case: Case) -> bytes:
    """Make the row of a file, and the answer that it belongs to; returns its id."""
    row = files.reserve(session, desk.keys, case.report, day=case.day)
    content = Content(ItemKind.ANSWER, "", "", "Q15", file=row.hex())
    items.add_item(
        session,
        desk.keys,
        case.report,
        content,
        audience=Audience.CASE,
        public=case.public_key,
        day=case.day,
    )
    return row


def put(desk: Desk, case: Case, name: str, data: bytes) -> str:
    """Seal a file and its working copy; returns its id as addresses name it."""
    keys, blob_store = desk.keys, desk.context.blob_store
    with desk.database.writing() as session:
        vault = units.vault(session, keys).public_key or b""
        row = reserve(desk, session, case)
        original, copy = (
            blob_store.sealer(row, which) for which in ("original", "copy")
        )
        with original:
            original.write(data)
        kind = recognise(data[:HEAD])
        made = copying.made(kind, original, copy) if kind else {"why": "not_shown"}
        about = {"name": name, "type": kind.type if kind else copying.UNKNOWN}
        details = {**about, "size": str(len(data)), **made}
        parts = (original,) if details["why"] else (original, copy)
        key = None if details["why"] else copy.key
        for part in parts:
            part.publish()
        taken = Taken(original.key, key, details, parts)
        files.taken(session, keys, row, taken, public=case.public_key, vault=vault)
    for part in (original, copy):
        part.drop()
    return row.hex()
