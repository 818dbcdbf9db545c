"""Provinces by code, and the province that somebody named in passing.

A code is only worth something with its system: see the note in ``regions.toml``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from handlers.errors import RulesInvalid

_FILE = "regions.toml"
_CODE = re.compile(r"[0-9]{2}", re.ASCII)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Provinces:
    """Names by code, and every spelling that is understood."""

    code_system: str
    names: Mapping[str, str]
    spellings: Mapping[str, str]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read the parsed TOML. Raises ``RulesInvalid`` for a code or name used twice."""
        names: dict[str, str] = {}
        spellings: dict[str, str] = {}
        try:
            for code, row in data["province"].items():
                if not _CODE.fullmatch(code):
                    raise RulesInvalid(f"{_FILE}: {code} has not two digits")
                names[code] = row["name"]
                for spelling in (row["name"], *row.get("also", ())):
                    if spellings.setdefault(_plain(spelling), code) != code:
                        raise RulesInvalid(f"{_FILE}: {spelling} stands twice")
            return cls(data["code_system"], names, spellings)
        except (KeyError, TypeError, AttributeError) as error:
            raise RulesInvalid(f"{_FILE}: {error}") from error

    def named_in(self, text: str) -> str:
        """Return the code of the one province that the text names, else ``""``.

        The longest name wins, so *Papua Barat* is not *Papua*; two provinces are none.
        """
        rest = f" {_plain(text)} "
        found = set()
        for spelling in sorted(self.spellings, key=len, reverse=True):
            if f" {spelling} " in rest:
                found.add(self.spellings[spelling])
                rest = rest.replace(f" {spelling} ", " | ")
        return found.pop() if len(found) == 1 else ""


def _plain(text: str) -> str:
    words = " ".join(_WORD.findall(text.casefold()))
    return words.replace("sumatra", "sumatera")
