"""What is said, in every language: gettext catalogues, read once at start.

A msgid is a code (``Q10``, ``X01``, ``S.REVIEW``), its msgctxt the variant: ``sms``,
``chat``, ``button``, or ``both`` where one text serves all. A channel never borrows
another one's variant. An agency's folder of rules may hold catalogues of its own, as
``locales/<language>/messages.po``: each text there stands in for ours. A parameter whose value begins with ``@`` names further msgids
(``@C04``, ``@P.Q07 P.Q08``), which are put in the reader's language and joined by commas.
"""

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

from handlers.errors import KentonganError, RulesInvalid
from handlers.messages import Reply
from storage.words import Channel

VARIANTS: Final = ("sms", "chat")
BUTTON: Final = "button"
BOTH: Final = "both"
_MSGIDS: Final = "@"
_UNNUMBERED: Final = frozenset({"Q20", "Q21K", "Q26", "Q27C", "Q27F", "Q30"})
"""Under a receipt nothing may be remembered of the person, so a number would mean nothing;
what takes away or redirects no number answers."""


Catalogue: TypeAlias = Mapping[tuple[str, str], str]
"""Texts by their variant and msgid."""


class TextMissing(KentonganError):
    """A catalogue lacks a text; add it under handlers/locales and run `kentongan check`."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready for a channel. ``buttons`` are (label, data), empty for SMS."""

    text: str = field(repr=False)
    buttons: tuple[tuple[str, str], ...] = ()


class Texts:
    """The catalogues of the agency's languages, the first being the default.

    ``context`` holds parameters that every text may use: ``agency``, ``link``,
    ``emergency``, ``elsewhere``. ``folder`` is the agency's own folder of rules.
    """

    def __init__(
        self,
        languages: Sequence[str],
        context: Mapping[str, str],
        folder: Path | None = None,
    ) -> None:
        self.languages = tuple(languages)
        self.context = dict(context)
        self._ours = {language: _ours(language) for language in self.languages}
        self._texts = {
            language: {**texts, **own_catalogue(folder, "messages.po", language)}
            for language, texts in self._ours.items()
        }
        for language, texts in self._texts.items():
            if not texts:
                raise TextMissing(f"no catalogue for the language {language!r}")

    def render(self, reply: Reply, *, language: str, channel: Channel) -> Rendered:
        """Put a reply into words; on chat channels its choices are numbered lines too.

        Only choices of a question of the dialogue have numbers: a number is no answer to
        a receipt, nor to an officer's alert.
        """
        text = self.say(reply.text, language=language, channel=channel, **reply.params)
        labels = [self.label(choice.label, language) for choice in reply.choices]
        buttons: tuple[tuple[str, str], ...] = ()
        if channel is not Channel.SMS and labels:
            if is_numbered(reply):
                lines = (
                    f"{number}. {label}" for number, label in enumerate(labels, start=1)
                )
                text = f"{text}\n\n" + "\n".join(lines)
            buttons = tuple(
                (label, choice.data)
                for label, choice in zip(labels, reply.choices, strict=True)
            )
        if reply.literal:
            text = f"{text}\n\n{reply.literal}"
        return Rendered(text, buttons)

    def say(self, msgid: str, *, language: str, channel: Channel, **params: str) -> str:
        """Return one text with its parameters filled in.

        :raises TextMissing: when neither the channel's variant nor ``both`` has it.
        """
        text = self.find(msgid, language, channel.variant)
        values = {name: self._value(value, language) for name, value in params.items()}
        return fill(text, self.context | values)

    def label(self, msgid: str, language: str) -> str:
        """Return the words on a button."""
        catalogue = self._catalogue(language)
        return catalogue.get((BUTTON, msgid)) or self.find(msgid, language, "chat")

    def find(self, msgid: str, language: str, variant: str) -> str:
        """Return a text as it stands in the catalogue, with its holes."""
        catalogue = self._catalogue(language)
        text = catalogue.get((variant, msgid)) or catalogue.get((BOTH, msgid))
        if not text:
            raise TextMissing(f"{language} {variant} {msgid}")
        return text

    def known(self, language: str) -> Iterator[tuple[str, str, str]]:
        """Yield (variant, msgid, text) of a whole catalogue."""
        for (variant, msgid), text in self._catalogue(language).items():
            yield variant, msgid, text

    def added(self, language: str) -> frozenset[tuple[str, str]]:
        """Return variant and msgid of what only the agency's own catalogue has."""
        return frozenset(self._texts[language].keys() - self._ours[language].keys())

    def _catalogue(self, language: str) -> Catalogue:
        return self._texts.get(language) or self._texts[self.languages[0]]

    def _value(self, value: str, language: str) -> str:
        if not value.startswith(_MSGIDS):
            return value
        msgids = value.removeprefix(_MSGIDS).split()
        return ", ".join(self.find(msgid, language, "chat") for msgid in msgids)


def is_numbered(reply: Reply) -> bool:
    """Say whether a number may be typed for each choice of this reply."""
    own = all(choice.data.split(".")[1:2] == [reply.text] for choice in reply.choices)
    return own and reply.text not in _UNNUMBERED


def holes(text: str) -> frozenset[str]:
    """Return the names of the parameters that a text wants."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


class _Lenient(dict[str, str]):
    """Leave a hole visible rather than lose a message; ``check`` proves there is none."""

    def __missing__(self, name: str) -> str:
        return f"({name})"


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill the holes of a text; one without a value stays visible as ``(name)``."""
    return text.format_map(_Lenient(values))


def own_catalogue(folder: Path | None, name: str, language: str) -> Catalogue:
    """Read an agency's own catalogue; empty where it has none. Raises ``RulesInvalid``."""
    path = folder / "locales" / language / name if folder else None
    if path is None or not path.is_file():
        return {}
    return catalogue(path, f"locales/{language}/{name}", language)


def catalogue(source: Traversable | Path, where: str, language: str) -> Catalogue:
    """Read a gettext catalogue; ``where`` names it in ``RulesInvalid``.

    What a translator marked as fuzzy, or left empty, is not there.
    """
    try:
        with source.open("rb") as file:
            found: Catalog = read_po(file, locale=language, abort_invalid=True)
    except (PoFileError, ValueError, LookupError, OSError) as error:
        line = f" line {error.lineno + 1}" if isinstance(error, PoFileError) else ""
        raise RulesInvalid(f"{where}:{line} is no gettext catalogue") from error
    texts = {
        (message.context or BOTH, str(message.id)): str(message.string)
        for message in found
        if message.id and message.string and not message.fuzzy
    }
    for (variant, msgid), text in texts.items():
        if not _is_sound(text):
            raise RulesInvalid(f"{where}: {variant} {msgid}: braces hold a plain name")
    return MappingProxyType(texts)


@cache
def _ours(language: str) -> Catalogue:
    source = files("handlers").joinpath("locales", language, "messages.po")
    if not source.is_file():
        return {}
    return catalogue(source, f"locales/{language}/messages.po", language)


def _is_sound(text: str) -> bool:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        return False
    return all(name is None or name.isidentifier() for _, name, _, _ in parts)
