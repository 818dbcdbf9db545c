"""The last way to keep a message: nothing is decided and nobody is told of it.

Where a message makes us stumble and setting it aside with an honest word stumbles too
(``handlers.inbox.set_aside``), its bytes are still kept, sealed, and never come again.
"""

from datetime import datetime

from sqlmodel import Session

from handlers import inbox
from handlers.messages import Incoming
from handlers.office import Office
from storage import conversations


def keep(
    session: Session,
    office: Office,
    incoming: Incoming,
    raw: bytes,
    reason: str,
    *,
    now: datetime,
) -> bool:
    """Seal a message's bytes to the vault, once; False for a repeat. Raises NotReady."""
    day = office.day(now)
    if not conversations.first_seen(
        session, office.keys, incoming.channel, incoming.provider_id, day=day
    ):
        return False
    channel, name = incoming.channel, incoming.provider_id
    inbox.quarantine(session, office, raw, reason, channel=channel, name=name, now=now)
    return True
