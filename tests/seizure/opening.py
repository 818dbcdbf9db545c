"""What a thief opens who knows the program: every place, with every key, as deep as it leads.

Secrets that come out of a seal are tried on everything again, until nothing new opens.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage import outbox
from storage.cases import reveals
from storage.cases.reveals import Request
from storage.crypto import sealing
from storage.crypto.sealing import (
    SECRET_BYTES,
    Context,
    NotAuthentic,
    encode,
    open_seal,
)
from storage.crypto.server_key import Purpose, ServerKeys
from storage.evidence import files, sealed_files
from storage.models import File, Officer, Reveal, UnitGrant
from storage.units import grants
from tests.support.thief import Loot

Row = dict[str, Any]
SEAL = bytes((sealing.VERSION, sealing.HYBRID))


def _own(table: str, row: str, column: str) -> Callable[[Row], Context]:
    return lambda one: Context(table, one[row], column)


def _file(column: str) -> Callable[[Row], Context]:
    return lambda one: files.context(File(**one), column)


LOCKS: Mapping[str, tuple[Purpose, Callable[[Row], Context]]] = {
    "conversations.state": (
        Purpose.CONVERSATION,
        lambda one: Context(
            "conversations", one["handle"], "state", key=one["alias"] or b""
        ),
    ),
    "subscriptions.blob": (
        Purpose.SUBSCRIPTION,
        lambda one: Context(
            "subscriptions",
            one["id"],
            "blob",
            key=encode(one["subscriber"], one["case_name"]),
        ),
    ),
    "outbox.blob": (
        Purpose.OUTBOX,
        lambda one: outbox.context(one["order_name"], one["expires"]),
    ),
    "departed.blob": (Purpose.OUTBOX, _own("departed", "name", "blob")),
    "jobs.blob": (
        Purpose.JOB,
        lambda one: Context(
            "jobs",
            one["id"],
            "blob",
            seq=int(one["expires"].timestamp()),
            key=one["kind"].encode(),
        ),
    ),
    "cases.figures": (Purpose.FIGURES, _own("cases", "report", "figures")),
    "officer_links.blob": (
        Purpose.OFFICER_LINK,
        _own("officer_links", "officer", "blob"),
    ),
    "sessions.label": (Purpose.SESSION, _own("sessions", "hash", "label")),
    "passkeys.blob": (
        Purpose.PASSKEY,
        lambda one: Context("passkeys", one["name"], "blob", key=one["officer"]),
    ),
}
"""What the server key opens, and where it lies."""
SEALS: Mapping[str, Callable[[Row], Context]] = {
    "grants.secret": lambda one: Context(
        "grants", one["id"], "secret", one["report"], 0, one["generation"]
    ),
    "items.blob": lambda one: Context(
        "items", one["id"], "blob", one["report"], one["seq"]
    ),
    "files.original_key": _file("original_key"),
    "files.copy_key": _file("copy_key"),
    "files.details": _file("details"),
    "unit_grants.secret": lambda one: grants._context(UnitGrant(**one), "secret"),  # noqa: SLF001 - a thief reads the source
    "second_factors.secret": _own("second_factors", "officer", "secret"),
    "quarantine.blob": _own("quarantine", "id", "blob"),
}
"""What secret keys open; reveals.request and reveals.answer need the officer's row too."""
REVEALS = ("reveals.request", "reveals.answer")
ASKED = "what a request asks for"
FILE_KEY = 32
WRAPS = ("officers.secret", "sessions.secret", "cases.receipt_wrap")
"""What the server key opens only together with a passphrase, a cookie or a code."""


@dataclass(frozen=True)
class Read:
    """One plain piece: of which column, of which report (empty where it has none)."""

    place: str
    report: bytes
    plain: bytes


@dataclass
class Opening:
    """What was opened so far; ``reads`` holds what is plain to its last seal."""

    loot: Loot
    keys: ServerKeys | None = None
    folder: Path | None = None
    secrets: set[bytes] = field(default_factory=set)
    reads: list[Read] = field(default_factory=list)

    @property
    def places(self) -> set[str]:
        """Return the columns of which something was read."""
        return {one.place for one in self.reads}

    def reports(self, place: str) -> set[bytes]:
        """Return the reports of which this column was read."""
        return {one.report for one in self.reads if one.place == place}

    def shows(self, marks: Mapping[str, str | bytes]) -> set[str]:
        """Return the names of the marks that stand in what was read."""
        whole = b"\0".join(one.plain for one in self.reads)
        return {
            name
            for name, mark in marks.items()
            if (mark.encode() if isinstance(mark, str) else mark) in whole
            or json.dumps(str(mark))[1:-1].encode() in whole
        }


@dataclass
class _Sealed:
    """A seal that is still closed, and the contexts in which it may lie."""

    place: str
    report: bytes
    blob: bytes
    contexts: Sequence[Context]


