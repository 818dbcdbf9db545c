"""Messages that nobody could understand: sealed to the vault, for seven days.

Anybody can seal to a public key; the tag over the row says that we did.
"""

import secrets
from datetime import date

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import ServerKeys
from storage.models import Quarantine

MOST_REASON = 40


def put(
    session: Session,
    keys: ServerKeys,
    raw: bytes,
    reason: str,
    *,
    vault: bytes,
    day: date,
    channel: str = "",
) -> None:
    """Keep a message; ``reason`` is a code, ``vault`` the vault's verified key."""
    row = Quarantine(
        id=secrets.token_bytes(16),
        day=day,
        channel=channel,
        reason=reason[:MOST_REASON],
        blob=b"",
        tag=b"",
    )
    row.blob = sealing.seal(sealing.pad(raw), vault, _context(row, "blob"))
    row.tag = keys.tag(_context(row, "tag"), _content(row))
    session.add(row)
    session.flush()


def verified(session: Session, keys: ServerKeys) -> list[Quarantine]:
    """Return what we put there, by day; a planted or changed row is left out."""
    rows = session.exec(
        select(Quarantine).order_by(col(Quarantine.day), col(Quarantine.id))
    )
    return [row for row in rows if _is_ours(keys, row)]


def opened(row: Quarantine, vault_secret: bytes) -> bytes:
    """Return the message of a verified row to a custodian. Raises NotAuthentic."""
    blob = sealing.open_seal(row.blob, vault_secret, _context(row, "blob"))
    return sealing.unpad(blob)


def get(
    session: Session, keys: ServerKeys, name: bytes, *, locked: bool = False
) -> Quarantine | None:
    """Return one message; None where there is none. Raises NotAuthentic."""
    query = select(Quarantine).where(Quarantine.id == name)
    row = session.exec(query.with_for_update() if locked else query).first()
    if row is not None:
        check(keys, row)
    return row


def remove(session: Session, name: bytes) -> bool:
    """Delete a message; False for whoever comes second."""
    gone = session.connection().execute(
        delete(Quarantine).where(col(Quarantine.id) == name)
    )
    return bool(gone.rowcount)


def drop_old(session: Session, *, before: date) -> None:
    """Delete what was kept before a day."""
    session.connection().execute(delete(Quarantine).where(col(Quarantine.day) < before))


def give_reason(
    session: Session, keys: ServerKeys, row: Quarantine, reason: str
) -> None:
    """Say anew why a verified message is kept; what it holds stays sealed."""
    row.reason = reason[:MOST_REASON]
    row.tag = keys.tag(_context(row, "tag"), _content(row))
    session.add(row)
    session.flush()


def check(keys: ServerKeys, row: Quarantine) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(row.tag, _context(row, "tag"), _content(row))


def _is_ours(keys: ServerKeys, row: Quarantine) -> bool:
    try:
        check(keys, row)
    except NotAuthentic:
        return False
    return True


def _context(row: Quarantine, column: str) -> Context:
    return Context("quarantine", row.id, column)


def _content(row: Quarantine) -> bytes:
    said = (row.channel.encode(),) if row.channel else ()
    return encode(row.day.isoformat().encode(), row.reason.encode(), row.blob, *said)
