"""A data breach: recorded, told to the authority, told to every reporter once (D22)."""

from collections.abc import Mapping
from datetime import datetime

from handlers.errors import NotFound
from handlers.messages import Reply
from handlers.notices import reporters as notices
from handlers.office import Office
from handlers.rules import deadlines
from handlers.work import Work
from storage import breaches
from storage.audit import log
from storage.cases import cases, history, items
from storage.cases.items import Content
from storage.models import Breach, Case
from storage.words import Audience, Channel, EventCode, ItemKind

BATCH = 50
MOST = 1000
"""Letters of what an operator may write in one language."""


def due(office: Office, row: Breach) -> datetime:
    """Return until when authority and reporters have to be told."""
    return deadlines.due_at(office.rulebook.deadlines.rules["D22"], row.known)


def record(work: Work, *, known: datetime) -> Breach:
    """Record a breach that became known at ``known`` (UTC)."""
    row = breaches.add(work.store, work.keys, known=known)
    _witness(work, row, "opened")
    return row


def tell_authority(work: Work, breach: bytes) -> breaches.Figures:
    """Note that the authority is told, the first time; returns the figures for it."""
    row = _locked(work, breach)
    if row.told_authority is None:
        row.told_authority = work.now.replace(microsecond=0)
        breaches.save(work.store, work.keys, row)
        _witness(work, row, "authority")
    return breaches.figures(work.store)


def tell_reporters(
    work: Work, breach: bytes, words: Mapping[str, str], *, after: bytes
) -> tuple[int, bytes | None]:
    """Tell the next reporters, at most 50: sealed to their key, with a neutral notice.

    ``words``: what happened, by language. ``after`` is the report with which the last call
    ended (empty: from the start). Returns how many were told now and where to go on, None
    at the end. A case is told once, however often and from wherever this is called.
    """
    row = _locked(work, breach)
    reports = breaches.concerned(work.store, after=after, limit=BATCH)
    told = []
    for report in reports:
        case = cases.lock(work.store, work.keys, report)
        if (
            case is None
            or case.reporter_key is None
            or breaches.was_told(work.store, case, row)
        ):
            continue
        _tell(work, case, row, _text(work.office, words))
        told.append(case)
    if len(reports) < BATCH and row.told_reporters is None:
        row.told_reporters = work.now.replace(microsecond=0)
        breaches.save(work.store, work.keys, row)
    for case in told:
        log.record(
            work.store,
            work.keys,
            "breach.told",
            officer=None,
            report=case.report,
            detail=history.short(case.head),
            now=work.now,
        )
    if len(reports) < BATCH:
        _witness(work, row, "reporters")
        return len(told), None
    return len(told), reports[-1]


def _locked(work: Work, breach: bytes) -> Breach:
    row = breaches.lock(work.store, work.keys, breach)
    if row is None:
        raise NotFound
    return row


def _tell(work: Work, case: Case, row: Breach, text: str) -> None:
    day = work.day
    content = Content(kind=ItemKind.TOLD, text=text, at=work.now.isoformat())
    if case.reporter_key is None:
        return
    item_hash = items.add_item(
        work.store,
        work.keys,
        case.report,
        content,
        audience=Audience.REPORTER,
        public=case.reporter_key,
        day=day,
    )
    history.append(
        work.store,
        work.keys,
        case,
        EventCode.ITEM,
        by=history.SYSTEM,
        day=day,
        detail=breaches.mark(row),
        item_hash=item_hash,
    )
    cases.save(work.store, work.keys, case)
    notices.tell(work, case)


def _text(office: Office, words: Mapping[str, str]) -> str:
    """Return the message in every language: only the reporter's key tells theirs."""
    parts = []
    for language, happened in words.items():
        reply = Reply("BREACH", literal=happened)
        said = office.texts.render(reply, language=language, channel=Channel.TELEGRAM)
        parts.append(said.text)
    return "\n\n".join(parts)


def _witness(work: Work, row: Breach, act: str) -> None:
    log.record(
        work.store,
        work.keys,
        f"breach.{act}",
        officer=None,
        detail=row.id.hex(),
        now=work.now,
    )
