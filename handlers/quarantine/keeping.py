"""Keep what could not be understood: sealed to the vault, for seven days.

``keep_message`` tells the person honestly; where that stumbles too, ``keep_silently``
still keeps the bytes and decides nothing. A custodian reads what is kept and releases it
(``handlers/quarantine/release.py``).
"""

from handlers import inbox
from handlers.conversation.exchange import acknowledge
from handlers.errors import NotReady
from handlers.inbox import Outcome
from handlers.messages import Incoming, Kind, Reply
from handlers.notices import reporters
from handlers.work import Work
from storage import conversations, quarantine
from storage.cases import figures
from storage.crypto.sealing import NotAuthentic
from storage.units import units
from storage.words import Channel

_HEAR_NOTHING = frozenset({Kind.GROUP, Kind.BLOCKED, Kind.OPT_OUT})


def keep(
    work: Work, raw: bytes, reason: str, *, channel: Channel, name: str = ""
) -> Outcome:
    """Seal bytes that were not understood to the vault; ``reason`` is a code.

    ``name`` is the provider's, where it was used up for this: a custodian may release the
    message under it. Raises NotReady while the vault has no key of ours: an empty row
    would lose the message.
    """
    try:
        vault = units.vault(work.store, work.keys).public_key
    except (units.NoSuchUnit, NotAuthentic):
        vault = None
    if vault is None:
        raise NotReady
    day = work.day
    quarantine.put(
        work.store, work.keys, raw, reason, vault=vault, day=day, channel=channel.value
    )
    if name:
        conversations.quarantine(work.store, work.keys, channel, name, day=day)
    figures.bump(work.store, "quarantined", day=day)
    return Outcome.QUARANTINED


def keep_message(work: Work, incoming: Incoming, raw: bytes, reason: str) -> Outcome:
    """Keep a message that could not be taken, once, and tell its person so.

    Copies of its files stay at the provider while it may be released.
    """
    if incoming.channel is Channel.CANARY:
        return Outcome.QUARANTINED  # the server's own test: it hears nothing, and fails
    if not _is_first(work, incoming):
        return Outcome.REPEAT
    life = work.office.rulebook.lifetimes.days("quarantine")
    due = work.now + life if incoming.media else work.now
    inbox.owe_erasure(work, incoming, due)
    acknowledge(work, incoming)
    if incoming.kind not in _HEAR_NOTHING:
        reporters.say(
            work,
            Reply("X07"),
            channel=incoming.channel,
            to=incoming.handle,
            language=work.office.language(incoming.language_hint),
            heard=int(min(incoming.received, work.now).timestamp()),
        )
    return _keep_named(work, incoming, raw, reason)


def keep_silently(work: Work, incoming: Incoming, raw: bytes, reason: str) -> Outcome:
    """Keep a message's bytes, once, and tell nobody: the last way not to lose them."""
    if not _is_first(work, incoming):
        return Outcome.REPEAT
    return _keep_named(work, incoming, raw, reason)


def _is_first(work: Work, incoming: Incoming) -> bool:
    return conversations.first_seen(
        work.store, work.keys, incoming.channel, incoming.provider_id, day=work.day
    )


def _keep_named(work: Work, incoming: Incoming, raw: bytes, reason: str) -> Outcome:
    channel, name = incoming.channel, incoming.provider_id
    return keep(work, raw, reason, channel=channel, name=name)
