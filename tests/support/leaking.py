"""Faults on purpose: every function that is handed a marked value fails once, and says it.

The code of a function is exchanged, so it fails wherever its name was imported to. It
fails the first time that one of its arguments holds a mark, as deep as attributes, lists
and dictionaries lead; afterwards it works as written.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

from typer import Typer

from bot import cli

OURS = ("bot", "handlers", "storage")
NOT_HERE = (
    *(
        "bot.simulator",
        "bot.__main__",
        "bot.telemetry.logs",
        "bot.telemetry.log_fields",
    ),
    "storage.migrations",
)
"""The simulator plays providers; the log itself is tried in tests/bot/telemetry/test_logs.py."""
_DEEP = 4
_OF_OPTIONS = {"_chosen"}
"""Callbacks of options: Typer looks at their parameters too."""
_spilling: list["Spilling"] = []


class Spilled(Exception):
    """Holds everything that its function was handed, in clear."""


class Spilling:
    """Lets functions fail; ``raised`` maps each that did to the marks it had."""

    def __init__(self, marks: Mapping[str, str | bytes]) -> None:
        self.marks = dict(marks)
        self.raised: dict[str, set[str]] = {}
        self.functions: list[FunctionType] = []
        self.was: list[CodeType] = []

    def arm(self) -> None:
        """Exchange the code of every function of ours."""
        _spilling.append(self)
        for function in _functions():
            number = len(self.functions)
            self.functions.append(function)
            self.was.append(function.__code__)
            function.__code__ = _spilling_code(number)

    def disarm(self) -> None:
        """Put everything back."""
        for function, code in zip(self.functions, self.was, strict=True):
            function.__code__ = code
        _spilling.remove(self)

    def called(self, number: int, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Fail if a mark came in, else do what the function does."""
        function, code = self.functions[number], self.was[number]
        text = "\n".join(told((given, named)))
        found = {name for name, mark in self.marks.items() if _plain(mark) in text}
        if found:
            function.__code__ = code
            self.raised[f"{function.__module__}.{function.__qualname__}"] = found
            raise Spilled(text, given, named)
        real = FunctionType(
            code, function.__globals__, function.__name__, function.__defaults__
        )
        real.__kwdefaults__ = function.__kwdefaults__
        return real(*given, **named)

    @property
    def modules(self) -> set[str]:
        """Return the modules in which something failed."""
        return {name.rpartition(".")[0] for name in self.raised}


@contextmanager
def spilling(marks: Mapping[str, str | bytes]) -> Iterator[Spilling]:
    """Arm for a while."""
    made = Spilling(marks)
    made.arm()
    try:
        yield made
    finally:
        made.disarm()


def call(number: int, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Be what an armed function does."""
    return _spilling[-1].called(number, given, named)


def told(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield what stands in a value, whatever its repr hides."""
    match value:
        case str():
            yield value
        case bytes() | bytearray():
            yield bytes(value).decode("latin-1")
        case bool() | float() | type() | None:
            return
        case int():
            yield str(value)
        case _ if depth < _DEEP:
            for one in _inside(value):
                yield from told(one, depth + 1)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from (*value.keys(), *value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from value
    elif type(value).__module__.partition(".")[0] in OURS:
        for name in (*getattr(type(value), "__slots__", ()), *_fields(value)):
            yield getattr(value, name, None)


def _plain(mark: str | bytes) -> str:
    return mark.decode("latin-1") if isinstance(mark, bytes) else mark


def _fields(value: Any) -> list[str]:
    """Return the attributes that hold what came from outside, not the house itself."""
    return [name for name in getattr(value, "__dict__", {}) if not name.startswith("_")]


def _spilling_code(number: int) -> CodeType:
    source = (
        "def spill(*given, **named):\n"
        "    from tests.support.leaking import call\n"
        f"    return call({number}, given, named)\n"
    )
    space: dict[str, Callable[..., Any]] = {}
    exec(source, space)  # noqa: S102 - our own three lines
    return space["spill"].__code__


def _functions() -> Iterator[FunctionType]:
    """Yield every plain function and method of ours that takes an argument."""
    typed = set(_typed())
    for name in sorted(_modules()):
        module = importlib.import_module(name)
        for value in vars(module).values():
            if getattr(value, "__module__", "") != name:
                continue
            members = vars(value).values() if inspect.isclass(value) else (value,)
            for member in members:
                plain = getattr(member, "__func__", member)
                known = isinstance(plain, FunctionType) and plain not in typed
                if known and _may_fail(plain, name):
                    yield plain


def _typed() -> Iterator[Any]:
    """Yield what Typer reads the command line by: it looks at their parameters."""
    waiting: list[Typer | None] = [cli.app, *map(cli.holding, cli.COMMANDS)]
    while waiting:
        app = waiting.pop()
        if app is None:
            continue
        waiting += [one.typer_instance for one in app.registered_groups]
        yield from (one.callback for one in app.registered_commands)
        if app.registered_callback:
            yield app.registered_callback.callback


def _may_fail(function: FunctionType, module: str) -> bool:
    code = function.__code__
    takes = code.co_argcount + code.co_kwonlyargcount
    name = function.__name__
    own = function.__module__ == module and not name.startswith("__")
    own = own and name not in _OF_OPTIONS
    return bool(own and takes and not code.co_freevars and code.co_name != "<lambda>")


def _modules() -> Iterator[str]:
    for part in OURS:
        package = importlib.import_module(part)
        for found in pkgutil.walk_packages(package.__path__, f"{part}."):
            if not found.name.startswith(NOT_HERE):
                yield found.name
