"""The verbs of officers on a case.

Each checks, writes, records the event and tells who must know. Each is one change in
the caller's transaction. Texts of people go into items, sealed; events hold codes only.
"""

from dataclasses import dataclass

from handlers import authority
from handlers.authority import Act
from handlers.cases import due_dates, record
from handlers.cases.named import Named, refuse_unknown, seal, tell
from handlers.errors import (
    AnsweredAlready,
    CannotTake,
    NotFound,
    OthersCase,
    ReasonNeeded,
    SecondOfficerNeeded,
)
from handlers.notices import officers as notices
from handlers.notices import reporters
from handlers.rules.workflow import Names
from handlers.work import Work
from storage.cases import case_version, cases, history, items
from storage.models import Case, Officer
from storage.words import Audience, EventCode, ItemKind, Reason, Role, Status


def change_status(
    work: Work,
    report: bytes,
    to: Status,
    *,
    by: Officer,
    reason: Reason | None,
    named: Named | None = None,
) -> bool:
    """Move a case, record who moved it, and tell the reporter.

    Where four eyes are needed the first officer's call records a proposal and returns
    False; a second officer who asks for the same step and reason confirms it (True).
    ``named`` is what the table wants named; with a ``proposal`` it is what was proposed.
    Raises the workflow's errors, NamedCaseUnknown, AnsweredAlready where another step was
    proposed meanwhile, NotFound, and NotAuthentic for a changed row.
    """
    case = record.lock(work, report)
    record.refuse_purged(case)
    step = _Step(to, reason, named)
    needs_second = _needs_second(work, case, step, by)
    names = work.office.rulebook.workflow.names(to, reason)
    if names is Names.CASE and named is not None:
        refuse_unknown(work, case, named, by=by)
    if needs_second:
        if case.wanted_by == by.id and step.is_proposed(case) and not step.is_new:
            raise SecondOfficerNeeded
        _propose(work, case, step, by)
        return False
    _move(work, case, step, by)
    return True


@dataclass(frozen=True, slots=True)
class _Step:
    """A step as an officer asks for it."""

    to: Status
    reason: Reason | None
    named: Named | None

    @property
    def detail(self) -> str:
        """Return the codes that stand in the history."""
        return f"{self.to}:{self.reason}" if self.reason else self.to.value

    @property
    def is_new(self) -> bool:
        """Tell whether it names something that nobody has proposed yet."""
        return self.named is not None and not self.named.proposal

    def is_proposed(self, case: Case) -> bool:
        """Tell whether somebody proposed this step and reason."""
        reason = self.reason.value if self.reason else None
        proposed = (case.wanted_status, case.wanted_reason)
        return case.wanted_by is not None and proposed == (self.to.value, reason)


def _needs_second(work: Work, case: Case, step: _Step, by: Officer) -> bool:
    """Tell whether a colleague has to approve this step; raises what forbids it."""
    named, workflow = step.named, work.office.rulebook.workflow
    names = workflow.names(step.to, step.reason)
    if named is not None and named.proposal:
        events = history.of_case(work.store, case.report)
        if not step.is_proposed(case) or named.proposal != case_version.proposal(
            events
        ):
            raise AnsweredAlready
    seconded = step.is_proposed(case) and case.wanted_by != by.id and not step.is_new
    enough = bool(
        named and names and named.is_enough(names, work.office, today=work.day)
    )
    if not seconded and Act.MOVE not in authority.acts(work, case, by):
        raise OthersCase
    try:
        workflow.check(
            Status(case.status),
            step.to,
            role=Role(by.role),
            reason=step.reason,
            before=Status(case.before) if case.before else None,
            approved_by_second=seconded,
            is_named=enough,
        )
    except SecondOfficerNeeded:
        return True
    return False


def _propose(work: Work, case: Case, step: _Step, by: Officer) -> None:
    sealed = seal(work, case, step.to, step.named, by=by) if step.named else None
    case.wanted_status, case.wanted_by = step.to.value, by.id
    case.wanted_reason = step.reason.value if step.reason else None
    code = EventCode.APPROVAL_ASKED
    record.event(work, case, code, by, step.detail, item_hash=sealed)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "proposed", by)


