"""What one message led to, and the facts by which the dialogue decided it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from handlers.messages import Command, Proof, Reply
from handlers.talk.state import State
from storage.words import Audience, ItemKind


@dataclass(frozen=True, slots=True)
class Promises:
    """What may be said of requests about own data: the day for each kind of them.

    ``held``: a legal process keeps the reporter's identity for now.
    """

    dates: Mapping[str, str] = field(default_factory=dict)
    held: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the world knows and the dialogue may not find out itself.

    ``token`` is a fresh random token (8 letters, url-safe) for a draft that may begin.
    ``may_add``: number and code were shown within the last 15 minutes. ``proof``: what
    became of number and code in this message; ``whole``: it held both itself, with no
    number from before; ``number_only``: it held a number but no code. ``promises`` are about the opened case. ``resumed_expired``: the draft had
    expired before this message came. ``cleans``: messages can be deleted on both sides
    of this chat. ``quoted``: the case whose notice this message quotes. ``late_part``: of
    the album with which a report was just sent; ``overtaken``: its person wrote since.
    ``flooding``: they sent so much within an hour that more is joined; ``repeated``: the
    very same words were taken from them.
    """

    now: datetime
    token: str = field(repr=False)
    may_add: bool = False
    proof: Proof = Proof.NONE
    whole: bool = False
    number_only: bool = False
    resumed_expired: bool = False
    promises: Promises = Promises()
    cleans: bool = False
    quoted: str = ""
    late_part: bool = False
    overtaken: bool = False
    flooding: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to seal. ``to_case``: to the open case, otherwise to the draft.

    ``media`` is an index into ``incoming.media``. A higher ``version`` of a step replaces
    the lower ones.
    ``beside``: to the case that was quoted, or sent a moment ago, not to the opened one.
    """

    step: str
    kind: ItemKind
    text: str = field(repr=False)
    audience: Audience = Audience.CASE
    to_case: bool = False
    version: int = 1
    media: int | None = None
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What one message led to."""

    state: State
    items: tuple[Item, ...] = ()
    replies: tuple[Reply, ...] = ()
    command: Command | None = None
