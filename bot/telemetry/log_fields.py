"""What a line of our log may hold: names, fields and values, each from a short list.

What reporters do is counted (``bot/telemetry/metrics.py``), not logged: their events are written
only when something is wrong, and they carry no id. A field is one of four sorts: an
officer-side id, a word, a number or an exception class.
"""

import re
from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Literal, TypeAlias

from handlers import messages
from storage import words

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Value: TypeAlias = Enum | str | int | float | BaseException | type[BaseException] | None

REPORTER_EVENTS = frozenset(
    {"incoming", "dialogue", "draft", "receipt", "delivery", "media", "quarantine"}
)
"""First words of events that reporters cause."""

ID_FIELDS = frozenset({"officer", "unit"})
WORD_FIELDS = frozenset(
    {
        "channel", "check", "database", "kind", "lease", "loop", "mode", "outcome", "policy",
        "provider", "reason", "role", "signal", "state", "status",
    }
)  # fmt: skip
NUMBER_FIELDS: Mapping[str, float] = MappingProxyType(
    {
        "attempt": 1_000,
        "code": 99_999,
        "count": 1_000_000,
        "days": 10_000,
        "http": 599,
        "kib": 1_000_000,
        "port": 65_535,
        "seconds": 1_000_000,
        "waiting": 1_000_000,
        "writers": 64,
    }
)
"""Greatest value of each: none has room for a telephone number or a chat id."""

VOCABULARY = frozenset(
    {
        str(member.value)
        for module in (words, messages)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, StrEnum)
        for member in kind
    }
    | {
        "conflict", "delivery", "down", "failed", "later", "media", "message", "never", "ok",
        "poller", "polling", "postgresql", "receipts", "refused", "registration", "scheduler", "sqlite",
        "started", "stopped", "store", "twilio", "unreachable", "up", "webhook", "webhooks",
        "writer",
    }
)  # fmt: skip
"""Plain strings that a word field takes; members of any enum are taken as well."""

_NAME = re.compile(r"[a-z]+(?:\.[a-z_]+)+")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_ID = re.compile(r"[0-9a-f]{32}")
_HIDDEN = object()


class Refused(Exception):
    """The name, field or value has no place in the log; see bot/telemetry/log_fields.py for what has."""


class _Strictness:
    strict = False


def be_strict(*, strict: bool = True) -> None:
    """Raise Refused from now on instead of leaving out; for tests."""
    _Strictness.strict = strict


def admit(
    name: str, level: Level, fields: Mapping[str, Value]
) -> dict[str, object] | None:
    """Return the fields that may be written, or None when the event may not."""
    reporter = name.partition(".")[0] in REPORTER_EVENTS
    if not _NAME.fullmatch(name):
        _refuse("an event name that is none")
        return None
    if reporter and level in {"debug", "info"}:
        _refuse(f"{name}: what reporters do is counted, not logged")
        return None
    admitted: dict[str, object] = {}
    for key, value in fields.items():
        if (reporter and key in ID_FIELDS) or (shown := _show(key, value)) is _HIDDEN:
            _refuse(f"{name}: field {key}")
        else:
            admitted[key] = shown
    return admitted


def class_name(kind: type[BaseException]) -> str:
    """Return an exception class as ``module.Name``, without the module if it is built in."""
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _refuse(what: str) -> None:
    if _Strictness.strict:
        raise Refused(f"{what}; see bot/telemetry/log_fields.py for what may be logged")


def _show(key: str, value: Value) -> object:
    """Return what is written for a value, or _HIDDEN; None is written as it is."""
    if value is None and key in ID_FIELDS | WORD_FIELDS | NUMBER_FIELDS.keys():
        return None
    if key in ID_FIELDS:
        return value if isinstance(value, str) and _ID.fullmatch(value) else _HIDDEN
    if key in WORD_FIELDS:
        return _word(value)
    if key in NUMBER_FIELDS:
        return _number(value, NUMBER_FIELDS[key])
    return _kind(value) if key == "error" else _HIDDEN


def _word(value: Value) -> object:
    if isinstance(value, Enum):
        written = str(value.value)
        return written if _WORD.fullmatch(written) else _HIDDEN
    return value if isinstance(value, str) and value in VOCABULARY else _HIDDEN


def _number(value: Value, greatest: float) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _HIDDEN
    return round(value, 3) if abs(value) <= greatest else _HIDDEN


def _kind(value: Value) -> object:
    kind = value if isinstance(value, type) else type(value)
    return class_name(kind) if issubclass(kind, BaseException) else _HIDDEN
