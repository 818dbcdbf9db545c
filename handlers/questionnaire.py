"""The conversation as data: steps, options and conditions, read from TOML.

A jurisdiction's ``questionnaire.toml`` (and the ``keywords.toml`` beside it) declares what
is asked, in which order, and when. ``when`` is a table over the names of earlier choice
steps: AND over its keys, OR in a list, ``{ not = [...] }`` for the rest. ``check`` proves
a questionnaire and its texts before they are used (``handlers.proofs``).
"""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from handlers.keywords import Keywords, normalise
from handlers.proofs import check
from handlers.steps import Condition, Option, Questionnaire, Step, StepKind

__all__ = [
    "Condition",
    "Option",
    "Questionnaire",
    "QuestionnaireError",
    "Step",
    "StepKind",
    "check",
    "load",
]

_DEFAULT: Final = files("handlers").joinpath("rules", "id", "questionnaire.toml")


class QuestionnaireError(ValueError):
    """The questionnaire's file says something that cannot be; the message names the step."""


def load(path: Path | None = None) -> Questionnaire:
    """Read a questionnaire and the keywords beside it (ours where it has none).

    :param path: an agency's own ``questionnaire.toml``; None for the one we ship.
    :raises QuestionnaireError: when the file contradicts itself.
    """
    source = path or _DEFAULT
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
        "identity", "part", "called", "counted", "aside",
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
        called=frozenset(normalise(word) for word in row.get("called", ())),
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
    menu = tuple(Option(step.code, f"P.{step.code}", step.called) for step in parts)
    return tuple(
        step
        if step.code != "EDIT"
        else Step("EDIT", "EDIT", step.kind, menu, aside=True)
        for step in steps
    )
