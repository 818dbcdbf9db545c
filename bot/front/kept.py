"""What is kept and for how long, in words for reporters, from the lifetimes rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from babel.units import format_unit

from bot.front.texts import FrontTexts
from handlers.rules.lifetimes import Lifetimes, Rule, Since, Unit
from storage.words import Erased

TOUCHING: Final = (
    "drafts",
    "conversations",
    "traces",
    "inbox",
    "letters",
    "jobs",
    "quarantine",
)
"""Rules for what touches a reporter before and beside a case."""
UNTOLD: Final = ("departed", "sessions", "invitations", "tombstones")
"""Rules for what tells nothing of a reporter, or is officers' own."""
_UNITS: Final = {
    Unit.MINUTES: "duration-minute",
    Unit.HOURS: "duration-hour",
    Unit.DAYS: "duration-day",
    Unit.MONTHS: "duration-month",
    Unit.YEARS: "duration-year",
}


@dataclass(frozen=True, slots=True)
class Life:
    """One row: what is kept, and each span after which it goes."""

    what: str
    spans: tuple[str, ...]
    held: bool = False
    """A legal hold stops one of the spans."""


def lives(lifetimes: Lifetimes, texts: FrontTexts) -> Iterator[Life]:
    """Yield every row: first what passes through, then what a case holds."""
    for name in TOUCHING:
        rule = lifetimes.rules[name]
        yield Life(texts.say(f"kept.{name}"), (_span(rule, texts),))
    for what in Erased:
        rules = lifetimes.of(what)
        spans = tuple(_span(rule, texts) for rule in rules)
        held = any(rule.hold for rule in rules)
        yield Life(texts.say(f"kept.{what}"), spans, held)


def length(count: int, unit: Unit, language: str) -> str:
    """Return a length of time in words: "5 years"."""
    return format_unit(count, _UNITS[unit], "long", locale=_locale(language))


def _span(rule: Rule, texts: FrontTexts) -> str:
    span = length(rule.length, rule.unit, texts.language)
    if rule.since is Since.CLOSED:
        ends = [texts.say(f"kept.end.{status}") for status in sorted(rule.statuses)]
        joined = format_list(ends, "or", _locale(texts.language))
        return texts.say("kept.after.closed", span=span, ends=joined)
    return texts.say(f"kept.after.{rule.since.replace(' ', '_')}", span=span)


def _locale(language: str) -> Locale:
    """Return how a language counts; one that nobody told Babel of counts as English does."""
    try:
        return Locale(language)
    except UnknownLocaleError:
        return Locale("en")
