"""Where the server key stands in the store: every keyed or sealed column, and its id.

The id of the key is a byte of the value: the first of a tag, a wrap or a line of a chain,
the second of what was encrypted. A bare name (HMAC) tells no id; it is made anew with the
blob beside it, or it dies soon. A test holds this list against the models.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import LargeBinary, func
from sqlmodel import Session, SQLModel, select

from storage.crypto.server_key import ServerKeys

_UNNAMED = 32
"""Length of a chain's line from before lines named their key: the oldest made it."""


class How(StrEnum):
    """In which way a column depends on the server key."""

    TAG = "tag"
    BLOB = "blob"
    WRAP = "wrap"
    CHAIN = "chain"
    NAME = "name"
    NONE = "none"


_AT = {How.TAG: 1, How.BLOB: 2, How.WRAP: 1, How.CHAIN: 1}
_WITH_BLOB = "made anew with the blob beside it"
_CHAIN = "what was witnessed keeps the key that witnessed it, for ever"
_OTHER_KEY = "sealed to a unit, an officer, the vault or the reporter"
_INVITED = "7 days: the link that was sent out leads there"
_RANDOM = "random bytes"


@dataclass(frozen=True, slots=True)
class Place:
    """One column. ``stays`` says why a rotation leaves it; empty: it is written anew."""

    table: str
    column: str
    how: How
    stays: str = ""
    only: str = ""
    """A boolean column that must be true for the value to be under the server key."""

    @property
    def name(self) -> str:
        """Return ``table.column``."""
        return f"{self.table}.{self.column}"


def _tags(*tables: str) -> tuple[Place, ...]:
    return tuple(Place(table, "tag", How.TAG) for table in tables)


PLACES = (
    Place("inbox", "name", How.NAME, "7 days: repeats of messages are known by it"),
    Place("departed", "name", How.NAME, "48 hours: the last status comes under it"),
    Place("departed", "blob", How.BLOB, "48 hours: the last status comes under it"),
    Place("conversations", "handle", How.NAME, _WITH_BLOB),
    Place("conversations", "alias", How.NAME, "the next message brings it"),
    Place("conversations", "state", How.BLOB),
    Place("subscriptions", "id", How.NONE, _RANDOM),
    Place("subscriptions", "subscriber", How.NAME, _WITH_BLOB),
    Place("subscriptions", "case_name", How.NAME, "found by trying every case"),
    Place("subscriptions", "blob", How.BLOB),
    Place("outbox", "lease_token", How.NONE, _RANDOM),
    Place("outbox", "order_name", How.NAME, _WITH_BLOB),
    Place("outbox", "twin", How.NAME, _WITH_BLOB),
    Place("outbox", "blob", How.BLOB),
    Place("jobs", "id", How.NONE, _RANDOM),
    Place("jobs", "lease_token", How.NONE, _RANDOM),
    Place("jobs", "blob", How.BLOB),
    *_tags("drafts", "cases", "grants", "items", "files", "reveals", "conflicts"),
    *_tags("data_requests", "tombstones"),
    Place(
        "cases",
        "receipt_wrap",
        How.WRAP,
        "the code alone opens it: until the case is purged",
    ),
    Place("cases", "figures", How.BLOB),
    Place("cases", "head", How.CHAIN, _CHAIN),
    Place("grants", "secret", How.BLOB, only="wrapped"),
    Place("items", "blob", How.NONE, _OTHER_KEY),
    Place("files", "original_key", How.NONE, _OTHER_KEY),
    Place("files", "copy_key", How.NONE, _OTHER_KEY),
    Place("files", "details", How.NONE, _OTHER_KEY),
    Place("reveals", "request", How.NONE, _OTHER_KEY),
    Place("reveals", "answer", How.NONE, _OTHER_KEY),
    Place("events", "mac", How.CHAIN, _CHAIN),
    Place("events", "item_hash", How.NONE, "a hash without a key"),
    Place("audit", "mac", How.CHAIN, _CHAIN),
    *_tags("officers", "units", "unit_grants", "memberships", "recovery_keys"),
    *_tags("routes", "second_factors", "recovery_codes", "passkeys", "applications"),
    *_tags("breaches", "settings", "quarantine"),
    Place(
        "officers",
        "secret",
        How.WRAP,
        "the passphrase opens it: until the next sign-in",
    ),
    Place("officer_links", "handle", How.NAME, _WITH_BLOB),
    Place("officer_links", "blob", How.BLOB),
    Place("link_tokens", "hash", How.NAME, "15 minutes: deleted"),
    Place("link_tokens", "tag", How.TAG, "15 minutes: deleted"),
    Place("unit_grants", "secret", How.NONE, _OTHER_KEY),
    Place("sessions", "hash", How.NONE, "a hash of the cookie"),
    Place("sessions", "secret", How.WRAP, "deleted: everybody signs in again"),
    Place("sessions", "label", How.BLOB, "deleted: everybody signs in again"),
    Place("sessions", "tag", How.TAG, "deleted: everybody signs in again"),
    Place("second_factors", "secret", How.NONE, _OTHER_KEY),
    Place("recovery_codes", "hash", How.NONE, "under the officer's own key"),
    Place("passkeys", "name", How.NAME, _WITH_BLOB),
    Place("passkeys", "blob", How.BLOB),
    Place("invitations", "hash", How.NAME, _INVITED),
    Place("invitations", "tag", How.TAG, _INVITED),
    Place("quarantine", "blob", How.NONE, _OTHER_KEY),
)


@dataclass(frozen=True, slots=True)
class Need:
    """That ``count`` values of a column still need a key."""

    key_id: int
    place: Place
    count: int


def needs(session: Session, keys: ServerKeys) -> list[Need]:
    """Count what each key is needed for, by column; bare names are not counted here."""
    found = []
    for place in PLACES:
        if place.how in _AT:
            counted = _count(session, keys, place)
            found += [Need(i, place, count) for i, count in sorted(counted.items())]
    return found


def stale(place: Place, newest: int) -> Any:  # noqa: ANN401 - an SQL condition
    """Return the condition that a column is under another key than the newest."""
    column = _column(place)
    other = _id_of(place) != bytes((newest,))
    return other & column.is_not(None) & _where(place)


def named_until(session: Session, table: str, day: date) -> int:
    """Return how many bare names of a table are from this day or before."""
    days = SQLModel.metadata.tables[table].c.day
    query = select(func.count()).where(days <= day)
    return int(session.connection().execute(query).scalar_one())


def _count(session: Session, keys: ServerKeys, place: Place) -> Counter[int]:
    first, size = _id_of(place), func.length(_column(place))
    query = select(first, size, func.count()).where(_where(place)).group_by(first, size)
    found: Counter[int] = Counter()
    for key_id, length, count in session.connection().execute(query):
        if length == _UNNAMED and place.how is How.CHAIN:
            found[min(keys.ring)] += count
        elif key_id:
            found[key_id[0]] += count
    return found


def _column(place: Place) -> Any:  # noqa: ANN401 - a column of any type
    return SQLModel.metadata.tables[place.table].c[place.column]


def _id_of(place: Place) -> Any:  # noqa: ANN401 - an SQL expression
    return func.substr(_column(place), _AT[place.how], 1, type_=LargeBinary)


def _where(place: Place) -> Any:  # noqa: ANN401 - an SQL condition
    columns = SQLModel.metadata.tables[place.table].c
    return columns[place.only].is_(True) if place.only else _column(place).is_not(None)