def opened(
    loot: Loot,
    *secrets: bytes,
    keys: ServerKeys | None = None,
    folder: Path | None = None,
) -> Opening:
    """Open whatever these secrets, this server key and all that they lead to open."""
    found = Opening(loot, keys, folder)
    _locked(found)
    waiting = [*_sealed(found), *_revealing(found)]
    fresh = set(secrets)
    while fresh:
        found.secrets |= fresh
        came: set[bytes] = set()
        closed, waiting = waiting, []
        for one in closed:
            plain, one.blob = _peel(one, fresh, found.secrets)
            if plain is None:
                waiting.append(one)
                continue
            came |= set(_took(found, one, plain))
            for inner in _asked_for(one, plain):
                half, inner.blob = _peel(inner, found.secrets, found.secrets)
                if half is None:
                    waiting.append(inner)
                else:
                    came |= set(_took(found, inner, half))
        fresh = came - found.secrets
    return found


def _locked(found: Opening) -> None:
    """Read what the server key opens alone; none of it leads to a seal."""
    for place, (purpose, where) in LOCKS.items():
        table, _, column = place.partition(".")
        for row in found.loot.rows[table]:
            plain = _unlocked(found.keys, purpose, row[column], where(row))
            if plain is not None:
                found.reads.append(Read(place, row.get("report", b""), plain))


def _unlocked(
    keys: ServerKeys | None, purpose: Purpose, blob: bytes | None, where: Context
) -> bytes | None:
    if keys is None or not blob:
        return None
    try:
        return keys.unlock(purpose, blob, where)
    except NotAuthentic:
        return None


def _sealed(found: Opening) -> Iterator[_Sealed]:
    for place, where in SEALS.items():
        table, _, column = place.partition(".")
        for row in found.loot.rows[table]:
            blob, context = row[column], where(row)
            if row.get("wrapped"):
                blob = _unlocked(found.keys, Purpose.DRAFT_GRANT, blob, context)
            if blob:
                yield _Sealed(place, row.get("report", b""), blob, [context])


def _revealing(found: Opening) -> Iterator[_Sealed]:
    officers = {row["id"]: Officer(**row) for row in found.loot.rows["officers"]}
    generations = {row["generation"] for row in found.loot.rows["units"]} | {1, 2}
    for row in found.loot.rows["reveals"]:
        reveal, asker = Reveal(**row), officers[row["officer"]]
        if reveal.request:
            places = [reveals.request_place(reveal, asker, n) for n in generations]
            yield _Sealed(REVEALS[0], reveal.report, reveal.request, places)
        if reveal.answer:
            places = [reveals.answer_place(reveal, asker)]
            yield _Sealed(REVEALS[1], reveal.report, reveal.answer, places)


def _peel(
    one: _Sealed, fresh: set[bytes], known: set[bytes]
) -> tuple[bytes | None, bytes]:
    """Take off seals; returns what is plain, or None and what is left of the blob."""
    blob, tried = one.blob, fresh
    while True:
        inside = _open(blob, tried, one.contexts)
        if inside is None:
            return None, blob
        if not inside.startswith(SEAL):
            return inside, b""
        blob, tried = inside, known


def _open(blob: bytes, secrets: set[bytes], contexts: Sequence[Context]):
    for secret in secrets:
        for context in contexts:
            try:
                return open_seal(blob, secret, context)
            except NotAuthentic:
                continue
    return None


def _asked_for(one: _Sealed, plain: bytes) -> Iterator[_Sealed]:
    """Yield the seals that lie in a request to reveal: the case's is off already."""
    if one.place == REVEALS[0]:
        for half in Request.from_bytes(plain).halves:
            places = [
                Context(table, half.row, column, one.report, half.seq)
                for table, column in (("items", "blob"), ("files", "original_key"))
            ]
            yield _Sealed(ASKED, one.report, half.blob, places)


def _took(found: Opening, one: _Sealed, plain: bytes) -> Iterator[bytes]:
    """Keep what was opened; yields it where it is a secret key."""
    if len(plain) == SECRET_BYTES:
        yield plain
    if one.place == REVEALS[1]:
        plain = _answer(sealing.unpad(plain))
    found.reads.append(Read(one.place, one.report, plain))
    if len(plain) == FILE_KEY:
        found.reads += _evidence(found, one, plain)


def _answer(plain: bytes) -> bytes:
    """Return an answer's content: the key of a file, or the items of an identity."""
    if len(plain) == FILE_KEY:
        return plain
    return b"".join(base64.b64decode(item) for item in json.loads(plain))


def _evidence(found: Opening, one: _Sealed, key: bytes) -> Iterator[Read]:
    """Try a key on everything that lies on disk."""
    for path in sorted((found.folder or Path("/nonexistent")).rglob("*.*")):
        try:
            plain = b"".join(sealed_files.chunks(path, key))
        except NotAuthentic:
            continue
        yield Read(f"evidence {path.suffix[1:]}", one.report, plain)
