"""Rule files: their TOML, and the models that they must fit.

A file is described by a model of ``Entry`` tables; ``parsed`` and ``checked`` turn whatever
is wrong with it into ``RulesInvalid``, which names the file, the entry, its key and what
was expected there.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationError,
    model_validator,
)

from handlers.errors import RulesInvalid

T = TypeVar("T")

NAME: Final = "[name]"
"""Alias of the field in which an entry of a ``Table`` finds its own name."""
_NAMES: Final = "[names]"
_SHOWN: Final = 60
_SAYS: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "too_short": "must not be empty",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "string_type": "must be a text",
    **dict.fromkeys(("dict_type", "model_type"), "must be a table"),
    **dict.fromkeys(("frozen_set_type", "list_type", "tuple_type"), "must be a list"),
}
"""What pydantic says in Python's words, in those of TOML."""


class Entry(BaseModel):
    """A table of a rule file; a key that no field has is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def filled(rows: object, beside: Callable[[str], Mapping[str, object]]) -> object:
    """Give each entry of a table what it leaves out; ``beside`` says what, by its name."""
    if not isinstance(rows, dict):
        return rows
    return {
        name: {**beside(name), **row} if isinstance(row, dict) else row
        for name, row in rows.items()
    }


def _named(rows: object) -> object:
    return filled(rows, lambda name: {NAME: name})


Table: TypeAlias = Annotated[dict[str, T], BeforeValidator(_named)]
"""Entries by their names."""

Count: TypeAlias = Annotated[StrictInt, Field(ge=0)]


def having(names: Iterable[str]) -> AfterValidator:
    """Refuse a table that lacks one of these entries."""
    wanted = tuple(names)

    def check(table: dict[str, T]) -> dict[str, T]:
        for name in wanted:
            if name not in table:
                raise ValueError(f"{name} is missing")
        return table

    return AfterValidator(check)


class Term(Entry):
    """A coded word of the field; every key of two letters is its name in a language."""

    code: str = Field(validation_alias=NAME)
    names: dict[str, str] = Field(validation_alias=_NAMES)

    @model_validator(mode="before")
    @classmethod
    def _gather_names(cls, row: object) -> object:
        if not isinstance(row, dict):
            return row
        names = {key: text for key, text in row.items() if len(key) == len("id")}
        if not names:
            raise ValueError("has no name in any language")
        rest = {key: value for key, value in row.items() if key not in names}
        return {**rest, _NAMES: names}


def parsed(source: Traversable | Path, name: str) -> dict[str, Any]:
    """Return the tables of a file. Raises ``RulesInvalid`` when it is missing or no TOML."""
    try:
        return tomllib.loads(source.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RulesInvalid(f"{name}: {error}") from error


def checked(data: object, shape: Callable[[object], T], file: str = "") -> T:
    """Return what ``shape``, a validating function of pydantic, makes of parsed TOML.

    Without ``file``, ``data`` are files by their names. Raises ``RulesInvalid`` for the
    first thing that is wrong, and counts the others.
    """
    try:
        return shape(data)
    except ValidationError as invalid:
        first, *more = invalid.errors(include_url=False)
    said = first["msg"].removeprefix("Value error, ")
    said = _SAYS.get(first["type"], re.sub("^(Input|String) should", "must", said))
    if said.startswith("must") and isinstance(first["input"], str | int | float):
        said += f", not {repr(first['input'])[:_SHOWN]}"
    if more:
        said += f" ({len(more)} more to fix)"
    keys = _keys(data, first["loc"])
    file = file or next(keys)
    raise RulesInvalid(": ".join(filter(None, (file, ".".join(keys), said))))


def _keys(data: object, loc: Iterable[int | str]) -> Iterator[str]:
    """Yield the keys that lead to a value; an entry of a list goes by its own name."""
    for part in loc:
        key: object = part
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            data = data[part]
            if isinstance(data, dict):
                key = data.get("code") or data.get("name") or part
        if not str(key).startswith("["):
            yield str(key)
