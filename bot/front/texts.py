"""The words of the pages for everybody: one gettext catalogue a language, read at start.

A msgid is a code (``ways.title``). ``locales/<language>/front.po`` in an agency's folder of
rules stands in for ours, text by text.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from handlers.texts import BOTH, Catalogue, TextMissing, catalogue, fill, own_catalogue

_FILE: Final = "front.po"


class FrontTexts:
    """Every text in one language. ``context`` holds what any text may name."""

    def __init__(
        self, language: str, context: Mapping[str, str], folder: Path | None = None
    ) -> None:
        self.language = language
        self._context = context
        self._texts = {**_ours(language), **own_catalogue(folder, _FILE, language)}

    def say(self, msgid: str, **params: str) -> str:
        """Return a text with its holes filled. Raises TextMissing."""
        text = self._texts.get((BOTH, msgid))
        if text is None:
            raise TextMissing(f"{self.language} {_FILE} {msgid}")
        return fill(text, {**self._context, **params})

    def msgids(self) -> frozenset[str]:
        """Return the codes of all texts."""
        return frozenset(msgid for _, msgid in self._texts)


@cache
def _ours(language: str) -> Catalogue:
    source = files("bot.front").joinpath("locales", language, _FILE)
    return catalogue(source, _FILE, language) if source.is_file() else {}
