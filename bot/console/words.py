"""Names of codes in an officer's language: statuses, reasons, categories, days, people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from bot.console.texts import ConsoleTexts
from handlers.office import Office
from handlers.questionnaire.book import Step
from handlers.rules.rulefile import Term
from handlers.texts import TextMissing
from storage.words import Channel, Urgency

_STORY = Channel.TELEGRAM
_KILO, _MEGA = 1000, 1_000_000


@dataclass(frozen=True, slots=True)
class Words:
    """Looks codes up; an unknown code is shown as it is, never an error."""

    office: Office
    texts: ConsoleTexts
    language: str

    def status(self, code: str) -> str:
        """Name a status."""
        return self._text(f"STATUS.{code}", code)

    def step(self, status: str, reason: str | None) -> str:
        """Name a status and, if there is one, its reason."""
        name = self.status(status)
        return f"{name}: {self.reason(reason)}" if reason else name

    def group(self, code: str) -> str:
        """Name a category group."""
        return self._text(f"GROUP.{code}", code)

    def urgency(self, number: int) -> str:
        """Name an urgency."""
        return self.own(f"urgency.{Urgency(number).name}")

    def reason(self, code: str) -> str:
        """Name a reason."""
        return self._term(self.office.rulebook.reasons, code)

    def label(self, code: str) -> str:
        """Name the class of a file."""
        return self._term(self.office.rulebook.evidence, code)

    def partner(self, code: str) -> str:
        """Name an agency to which a report can be referred."""
        return self._term(self.office.rulebook.partners, code)

    def category(self, code: str) -> str:
        """Name a category of the taxonomy."""
        return self._term(self.office.rulebook.categories, code)

    def province(self, code: str) -> str:
        """Name a province."""
        return self.office.rulebook.provinces.names.get(code, code)

    def position(self, code: str) -> str:
        """Name a class of positions."""
        return self._label(f"Q09.{code}", code)

    def part(self, code: str) -> str:
        """Name a part of a report."""
        msgid = f"part.{code}"
        return self.own(msgid) if self.texts.knows(msgid) else code

    def choice(self, step: Step, code: str) -> str:
        """Name the answer to a choice step."""
        if step.name == "category":
            return self.category(code)
        option = step.option(code)
        return self._label(option.label, code) if option else code

    def suggested(self, what: str, code: str) -> str:
        """Name what a reporter's words were read as: ``what`` says which code it is."""
        match what:
            case "position":
                return self._term(self.office.rulebook.positions, code)
            case "category":
                return self.category(code)
            case "province":
                return self.province(code)
            case "signs":
                return ", ".join(self.own(f"sign.{one}") for one in code.split())
            case _:
                return self.own(f"{what}.{code}")

    def classed(self, field: str, code: str) -> str:
        """Name what an officer classed a case as: ``field`` says which code it is."""
        rules = self.office.rulebook
        table = rules.classification
        terms: Mapping[str, Mapping[str, Term]] = {
            "post": rules.positions,
            "employment": table.employment,
            "acting": table.acting,
            "sp4n": table.sp4n,
        }
        if not code:
            return self.own("class.none")
        if field in {"category", "further"}:
            return ", ".join(
                self.category(one) if "-" in one else self.group(one)
                for one in code.split()
            )
        if field in terms:
            return self._term(terms[field], code)
        if field == "regency":
            return rules.regencies.names.get(code, code)
        return self.suggested(field, code)

    def correction(self, code: str) -> str:
        """Name why a case was classed anew."""
        return self._term(self.office.rulebook.classification.reasons, code)

    def act(self, code: str) -> str:
        """Name a line of the log."""
        msgid = f"act.{code}"
        return self.own(msgid) if self.texts.knows(msgid) else code

    def month(self, code: str) -> str:
        """Write a month that is given as 2026-03: March 2026."""
        return format_date(
            date.fromisoformat(f"{code}-01"), "MMMM y", locale=self.language
        )

    def own(self, msgid: str) -> str:
        """Return one of the console's own texts, or the msgid."""
        known = self.texts.knows(msgid)
        return self.texts.say(msgid, self.language) if known else msgid

    def day(self, value: date) -> str:
        """Write a day: 3 March 2026."""
        return format_date(value, "d MMMM y", locale=self.language)

    def short_day(self, value: date) -> str:
        """Write a day in little room: 3 Mar 2026."""
        return format_date(value, "d MMM y", locale=self.language)

    def moment(self, value: datetime) -> str:
        """Write a time in the agency's zone: 3 Mar 2026, 14:05."""
        local = value.astimezone(self.office.zone)
        return format_datetime(local, "d MMM y, HH:mm", locale=self.language)

    def size(self, count: int) -> str:
        """Write how large something is, as file managers do: 1.4 MB."""
        unit, least = ("MB", _MEGA) if count >= _MEGA else ("kB", _KILO)
        number = format_decimal(count / least, "#,##0.#", locale=self.language)
        return f"{number} {unit}"

    def _label(self, msgid: str, code: str) -> str:
        try:
            return self.office.texts.label(msgid, self.language)
        except TextMissing:
            return code

    def _text(self, msgid: str, code: str) -> str:
        try:
            return self.office.texts.say(msgid, language=self.language, channel=_STORY)
        except TextMissing:
            return code

    def _term(self, terms: Mapping[str, Term], code: str) -> str:
        term = terms.get(code)
        return term.names.get(self.language, code) if term else code
