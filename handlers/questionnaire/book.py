"""The conversation as data: steps, options and conditions, read from TOML.

A jurisdiction's ``questionnaire.toml`` (and the ``keywords.toml`` beside it) declares what
is asked, in which order, and when. ``when`` is a table over the names of earlier choice
steps: AND over its keys, OR in a list, ``{ not = [...] }`` for the rest. ``check`` proves
a questionnaire and its texts before they are used (``handlers.questionnaire.proofs``).
"""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar

from handlers.errors import RulesInvalid
from handlers.questionnaire.keywords import Keywords, normalise
from handlers.questionnaire.proofs import check
from handlers.questionnaire.steps import (
    Condition,
    Option,
    Questionnaire,
    Step,
    StepKind,
)

__all__ = [
    "Condition",
    "Option",
    "Questionnaire",
    "Step",
    "StepKind",
    "check",
    "load",
]

T = TypeVar("T")

_STRANGE: Final = (
    *(AttributeError, LookupError, OSError, OverflowError),
    *(RecursionError, TypeError, ValueError),
)
_DEFAULT: Final = files("handlers").joinpath("rules", "id", "questionnaire.toml")
_FLAGS: Final = ("gate", "required", "multiple", "identity", "counted", "aside")
_KEYS: Final = {"code", "name", "kind", "options", "when", "part", "called", *_FLAGS}
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


def load(path: Path | None = None) -> Questionnaire:
    """Read a questionnaire and the keywords beside it (ours where it has none).

    :param path: an agency's own ``questionnaire.toml``; None for the one we ship.
    :raises RulesInvalid: when the file contradicts itself.
    """
    source = path or _DEFAULT
    beside = path.with_name("keywords.toml") if path else None
    try:
        keywords = Keywords.load(beside if beside and beside.is_file() else None)
        table = tomllib.loads(source.read_text(encoding="utf-8"))
        return _parse(table, keywords)
    except _STRANGE as error:
        raise RulesInvalid(f"{source}: {error}") from error


def _parse(table: Mapping[str, Any], keywords: Keywords) -> Questionnaire:
    rows = [dict(row) for row in _field(table, "the file", "step", list)]
    names = {
        str(row.get("name", row.get("code"))): str(row.get("code")) for row in rows
    }
    steps = tuple(_step(row, names, keywords) for row in rows)
    _check_shape(steps)
    return Questionnaire(
        languages=tuple(_field(table, "the file", "languages", list)),
        steps=_with_edit_menu(steps),
        keywords=keywords,
        taken={
            provider: frozenset(normalise(word) for word in words)
            for provider, words in _field(table, "the file", "taken", dict, {}).items()
        },
    )


def _field(
    row: Mapping[str, Any],
    where: str,
    key: str,
    kind: type[T],
    default: T | None = None,
) -> T:
    """Return one value of a table, of the type it must have."""
    value = row.get(key, default)
    if not isinstance(value, kind):
        raise RulesInvalid(f"{where}: `{key}` must be a {kind.__name__}")
    return value


def _step(row: Mapping[str, Any], names: Mapping[str, str], keywords: Keywords) -> Step:
    code = _code(row, "a step")
    where = f"step {code}"
    if strange := set(row) - _KEYS:
        raise RulesInvalid(f"{where}: unknown keys {sorted(strange)}")
    kind = _field(row, where, "kind", str)
    if kind not in set(StepKind):
        raise RulesInvalid(f"{where}: no kind {kind}; one of {', '.join(StepKind)}")
    options = _field(row, where, "options", list, [])
    return Step(
        code=code,
        name=_field(row, where, "name", str, code),
        kind=StepKind(kind),
        options=tuple(_option(where, one, keywords) for one in options),
        when=tuple(_conditions(where, _field(row, where, "when", dict, {}), names)),
        part=_field(row, where, "part", int, 0),
        called=frozenset(map(normalise, _field(row, where, "called", list, []))),
        **{flag: _field(row, where, flag, bool, default=False) for flag in _FLAGS},
    )


def _code(row: Mapping[str, Any], where: str) -> str:
    code = _field(row, where, "code", str)
    if not code or "." in code:
        raise RulesInvalid(f"{where}: a code is not empty and has no point: {code!r}")
    return code


def _option(where: str, row: Mapping[str, Any] | str, keywords: Keywords) -> Option:
    if isinstance(row, str):
        row = {"code": row}
    code = _code(row, f"{where}, an option")
    own = frozenset(map(normalise, _field(row, where, "words", list, [])))
    words = own | keywords.of(code)
    if not words:
        raise RulesInvalid(f"{where}: option {code} has no words to type")
    return Option(
        code=code,
        label=_field(row, where, "label", str, code),
        words=words,
        ends=_field(row, where, "ends", str, ""),
        says=_field(row, where, "says", str, ""),
        warns=_field(row, where, "warns", str, ""),
        shown=_field(row, where, "shown", bool, default=True),
    )


def _conditions(
    where: str, when: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[Condition]:
    for name, wanted in when.items():
        if name not in names:
            raise RulesInvalid(f"{where}: `when` names no step: {name}")
        negated = isinstance(wanted, Mapping)
        table = wanted if negated else {"not": wanted}
        codes = _field(table, f"{where}, `when`, {name}", "not", list)
        yield Condition(names[name], frozenset(codes), negated)


def _check_shape(steps: tuple[Step, ...]) -> None:
    """Refuse what no conversation could be led with."""
    codes = [step.code for step in steps]
    for code in codes:
        if codes.count(code) > 1:
            raise RulesInvalid(f"step {code} is declared twice")
    if gone := _ASIDE - {step.code for step in steps if step.aside}:
        raise RulesInvalid(f"the steps {sorted(gone)} must stand there, `aside`")
    report = [step for step in steps if not step.aside]
    story = [step for step in report if step.required and step.kind.takes_text]
    if len(story) != 1:
        raise RulesInvalid(
            "exactly one step of words must be `required`: what happened"
        )
    if report[-1].kind is not StepKind.CONFIRM:
        raise RulesInvalid("the last step of the report must have kind `confirm`")


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
