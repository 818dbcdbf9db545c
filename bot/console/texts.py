"""The console's own words: gettext catalogues by noun, a folder a language, read at start.

A msgid is a code (``queue.title``). Names of statuses, reasons and categories are those
that the handlers and the rules already have; ``bot/console/words.py`` finds them.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from babel.messages.pofile import read_po

LANGUAGES: Final = ("id", "en")


class ConsoleTexts:
    """Every text of the console in every language."""

    def __init__(self, languages: Sequence[str] = LANGUAGES) -> None:
        self.languages = tuple(languages)
        self._texts = {language: _read(language) for language in self.languages}

    def say(self, msgid: str, language: str, **params: object) -> str:
        """Return a text with its parameters; KeyError for a msgid that nobody wrote."""
        text = self._texts[self.language(language)][msgid]
        return text.format_map(params) if params else text

    def knows(self, msgid: str) -> bool:
        """Tell whether there is such a text."""
        return msgid in self._texts[self.languages[0]]

    def language(self, wanted: str) -> str:
        """Return a language that the console speaks, the wanted one if possible."""
        short = wanted[:2].lower()
        return short if short in self._texts else self.languages[0]

    def catalogue(self, language: str) -> Mapping[str, str]:
        """Return all texts of one language."""
        return self._texts[language]


@cache
def _read(language: str) -> Mapping[str, str]:
    """Read every catalogue of a language; a msgid that stands in two is an error."""
    texts: dict[str, str] = {}
    folder = files("bot.console").joinpath("locales", language)
    for source in sorted(folder.iterdir(), key=lambda file: file.name):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=language, abort_invalid=True)
        for message in catalogue:
            if not message.id or message.fuzzy:
                continue
            if message.id in texts:
                raise ValueError(f"{message.id} stands in two catalogues")
            texts[str(message.id)] = str(message.string)
    return MappingProxyType(texts)
