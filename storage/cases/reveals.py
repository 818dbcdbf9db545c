"""Reveals: that two people open an identity or an original together, and its end.

A row waits, was granted, or was refused; one that is over is deleted, with whatever was
sealed in it. ``request`` is sealed to the vault, ``answer`` to the officer who asked, both
bound to this row, the report and that officer's key. Nothing here opens an item or a file.
"""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from sqlmodel import Session, col, delete, select

from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import Officer, Reveal, Unit
from storage.words import RevealOf, RevealState

_SHORT = 12


@dataclass(frozen=True, slots=True)
class Half:
    """What the case's key opened: a seal that still needs the vault's.

    ``row`` and ``seq`` are those of the item (of the file, 0): the inner seal is bound to
    them.
    """

    row: bytes
    seq: int
    blob: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """What an officer asks for and why, as it stands in clear: codes and ids."""

    what: RevealOf
    reason: str
    file: bytes | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a custodian reads before deciding. ``language`` is the reporter's, "" unknown."""

    justification: str = field(repr=False)
    consent: str = field(repr=False)
    language: str
    halves: tuple[Half, ...] = field(repr=False)

    def to_bytes(self) -> bytes:
        """Return padded bytes; lone surrogates survive as escapes."""
        fields = asdict(self)
        fields["halves"] = [
            [one.row.hex(), one.seq, base64.b64encode(one.blob).decode()]
            for one in self.halves
        ]
        return sealing.pad(json.dumps(fields).encode("ascii"))

    @classmethod
    def from_bytes(cls, padded: bytes) -> Self:
        """Read back what ``to_bytes`` wrote; raises NotAuthentic for anything else."""
        fields = sealing.told(sealing.unpad(padded))
        with sealing.as_written():
            fields["halves"] = tuple(
                Half(bytes.fromhex(row), seq, base64.b64decode(blob))
                for row, seq, blob in fields["halves"]
            )
            return cls(**fields)


def ask(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    wish: Wish,
    request: Request,
    *,
    by: Officer,
    vault: Unit,
    now: datetime,
    ends: datetime,
) -> Reveal:
    """Keep a request, sealed to the vault; ``by`` and ``vault`` must be verified.

    ValueError while the vault has no key.
    """
    if vault.public_key is None:
        raise ValueError("the vault has no key yet")
    row = Reveal(
        id=secrets.token_bytes(16),
        report=report,
        what=wish.what.value,
        file=wish.file,
        state=RevealState.ASKED.value,
        reason=wish.reason,
        officer=by.id,
        asked=now,
        ends=ends,
        tag=b"",
    )
    context = request_place(row, by, vault.generation)
    row.request = sealing.seal(request.to_bytes(), vault.public_key, context)
    save(session, keys, row)
    return row


def opened_request(
    row: Reveal, by: Officer, vault_secrets: Sequence[tuple[int, bytes]]
) -> Request:
    """Open a request with the vault's secrets (generation, secret), the first that fits.

    ``by`` is the officer who asked, as they are now. Raises NotAuthentic, also when their
    key is another one since.
    """
    for generation, secret in vault_secrets:
        context = request_place(row, by, generation)
        try:
            return Request.from_bytes(
                sealing.open_seal(row.request or b"", secret, context)
            )
        except NotAuthentic:
            continue
    raise NotAuthentic


def grant(
    session: Session,
    keys: ServerKeys,
    row: Reveal,
    answer: bytes,
    *,
    to: Officer,
    by: Officer,
    ends: datetime,
) -> None:
    """Seal the answer to the verified officer who asked; the request goes."""
    row.state, row.custodian, row.ends = RevealState.GRANTED.value, by.id, ends
    context = answer_place(row, to)
    row.answer = sealing.seal(sealing.pad(answer), to.public_key, context)
    row.request = None
    save(session, keys, row)


def refuse(
    session: Session,
    keys: ServerKeys,
    row: Reveal,
    reason: str,
    *,
    by: Officer,
    ends: datetime,
) -> None:
    """Say no; the request goes, and ``reason`` says why not from now on."""
    row.state, row.custodian, row.ends = RevealState.REFUSED.value, by.id, ends
    row.reason, row.request, row.answer = reason, None, None
    save(session, keys, row)


def opened_answer(row: Reveal, by: Officer, secret: bytes) -> bytes:
    """Open an answer as the officer who asked. Raises NotAuthentic."""
    return sealing.unpad(
        sealing.open_seal(row.answer or b"", secret, answer_place(row, by))
    )


