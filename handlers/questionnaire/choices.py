"""Choices: the data of buttons, and which choice a typed answer means.

A button carries ``draft.turn.choice`` (at most 64 bytes). A turn is named by its step, so
that a button keeps its meaning when messages arrive in another order than they were
written (``handlers.talk.out_of_order``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handlers.messages import Choice
from handlers.questionnaire.keywords import Keywords, near, normalise
from handlers.questionnaire.steps import Option, Step

NO_DRAFT: Final = "-"
"""The draft of buttons that belong to no draft."""

DATA_BYTES: Final = 64
_BEFORE_NUMBER: Final = frozenset(
    {"no", "nomor", "pilih", "pilihan", "number", "option", "choice"}
)
_DONE_FROM: Final = 6
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Press:
    """A button's data, taken apart."""

    draft: str
    step: str
    option: str


def read_press(data: str) -> Press | None:
    """Take a button's data apart; None when it is none of ours."""
    parts = data.split(".")
    return Press(*parts) if len(parts) == _PARTS and all(parts) else None


def buttons(step: Step, draft: str) -> tuple[Choice, ...]:
    """Return the buttons of a question; ``draft`` is empty where it belongs to none."""
    return tuple(
        Choice(f"{draft or NO_DRAFT}.{step.code}.{option.code}", option.label)
        for option in step.options
        if option.shown
    )


def exact(
    step: Step, text: str, keywords: Keywords, *, numbered: bool
) -> Option | None:
    """Return the option whose number or word the message is.

    ``numbered`` says whether the numbers stood before the reporter's eyes.
    """
    said = normalise(text)
    for option in step.options:
        if said in option.words:
            return option
    return by_number(step, text, keywords) if numbered else None


def nearest(step: Step, text: str) -> Option | None:
    """Return the only option within a slip of the thumb of the message.

    Where free words are an answer too, only a long word for "done" may be misspelt:
    BATAM is a place, not a slip of BATAL.
    """
    said = normalise(text)
    hits = [
        option
        for option in step.options
        if any(
            near(said, word) for word in option.words if _may_slip(step, option, word)
        )
    ]
    return hits[0] if len(hits) == 1 else None


def _may_slip(step: Step, option: Option, word: str) -> bool:
    if not step.kind.takes_text:
        return True
    return step.multiple and option.code == "DONE" and len(word) >= _DONE_FROM


def by_number(step: Step, text: str, keywords: Keywords) -> Option | None:
    """Return the option whose number, alone or with its words, the message is."""
    shown = [option for option in step.options if option.shown]
    words = normalise(text).split()
    if words and words[0] in _BEFORE_NUMBER:
        words = words[1:]
    if not words:
        return None
    number = _number(words[0], {} if step.kind.takes_text else keywords.numerals)
    if not 1 <= number <= len(shown):
        return None
    option = shown[number - 1]
    rest = " ".join(words[1:])
    return (
        option if not rest or any(near(rest, word) for word in option.words) else None
    )


def _number(word: str, numerals: Mapping[str, int]) -> int:
    if word.isascii() and word.isdigit() and len(word) <= _PARTS:
        return int(word)
    return numerals.get(word, 0)
