"""What a questionnaire is made of: steps, their choices, and when they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from handlers.questionnaire.keywords import Keywords


class StepKind(StrEnum):
    """What a step takes as its answer."""

    CHOICE = "choice"
    TEXT = "text"
    PLACE = "place"
    DATE = "date"
    MONEY = "money"
    FILES = "files"
    CONFIRM = "confirm"
    RECEIPT = "receipt"

    @property
    def takes_text(self) -> bool:
        """Whether free words answer this step."""
        return self in {StepKind.TEXT, StepKind.PLACE, StepKind.DATE, StepKind.MONEY}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a step. ``label`` is a msgid of context ``button``.

    ``ends`` names the text said when this choice discards the draft, ``says`` the text
    said while the step stays open, ``warns`` the text said before the next question.
    ``words`` are normalised words that mean it.
    ``shown`` is false for a choice that has words but neither button nor number.
    """

    code: str
    label: str
    words: frozenset[str]
    ends: str = ""
    says: str = ""
    warns: str = ""
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of ``when``: the answer to ``step`` is (or is not) among ``codes``."""

    step: str
    codes: frozenset[str]
    negated: bool = False

    def holds(self, answers: Mapping[str, str]) -> bool:
        """Say whether these coded answers meet the condition."""
        return (answers.get(self.step, "") in self.codes) is not self.negated


@dataclass(frozen=True, slots=True)
class Step:
    """One question. ``code`` is its msgid; see the head of the TOML file for the flags."""

    code: str
    name: str
    kind: StepKind
    options: tuple[Option, ...] = ()
    when: tuple[Condition, ...] = ()
    gate: bool = False
    required: bool = False
    multiple: bool = False
    identity: bool = False
    part: int = 0
    called: frozenset[str] = frozenset()
    counted: bool = False
    aside: bool = False

    @property
    def is_list(self) -> bool:
        """Whether an SMS asks this by a list of numbers that may be skipped."""
        shown = [option for option in self.options if option.shown]
        return self.kind is StepKind.CHOICE and not self.gate and len(shown) > len("YN")

    def option(self, code: str) -> Option | None:
        """Return the option with this code, if the step has it."""
        return next((option for option in self.options if option.code == code), None)

    def applies(self, answers: Mapping[str, str]) -> bool:
        """Say whether the step is asked after these coded answers."""
        return all(condition.holds(answers) for condition in self.when)


@dataclass(frozen=True)
class Questionnaire:
    """All steps of a jurisdiction, and the words that reporters use."""

    languages: tuple[str, ...]
    steps: tuple[Step, ...]
    keywords: Keywords
    taken: Mapping[str, frozenset[str]]

    @cached_property
    def by_code(self) -> Mapping[str, Step]:
        """Steps by their code."""
        return {step.code: step for step in self.steps}

    @cached_property
    def report(self) -> tuple[Step, ...]:
        """Return the steps of a report, in the order they are asked."""
        return tuple(step for step in self.steps if not step.aside)

    @cached_property
    def parts(self) -> tuple[Step, ...]:
        """Return the steps that the reporter may edit, in the order of the edit menu."""
        return tuple(sorted((s for s in self.steps if s.part), key=lambda s: s.part))

    @cached_property
    def story(self) -> Step:
        """Return the one step that a report cannot do without."""
        return next(step for step in self.report if step.required)

    @cached_property
    def review(self) -> Step:
        """Return the step that asks whether to send."""
        return next(step for step in self.report if step.kind is StepKind.CONFIRM)

    def step(self, code: str) -> Step | None:
        """Return the step with this code, if there is one."""
        return self.by_code.get(code)

    def named(self, name: str) -> Step | None:
        """Return the step with this name, if there is one."""
        return next((step for step in self.steps if step.name == name), None)

    def following(self, code: str, answers: Mapping[str, str]) -> Step:
        """Return the step after ``code`` that these answers call for (at last, the review)."""
        codes = [step.code for step in self.report]
        start = codes.index(code) + 1 if code in codes else 0
        later = (step for step in self.report[start:] if step.applies(answers))
        return next(later, self.review)
