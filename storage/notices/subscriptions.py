"""Who asked for notices on which case: both keyed, and the link ends with the wish.

Long because every function here opens and closes the same encrypted row.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import delete
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from storage import outbox
from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import Purpose, ServerKeys
from storage.letters import sent
from storage.models import Subscription
from storage.words import Channel, Wanted

_NOTICES: Final = 5
"""Notices that may still be answered by quoting them; older ones are forgotten."""
_NO_NOTICE: Final = "0" * 32


@dataclass(frozen=True, slots=True)
class Notices:
    """The last notices of a wish, by name: an HMAC of the provider's id under ``salt``.

    The salt lies beside the names under the server key, so they outlive a change of it;
    the bare ids, which the provider could be asked for, stand nowhere. There are always
    five, so that the length of a wish does not tell how much was said.
    """

    salt: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    names: tuple[str, ...] = field(default=(_NO_NOTICE,) * _NOTICES, repr=False)

    def with_id(self, provider_id: str) -> "Notices":
        """Add a notice; the oldest one makes place."""
        return replace(self, names=(*self.names, self._name(provider_id))[-_NOTICES:])

    def __contains__(self, provider_id: str) -> bool:
        """Tell whether a provider's id is that of one of these notices."""
        return self._name(provider_id) in self.names

    def _name(self, provider_id: str) -> str:
        salt = bytes.fromhex(self.salt)
        return hmac.digest(
            salt, provider_id.encode("utf-8", "replace"), "sha256"
        ).hex()[: len(_NO_NOTICE)]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody to tell, and how much; ``last_inbound`` is the POSIX second they last wrote.

    ``report`` (hex) and ``notices`` tell which case a quoted notice is about. ``owed``:
    there is news that could not be told; it is told when they write again.
    """

    channel: Channel
    handle: str = field(repr=False)
    language: str
    last_inbound: int
    kind: Wanted = Wanted.NEUTRAL
    report: str = field(default="", repr=False)
    notices: Notices = field(default_factory=Notices, repr=False)
    owed: bool = False


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
    before = _unlock(keys, row) if row.blob else None
    notices = before.notices if before is not None else Notices()
    owed = before is not None and before.owed
    wish = replace(subscriber, report=report.hex(), notices=notices, owed=owed)
    row.blob = _lock(keys, row, wish)
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
    session: Session, keys: ServerKeys, channel: Channel, handle: str, *, heard: int
) -> list[bytes]:
    """Move a subscriber's last message on to ``heard`` (POSIX seconds), never back.

    The 24 h window counts from it. Returns the reports of which news was owed; it is owed
    no more.
    """
    owed = []
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
    found = ((row, _unlock(keys, row)) for row in session.exec(query).all())
    return [(row, known) for row, known in found if known is not None]


def keep(
    session: Session, keys: ServerKeys, row: Subscription, known: Subscriber
) -> None:
    """Write what became of a wish."""
    row.blob = _lock(keys, row, known)
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
    known = _unlock(keys, row) if row is not None else None
    if row is None or known is None:
        return
    notices = known.notices.with_id(provider_id)
    row.blob = _lock(keys, row, replace(known, report=report.hex(), notices=notices))
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
        known = _unlock(keys, row)
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
    known = _unlock(keys, row)
    if known is None:
        raise NotAuthentic
    row.subscriber = keys.look_up(Purpose.SUBSCRIBER, known.channel, known.handle)
    row.case_name = case_name
    row.blob = _lock(keys, row, known)


def _of(name: bytes) -> SelectOfScalar[Subscription]:
    return select(Subscription).where(Subscription.subscriber == name)


def _silence(
    session: Session, keys: ServerKeys, channel: Channel, handle: str, *, case: str = ""
) -> None:
    """Let no notice leave any more, and what left lead to nobody."""
    outbox.take_back(session, keys, channel, handle, case=case)
    sent.leave_to_nobody(session, keys, channel, handle, case=case)
    session.flush()


def _lock(keys: ServerKeys, row: Subscription, subscriber: Subscriber) -> bytes:
    fields = {
        "channel": subscriber.channel.value,
        "handle": subscriber.handle,
        "language": subscriber.language,
        "last_inbound": subscriber.last_inbound,
        "kind": subscriber.kind.value,
        "report": subscriber.report,
        "salt": subscriber.notices.salt,
        "notices": subscriber.notices.names,
        "owed": int(subscriber.owed),
    }
    return keys.lock(
        Purpose.SUBSCRIPTION, json.dumps(fields).encode("ascii"), _context(row)
    )


def _unlock(keys: ServerKeys, row: Subscription) -> Subscriber | None:
    try:
        raw = keys.unlock(Purpose.SUBSCRIPTION, row.blob, _context(row))
        return _read(sealing.told(raw))
    except NotAuthentic:
        return None


def _read(fields: dict[str, Any]) -> Subscriber:
    with sealing.as_written():
        return Subscriber(
            channel=Channel(fields["channel"]),
            handle=fields["handle"],
            language=fields["language"],
            last_inbound=fields["last_inbound"],
            kind=Wanted(fields.get("kind", Wanted.NEUTRAL)),
            report=fields.get("report", ""),
            notices=Notices(fields["salt"], tuple(fields["notices"]))
            if "salt" in fields
            else Notices(),
            owed=bool(fields.get("owed")),
        )


def _context(row: Subscription) -> Context:
    """Bind a wish to its person and its case: a row turned to another case is no wish."""
    both = encode(row.subscriber, row.case_name)
    return Context("subscriptions", row.id, "blob", key=both)