def _move(work: Work, case: Case, step: _Step, by: Officer) -> None:
    to, named = step.to, step.named
    if to is Status.NEEDS_INFO:
        case.before, case.paused_since = case.status, work.day
    else:
        case.before = case.paused_since = None
    due_dates.enter(work.office, case, to, work.now)
    case.reason = step.reason.value if step.reason else None
    case.wanted_status = case.wanted_reason = case.wanted_by = None
    if named is not None and not named.proposal:
        item = seal(work, case, to, named, by=by)
        record.append(work, case, EventCode.ITEM, by, item_hash=item)
    names = work.office.rulebook.workflow.names(to, step.reason)
    told = names is not None and names.is_told and named is not None
    sent = tell(work, case, to, named, by=by) if told and named else None
    record.event(work, case, EventCode.STATUS, by, step.detail, item_hash=sent)
    due_dates.set_due(work, case)
    cases.save(work.store, work.keys, case)
    reporters.tell(work, case, status=True)
    record.witness(work, case, "status", by)


def ask(work: Work, report: bytes, text: str, *, by: Officer) -> None:
    """Ask the reporter something: sealed to them and to the case, told as they wished."""
    case = record.lock(work, report)
    record.refuse_purged(case)
    if case.reporter_key is None:
        raise NotFound("no receipt yet")
    content = record.content(ItemKind.QUESTION, text, by, work.now)
    sent = items.add_item(
        work.store,
        work.keys,
        report,
        content,
        audience=Audience.REPORTER,
        public=case.reporter_key,
        day=work.day,
    )
    record.append(work, case, EventCode.ITEM, by, item_hash=sent)
    record.seal_to_case(work, case, content, EventCode.ASKED, by)
    cases.save(work.store, work.keys, case)
    reporters.tell(work, case, words=text)
    record.witness(work, case, "asked", by)


def note(work: Work, report: bytes, text: str, *, by: Officer) -> None:
    """Keep an officer's note, sealed to the case; nobody is told."""
    case = record.lock(work, report)
    content = record.content(ItemKind.NOTE, text, by, work.now)
    record.seal_to_case(work, case, content, EventCode.NOTED, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "noted", by)


def take(work: Work, report: bytes, *, by: Officer) -> bool:
    """Make an officer the one who works on a case; False if somebody else has it."""
    case = record.lock(work, report)
    if case.officer is not None:
        return case.officer == by.id
    case.officer = by.id
    record.event(work, case, EventCode.TAKEN, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "taken", by)
    return True


def let_go(work: Work, report: bytes, *, by: Officer) -> None:
    """Put a case that this officer had back into the unit's queue."""
    case = record.lock(work, report)
    if Act.LET_GO not in authority.acts(work, case, by):
        return
    case.officer = None
    record.event(work, case, EventCode.TAKEN, by, "let_go")
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "let_go", by)


def hand_on(work: Work, report: bytes, to: bytes, text: str, *, by: Officer) -> None:
    """Give a case to a colleague who has a next step; both are told.

    ``text``, why, is sealed to the case; it may be empty for one's own case or nobody's.
    Raises OthersCase, ReasonNeeded, and CannotTake for whoever has no next step.
    """
    case = record.lock(work, report)
    if Act.HAND_ON not in authority.acts(work, case, by):
        raise OthersCase
    if not text and case.officer not in {None, by.id}:
        raise ReasonNeeded
    if to not in {one.id for one in authority.takers(work, case)}:
        raise CannotTake
    _give(work, case, to, text, by)


def take_over(work: Work, report: bytes, text: str, *, by: Officer) -> None:
    """Make a supervisor the one who works on the case of somebody absent; both are told.

    ``text``, why, is sealed to the case. Raises OthersCase, ReasonNeeded.
    """
    case = record.lock(work, report)
    if Act.TAKE_OVER not in authority.acts(work, case, by):
        raise OthersCase
    if not text:
        raise ReasonNeeded
    _give(work, case, by.id, text, by)


def _give(work: Work, case: Case, to: bytes, text: str, by: Officer) -> None:
    had = case.officer
    if text:
        content = record.content(ItemKind.NOTE, text, by, work.now)
        record.seal_to_case(work, case, content, EventCode.NOTED, by)
    case.officer = to
    record.event(work, case, EventCode.HANDED, by, to.hex())
    cases.save(work.store, work.keys, case)
    notices.handed_on(work, case, had=had)
    record.witness(work, case, "handed", by)


def record_reading(work: Work, report: bytes, *, by: Officer) -> None:
    """Record that an officer opened a case's contents, and mark its news as seen."""
    case = record.lock(work, report)
    case.unread_from_reporter = False
    record.event(work, case, EventCode.READ_BY_OFFICER, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "read", by)
