"""What a case holds, opened and laid out for reading: answers, letters, notes, files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlmodel import Session

from bot.console.visit import Visit
from bot.console.words import Words
from bot.evidence.kinds import kind_of
from handlers.cases import submission
from handlers.errors import NotGranted
from handlers.questionnaire.book import Questionnaire, StepKind
from handlers.talk import followup
from storage.cases import history
from storage.cases import items as report_items
from storage.cases.items import Content, Opened
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.evidence import files
from storage.models import Case, File
from storage.rekeying import case_keys
from storage.units import units
from storage.words import Audience, FileState, ItemKind

_LETTERS = frozenset({ItemKind.ADDITION, ItemKind.REPLY, ItemKind.QUESTION})
_OF_LETTERS = frozenset({followup.ASK_ADDITION, followup.ASK_REPLY})


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the report: its present wording, and what it replaced."""

    step: str
    present: tuple[Content, ...]
    earlier: tuple[Content, ...]

    @property
    def files(self) -> int:
        """Return how many files belong to it."""
        return sum(bool(content.file) for content in self.present)

    @property
    def was_changed(self) -> bool:
        """Tell whether the reporter wrote this part more than once."""
        edited = any(content.kind is ItemKind.EDIT for content in self.present)
        return bool(self.earlier) or edited


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file: which, how far, and what is known of it."""

    id: str
    number: int
    state: FileState
    has_copy: bool
    details: Mapping[str, str] = field(repr=False)
    notes: tuple[Content, ...] = field(default=(), repr=False)
    most_pages: ClassVar[int] = 40
    """How many pages of a PDF the case page draws."""

    @property
    def shown(self) -> str:
        """Return how the page shows it: picture, pages, sound, video, text, file, list."""
        kind = kind_of(self.details)
        if kind is None or not self.has_copy:
            return ""
        return self.details.get("shown") or kind.shown

    @property
    def ending(self) -> str:
        """Return what files of its kind are called by, as in PDF; "" for no kind of ours."""
        kind = kind_of(self.details)
        return kind.extension.upper() if kind else ""

    @property
    def size(self) -> int:
        """Return how large the original is, in bytes; 0 where nobody said."""
        told = self.details.get("size", "")
        return int(told) if told.isdecimal() else 0

    @property
    def has_preview(self) -> bool:
        """Tell whether a small picture of it is there."""
        return self.has_copy and self.details.get("preview_size", "0") != "0"

    @property
    def label(self) -> str:
        """Return its class, as it was judged last; "" where nobody judged it."""
        return self.notes[-1].step if self.notes else ""

    @property
    def why(self) -> str:
        """Return the code of why there is no copy, "" where nobody said."""
        return self.details.get("why", "")

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return what the original tells and its copy does not."""
        return tuple(self.details.get("hidden", "").split())

    @property
    def entries(self) -> tuple[str, ...]:
        """Return the first names in an archive's list."""
        return tuple(json.loads(self.details.get("entries", "[]")))

    @property
    def pages(self) -> int:
        """Return how many pages it has; 0 where nobody counted."""
        told = self.details.get("pages", "")
        return int(told) if told.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that the unit's key opens."""

    parts: tuple[Part, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    suggested: tuple[tuple[str, str], ...] = ()
    letters: tuple[Content, ...] = ()
    notes: tuple[Content, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    broken: tuple[Opened, ...] = ()
    missing: int = 0
    files_broken: bool = False
    has_identity: bool = False
    language: str = ""
    """The language in which the reporter wrote last, "" where nobody knows."""
    named: tuple[Content, ...] = ()
    """What steps of officers named."""
    written: datetime | None = None
    agency: str = field(default="", repr=False)
    read_as: Mapping[str, str] = field(default_factory=dict, repr=False)


def report_secret(visit: Visit, session: Session, case: Case) -> bytes:
    """Open the report's key with the unit's, that one with the officer's.

    The unit's key may be any generation that a grant of the case names; after a conflict
    of interest the officer's own grant leads there. Raises NotGranted where nobody made
    that yet, NotAuthentic when no grant of ours leads there.
    """
    keys = visit.console.office.keys
    unit = units.verified(session, keys, case.unit)
    try:
        return case_keys.secret_of(
            session, keys, case, unit, visit.officer, visit.secret
        )
    except case_keys.NotGranted:
        raise NotGranted from None


def read(visit: Visit, session: Session, case: Case) -> Contents:
    """Open a case's contents in the session of an officer of its unit.

    Of a purged case even the keys are gone: there is nothing, and nothing is amiss.
    """
    office = visit.console.office
    try:
        secret = report_secret(visit, session, case)
    except NotAuthentic:
        if case.purged is None:
            raise
        return Contents(missing=history.missing_items(session, case))
    items = report_items.read(
        session, office.keys, case.report, secret, audience=Audience.CASE
    )
    found = [item.content for item in items if item.content is not None]
    agency = [content.text for content in found if content.kind is ItemKind.AGENCY]
    notes = [content for content in found if content.kind is ItemKind.NOTE]
    evidence, files_broken = _evidence(session, office.keys, case, secret, found)
    return Contents(
        parts=_parts(found, office.questionnaire),
        choices=_choices(found, office.questionnaire, visit.words()),
        suggested=_suggested(found, visit.words()),
        letters=tuple(c for c in found if _is_letter(c)),
        notes=tuple(note for note in notes if not note.file),
        evidence=evidence,
        broken=tuple(item for item in items if item.content is None),
        missing=history.missing_items(session, case),
        files_broken=files_broken,
        written=next((moment(c) for c in found if c.kind is ItemKind.ANSWER), None),
        language=next((c.language for c in reversed(found) if c.language), ""),
        named=tuple(c for c in found if c.kind is ItemKind.NAMED),
        has_identity=report_items.has_identity(session, case.report),
        agency=agency[-1] if agency else "",
        read_as=_read_as(found),
    )


def moment(content: Content) -> datetime | None:
    """Return when an item was written, None if it does not say."""
    try:
        return datetime.fromisoformat(content.at)
    except ValueError:
        return None


def _is_letter(content: Content) -> bool:
    """Tell whether an item belongs to the exchange after the report was sent."""
    reworded = content.kind is ItemKind.EDIT and content.step in _OF_LETTERS
    return content.kind in _LETTERS or reworded


def _parts(found: Sequence[Content], book: Questionnaire) -> tuple[Part, ...]:
    """Group answers by step in the order they are asked; the latest version counts."""
    steps: dict[str, list[Content]] = {step.code: [] for step in book.report}
    for content in found:
        if content.kind in {ItemKind.ANSWER, ItemKind.EDIT} and not _is_letter(content):
            steps.setdefault(content.step, []).append(content)
    parts = []
    for step, answers in steps.items():
        if not answers:
            continue
        latest = max(answer.version for answer in answers)
        parts.append(
            Part(
                step,
                present=tuple(a for a in answers if a.version == latest),
                earlier=tuple(a for a in answers if a.version != latest),
            )
        )
    return tuple(parts)


def _choices(
    found: Sequence[Content], book: Questionnaire, words: Words
) -> tuple[tuple[str, str], ...]:
    """Return the choices that were made, as (part, name)."""
    made = _made(found)
    return tuple(
        (words.part(step.code), words.choice(step, str(made[step.code])))
        for step in book.report
        if step.kind is StepKind.CHOICE and not step.gate and made.get(step.code)
    )


def _suggested(found: Sequence[Content], words: Words) -> tuple[tuple[str, str], ...]:
    """Return what the reporter's words were read as, as (what, name)."""
    return tuple(
        (what, name)
        for what, code in _read_as(found).items()
        if (name := words.suggested(what, code))
    )


def _read_as(found: Sequence[Content]) -> Mapping[str, str]:
    read = _made(found).get(submission.READ) or {}
    return {what: str(code) for what, code in read.items() if code}


def _made(found: Sequence[Content]) -> Mapping[str, Any]:
    sealed = [content.text for content in found if content.kind is ItemKind.CHOICES]
    try:
        made: Mapping[str, Any] = json.loads(sealed[-1]) if sealed else {}
    except ValueError:
        return {}
    return made


def _evidence(
    session: Session,
    keys: ServerKeys,
    case: Case,
    secret: bytes,
    found: Sequence[Content],
) -> tuple[tuple[Evidence, ...], bool]:
    """Return the files in the order they were sent, and whether one is none of ours."""
    about: dict[str, list[Content]] = {}
    for content in found:
        about.setdefault(content.file, []).append(content)
    order = {name: at for at, name in enumerate(about)}
    try:
        rows = files.of_report(session, keys, case.report)
        rows.sort(key=lambda row: order.get(row.id.hex(), len(order)))
        shown = [
            _file(row, number, secret, about.get(row.id.hex(), ()))
            for number, row in enumerate(rows, start=1)
        ]
    except NotAuthentic:
        return (), True
    return tuple(shown), False


def _file(row: File, number: int, secret: bytes, about: Sequence[Content]) -> Evidence:
    """Return a file; until it is taken, only what came ``about`` it tells its name."""
    told = files.details(row, secret) or {"name": about[0].name if about else ""}
    return Evidence(
        id=row.id.hex(),
        number=number,
        state=FileState(row.state),
        has_copy=row.copy_key is not None,
        details=told,
        notes=tuple(one for one in about if one.kind is ItemKind.NOTE),
    )
