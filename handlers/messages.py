"""What comes in and what is said back, free of any provider.

``Incoming`` is made by a channel's ``parse``; ``Reply`` is made by the dialogue and the
verbs, rendered by ``handlers.texts`` and posted through ``storage.outbox``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from storage.words import Channel, Mark, Wanted


class Kind(StrEnum):
    """The shape of an incoming message."""

    TEXT = "text"
    PRESS = "press"
    MEDIA = "media"
    LOCATION = "location"
    CONTACT = "contact"
    EDIT = "edit"
    MOVED = "moved"
    GROUP = "group"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Media:
    """A file that the provider holds for us. Sizes are bytes, 0 when unknown.

    ``reference`` is what the channel needs to fetch it (a file id, a URL): a secret.
    ``same`` is equal for the same file, "" where the provider does not tell.
    ``refused`` names a text of the catalogue when the file can never be taken, ``most``
    how large it might have been, in MiB.
    """

    reference: str = field(repr=False)
    content_type: str = ""
    name: str = field(default="", repr=False)
    size: int = 0
    refused: str = ""
    same: str = field(default="", repr=False, compare=False)
    most: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of one person, as every channel tells it.

    ``handle`` is opaque (a chat id, ``whatsapp:+62…``, a business-scoped id, a number).
    ``aliases`` are further handles of the same person. ``provider_id`` makes a repeat
    known. ``order`` grows with the provider's own sequence (``update_id``; 0 if none).
    ``press`` is the callback data of a button, ``press_id`` what an acknowledgment needs.
    ``message_id`` names the message in its chat, for a clean chat and for edits.
    ``quotes`` is the provider's id of the message that this one answers. ``marks`` say
    what else an officer should know of it. ``live`` is set while a place may still move
    (updates come as MOVED). ``group`` ties the parts of an album. ``received`` is UTC.
    ``recovered``: it was found at the provider, long after its webhook was lost.
    ``erase`` is the provider's id of a copy to erase after our commit (Twilio's
    MessageSid).
    """

    channel: Channel
    handle: str = field(repr=False)
    provider_id: str = field(repr=False)
    received: datetime
    kind: Kind
    text: str = field(default="", repr=False)
    press: str = field(default="", repr=False)
    press_id: str = field(default="", repr=False)
    media: tuple[Media, ...] = field(default=(), repr=False)
    order: int = 0
    message_id: int = 0
    group: str = field(default="", repr=False)
    aliases: tuple[str, ...] = field(default=(), repr=False)
    language_hint: str = ""
    erase: str = field(default="", repr=False)
    quotes: str = field(default="", repr=False)
    marks: tuple[Mark, ...] = ()
    live: bool = False
    recovered: bool = False

    @property
    def handles(self) -> tuple[str, ...]:
        """Return every handle of the person once, first the one that is answered."""
        return tuple(dict.fromkeys((self.handle, *self.aliases)))


@dataclass(frozen=True, slots=True)
class Choice:
    """A button.

    ``data`` (at most 64 bytes) comes back when pressed, ``label`` is a msgid of the
    catalogue (context ``button``).
    """

    data: str
    label: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Something to say: a msgid with its parameters, or an officer's words verbatim.

    ``text`` is a step or message code (``Q10``, ``X01``, ``S.REVIEW``). ``literal`` is
    added after the rendered text, as it is. ``choices`` become buttons and, on chat
    channels, numbered lines too.
    """

    text: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    choices: tuple[Choice, ...] = ()
    literal: str = field(default="", repr=False)


class Proof(StrEnum):
    """What became of the number and code that a message carried."""

    NONE = "none"
    OPENED = "opened"
    WRONG = "wrong"
    BUSY = "busy"


class CommandName(StrEnum):
    """What the dialogue asks the verbs to do after the items are sealed."""

    SUBMIT = "submit"
    DISCARD = "discard"
    STATUS = "status"
    READ = "read"
    WITHDRAW = "withdraw"
    FORGET = "forget"
    ERASE = "erase"
    RESTRICT = "restrict"
    ACCESS = "access"
    CORRECT = "correct"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Command:
    """A verb to run.

    ``answers`` (SUBMIT only) maps choice steps to their codes, ``notify`` is the kind of
    notices that the reporter opted in to, None for none.
    """

    name: CommandName
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    notify: Wanted | None = None