def lock(session: Session, keys: ServerKeys, reveal_id: bytes) -> Reveal | None:
    """Return a verified row and hold it; None if it is gone. Raises NotAuthentic."""
    row = session.get(Reveal, reveal_id, with_for_update=True, populate_existing=True)
    if row is not None:
        check(keys, row)
    return row


def get(session: Session, keys: ServerKeys, reveal_id: bytes) -> Reveal | None:
    """Return a verified row; None if it is gone. Raises NotAuthentic."""
    row = session.get(Reveal, reveal_id)
    if row is not None:
        check(keys, row)
    return row


def of_report(session: Session, keys: ServerKeys, report: bytes) -> list[Reveal]:
    """Return a report's reveals, the newest first; a planted row is none of them."""
    return _ours(session, keys, Reveal.report == report)


def everything(session: Session, keys: ServerKeys) -> list[Reveal]:
    """Return all reveals, the newest first; a planted row is none of them."""
    return _ours(session, keys)


def over(session: Session, *, now: datetime) -> list[Reveal]:
    """Return the rows whose time is over, unchecked: they only go."""
    query = select(Reveal).where(col(Reveal.ends) <= now)
    return list(session.exec(query.order_by(col(Reveal.report), col(Reveal.id))))


def end(session: Session, row: Reveal) -> None:
    """Delete one reveal with whatever was sealed in it."""
    session.exec(delete(Reveal).where(col(Reveal.id) == row.id))


def end_for_report(
    session: Session,
    report: bytes,
    *,
    what: RevealOf | None = None,
    officer: bytes | None = None,
) -> int:
    """Delete a report's reveals: all, of one kind, or one officer's; returns how many.

    For whoever erases, withdraws, purges or declares a conflict, in the same transaction.
    """
    query = delete(Reveal).where(col(Reveal.report) == report)
    if what is not None:
        query = query.where(col(Reveal.what) == what.value)
    if officer is not None:
        query = query.where(col(Reveal.officer) == officer)
    return session.connection().execute(query).rowcount


def end_for_officer(session: Session, officer_id: bytes) -> int:
    """Delete what an officer asked for, for whoever ends an account or a membership."""
    query = delete(Reveal).where(col(Reveal.officer) == officer_id)
    return session.connection().execute(query).rowcount


def short(row: Reveal) -> str:
    """Return how events name this row, so that one that is over does not come back."""
    return row.id.hex()[:_SHORT]


def check(keys: ServerKeys, row: Reveal) -> None:
    """Raise NotAuthentic unless this row is as our last verb left it."""
    keys.check_tag(row.tag, _context(row, "tag"), _content(row))


def _ours(session: Session, keys: ServerKeys, *where: Any) -> list[Reveal]:  # noqa: ANN401 - SQLAlchemy's conditions share no type
    query = select(Reveal).where(*where).order_by(col(Reveal.asked).desc())
    found = []
    for row in session.exec(query):
        try:
            check(keys, row)
        except NotAuthentic:
            continue
        found.append(row)
    return found


def save(session: Session, keys: ServerKeys, row: Reveal) -> None:
    """Write a row that was changed, with a fresh tag."""
    row.tag = keys.tag(_context(row, "tag"), _content(row))
    session.add(row)
    session.flush()


def _content(row: Reveal) -> bytes:
    return sealing.encode(
        row.what.encode(),
        row.file or b"",
        row.state.encode(),
        row.reason.encode(),
        row.officer,
        row.custodian or b"",
        row.asked.astimezone(UTC).isoformat().encode(),
        row.ends.astimezone(UTC).isoformat().encode(),
        row.request or b"",
        row.answer or b"",
    )


def _context(
    row: Reveal, column: str, generation: int = 0, key: bytes = b""
) -> Context:
    return Context(
        "reveals", row.id, column, row.report, generation=generation, key=key
    )


def request_place(row: Reveal, by: Officer, generation: int) -> Context:
    """Return where a request is sealed: this row, report, officer and key."""
    whose = sealing.encode(row.what.encode(), by.id, by.public_key)
    return _context(row, "request", generation, whose)


def answer_place(row: Reveal, to: Officer) -> Context:
    """Return where an answer is sealed: this row, report, officer, key and custodian."""
    whose = sealing.encode(
        row.what.encode(), to.id, to.public_key, row.custodian or b""
    )
    return _context(row, "answer", key=whose)
