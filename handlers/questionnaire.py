"""The conversation as data: steps, options and conditions, read from TOML.

A jurisdiction's ``questionnaire.toml`` (and the ``keywords.toml`` beside it) declares what
is asked, in which order, and when. ``when`` is a table over the names of earlier choice
steps: AND over its keys, OR in a list, ``{ not = [...] }`` for the rest.
``handlers.proofs`` proves a questionnaire before it is used.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from handlers.keywords import Keywords, normalise

_DEFAULT: Final = files("handlers").joinpath("rules", "id", "questionnaire.toml")


class QuestionnaireError(ValueError):
    """The questionnaire's file says something that cannot be; the message names the step."""


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
    said while the step stays open. ``words`` are normalised words that mean it.
    ``shown`` is false for a choice that has words but neither button nor number.
    """

    code: str
    label: str
    words: frozenset[str]
    ends: str = ""
    says: str = ""
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
    counted: bool = False
    aside: bool = False

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


def load(path: Path | None = None) -> Questionnaire:
    """Read a questionnaire and the keywords beside it (ours where it has none).

    :param path: an agency's own ``questionnaire.toml``; None for the one we ship.
    :raises QuestionnaireError: when the file contradicts itself.
    """
    source: Traversable = path or _DEFAULT
    beside = path.with_name("keywords.toml") if path else None
    keywords = Keywords.load(beside if beside and beside.is_file() else None)
    try:
        table = tomllib.loads(source.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise QuestionnaireError(f"{source}: {error}") from error
    return _parse(table, keywords)


def _parse(table: Mapping[str, Any], keywords: Keywords) -> Questionnaire:
    names = {row.get("name", row["code"]): row["code"] for row in table["step"]}
    steps = tuple(_step(row, names, keywords) for row in table["step"])
    _refuse_twice(step.code for step in steps)
    report = [step for step in steps if not step.aside]
    if len([step for step in report if step.required]) != 1:
        raise QuestionnaireError("exactly one step must be `required`: what happened")
    if not report or report[-1].kind is not StepKind.CONFIRM:
        raise QuestionnaireError("the last step of the report must have kind `confirm`")
    return Questionnaire(
        languages=tuple(table["languages"]),
        steps=_with_edit_menu(steps),
        keywords=keywords,
        taken={
            provider: frozenset(normalise(word) for word in words)
            for provider, words in table.get("taken", {}).items()
        },
    )


def _step(row: Mapping[str, Any], names: Mapping[str, str], keywords: Keywords) -> Step:
    code = row["code"]
    known = {
        "code", "name", "kind", "options", "when", "gate", "required", "multiple",
        "identity", "part", "counted", "aside",
    }  # fmt: skip
    if strange := set(row) - known:
        raise QuestionnaireError(f"step {code}: unknown keys {sorted(strange)}")
    return Step(
        code=code,
        name=row.get("name", code),
        kind=StepKind(row["kind"]),
        options=tuple(_option(code, one, keywords) for one in row.get("options", ())),
        when=tuple(_conditions(code, row.get("when", {}), names)),
        gate=row.get("gate", False),
        required=row.get("required", False),
        multiple=row.get("multiple", False),
        identity=row.get("identity", False),
        part=row.get("part", 0),
        counted=row.get("counted", False),
        aside=row.get("aside", False),
    )


def _option(step: str, row: Mapping[str, Any] | str, keywords: Keywords) -> Option:
    if isinstance(row, str):
        row = {"code": row}
    code = row["code"]
    words = {normalise(word) for word in row.get("words", ())} | keywords.of(code)
    if not words:
        raise QuestionnaireError(f"step {step}: option {code} has no words to type")
    return Option(
        code=code,
        label=row.get("label", code),
        words=frozenset(words),
        ends=row.get("ends", ""),
        says=row.get("says", ""),
        shown=row.get("shown", True),
    )


def _conditions(
    step: str, when: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[Condition]:
    for name, wanted in when.items():
        if name not in names:
            raise QuestionnaireError(f"step {step}: `when` names no step: {name}")
        negated = isinstance(wanted, Mapping)
        codes = wanted["not"] if negated else wanted
        yield Condition(names[name], frozenset(codes), negated)


def _refuse_twice(codes: Iterator[str]) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            raise QuestionnaireError(f"step {code} is declared twice")
        seen.add(code)


def _with_edit_menu(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Give the step EDIT one option for each part, in the order of the parts."""
    parts = sorted((step for step in steps if step.part), key=lambda step: step.part)
    menu = tuple(
        Option(step.code, f"P.{step.code}", frozenset({normalise(step.name)}))
        for step in parts
    )
    return tuple(
        step
        if step.code != "EDIT"
        else Step("EDIT", "EDIT", step.kind, menu, aside=True)
        for step in steps
    )
