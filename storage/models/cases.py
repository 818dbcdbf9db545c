"""Tables of reports: drafts, cases, what they hold and what happened to them.

No column here leads to a person. Times of what reporters do are days.
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import SQLModel, col

from storage.models import indexes
from storage.models.marks import clear, keyed, named, sealed, table
from storage.words import (
    Group,
    PositionClass,
    RequestKind,
    RequestState,
    RevealOf,
    RevealState,
    Status,
    Track,
)

named(SQLModel.metadata)


TOLD = tuple(one for one in PositionClass if one is not PositionClass.INS)
"""Classes that may stand in clear on a case: never that our own people are reported."""


def one_of(column: str, words: Iterable[StrEnum]) -> CheckConstraint:
    """Return a check that a column holds a value of an enum (SQLModel checks nothing)."""
    values = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({values})", name=column)


class Draft(SQLModel, table=True):
    """A report that was not sent: its public key, for a day."""

    __tablename__ = "drafts"
    __table_args__ = table("cases")
    report: bytes = clear("submit, cancel or 24 h", primary_key=True)
    day: date = clear("submit, cancel or 24 h", index=True)
    public_key: bytes = clear("submit, cancel or 24 h")
    tag: bytes = sealed("submit, cancel or 24 h")


class Case(SQLModel, table=True):
    """A report that was sent, as the queue needs it.

    ``identity_swept``, ``files_swept``: their rule was applied after the case ended, and
    nothing came since. ``class_asked``: a correction waits for a second officer. These three
    only let rows be found; what they say is looked at again, so no tag covers them.
    """

    __tablename__ = "cases"
    __table_args__ = table(
        "cases",
        *indexes.FOUND,
        UniqueConstraint("register_year", "register_number"),
        one_of("status", Status),
        one_of("category", Group),
        one_of("track", Track),
        one_of("position", TOLD),
        CheckConstraint("urgency BETWEEN 0 AND 2", name="urgency"),
    )
    report: bytes = clear("retention", primary_key=True)
    number: str = clear("retention", unique=True)
    register_year: int | None = clear("retention", default=None)
    register_number: int | None = clear("retention", default=None)
    day: date = clear("retention")
    status: str = clear("retention", default=Status.RECEIVED.value)
    before: str | None = clear("retention", default=None)
    reason: str | None = clear("retention", default=None)
    is_open: bool = clear("retention", default=True)
    category: str = clear("retention")
    track: str = clear("retention")
    urgency: int = clear("retention")
    position: str = clear("retention")
    province: str = clear("retention", default="")
    unit: bytes = clear("retention")
    due: date = clear("retention")
    due_rule: str = clear("retention", default="D03")
    paused_since: date | None = clear("retention", default=None)
    officer: bytes | None = clear("retention", default=None)
    wanted_status: str | None = clear("retention", default=None)
    wanted_reason: str | None = clear("retention", default=None)
    wanted_by: bytes | None = clear("retention", default=None)
    class_asked: bool = clear("retention", default=False)
    reporter_withdrawn: bool = clear("retention", default=False)
    unread_from_reporter: bool = clear("retention", default=False)
    closed: date | None = clear("retention", default=None)
    hold: bool = clear("retention", default=False)
    purged: date | None = clear("never", default=None)
    identity_swept: bool = clear("never", default=False)
    files_swept: bool = clear("never", default=False)
    canary: bool = clear("minutes", default=False)
    public_key: bytes = clear("retention")
    reporter_key: bytes | None = clear("retention", default=None)
    receipt_salt: bytes | None = clear("retention", default=None)
    receipt_wrap: bytes | None = sealed("retention", default=None)
    figures: bytes = keyed("retention")
    head: bytes = sealed("never")
    head_seq: int = clear("never", default=0)
    tag: bytes = sealed("retention")


REAL = col(Case.canary).is_(False)
"""What every list and count of cases asks: the server's own test report is nobody's case."""


class Grant(SQLModel, table=True):
    """A report's secret, sealed to one key holder; a draft's grant is wrapped once more."""

    __tablename__ = "grants"
    __table_args__ = table(
        "cases",
        Index("ix_grants_recipient", "recipient", "generation"),
        Index("ix_grants_report", "report", "recipient", "generation"),
    )
    id: bytes = clear("with the report", primary_key=True)
    report: bytes = clear("with the report")
    recipient_kind: str = clear("with the report")
    recipient: bytes = clear("with the report")
    generation: int = clear("with the report")
    wrapped: bool = clear("submit", default=False)
    secret: bytes = sealed("with the report")
    tag: bytes = sealed("with the report")


class Item(SQLModel, table=True):
    """One sealed piece of a report; its kind, step, time and name stand inside the seal."""

    __tablename__ = "items"
    __table_args__ = table("cases", UniqueConstraint("report", "seq"))
    id: bytes = clear("with the report", primary_key=True)
    report: bytes = clear("with the report")
    seq: int = clear("with the report")
    day: date = clear("with the report")
    audience: str = clear("with the report")
    by_officer: bool = clear("with the report", default=False)
    unread: bool = clear("with the report", default=False)
    blob: bytes = sealed("with the report")
    tag: bytes = sealed("with the report")


class File(SQLModel, table=True):
    """Evidence on disk: its keys, and how far taking it has come."""

    __tablename__ = "files"
    __table_args__ = table("cases")
    id: bytes = clear("with the report", primary_key=True)
    report: bytes = clear("with the report", index=True)
    day: date = clear("with the report")
    state: str = clear("with the report", default="waiting")
    original_key: bytes | None = sealed("with the report", default=None)
    copy_key: bytes | None = sealed("with the report", default=None)
    details: bytes | None = sealed("with the report", default=None)
    tag: bytes = sealed("with the report")


class Event(SQLModel, table=True):
    """One line of a case's history, chained by HMAC; never text, never a person."""

    __tablename__ = "events"
    __table_args__ = table(
        "cases",
        UniqueConstraint("report", "seq"),
        CheckConstraint("at IS NULL OR actor_class = 'officer'", name="day_only"),
    )
    id: bytes = clear("never", primary_key=True)
    report: bytes = clear("never")
    seq: int = clear("never")
    code: str = clear("never")
    actor_class: str = clear("never")
    officer: bytes | None = clear("never", default=None)
    day: date = clear("never")
    at: datetime | None = clear("never", default=None)
    detail: str = clear("never", default="")
    item_hash: bytes | None = sealed("never", default=None)
    mac: bytes = sealed("never")


