"""Which rows are valid now: a tagged list of their hashes, so that no old row comes back.

A tag proves that we wrote a row once; it does not prove that the row still counts. Each
list is one fact of this installation. A row counts while its hash stands in the list;
a table counts as a whole while the list names every row of it. Every change is a new
version. Putting back rows *and* the list needs the audit log to be cut as well, because
``witness`` writes version and hash into it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlmodel import Session, col, select

from storage.audit import installation, log
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.models import AuditLine, Setting

_HEX = 32
_CODE = "list."


class Name(StrEnum):
    """The lists: routes; officers, units and memberships; what stands beside a passphrase."""

    ROUTES = "routes"
    PEOPLE = "people"
    FACTORS = "factors"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A list as it stands: how often it was changed, and the hashes of the rows."""

    version: int
    rows: frozenset[str]

    @property
    def detail(self) -> str:
        """Return what the audit log keeps of it: version and hash."""
        whole = "".join(sorted(self.rows))
        return f"{self.version}:{sha256(whole.encode()).hexdigest()[:_HEX]}"


def name_of(content: bytes) -> str:
    """Return a row's place in a list; ``content`` is an encoding of all that decides."""
    return sha256(content).hexdigest()[:_HEX]


def present(session: Session, keys: ServerKeys, name: Name) -> Manifest:
    """Return a list. Raises NotAuthentic."""
    return transactions.once(
        session, ("manifest", name), lambda: _find(session, keys, name)
    )


def _find(session: Session, keys: ServerKeys, name: Name) -> Manifest:
    version, _, rows = installation.get_setting(session, keys, name).partition(" ")
    return Manifest(int(version or 0), frozenset(rows.split()))


def require(session: Session, keys: ServerKeys, name: Name, content: bytes) -> None:
    """Raise NotAuthentic unless this row counts now."""
    if name_of(content) not in present(session, keys, name).rows:
        raise NotAuthentic


def require_all(
    session: Session, keys: ServerKeys, name: Name, contents: Iterable[bytes]
) -> None:
    """Raise NotAuthentic unless these are all the rows there are."""
    if {name_of(one) for one in contents} != present(session, keys, name).rows:
        raise NotAuthentic


def hold(session: Session, name: Name) -> None:
    """Be the only one who changes a list until the commit.

    A verb that reads rows and then changes the list by them begins with this: whatever
    it reads afterwards stays as it is.
    """
    session.flush()
    session.get(Setting, name.value, with_for_update=True, populate_existing=True)
    session.expire_all()
    transactions.forget(session)


def change(
    session: Session,
    keys: ServerKeys,
    name: Name,
    *,
    out: Iterable[bytes] = (),
    into: Iterable[bytes] = (),
) -> None:
    """Take rows out of a list and others into it, in the transaction that changes them.

    Waits for another writer of the same list. Raises NotAuthentic when a row that goes
    does not count: a change never makes somebody else's change ours.
    """
    installation.hold(session, keys, name)
    now = present(session, keys, name)
    gone = {name_of(content) for content in out}
    if not gone <= now.rows:
        raise NotAuthentic
    rows = sorted((now.rows - gone) | {name_of(content) for content in into})
    installation.set_setting(
        session, keys, name, " ".join([str(now.version + 1), *rows])
    )


def witness(session: Session, keys: ServerKeys, *, now: datetime) -> None:
    """Write what changed since the last time into the audit log; a verb's last act."""
    for name in Name:
        now_valid = present(session, keys, name)
        detail = now_valid.detail
        if now_valid.version and detail != _witnessed(session, name):
            code = _CODE + name.value
            log.record(session, keys, code, officer=None, detail=detail, now=now)


def rolled_back(session: Session, keys: ServerKeys) -> list[Name]:
    """Return the lists that are older than the audit log says, or not what it says."""
    return [name for name in Name if not _is_present(session, keys, name)]


def _is_present(session: Session, keys: ServerKeys, name: Name) -> bool:
    known = _witnessed(session, name)
    try:
        now = present(session, keys, name)
    except NotAuthentic:
        return False
    version = int(known.partition(":")[0] or 0)
    return now.version > version or now.detail == known or not known


def _witnessed(session: Session, name: Name) -> str:
    last = session.exec(
        select(AuditLine.detail)
        .where(AuditLine.code == _CODE + name.value)
        .order_by(col(AuditLine.seq).desc())
        .limit(1)
    ).first()
    return last or ""
