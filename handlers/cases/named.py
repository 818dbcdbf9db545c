"""What an officer names with a step: the case that goes on, who received it, where else to turn.

The table of steps (``rules/<jurisdiction>/workflow.toml``) says which step names what. All
of it is sealed, first to the case and, when the step is done, to the reporter too: they
read it after number and code, never in a notice. Of another case they read nothing.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from handlers import authority
from handlers.cases import record
from handlers.errors import NamedCaseUnknown, NotFound
from handlers.messages import Reply
from handlers.office import Office
from handlers.rules.workflow import Names
from handlers.work import Work
from storage.cases import cases, items
from storage.cases.items import Content, Opened
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, Officer
from storage.words import Audience, ItemKind, Reason, Status

OTHER: Final = "OTHER"
"""The partner that is named in words alone."""
MOST_WORDS: Final = 500
_GONE: Final = frozenset({Status.MERGED, Status.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Named:
    """A case's number, or a partner's code and the day, with free words beside it.

    ``proposal`` is the number of the line of the history that proposed it, 0 where an
    officer names it anew.
    """

    case: str = field(default="", repr=False)
    partner: str = ""
    day: date | None = None
    words: str = field(default="", repr=False)
    proposal: int = 0

    def is_enough(self, names: Names, office: Office, *, today: date) -> bool:
        """Tell whether all is there that a step names; nothing was received tomorrow."""
        if len(self.words) > MOST_WORDS:
            return False
        if self.partner and self.partner not in office.rulebook.partners:
            return False
        if names is Names.CASE:
            return bool(self.case)
        if names is Names.ADDRESS:
            return bool(self.words or self.partner not in {"", OTHER})
        told = bool(self.words) or self.partner != OTHER
        return (
            bool(self.partner) and told and self.day is not None and self.day <= today
        )

    def to_text(self) -> str:
        """Return it as it stands inside an item's seal."""
        day = self.day.isoformat() if self.day else ""
        row = {"case": self.case, "partner": self.partner, "day": day}
        return json.dumps({**row, "words": self.words})

    @classmethod
    def of(cls, content: Content) -> "Named | None":
        """Read what an item names; None for an item that names nothing readable."""
        if content.kind is not ItemKind.NAMED:
            return None
        try:
            row = json.loads(content.text)
            day = date.fromisoformat(row["day"]) if row["day"] else None
            words, proposal = str(row["words"]), content.version
            return cls(row["case"], row["partner"], day, words, proposal)
        except (ValueError, KeyError, TypeError):
            return None


def refuse_unknown(work: Work, case: Case, named: Named, *, by: Officer) -> None:
    """Raise NamedCaseUnknown unless the named case is another one, goes on, and is open to ``by``."""
    try:
        found = cases.by_number(work.store, work.keys, named.case)
    except NotAuthentic:
        found = None
    if found is None or found.report == case.report or found.purged is not None:
        raise NamedCaseUnknown
    if found.status in _GONE or not authority.reaches(work, found, by):
        raise NamedCaseUnknown


def seal(work: Work, case: Case, to: Status, named: Named, *, by: Officer) -> bytes:
    """Seal what a step names to the case; returns the item's hash for the next line."""
    content = _content(work, to, named, by, case.head_seq + 1)
    return items.add_item(
        work.store,
        work.keys,
        case.report,
        content,
        audience=Audience.CASE,
        public=case.public_key,
        day=work.day,
    )


def tell(work: Work, case: Case, to: Status, named: Named, *, by: Officer) -> bytes:
    """Seal it to the reporter, who reads it with the code; returns the item's hash.

    Raises NotFound where no receipt was made yet.
    """
    if case.reporter_key is None:
        raise NotFound("no receipt yet")
    return items.add_item(
        work.store,
        work.keys,
        case.report,
        _content(work, to, named, by, case.head_seq + 1),
        audience=Audience.REPORTER,
        public=case.reporter_key,
        day=work.day,
    )


def latest(opened: Iterable[Opened], status: Status) -> Named | None:
    """Return what was named last with the step into a status, by items that are ours."""
    return latest_of([o.content for o in opened if o.by_officer and o.content], status)


def latest_of(kept: Sequence[Content], status: Status) -> Named | None:
    """Return what was named last with the step into a status; None where nothing was."""
    found = (Named.of(one) for one in reversed(kept) if one.step == status.value)
    return next((named for named in found if named is not None), None)


def reply(
    office: Office,
    status: Status,
    reason: Reason | None,
    named: Named | None,
    *,
    language: str,
) -> Reply | None:
    """Return what the reporter reads of it, None where there is nothing for them."""
    names = office.rulebook.workflow.names(status, reason)
    if named is None or names is None or not names.is_told:
        return None
    partner = office.rulebook.partners.get(named.partner)
    name = partner.names.get(language, named.partner) if partner else ""
    if names is Names.ADDRESS:
        told = "NAMED.ADDRESS" if name and named.partner != OTHER else "NAMED.ELSEWHERE"
        return Reply(told, {"partner": name}, literal=named.words)
    day = named.day.strftime("%d/%m/%Y") if named.day else ""
    return Reply("NAMED.PARTNER", {"partner": name, "date": day}, literal=named.words)


def _content(
    work: Work, to: Status, named: Named, by: Officer, proposal: int
) -> Content:
    written = record.content(ItemKind.NAMED, named.to_text(), by, work.now)
    return Content(
        kind=written.kind,
        text=written.text,
        at=written.at,
        officer=written.officer,
        step=to.value,
        version=proposal,
    )
