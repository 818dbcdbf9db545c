"""Our own rule files, read once in a process and not again for each test's office.

They do not change while tests run. An agency's own folder is read each time.
"""

from functools import cache
from pathlib import Path

from bot.assembly import office
from handlers.questionnaire import book
from handlers.questionnaire.steps import Questionnaire
from handlers.rules.rulebook import Rulebook

_load = Rulebook.load
_rulebook, _questionnaire = cache(Rulebook.load), cache(book.load)


def read_once() -> None:
    """Let all offices of this process share the rules and the questionnaire that we ship."""
    Rulebook.load = staticmethod(_rules)  # type: ignore[method-assign]
    office.load_questionnaire = _steps  # type: ignore[attr-defined]


def _rules(folder: Path | None = None, jurisdiction: str = "id") -> Rulebook:
    load = _load if folder else _rulebook
    return load(folder, jurisdiction)


def _steps(path: Path | None = None) -> Questionnaire:
    return book.load(path) if path else _questionnaire(path)
