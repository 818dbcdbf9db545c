"""Who asked for notices on which case: both keyed, and the link ends with the wish."""

import secrets
from dataclasses import replace

from sqlalchemy import delete
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from storage import outbox
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.statement import Statement
from storage.letters import sent
from storage.models import Subscription
from storage.notices import subscribers
from storage.notices.subscribers import Notices, Subscriber
from storage.words import Channel


def add(
    session: Session, keys: ServerKeys, report: bytes, subscriber: Subscriber
) -> None:
    """Remember a wish for notices; asking again changes the language and the kind."""
    name = keys.look_up(Purpose.SUBSCRIBER, subscriber.channel, subscriber.handle)
    case_name = keys.look_up(Purpose.SUBSCRIPTION_CASE, report)
    row = session.exec(
        select(Subscription)
        .where(Subscription.subscriber == name, Subscription.case_name == case_name)
        .with_for_update()
    ).first()
    if row is None:
        row = Subscription(
            id=secrets.token_bytes(16), subscriber=name, case_name=case_name, blob=b""
        )
    before = subscribers.unlock(keys, row) if row.blob else None
    notices = before.notices if before is not None else Notices()
    owed = before is not None and before.owed
    wish = replace(subscriber, report=report.hex(), notices=notices, owed=owed)
    row.blob = subscribers.lock(keys, row, wish)
    session.add(row)
    session.flush()


def of_case(session: Session, keys: ServerKeys, report: bytes) -> list[Subscriber]:
    """Return everybody who wants to hear of a case; a planted wish counts nothing."""
    case_name = keys.look_up(Purpose.SUBSCRIPTION_CASE, report)
    rows = session.exec(
        select(Subscription).where(Subscription.case_name == case_name)
    ).all()
    found = (subscribers.unlock(keys, row) for row in rows)
    return [subscriber for subscriber in found if subscriber is not None]


_WISHES = Statement("SELECT 1 FROM subscriptions WHERE subscriber = :name LIMIT 1")


def heard_from(
    session: Session, keys: ServerKeys, channel: Channel, handle: str, *, heard: int
) -> list[bytes]:
    """Move a subscriber's last message on to ``heard`` (POSIX seconds), never back.

    The 24 h window counts from it. Returns the reports of which news was owed; it is owed
    no more.
    """
    owed: list[bytes] = []
    name = keys.look_up(Purpose.SUBSCRIBER, channel, handle)
    if not _WISHES(session, name=name).first():
        return owed
    for row, known in held(session, keys, channel, handle):
        if known.owed and known.report:
            owed.append(bytes.fromhex(known.report))
        latest = max(known.last_inbound, heard)
        moved = replace(known, handle=handle, last_inbound=latest, owed=False)
        keep(session, keys, row, moved)
    return owed


def held(
    session: Session,
    keys: ServerKeys,
    channel: Channel,
    handle: str,
    *,
    lock: bool = True,
) -> list[tuple[Subscription, Subscriber]]:
    """Return a handle's wishes, held: one is read, changed and written (``keep``)."""
    name = keys.look_up(Purpose.SUBSCRIBER, channel, handle)
    query = _of(name).order_by(col(Subscription.id))
    query = query.with_for_update() if lock else query
    found = ((row, subscribers.unlock(keys, row)) for row in session.exec(query).all())
    return [(row, known) for row, known in found if known is not None]


def keep(
    session: Session, keys: ServerKeys, row: Subscription, known: Subscriber
) -> None:
    """Write what became of a wish."""
    row.blob = subscribers.lock(keys, row, known)
    session.add(row)
    session.flush()


def told(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    channel: Channel,
    handle: str,
    provider_id: str,
) -> None:
    """Remember which case a notice was about, for whoever answers by quoting it."""
    name = keys.look_up(Purpose.SUBSCRIBER, channel, handle)
    case_name = keys.look_up(Purpose.SUBSCRIPTION_CASE, report)
    row = session.exec(
        _of(name).where(Subscription.case_name == case_name).with_for_update()
    ).first()
    known = subscribers.unlock(keys, row) if row is not None else None
    if row is None or known is None:
        return
    notices = known.notices.with_id(provider_id)
    row.blob = subscribers.lock(
        keys, row, replace(known, report=report.hex(), notices=notices)
    )
    session.add(row)
    session.flush()


def quoted(
    session: Session, keys: ServerKeys, channel: Channel, handle: str, provider_id: str
) -> bytes | None:
    """Return the case that a person's quoted notice is about; None if it is none of ours.

    A wish that was moved to another case is no wish: the case must be the row's own.
    """
    name = keys.look_up(Purpose.SUBSCRIBER, channel, handle)
    for row in session.exec(_of(name)).all():
        known = subscribers.unlock(keys, row)
        if known is None or not known.report or provider_id not in known.notices:
            continue
        report = bytes.fromhex(known.report)
        if row.case_name == keys.look_up(Purpose.SUBSCRIPTION_CASE, report):
            return report
    return None


def end_for_handle(
    session: Session, keys: ServerKeys, channel: Channel, handle: str
) -> int:
    """End all notices to a handle, those that wait too; returns how many wishes ended."""
    _silence(session, keys, channel, handle)
    name = keys.look_up(Purpose.SUBSCRIBER, channel, handle)
    session.flush()
    gone = session.connection().execute(
        delete(Subscription).where(col(Subscription.subscriber) == name)
    )
    return gone.rowcount


def end(
    session: Session, keys: ServerKeys, report: bytes, channel: Channel, handle: str
) -> int:
    """End a handle's notices about one case; returns how many wishes ended."""
    _silence(session, keys, channel, handle, case=report.hex())
    name = keys.look_up(Purpose.SUBSCRIBER, channel, handle)
    case_name = keys.look_up(Purpose.SUBSCRIPTION_CASE, report)
    gone = session.connection().execute(
        delete(Subscription).where(
            col(Subscription.subscriber) == name,
            col(Subscription.case_name) == case_name,
        )
    )
    return gone.rowcount


def end_for_case(session: Session, keys: ServerKeys, report: bytes) -> int:
    """End all notices about a case, those that wait too; returns how many wishes ended."""
    for one in of_case(session, keys, report):
        _silence(session, keys, one.channel, one.handle, case=report.hex())
    case_name = keys.look_up(Purpose.SUBSCRIPTION_CASE, report)
    session.flush()
    gone = session.connection().execute(
        delete(Subscription).where(col(Subscription.case_name) == case_name)
    )
    return gone.rowcount


def case_names(keys: ServerKeys, report: bytes) -> tuple[bytes, ...]:
    """Return the names of a case here under every server key, the newest first."""
    return keys.look_ups(Purpose.SUBSCRIPTION_CASE, report)


def rename(keys: ServerKeys, row: Subscription, case_name: bytes) -> None:
    """Keep a wish under the newest server key, by names and content. Raises NotAuthentic."""
    known = subscribers.unlock(keys, row)
    if known is None:
        raise NotAuthentic
    row.subscriber = keys.look_up(Purpose.SUBSCRIBER, known.channel, known.handle)
    row.case_name = case_name
    row.blob = subscribers.lock(keys, row, known)


def _of(name: bytes) -> SelectOfScalar[Subscription]:
    return select(Subscription).where(Subscription.subscriber == name)


def _silence(
    session: Session, keys: ServerKeys, channel: Channel, handle: str, *, case: str = ""
) -> None:
    """Let no notice leave any more, and what left lead to nobody."""
    outbox.take_back(session, keys, channel, handle, case=case)
    sent.leave_to_nobody(session, keys, channel, handle, case=case)
    session.flush()
