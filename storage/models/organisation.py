"""Tables of the house itself: officers, units, keys, sessions, settings, leases."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint
from sqlmodel import SQLModel

from storage.models.marks import clear, keyed, named, sealed, table

named(SQLModel.metadata)


class Officer(SQLModel, table=True):
    """An account; its secret key is wrapped by the passphrase and the server's pepper."""

    __tablename__ = "officers"
    __table_args__ = table("house")
    id: bytes = clear("with the account", primary_key=True)
    login: str = clear("with the account", unique=True)
    name: str = clear("with the account")
    role: str = clear("with the account")
    language: str = clear("with the account", default="id")
    active: bool = clear("with the account", default=True)
    generation: int = clear("with the account", default=1)
    public_key: bytes = clear("with the account")
    salt: bytes = clear("with the account")
    secret: bytes = sealed("with the account")
    tag: bytes = sealed("with the account")


class OfficerLink(SQLModel, table=True):
    """An officer's Telegram, under a sub-key that conversations do not share."""

    __tablename__ = "officer_links"
    __table_args__ = table("house")
    officer: bytes = clear("with the account", primary_key=True)
    handle: bytes = keyed("with the account", unique=True)
    blob: bytes = keyed("with the account")


class LinkToken(SQLModel, table=True):
    """A one-time deep link that waits to be pressed; only its keyed name is kept."""

    __tablename__ = "link_tokens"
    __table_args__ = table("house")
    hash: bytes = keyed("used, or 15 minutes", primary_key=True)
    officer: bytes = clear("used, or 15 minutes")
    expires: datetime = clear("used, or 15 minutes")
    tag: bytes = sealed("used, or 15 minutes")


class Unit(SQLModel, table=True):
    """A group of officers that owns a queue, or the vault."""

    __tablename__ = "units"
    __table_args__ = table(
        "house", CheckConstraint("kind IN ('handling', 'vault')", name="kind")
    )
    id: bytes = clear("never", primary_key=True)
    name: str = clear("never", unique=True)
    kind: str = clear("never")
    generation: int = clear("never", default=0)
    public_key: bytes | None = clear("never", default=None)
    tag: bytes = sealed("never")


class UnitGrant(SQLModel, table=True):
    """A unit's secret, sealed to one member or to a recovery key."""

    __tablename__ = "unit_grants"
    __table_args__ = table("house")
    id: bytes = clear("removal", primary_key=True)
    unit: bytes = clear("removal", index=True)
    recipient_kind: str = clear("removal")
    recipient: bytes = clear("removal", index=True)
    generation: int = clear("removal")
    secret: bytes = sealed("removal")
    tag: bytes = sealed("removal")


class Membership(SQLModel, table=True):
    """That an officer belongs to a unit; the tag proves that it was admitted."""

    __tablename__ = "memberships"
    __table_args__ = table("house")
    unit: bytes = clear("removal", primary_key=True)
    officer: bytes = clear("removal", primary_key=True)
    tag: bytes = sealed("removal")


class RecoveryKey(SQLModel, table=True):
    """A public half whose secret lies offline: ``cases`` or ``identities``."""

    __tablename__ = "recovery_keys"
    __table_args__ = table("house")
    id: bytes = clear("never", primary_key=True)
    purpose: str = clear("never", unique=True)
    public_key: bytes = clear("never")
    tag: bytes = sealed("never")


class Route(SQLModel, table=True):
    """Which unit gets which reports; empty means any. The tag is checked before use."""

    __tablename__ = "routes"
    __table_args__ = table("house")
    id: bytes = clear("never", primary_key=True)
    category: str = clear("never", default="")
    province: str = clear("never", default="")
    position: str = clear("never", default="")
    priority: int = clear("never", default=0)
    unit: bytes = clear("never")
    tag: bytes = sealed("never")


class Session(SQLModel, table=True):
    """A console session: found by a hash, its secret wrapped under the cookie's value."""

    __tablename__ = "sessions"
    __table_args__ = table("house")
    hash: bytes = keyed("20 minutes idle, 10 hours", primary_key=True)
    officer: bytes = clear("20 minutes idle, 10 hours", index=True)
    secret: bytes = sealed("20 minutes idle, 10 hours")
    began: datetime = clear("20 minutes idle, 10 hours")
    seen: datetime = clear("20 minutes idle, 10 hours", index=True)
    stage: str = clear("20 minutes idle, 10 hours", default="first")
    proved: datetime | None = clear("20 minutes idle, 10 hours", default=None)
    tries: int = clear("20 minutes idle, 10 hours", default=0)
    label: bytes = keyed("20 minutes idle, 10 hours", default=b"")
    tag: bytes = sealed("20 minutes idle, 10 hours", default=b"")


