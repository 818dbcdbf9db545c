"""What a questionnaire is made of: steps, their choices, and when they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated, TypeAlias

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StrictInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from handlers.questionnaire.keywords import Folded, Keywords
from handlers.rules.rulefile import Entry


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


def _without_point(code: str) -> str:
    if not code or "." in code:
        raise ValueError(f"a code is not empty and has no point: {code!r}")
    return code


Code: TypeAlias = Annotated[str, AfterValidator(_without_point)]


class Option(Entry):
    """One choice of a step. ``label`` is a msgid of context ``button``.

    ``ends`` names the text said when this choice discards the draft, ``says`` the text
    said while the step stays open, ``warns`` the text said before the next question.
    ``words`` are normalised words that mean it, those of ``keywords.toml`` among them.
    ``shown`` is false for a choice that has words but neither button nor number.
    """

    code: Code
    label: str
    words: Folded = Field(default=frozenset(), validate_default=True)
    ends: str = ""
    says: str = ""
    warns: str = ""
    shown: StrictBool = True

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, row: object) -> object:
        if isinstance(row, str):
            row = {"code": row}
        return {"label": row.get("code"), **row} if isinstance(row, dict) else row

    @field_validator("words")
    @classmethod
    def _can_be_typed(cls, own: Folded, info: ValidationInfo) -> Folded:
        code = info.data.get("code", "")
        words = own | info.context.of(code) if info.context else own
        if not words:
            raise ValueError(f"option {code} has no words to type")
        return words


class Condition(Entry):
    """One key of ``when``: the answer is (or is not) among ``codes``."""

    codes: frozenset[str]
    negated: StrictBool = False

    @model_validator(mode="before")
    @classmethod
    def _read(cls, row: object) -> object:
        match row:
            case list():
                return {"codes": row}
            case {"not": codes, **others} if not others:
                return {"codes": codes, "negated": True}
        raise ValueError("must be a list of codes, or { not = [...] }")

    def holds(self, answer: str) -> bool:
        """Say whether this coded answer meets the condition."""
        return (answer in self.codes) is not self.negated


class Step(Entry):
    """One question. ``code`` is its msgid; see the head of the TOML file for the flags.

    ``when`` are the conditions by the code of the step whose answer they are about.
    """

    code: Code
    name: str
    kind: StepKind
    options: tuple[Option, ...] = ()
    when: dict[str, Condition] = Field(default_factory=dict)
    gate: StrictBool = False
    required: StrictBool = False
    multiple: StrictBool = False
    identity: StrictBool = False
    part: StrictInt = 0
    called: Folded = frozenset()
    counted: StrictBool = False
    aside: StrictBool = False

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, row: object) -> object:
        return {"name": row.get("code"), **row} if isinstance(row, dict) else row

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
        return all(
            condition.holds(answers.get(code, ""))
            for code, condition in self.when.items()
        )


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
