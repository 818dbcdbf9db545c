"""The conversation as data: steps, options and conditions, read from TOML.

A jurisdiction's ``questionnaire.toml`` (and the ``keywords.toml`` beside it) declares what
is asked, in which order, and when. ``when`` is a table over the names of earlier choice
steps: AND over its keys, OR in a list, ``{ not = [...] }`` for the rest. ``check`` proves
a questionnaire and its texts before they are used (``handlers.questionnaire.proofs``).
"""

from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from handlers.questionnaire.keywords import Folded, Keywords
from handlers.questionnaire.proofs import check
from handlers.questionnaire.steps import (
    Condition,
    Option,
    Questionnaire,
    Step,
    StepKind,
)
from handlers.rules.rulefile import Entry, checked, parsed

__all__ = [
    "Condition",
    "Option",
    "Questionnaire",
    "Step",
    "StepKind",
    "check",
    "load",
]

_DEFAULT: Final = files("handlers").joinpath("rules", "id", "questionnaire.toml")
_ASIDE: Final = {
    "Q01",
    "Q20",
    "Q21K",
    "Q22",
    "Q23",
    "Q25",
    "Q26",
    "Q27C",
    "Q27F",
    "Q29",
    "Q30",
    "Q31",
    "CLEAN",
    "EDIT",
    "OPENED",
}
"""Questions that the program asks by their code."""


def _sound(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Refuse what no conversation could be led with."""
    codes = [step.code for step in steps]
    for code in codes:
        if codes.count(code) > 1:
            raise ValueError(f"step {code} is declared twice")
    if gone := _ASIDE - {step.code for step in steps if step.aside}:
        raise ValueError(f"the steps {sorted(gone)} must stand there, `aside`")
    report = [step for step in steps if not step.aside]
    story = [step for step in report if step.required and step.kind.takes_text]
    if len(story) != 1:
        raise ValueError("exactly one step of words must be `required`: what happened")
    if report[-1].kind is not StepKind.CONFIRM:
        raise ValueError("the last step of the report must have kind `confirm`")

    return steps


def _by_code(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Let ``when`` speak of steps by their codes instead of their names."""
    codes = {step.name: step.code for step in steps}
    for step in steps:
        if gone := step.when.keys() - codes:
            raise ValueError(f"step {step.code}: `when` names no step: {min(gone)}")
    return tuple(
        step.model_copy(update={"when": {codes[k]: v for k, v in step.when.items()}})
        for step in steps
    )


def _with_edit_menu(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Give the step EDIT one option for each part, in the order of the parts."""
    menu = tuple(
        Option.model_construct(
            code=step.code, label=f"P.{step.code}", words=step.called
        )
        for step in sorted(steps, key=lambda step: step.part)
        if step.part
    )
    return tuple(
        step.model_copy(update={"options": menu}) if step.code == "EDIT" else step
        for step in steps
    )


class _File(Entry):
    languages: tuple[str, ...]
    taken: dict[str, Folded] = Field(default_factory=dict)
    steps: Annotated[
        tuple[Step, ...],
        AfterValidator(_sound),
        AfterValidator(_by_code),
        AfterValidator(_with_edit_menu),
    ] = Field(validation_alias="step")


def load(path: Path | None = None) -> Questionnaire:
    """Read a questionnaire and the keywords beside it (ours where it has none).

    :param path: an agency's own ``questionnaire.toml``; None for the one we ship.
    :raises RulesInvalid: when the file contradicts itself.
    """
    source = path or _DEFAULT
    beside = path.with_name("keywords.toml") if path else None
    keywords = Keywords.load(beside if beside and beside.is_file() else None)
    name = str(source)
    read = partial(_File.model_validate, context=keywords)
    file = checked(parsed(source, name), read, name)
    return Questionnaire(file.languages, file.steps, keywords, file.taken)
