"""What the dialogue remembers of a conversation between two messages.

``State`` holds codes and counters only: never a word that the reporter wrote, never a
number or code of a receipt. It is stored encrypted.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

_SAID_AT_MOST: Final = 64
_ALBUMS_AT_MOST: Final = 4
_LIVE_AT_MOST: Final = 4


@dataclass(frozen=True, slots=True)
class State:
    """One conversation. ``State(language="id")`` is a new one.

    ``step`` is the open question ("" when none is), ``held`` the question of the draft
    that waits while something else is asked, ``back`` where an edit returns to. ``itself``:
    the draft sends itself when nothing came for a while.
    ``menu`` is the question whose numbered choices were shown last ("" when nothing else
    was said since), for people who type a number where no question is open.
    ``purpose`` is the command that waits for number and code. ``said`` maps message ids
    to the steps they answered, for edits, ``files`` those of files to a trace of the file.
    ``albums`` are those that were acknowledged, ``captioned`` the one whose caption was an
    answer. ``live`` are live locations: message id, minute and count of what was kept.
    ``base`` and ``presses`` let a text that a
    press overtook be put where it belongs (``handlers.talk.out_of_order``).
    """

    language: str = "id"
    chosen: bool = False
    draft: str = field(default="", repr=False)
    step: str = ""
    held: str = ""
    back: str = ""
    menu: str = ""
    purpose: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    filled: tuple[str, ...] = ()
    reopened: bool = False
    noted: bool = False
    itself: bool = False
    unclear: int = 0
    said: tuple[tuple[int, str], ...] = ()
    files: tuple[tuple[int, str], ...] = field(default=(), repr=False)
    albums: tuple[str, ...] = field(default=(), repr=False)
    captioned: str = field(default="", repr=False)
    live: tuple[tuple[int, int, int], ...] = ()
    newest: int = 0
    base: "State | None" = None
    presses: tuple[tuple[int, str], ...] = field(default=(), repr=False)

    @property
    def has_draft(self) -> bool:
        """Whether a report has been begun and not yet been sent."""
        return bool(self.draft)

    def fresh(self) -> "State":
        """Return a state that remembers the language and nothing else."""
        return State(language=self.language, chosen=self.chosen)

    def with_said(self, message_id: int, step: str) -> "State":
        """Remember which step a message answered (of the newest 64 messages)."""
        if not message_id:
            return self
        said = (*(one for one in self.said if one[0] != message_id), (message_id, step))
        return replace(self, said=said[-_SAID_AT_MOST:])

    def with_file(self, message_id: int, trace: str) -> "State":
        """Remember a trace of the file that a message brought."""
        if not message_id or not trace:
            return self
        files = (
            *(one for one in self.files if one[0] != message_id),
            (message_id, trace),
        )
        return replace(self, files=files[-_SAID_AT_MOST:])

    def with_album(self, group: str) -> "State":
        """Remember that the parts of an album were acknowledged."""
        if not group or group in self.albums:
            return self
        return replace(self, albums=(*self.albums, group)[-_ALBUMS_AT_MOST:])

    def with_live(self, message_id: int, minute: int, count: int) -> "State":
        """Remember when a live location was kept last, and how often."""
        others = self.without_live(message_id).live
        live = (*others, (message_id, minute, count))
        return replace(self, live=live[-_LIVE_AT_MOST:])

    def without_live(self, message_id: int) -> "State":
        """Forget a live location."""
        live = tuple(one for one in self.live if one[0] != message_id)
        return replace(self, live=live)

    def with_filled(self, step: str) -> "State":
        """Mark a step as answered in words or files."""
        return (
            self if step in self.filled else replace(self, filled=(*self.filled, step))
        )

    def with_answer(self, step: str, code: str) -> "State":
        """Set or (with an empty code) remove the coded answer of a step."""
        answers = {key: value for key, value in self.answers.items() if key != step}
        return replace(self, answers=answers | ({step: code} if code else {}))

    def to_json(self) -> str:
        """Return the state as JSON, what is empty left out."""
        return json.dumps(_plain(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "State":
        """Read a state; what is unknown or of a wrong type is left out, never an error."""
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError):
            return cls()
        return _read(raw)


_NAMES: Final = {one.name: None for one in fields(State)}.keys()
"""The fields, in the order in which they are written."""


def _plain(state: State) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in _NAMES:
        value = getattr(state, name)
        if name == "base":
            value = _plain(value) if value else None
        if value or value is False:
            row[name] = value
    return row


def _read(raw: object) -> State:
    if not isinstance(raw, dict):
        return State()
    known: dict[str, Any] = {}
    for name in _NAMES & raw.keys():
        value = _READERS.get(name, _word)(raw[name])
        if value is not None:
            known[name] = value
    return State(**known)


def _word(value: object) -> str | None:
    return value if value and isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _state(value: object) -> State | None:
    if not isinstance(value, dict):
        return None
    return _read({key: one for key, one in value.items() if key != "base"})


def _codes(value: object) -> dict[str, str] | None:
    if not isinstance(value, dict):
        return None
    return {key: one for key, one in value.items() if isinstance(one, str)}


def _versions(value: object) -> dict[str, int] | None:
    if not isinstance(value, dict):
        return None
    return {key: one for key, one in value.items() if _count(one) is not None}


def _strings(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(one for one in value if isinstance(one, str))


def _pairs(value: object) -> tuple[tuple[int, str], ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(
        (one[0], one[1])
        for one in value
        if isinstance(one, list)
        and len(one) == len(("id", "step"))
        and _count(one[0]) is not None
        and isinstance(one[1], str)
    )


def _triples(value: object) -> tuple[tuple[int, int, int], ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(
        (one[0], one[1], one[2])
        for one in value
        if isinstance(one, list)
        and len(one) == len(("id", "minute", "count"))
        and all(_count(part) is not None for part in one)
    )


_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "chosen": _flag,
    "reopened": _flag,
    "itself": _flag,
    "noted": _flag,
    "unclear": _count,
    "newest": _count,
    "base": _state,
    "answers": _codes,
    "versions": _versions,
    "said": _pairs,
    "presses": _pairs,
    "files": _pairs,
    "albums": _strings,
    "live": _triples,
    "filled": _strings,
}
