"""The canary's own rows: the server's test of itself, found by its mark and taken away."""

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, delete, select

from storage.cases import tags
from storage.crypto.server_key import ServerKeys
from storage.jobs import jobs
from storage.models import (
    Case,
    DataRequest,
    Event,
    File,
    Grant,
    Inbox,
    Item,
    Job,
    OutboxRow,
    Reveal,
)
from storage.notices import subscriptions
from storage.words import Channel, JobKind

_OF_A_CASE = (Item, Grant, Event, File, DataRequest, Reveal)
_AT_ONCE = 500


def case(session: Session, keys: ServerKeys, number: str) -> Case | None:
    """Return the canary's case with this number. Raises NotAuthentic."""
    query = select(Case).where(Case.number == number, col(Case.canary))
    found = session.exec(query).first()
    if found is not None:
        tags.check_case(keys, found)
    return found


def items_of(session: Session, found: Case) -> Sequence[Item]:
    """Return the rows of everything sealed in the canary's case."""
    return session.exec(select(Item).where(Item.report == found.report)).all()


def cases(session: Session) -> Sequence[Case]:
    """Return every row that bears the mark, unchecked."""
    return session.exec(select(Case).where(col(Case.canary))).all()


def erase_case(session: Session, keys: ServerKeys, found: Case) -> None:
    """Delete a case of the canary with everything of it."""
    subscriptions.end_for_case(session, keys, found.report)
    for table in _OF_A_CASE:
        session.connection().execute(
            delete(table).where(col(table.report) == found.report)
        )
    session.delete(found)
    session.flush()


def erase_letters(session: Session) -> None:
    """Delete what waits to leave for the canary."""
    to_canary = col(OutboxRow.channel) == Channel.CANARY.value
    session.connection().execute(delete(OutboxRow).where(to_canary))


def erase_jobs(session: Session, keys: ServerKeys) -> None:
    """Delete what is to be done for the canary; each row is opened to know whose it is.

    A receipt is owed, or a case that was opened to be forgotten.
    """
    kinds = (JobKind.RECEIPT.value, JobKind.FORGET.value)
    query = select(Job).where(col(Job.kind).in_(kinds))
    for row in session.exec(query).all():
        if jobs.details_of(keys, row).get("channel") == Channel.CANARY:
            session.delete(row)
    session.flush()


def forget_messages(session: Session, names: Iterable[bytes]) -> None:
    """Forget that messages of these names were taken."""
    left = list(names)
    for start in range(0, len(left), _AT_ONCE):
        some = col(Inbox.name).in_(left[start : start + _AT_ONCE])
        session.connection().execute(delete(Inbox).where(some))
