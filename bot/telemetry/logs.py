"""The log: our own typed events, and of everybody else only that something happened.

``event`` takes names and fields from short lists (``bot/telemetry/log_fields.py``), so that no text,
name, number, place or handle can slip in. Warnings of other libraries pass as logger name,
level and exception class, whatever they say. Below a warning they do not pass at any level,
and those that ask a provider never: httpx writes a line for each request and SQLAlchemy for
each statement, and its second alone would tell when somebody reported.
"""

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from traceback import walk_tb
from types import MappingProxyType, TracebackType
from typing import Any, Literal, TextIO, TypeAlias

from typing_extensions import override

from bot.telemetry import log_fields
from bot.telemetry.log_fields import Level, Value

Form: TypeAlias = Literal["json", "console"]

UVICORN_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {"log_config": None, "access_log": False}
)
"""How to start uvicorn: its log passes through here, and no access is logged."""

_LEVELS: Mapping[Level, int] = MappingProxyType(
    {
        "debug": logging.DEBUG,
        "info": logging.INFO,
        "warning": logging.WARNING,
        "error": logging.ERROR,
    }
)
_HOME = Path(__file__).parent.parent.parent
_OUR_FOLDERS = ("bot", "handlers", "storage")
_ASK_PROVIDERS = frozenset({"httpcore", "httpx", "telegram", "twilio"})
_MOST_FRAMES = 12
_MOST_CAUSES = 8
_logger = logging.getLogger("kentongan")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of our own log; its fields have passed the lists."""

    name: str
    fields: Mapping[str, object]

    @override
    def __str__(self) -> str:
        return " ".join(
            [self.name, *(f"{key}={value}" for key, value in self.fields.items())]
        )


def event(name: str, /, *, level: Level = "info", **fields: Value) -> None:
    """Write one of our own events, such as ``event("loop.started", loop="delivery")``.

    A name, field or value that the lists do not know raises ``log_fields.Refused`` in
    tests (``log_fields.be_strict``) and is left out in production.
    """
    if (admitted := log_fields.admit(name, level, fields)) is not None:
        _logger.log(_LEVELS[level], Event(name, admitted))


def failure(name: str, error: BaseException, /, **fields: Value) -> None:
    """Write that something failed: exception classes and our own lines, never a value."""
    if (admitted := log_fields.admit(name, "error", fields)) is not None:
        _logger.error(Event(name, {**admitted, **_anatomy(error)}))


def configure(*, form: Form, level: Level, stream: TextIO | None = None) -> None:
    """Make this the only log of the process; ``stream`` None means standard error.

    Other libraries are heard from "warning" on, whatever the level.
    """
    root = logging.getLogger()
    root.handlers = [_Output(stream or sys.stderr, form)]
    root.setLevel(logging.WARNING)
    _logger.setLevel(_LEVELS[level])
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.handlers = []
            logger.propagate = True
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    threading.excepthook = _uncaught_in_thread


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Log what no task of this loop caught."""
    loop.set_exception_handler(_uncaught_in_loop)


class _Output(logging.Handler):
    """The one handler: it never formats another library's message."""

    def __init__(self, stream: TextIO, form: Form) -> None:
        super().__init__()
        self._stream = stream
        import structlog  # noqa: PLC0415 - it loads all of rich; most commands log nothing

        self._render = (
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0)
        )

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if not _passes(record):
            return
        line = str(self._render(None, "", _line(record)))
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except (OSError, ValueError):
            # A full disk or a closed stream must not stop an intake; nobody is left to tell.
            return


def _passes(record: logging.LogRecord) -> bool:
    if isinstance(record.msg, Event):
        return True
    library = record.name.partition(".")[0]
    return record.levelno >= logging.WARNING and library not in _ASK_PROVIDERS


def _line(record: logging.LogRecord) -> dict[str, Any]:
    message: object = record.msg
    line: dict[str, Any] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(
            timespec="seconds"
        ),
        "level": _level_name(record.levelno),
        "event": message.name if isinstance(message, Event) else "library",
    }
    if isinstance(message, Event):
        line.update(message.fields)
    else:
        line["logger"] = record.name
        if record.exc_info and record.exc_info[0]:
            line["error"] = log_fields.class_name(record.exc_info[0])
    return line


def _level_name(number: int) -> Level:
    reached: list[Level] = [name for name, floor in _LEVELS.items() if number >= floor]
    return reached[-1] if reached else "debug"


def _anatomy(error: BaseException) -> dict[str, object]:
    chain = list(islice(_family(error, set()), _MOST_CAUSES))
    return {
        "error": log_fields.class_name(type(error)),
        "causes": [log_fields.class_name(type(cause)) for cause in chain[1:]],
        "where": [place for part in chain for place in _places(part.__traceback__)][
            -_MOST_FRAMES:
        ],
    }


def _family(error: BaseException, seen: set[int]) -> Iterator[BaseException]:
    if id(error) in seen:
        return
    seen.add(id(error))
    yield error
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _family(part, seen)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _family(cause, seen)


def _places(trace: TracebackType | None) -> Iterator[str]:
    for frame, line in walk_tb(trace):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_HOME):
            inside = path.relative_to(_HOME)
            if inside.parts[0] in _OUR_FOLDERS:
                yield f"{inside.as_posix()}:{line}"


def _uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        failure("process.failed", error.with_traceback(trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    failure("thread.failed", args.exc_value or args.exc_type())


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    failure("cleanup.failed", args.exc_value or args.exc_type())


def _uncaught_in_loop(
    _loop: asyncio.AbstractEventLoop, context: dict[str, Any]
) -> None:
    error = context.get("exception")
    if isinstance(error, BaseException):
        failure("task.failed", error)
    else:
        event("task.failed", level="error")
