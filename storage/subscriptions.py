"""Who asked for notices on which case: both keyed, and the link ends with the wish."""

import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage import departed, outbox
from storage.keys import Purpose, ServerKeys
from storage.models import Subscription
from storage.sealing import Context, NotAuthentic, encode
from storage.words import Channel, Wanted


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody to tell, and how much; ``last_inbound`` is the POSIX second they last wrote."""

    channel: Channel
    handle: str = field(repr=False)
    language: str
    last_inbound: int
    kind: Wanted = Wanted.NEUTRAL


def add(
    session: Session, keys: ServerKeys, report: bytes, subscriber: Subscriber
) -> None:
    """Remember a wish for notices; asking again changes the language and the kind."""
    name = keys.look_up(Purpose.SUBSCRIBER, subscriber.channel, subscriber.handle)
    case_name = keys.look_up(Purpose.SUBSCRIPTION_CASE, report)
    row = session.exec(
        select(Subscription).where(
            Subscription.subscriber == name, Subscription.case_name == case_name
        )
    ).first()
    if row is None:
        row = Subscription(
            id=secrets.token_bytes(16), subscriber=name, case_name=case_name, blob=b""
        )
    row.blob = _lock(keys, row, subscriber)
    session.add(row)
    session.flush()


def of_case(session: Session, keys: ServerKeys, report: bytes) -> list[Subscriber]:
    """Return everybody who wants to hear of a case; a planted wish counts nothing."""
    case_name = keys.look_up(Purpose.SUBSCRIPTION_CASE, report)
    rows = session.exec(
        select(Subscription).where(Subscription.case_name == case_name)
    ).all()
    found = (_unlock(keys, row) for row in rows)
    return [subscriber for subscriber in found if subscriber is not None]


def heard_from(
    session: Session, keys: ServerKeys, channel: Channel, handle: str, *, now: datetime
) -> None:
    """Move a subscriber's last message to ``now`` (the 24 h window counts from it)."""
    name = keys.look_up(Purpose.SUBSCRIBER, channel, handle)
    for row in session.exec(
        select(Subscription).where(Subscription.subscriber == name)
    ).all():
        known = _unlock(keys, row)
        if known is None:
            continue
        moved = replace(known, handle=handle, last_inbound=int(now.timestamp()))
        row.blob = _lock(keys, row, moved)
        session.add(row)


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
    known = _unlock(keys, row)
    if known is None:
        raise NotAuthentic
    row.subscriber = keys.look_up(Purpose.SUBSCRIBER, known.channel, known.handle)
    row.case_name = case_name
    row.blob = _lock(keys, row, known)


def _silence(
    session: Session, keys: ServerKeys, channel: Channel, handle: str, *, case: str = ""
) -> None:
    """Let no notice leave any more, and what left lead to nobody."""
    outbox.take_back(session, keys, channel, handle, case=case)
    departed.leave_to_nobody(session, keys, channel, handle, case=case)
    session.flush()


def _lock(keys: ServerKeys, row: Subscription, subscriber: Subscriber) -> bytes:
    fields = {
        "channel": subscriber.channel.value,
        "handle": subscriber.handle,
        "language": subscriber.language,
        "last_inbound": subscriber.last_inbound,
        "kind": subscriber.kind.value,
    }
    return keys.lock(
        Purpose.SUBSCRIPTION, json.dumps(fields).encode("ascii"), _context(row)
    )


def _unlock(keys: ServerKeys, row: Subscription) -> Subscriber | None:
    try:
        raw = keys.unlock(Purpose.SUBSCRIPTION, row.blob, _context(row))
    except NotAuthentic:
        return None
    fields = json.loads(raw)
    return Subscriber(
        channel=Channel(fields["channel"]),
        handle=fields["handle"],
        language=fields["language"],
        last_inbound=fields["last_inbound"],
        kind=Wanted(fields.get("kind", Wanted.NEUTRAL)),
    )


def _context(row: Subscription) -> Context:
    """Bind a wish to its person and its case: a row turned to another case is no wish."""
    both = encode(row.subscriber, row.case_name)
    return Context("subscriptions", row.id, "blob", key=both)
