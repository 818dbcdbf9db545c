"""Somebody who asked for notices on a case, as they are kept under the server key."""

import hmac
import json
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Final

from storage.crypto import sealing
from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import Purpose, ServerKeys
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


def lock(keys: ServerKeys, row: Subscription, subscriber: Subscriber) -> bytes:
    """Return a subscriber as they are kept in a row."""
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
    written = sealing.spaced(json.dumps(fields).encode("ascii"))
    return keys.lock(Purpose.SUBSCRIPTION, written, context(row))


def unlock(keys: ServerKeys, row: Subscription) -> Subscriber | None:
    """Return the subscriber of a row; None for a row that was not written by us."""
    try:
        raw = keys.unlock(Purpose.SUBSCRIPTION, row.blob, context(row))
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


def context(row: Subscription) -> Context:
    """Bind a wish to its person and its case: a row turned to another case is no wish."""
    both = encode(row.subscriber, row.case_name)
    return Context("subscriptions", row.id, "blob", key=both)