class SecondFactor(SQLModel, table=True):
    """An officer's TOTP secret, sealed to the officer's own key; a step counts once."""

    __tablename__ = "second_factors"
    __table_args__ = table("house")
    officer: bytes = clear("with the account", primary_key=True)
    secret: bytes = sealed("with the account")
    last_step: int = clear("with the account", default=0)
    tag: bytes = sealed("with the account")


class RecoveryCode(SQLModel, table=True):
    """A one-time code for an officer who lost their second factor."""

    __tablename__ = "recovery_codes"
    __table_args__ = table("house")
    hash: bytes = keyed("used, or with the account", primary_key=True)
    officer: bytes = clear("used, or with the account", index=True)
    tag: bytes = sealed("used, or with the account")


class Passkey(SQLModel, table=True):
    """A passkey as a second factor beside the passphrase."""

    __tablename__ = "passkeys"
    __table_args__ = table("house")
    name: bytes = keyed("removal", primary_key=True)
    officer: bytes = clear("removal", index=True)
    blob: bytes = keyed("removal")
    tag: bytes = sealed("removal")


class Invitation(SQLModel, table=True):
    """A one-time link by which somebody makes their own account; only its keyed name."""

    __tablename__ = "invitations"
    __table_args__ = table("house")
    hash: bytes = keyed("used, or 7 days", primary_key=True)
    login: str = clear("used, or 7 days")
    name: str = clear("used, or 7 days")
    role: str = clear("used, or 7 days")
    language: str = clear("used, or 7 days")
    unit: bytes | None = clear("used, or 7 days", default=None)
    officer: bytes | None = clear("used, or 7 days", default=None)
    expires: datetime = clear("used, or 7 days", index=True)
    tag: bytes = sealed("used, or 7 days")


class Application(SQLModel, table=True):
    """That an officer waits for a member of a unit to compare the fingerprint and admit."""

    __tablename__ = "applications"
    __table_args__ = table("house")
    unit: bytes = clear("admission, or with the account", primary_key=True)
    officer: bytes = clear("admission, or with the account", primary_key=True)
    tag: bytes = sealed("admission, or with the account")


class Breach(SQLModel, table=True):
    """A data breach that became known, and who was told of it when (D22)."""

    __tablename__ = "breaches"
    __table_args__ = table("house")
    id: bytes = clear("never", primary_key=True)
    known: datetime = clear("never")
    told_authority: datetime | None = clear("never", default=None)
    told_reporters: datetime | None = clear("never", default=None)
    tag: bytes = sealed("never")


class Setting(SQLModel, table=True):
    """A fact about this installation (``demo``, ``agency``), tagged."""

    __tablename__ = "settings"
    __table_args__ = table("house")
    name: str = clear("never", primary_key=True)
    value: str = clear("never")
    tag: bytes = sealed("never")


class Lease(SQLModel, table=True):
    """Who may do what only one process does, and how far it has come."""

    __tablename__ = "leases"
    __table_args__ = table("house")
    name: str = clear("never", primary_key=True)
    holder: str = clear("never", default="")
    until: datetime = clear("never")
    cursor: int = clear("never", default=0)


class Counter(SQLModel, table=True):
    """Daily figures that lead to nobody."""

    __tablename__ = "counters"
    __table_args__ = table("house")
    day: date = clear("never", primary_key=True)
    name: str = clear("never", primary_key=True)
    count: int = clear("never", default=0)


class Register(SQLModel, table=True):
    """The last number of the internal register, per year, and how many cases left one.

    ``gaps`` are numbers that no case has and the next ones get.
    """

    __tablename__ = "registers"
    __table_args__ = table("house")
    year: int = clear("never", primary_key=True)
    last: int = clear("never", default=0)
    gaps: int = clear("never", default=0)


class Watch(SQLModel, table=True):
    """How something that is watched stands: when it was last well, or since when not.

    ``name`` is a word of ours (``canary``), ``code`` says what is wrong, ``told`` when the
    operators were told. Nothing in it comes from a reporter.
    """

    __tablename__ = "watches"
    __table_args__ = table("house")
    name: str = clear("never", primary_key=True)
    good: datetime | None = clear("never", default=None)
    bad: datetime | None = clear("never", default=None)
    failures: int = clear("never", default=0)
    code: str = clear("never", default="")
    told: datetime | None = clear("never", default=None)


class Quarantine(SQLModel, table=True):
    """A message that could not be understood, sealed to the vault."""

    __tablename__ = "quarantine"
    __table_args__ = table("house")
    id: bytes = clear("7 days", primary_key=True)
    day: date = clear("7 days", index=True)
    channel: str = clear("7 days", default="")
    reason: str = clear("7 days")
    blob: bytes = sealed("7 days")
    tag: bytes = sealed("7 days")
