"""The rules of one jurisdiction, read from its TOML files.

The files lie in ``handlers/rules/<jurisdiction>``. An agency's own folder (``[agency]
rules``) may hold edited copies: a file there stands in for ours of the same name.
"""

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field

from handlers.rules.classification import Classification
from handlers.rules.deadlines import Deadlines
from handlers.rules.gazetteer import Gazetteer
from handlers.rules.lifetimes import Lifetimes
from handlers.rules.regions import PlaceWords, Provinces, Regencies
from handlers.rules.reveals import RevealRules
from handlers.rules.rulefile import NAME, Entry, Table, Term, checked, having, parsed
from handlers.rules.workdays import Calendar
from handlers.rules.workflow import Workflow
from storage.words import Group, PositionClass, Reason


def _group_first(code: str) -> str:
    if code.partition("-")[0] not in set(Group):
        raise ValueError(f"a category begins with one of {', '.join(Group)}")
    return code


class Category(Term):
    """A violation; its code begins with the group."""

    code: Annotated[str, AfterValidator(_group_first)] = Field(validation_alias=NAME)
    law: str = ""
    kinds: tuple[Literal["E", "D"], ...] = ()


class Position(Term):
    """A post of the reported person, and the class that stands for it on a case."""

    position_class: PositionClass = Field(validation_alias="class")


class _Ending(Term):
    code: Reason = Field(validation_alias=NAME)


class _Holidays(Entry):
    day: dict[
        Annotated[date, BeforeValidator(date.fromisoformat)],
        Literal["public", "joint", "work"],
    ] = Field(default_factory=dict)


class Rulebook(Entry):
    """All rules of a jurisdiction, a field for each file. Build it with ``load``.

    A file whose field has a default may be absent.
    """

    jurisdiction: str
    workflow: Workflow = Field(validation_alias="workflow.toml")
    deadlines: Deadlines = Field(validation_alias="deadlines.toml")
    lifetimes: Lifetimes = Field(validation_alias="retention.toml")
    reasons: Annotated[Table[_Ending], having(Reason)] = Field(
        validation_alias="reasons.toml"
    )
    categories: Table[Category] = Field(validation_alias="categories.toml")
    positions: Table[Position] = Field(validation_alias="positions.toml")
    classification: Classification = Field(validation_alias="classification.toml")
    provinces: Provinces = Field(validation_alias="regions.toml")
    regencies: Regencies = Field(Regencies(), validation_alias="regencies.toml")
    place_words: PlaceWords = Field(PlaceWords(), validation_alias="places.toml")
    partners: Table[Term] = Field(
        default_factory=dict, validation_alias="partners.toml"
    )
    reveal: RevealRules = Field(validation_alias="reveal.toml")
    evidence: Table[Term] = Field(validation_alias="evidence.toml")
    holidays: _Holidays = Field(validation_alias="holidays.toml")

    @classmethod
    def load(cls, folder: Path | None = None, jurisdiction: str = "id") -> Self:
        """Read and check everything. Raises ``RulesInvalid`` naming file and entry."""
        files = {
            name: read_rules(name, folder, jurisdiction)
            for field in cls.model_fields.values()
            if isinstance(name := field.validation_alias, str)
            and (field.is_required() or _source(name, folder, jurisdiction).is_file())
        }
        return checked({"jurisdiction": jurisdiction, **files}, cls.model_validate)

    @cached_property
    def places(self) -> Gazetteer:
        """Return the names of all places, indexed when it is first asked for."""
        return Gazetteer.of(self.provinces, self.regencies, self.place_words)

    def calendar(
        self, years: Iterable[int], *, joint_leave_off: bool = True
    ) -> Calendar:
        """Return the working-day calendar of these years, with the local overrides."""
        return Calendar.from_package(
            years,
            self.holidays.day,
            country=self.jurisdiction.upper(),
            joint_leave_off=joint_leave_off,
        )


def read_rules(name: str, folder: Path | None, jurisdiction: str) -> dict[str, Any]:
    """Return one parsed rule file, the agency's own copy first.

    Raises ``RulesInvalid`` when there is none, or when it is no TOML.
    """
    return parsed(_source(name, folder, jurisdiction), f"{jurisdiction}/{name}")


def _source(name: str, folder: Path | None, jurisdiction: str) -> Traversable | Path:
    own = folder / name if folder else None
    ours = resources.files("handlers") / "rules" / jurisdiction / name
    return own if own and own.is_file() else ours