class AuditLine(SQLModel, table=True):
    """One act of an officer or operator on the system, chained by HMAC."""

    __tablename__ = "audit"
    __table_args__ = table(
        "cases",
        Index("ix_audit_report", "report", "code"),
        Index("ix_audit_code", "code", "seq"),
        Index("ix_audit_officer", "officer", "seq"),
        Index("ix_audit_at", "at"),
        rowid=True,
    )
    seq: int | None = clear("never", default=None, primary_key=True)
    code: str = clear("never")
    officer: bytes | None = clear("never", default=None)
    report: bytes | None = clear("never", default=None)
    at: datetime = clear("never")
    detail: str = clear("never", default="")
    mac: bytes = sealed("never")


class Reveal(SQLModel, table=True):
    """That an officer asked to open an identity or an original, and what came of it.

    ``request`` is sealed to the vault: what the case's key opened of it, and why. ``answer``
    is sealed to the officer who asked. Both go when it ends.
    """

    __tablename__ = "reveals"
    __table_args__ = table(
        "cases", one_of("what", RevealOf), one_of("state", RevealState)
    )
    id: bytes = clear("end of the reveal", primary_key=True)
    report: bytes = clear("end of the reveal", index=True)
    what: str = clear("end of the reveal")
    file: bytes | None = clear("end of the reveal", default=None)
    state: str = clear("end of the reveal", index=True)
    reason: str = clear("end of the reveal")
    officer: bytes = clear("end of the reveal", index=True)
    custodian: bytes | None = clear("end of the reveal", default=None)
    asked: datetime = clear("end of the reveal")
    ends: datetime = clear("end of the reveal", index=True)
    request: bytes | None = sealed("end of the reveal", default=None)
    answer: bytes | None = sealed("end of the reveal", default=None)
    tag: bytes = sealed("end of the reveal")


class Conflict(SQLModel, table=True):
    """That an officer declared a conflict of interest: no access to this case any more.

    ``settled`` once a member's session gave the case a key that this officer never had.
    """

    __tablename__ = "conflicts"
    __table_args__ = table("cases")
    report: bytes = clear("with the report", primary_key=True)
    officer: bytes = clear("with the report", primary_key=True, index=True)
    at: datetime = clear("with the report")
    settled: bool = clear("with the report", default=False)
    tag: bytes = sealed("with the report")


class DataRequest(SQLModel, table=True):
    """What a reporter asked about their own data (D23 to D25), told by the day."""

    __tablename__ = "data_requests"
    __table_args__ = table(
        "cases", one_of("kind", RequestKind), one_of("state", RequestState)
    )
    id: bytes = clear("with the report", primary_key=True)
    report: bytes = clear("with the report", index=True)
    kind: str = clear("with the report")
    state: str = clear("with the report", index=True)
    day: date = clear("with the report")
    answer_due: date = clear("with the report")
    due: date = clear("with the report")
    officer: bytes | None = clear("with the report", default=None)
    tag: bytes = sealed("with the report")


class Tombstone(SQLModel, table=True):
    """That something of a report was erased, so that a restored backup erases it again.

    ``written`` once the line stands in the file that is kept apart from the backups.
    """

    __tablename__ = "tombstones"
    __table_args__ = table(
        "cases",
        Index("ix_tombstones_written", "written", "day"),
        indexes.some_of("ix_tombstones_unwritten", ("id",), "written IS {no}"),
    )
    id: bytes = clear("life of a backup", primary_key=True)
    report: bytes = clear("life of a backup", index=True)
    what: str = clear("life of a backup")
    day: date = clear("life of a backup")
    written: bool = clear("life of a backup", default=False)
    tag: bytes = sealed("life of a backup")
