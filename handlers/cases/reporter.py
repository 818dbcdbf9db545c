"""The verbs of somebody who holds a receipt: hear, add, answer, withdraw, opt in.

What a reporter does is told by the day, never by the minute, and never with a handle.
"""

from collections import Counter
from collections.abc import Sequence

from handlers.cases import due_dates, named
from handlers.cases.receipts import Opening
from handlers.messages import Reply
from handlers.notices import officers as notices
from handlers.notices import reporters
from handlers.work import Work
from storage.cases import cases, history, reveals
from storage.cases import items as report_items
from storage.cases.items import Content
from storage.evidence import files
from storage.models import Case
from storage.retention import erasing
from storage.words import Audience, Channel, EventCode, FileState, Reason, Status


def language_of(work: Work, opening: Opening) -> str:
    """Return the language that the reporter wrote in when they reported; empty if unknown."""
    kept = report_items.read(
        work.store,
        work.keys,
        opening.report,
        opening.secret,
        audience=Audience.REPORTER,
    )
    for item in kept:
        if item.content is not None and item.content.step == "language":
            return item.content.language
    return ""


def status_of(
    work: Work, opening: Opening, *, language: str, channel: Channel
) -> tuple[Reply, ...]:
    """Return where the case stands, in the words agreed for its status."""
    case = cases.get(work.store, work.keys, opening.report)
    if case is None:
        return ()
    if case.purged is not None:
        return (Reply("PURGED", {"date": case.purged.strftime("%d/%m/%Y")}),)
    told = reporters.standing(work.office, case, language=language, channel=channel)
    standing = (told,) if told is not None else ()
    return (
        *standing,
        *_named(work, opening, case, language),
        *_of_files(work, opening.report),
    )


def _named(
    work: Work, opening: Opening, case: Case, language: str
) -> tuple[Reply, ...]:
    """Say who received the report or where else to turn: only with number and code."""
    status, reason = Status(case.status), Reason(case.reason) if case.reason else None
    if work.office.rulebook.workflow.names(status, reason) is None:
        return ()
    kept = report_items.read(
        work.store,
        work.keys,
        opening.report,
        opening.secret,
        audience=Audience.REPORTER,
    )
    last = named.latest(kept, status)
    told = named.reply(work.office, status, reason, last, language=language)
    return (told,) if told is not None else ()


def _of_files(work: Work, report: bytes) -> tuple[Reply, ...]:
    """Say how many files arrived, are under way, or did not come; nothing of none."""
    rows = files.of_report(work.store, work.keys, report)
    states = Counter(FileState(row.state) for row in rows)
    if not states:
        return ()
    taken, waiting = states[FileState.TAKEN], states[FileState.WAITING]
    lost = len(rows) - taken - waiting
    counts = {"taken": str(taken), "waiting": str(waiting), "lost": str(lost)}
    return (Reply("FILESTATE", counts),)


def unread(work: Work, opening: Opening) -> tuple[Reply, ...]:
    """Return every message that the reporter has not seen, and mark them as seen.

    An item that does not verify is never shown as an officer's words.
    """
    items = report_items.read(
        work.store,
        work.keys,
        opening.report,
        opening.secret,
        audience=Audience.REPORTER,
        unread_only=True,
    )
    real = [item for item in items if item.content is not None and item.by_officer]
    if not real:
        return ()
    case = cases.lock(work.store, work.keys, opening.report)
    if case is None:
        return ()
    report_items.mark_read(
        work.store, work.keys, opening.report, [item.seq for item in real]
    )
    _record(work, case, EventCode.READ_BY_REPORTER)
    cases.save(work.store, work.keys, case)
    return tuple(
        Reply("ASKED", literal=item.content.text) for item in real if item.content
    )


def add(
    work: Work,
    report: bytes,
    contents: Sequence[tuple[Content, Audience]],
    *,
    vault: bytes | None,
) -> bool:
    """Seal what a reporter adds to an open case and let its officers know.

    Only the public key is needed. False when the case is gone, or what it held.
    """
    case = cases.lock(work.store, work.keys, report)
    if case is None or case.purged is not None:
        return False
    for content, audience in contents:
        item_hash = report_items.add_item(
            work.store,
            work.keys,
            report,
            content,
            audience=audience,
            public=case.public_key,
            day=work.day,
            vault=vault,
        )
        _record(work, case, EventCode.ITEM, item_hash=item_hash)
    first = not case.unread_from_reporter
    case.unread_from_reporter = True
    case.identity_swept = case.files_swept = False
    cases.save(work.store, work.keys, case)
    if first:
        notices.alert(work, case, text="ALERT.ANSWER")
    return True


def withdraw(work: Work, report: bytes) -> None:
    """Withdraw a report: contact and identity go; early on, the case ends too.

    From REVIEW on the case stays and the agency decides.
    """
    case = _end_contact(work, report)
    if case is None:
        return
    effect = work.office.rulebook.workflow.withdrawal_effect(
        Status(case.status), Status(case.before) if case.before else None
    )
    case.reporter_withdrawn = True
    _record(
        work,
        case,
        EventCode.WITHDRAWN,
        detail=effect.value if effect else "",
        item_hash=history.left(work.store, case),
    )
    if effect is not None:
        due_dates.enter(work.office, case, effect, work.now)
        case.before = None
    cases.save(work.store, work.keys, case)
    notices.alert(work, case, text="ALERT.WITHDRAWN")


def erase(work: Work, report: bytes) -> None:
    """Forget the reporter: identity and notices go at once; the receipt still works."""
    case = _end_contact(work, report)
    if case is None:
        return
    _record(work, case, EventCode.ERASED, item_hash=history.left(work.store, case))
    cases.save(work.store, work.keys, case)


def _record(
    work: Work,
    case: Case,
    code: EventCode,
    *,
    detail: str = "",
    item_hash: bytes | None = None,
) -> None:
    """Add a reporter's act to the history: the day, never the minute."""
    history.append(
        work.store,
        work.keys,
        case,
        code,
        by=history.REPORTER,
        day=work.day,
        detail=detail,
        item_hash=item_hash,
    )


def _end_contact(work: Work, report: bytes) -> Case | None:
    """End notices and reveals and delete the identity, unless a legal process keeps it."""
    case = cases.lock(work.store, work.keys, report)
    if case is not None:
        day = work.day
        reveals.end_for_report(work.store, report)
        erasing.erase_contact(work.store, work.keys, case, day=day)
        if not case.hold:
            erasing.erase_identity(work.store, work.keys, case, day=day)
    return case
