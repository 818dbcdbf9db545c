"""The audit log: one HMAC chain over what officers and operators do.

A line holds codes and ids, never a text from people. ``head`` goes into the auditor's
digest: with it a log that was cut off at its end shows too.
"""

import hmac
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from typing import Any, TypeVar

from sqlalchemy import Select, exists, text
from sqlmodel import Session, SQLModel, col, select

from storage.crypto.sealing import encode
from storage.crypto.server_key import Purpose, ServerKeys
from storage.models import AuditLine, Case

Wanted = TypeVar("Wanted", bound=Select[Any])
_LOCK = text("SELECT pg_advisory_xact_lock(7091430182)")
_AT_ONCE = 2_000
_SKEW = timedelta(days=1)
"""So far may the clocks of two servers that write be apart."""
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{66})", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9_.:>=-]{0,80}", re.ASCII)


def record(
    session: Session,
    keys: ServerKeys,
    code: str,
    *,
    officer: bytes | None,
    report: bytes | None = None,
    detail: str = "",
    now: datetime,
) -> AuditLine:
    """Append one line; the last act of a verb, because it waits for other writers.

    ValueError if ``code`` or ``detail`` is anything but a short code.
    """
    if not code or not _CODE.fullmatch(code) or not _CODE.fullmatch(detail):
        raise ValueError("an audit line holds short codes only")
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_LOCK)
    seq, before = head(session)
    line = AuditLine(
        seq=seq + 1,
        code=code,
        officer=officer,
        report=report,
        at=now,
        detail=detail,
        mac=b"",
    )
    line.mac = _mac(keys, line, before, keys.newest)
    session.add(line)
    session.flush()
    return line


def head(session: Session) -> tuple[int, bytes]:
    """Return number and MAC of the last line (0 and nothing while there is none)."""
    last = session.exec(
        select(AuditLine.seq, AuditLine.mac)
        .order_by(col(AuditLine.seq).desc())
        .limit(1)
    ).first()
    return (last[0] or 0, last[1]) if last is not None else (0, b"")


def verify(
    session: Session, keys: ServerKeys, *, expected: tuple[int, bytes] | None = None
) -> int | None:
    """Return the number of the first line that is missing or changed, or None.

    ``expected`` is a head that was kept elsewhere: it must still be in the log.
    """
    seq, before = 0, b""
    for line in _every(session):
        seq += 1
        if line.seq != seq or not _is_ours(keys, line, before):
            return seq
        if expected is not None and seq == expected[0] and line.mac != expected[1]:
            return seq
        before = line.mac
    if expected is not None and seq < expected[0]:
        return seq + 1
    return None


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of the log to show; empty means any. ``until`` is left out itself.

    ``codes`` are beginnings of codes (``case.`` for all acts on cases). Acts on the cases
    of the unit ``above`` us are left out.
    """

    codes: Sequence[str] = ()
    officer: bytes | None = None
    report: bytes | None = None
    since: datetime | None = None
    until: datetime | None = None
    above: bytes | None = None


def lines(
    session: Session,
    *,
    before: int | None = None,
    limit: int = 50,
    filters: Filters | None = None,
) -> list[AuditLine]:
    """Return the latest lines first, a page at a time (``before``: a line's number).

    A family of codes is asked for code by code, each by the index: of a rare one the whole
    log would be read.
    """
    wanted = filters or Filters()
    query = _told(select(AuditLine), wanted.above)
    query = query.order_by(col(AuditLine.seq).desc()).limit(limit)
    if before is not None:
        query = query.where(col(AuditLine.seq) < before)
    if wanted.officer is not None:
        query = query.where(AuditLine.officer == wanted.officer)
    if wanted.report is not None:
        query = query.where(AuditLine.report == wanted.report)
    if wanted.since is not None:
        first = _first_of(session, wanted.since - _SKEW)
        if first is None:
            return []
        query = query.where(col(AuditLine.at) >= wanted.since)
        query = query.where(col(AuditLine.seq) >= first)
    if wanted.until is not None:
        behind = _first_of(session, wanted.until + _SKEW)
        query = query.where(col(AuditLine.at) < wanted.until)
        if behind is not None:
            query = query.where(col(AuditLine.seq) < behind)
    if not wanted.codes:
        return list(session.exec(query))
    found = [
        line
        for code in codes(session)
        if code.startswith(tuple(wanted.codes))
        for line in session.exec(query.where(AuditLine.code == code))
    ]
    return nlargest(limit, found, key=lambda line: line.seq or 0)


def codes(session: Session) -> list[str]:
    """Return every code that stands in the log, by one step of the index for each."""
    found: list[str] = []
    query = select(AuditLine.code).order_by(col(AuditLine.code)).limit(1)
    while True:
        last = found[-1] if found else ""
        following = session.exec(query.where(AuditLine.code > last)).first()
        if following is None:
            return found
        found.append(following)


def last_of(session: Session, code: str) -> AuditLine | None:
    """Return the newest line with this code."""
    query = select(AuditLine).where(AuditLine.code == code)
    return session.exec(query.order_by(col(AuditLine.seq).desc()).limit(1)).first()


def counts(
    session: Session, *, after: AuditLine | None, above: bytes | None
) -> Counter[str]:
    """Count the lines behind one (or all) by their code, those of ``above`` us left out."""
    query = _told(select(AuditLine.code), above)
    if after is not None:
        query = query.where(col(AuditLine.seq) > after.seq)
    return Counter(session.exec(query))


def _first_of(session: Session, moment: datetime) -> int | None:
    """Return the number of the first line from a moment on; lines lie nearly in that order."""
    query = select(AuditLine.seq).where(col(AuditLine.at) >= moment)
    return session.exec(query.order_by(col(AuditLine.at)).limit(1)).first()


def _every(session: Session) -> Iterator[Any]:
    """Yield the columns of every line in order, some at a time; none of them is kept."""
    last, table = 0, SQLModel.metadata.tables["audit"]
    while True:
        query = table.select().where(table.c.seq > last).order_by(table.c.seq)
        page = session.connection().execute(query.limit(_AT_ONCE)).all()
        if not page:
            return
        yield from page
        last = page[-1].seq


def _told(query: Wanted, above: bytes | None) -> Wanted:
    """Leave out the acts on cases of a unit."""
    if above is None:
        return query
    theirs = exists().where(
        col(Case.report) == col(AuditLine.report), col(Case.unit) == above
    )
    return query.where(~theirs)


def written(head: tuple[int, bytes]) -> str:
    """Return a head as it is kept elsewhere: NUMBER:HEX."""
    return f"{head[0]}:{head[1].hex()}"


def kept(text: str) -> tuple[int, bytes] | None:
    """Read what ``written`` wrote; None for anything else."""
    match = _HEAD.fullmatch(text.strip())
    return (int(match[1]), bytes.fromhex(match[2])) if match else None


def _is_ours(keys: ServerKeys, line: AuditLine, before: bytes) -> bool:
    if not line.mac or line.mac[0] not in keys.ring:
        return False
    return hmac.compare_digest(line.mac, _mac(keys, line, before, line.mac[0]))


def _mac(keys: ServerKeys, line: AuditLine, before: bytes, key_id: int) -> bytes:
    content = encode(
        b"audit/1",
        before,
        str(line.seq).encode(),
        line.code.encode(),
        line.officer or b"",
        line.report or b"",
        line.at.astimezone(UTC).isoformat().encode(),
        line.detail.encode(),
    )
    key = keys.sub_key(Purpose.AUDIT, key_id)
    return bytes((key_id,)) + hmac.digest(key, content, "sha256")
