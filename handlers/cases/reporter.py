"""The verbs of somebody who holds a receipt: hear, add, answer, withdraw, opt in.

What a reporter does is told by the day, never by the minute, and never with a handle.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from handlers.cases import due_dates
from handlers.cases.receipts import Opening
from handlers.messages import Reply
from handlers.notices import reporters
from handlers.office import Office
from storage.cases import cases, history, reveals
from storage.cases import items as report_items
from storage.cases.items import Content
from storage.evidence import files
from storage.models import Case
from storage.retention import erasing
from storage.words import Audience, Channel, EventCode, FileState, Status


def language_of(session: Session, office: Office, opening: Opening) -> str:
    """Return the language that the reporter wrote in when they reported; empty if unknown."""
    kept = report_items.read(
        session, office.keys, opening.report, opening.secret, audience=Audience.REPORTER
    )
    for item in kept:
        if item.content is not None and item.content.step == "language":
            return item.content.language
    return ""


def status_of(
    session: Session,
    office: Office,
    opening: Opening,
    *,
    language: str,
    channel: Channel,
) -> tuple[Reply, ...]:
    """Return where the case stands, in the words agreed for its status."""
    case = cases.get(session, office.keys, opening.report)
    if case is None:
        return ()
    if case.purged is not None:
        return (Reply("PURGED", {"date": case.purged.strftime("%d/%m/%Y")}),)
    told = reporters.standing(office, case, language=language, channel=channel)
    standing = (told,) if told is not None else ()
    return (*standing, *_of_files(session, office, opening.report))


def _of_files(session: Session, office: Office, report: bytes) -> tuple[Reply, ...]:
    """Say how many files arrived, are under way, or did not come; nothing of none."""
    rows = files.of_report(session, office.keys, report)
    states = Counter(FileState(row.state) for row in rows)
    if not states:
        return ()
    taken, waiting = states[FileState.TAKEN], states[FileState.WAITING]
    lost = len(rows) - taken - waiting
    counts = {"taken": str(taken), "waiting": str(waiting), "lost": str(lost)}
    return (Reply("FILESTATE", counts),)


def unread(
    session: Session, office: Office, opening: Opening, *, now: datetime
) -> tuple[Reply, ...]:
    """Return every message that the reporter has not seen, and mark them as seen.

    An item that does not verify is never shown as an officer's words.
    """
    items = report_items.read(
        session,
        office.keys,
        opening.report,
        opening.secret,
        audience=Audience.REPORTER,
        unread_only=True,
    )
    real = [item for item in items if item.content is not None and item.by_officer]
    if not real:
        return ()
    case = cases.lock(session, office.keys, opening.report)
    if case is None:
        return ()
    report_items.mark_read(
        session, office.keys, opening.report, [item.seq for item in real]
    )
    _record(
        session,
        office,
        case,
        EventCode.READ_BY_REPORTER,
        now=now,
    )
    cases.save(session, office.keys, case)
    return tuple(
        Reply("ASKED", literal=item.content.text) for item in real if item.content
    )


def add(
    session: Session,
    office: Office,
    report: bytes,
    contents: Sequence[tuple[Content, Audience]],
    *,
    vault: bytes | None,
    now: datetime,
) -> bool:
    """Seal what a reporter adds to an open case and let its officers know.

    Only the public key is needed. False when the case is gone, or what it held.
    """
    case = cases.lock(session, office.keys, report)
    if case is None or case.purged is not None:
        return False
    for content, audience in contents:
        item_hash = report_items.add_item(
            session,
            office.keys,
            report,
            content,
            audience=audience,
            public=case.public_key,
            day=office.day(now),
            vault=vault,
        )
        _record(
            session,
            office,
            case,
            EventCode.ITEM,
            item_hash=item_hash,
            now=now,
        )
    first = not case.unread_from_reporter
    case.unread_from_reporter = True
    cases.save(session, office.keys, case)
    if first:
        reporters.alert(session, office, case, text="ALERT.ANSWER", now=now)
    return True


def withdraw(session: Session, office: Office, report: bytes, *, now: datetime) -> None:
    """Withdraw a report: contact and identity go; early on, the case ends too.

    From REVIEW on the case stays and the agency decides (DOMAIN 3.4).
    """
    case = _end_contact(session, office, report, now)
    if case is None:
        return
    effect = office.rulebook.workflow.withdrawal_effect(
        Status(case.status), Status(case.before) if case.before else None
    )
    case.reporter_withdrawn = True
    _record(
        session,
        office,
        case,
        EventCode.WITHDRAWN,
        detail=effect.value if effect else "",
        item_hash=history.left(session, case),
        now=now,
    )
    if effect is not None:
        due_dates.enter(office, case, effect, now)
        case.before = None
    cases.save(session, office.keys, case)
    reporters.alert(session, office, case, text="ALERT.WITHDRAWN", now=now)


def erase(session: Session, office: Office, report: bytes, *, now: datetime) -> None:
    """Forget the reporter: identity and notices go at once; the receipt still works."""
    case = _end_contact(session, office, report, now)
    if case is None:
        return
    _record(
        session,
        office,
        case,
        EventCode.ERASED,
        item_hash=history.left(session, case),
        now=now,
    )
    cases.save(session, office.keys, case)


def _record(
    session: Session,
    office: Office,
    case: Case,
    code: EventCode,
    *,
    now: datetime,
    detail: str = "",
    item_hash: bytes | None = None,
) -> None:
    """Add a reporter's act to the history: the day, never the minute."""
    history.append(
        session,
        office.keys,
        case,
        code,
        by=history.REPORTER,
        day=office.day(now),
        detail=detail,
        item_hash=item_hash,
    )


def _end_contact(
    session: Session, office: Office, report: bytes, now: datetime
) -> Case | None:
    """End notices and reveals and delete the identity, unless a legal process keeps it."""
    case = cases.lock(session, office.keys, report)
    if case is not None:
        day = office.day(now)
        reveals.end_for_report(session, report)
        erasing.erase_contact(session, office.keys, case, day=day)
        if not case.hold:
            erasing.erase_identity(session, office.keys, case, day=day)
    return case
