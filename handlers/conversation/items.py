"""Sealing what the dialogue decided to keep: drafts, additions, files, quarantine."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlmodel import Session

from handlers.cases import reporter
from handlers.cases.submission import entry_units
from handlers.conversation.exchange import Turning, answer
from handlers.dialogue import Item
from handlers.errors import DraftGone, NotFound, NotReady
from handlers.messages import Incoming, Kind, Reply
from handlers.office import Office
from handlers.talk.state import Turn
from storage import conversations
from storage import quarantine as kept
from storage.cases import cases, reports
from storage.cases import items as report_items
from storage.cases.items import Content
from storage.crypto.sealing import NotAuthentic
from storage.evidence import files
from storage.jobs import jobs
from storage.models import Case
from storage.notices import subscriptions
from storage.units import readiness, units
from storage.words import Audience, Channel, FileState, JobKind, Mark


def begin(session: Session, office: Office, *, now: datetime) -> bytes:
    """Begin a draft, its secret sealed to every unit that routing may choose."""
    entry = entry_units(session, office)
    return reports.start(session, office.keys, entry, day=office.day(now)).report


def keep(
    session: Session,
    office: Office,
    incoming: Incoming,
    items: Sequence[Item],
    *,
    draft: str,
    opened: str,
    language: str,
    now: datetime,
) -> None:
    """Seal items to the draft or, with ``to_case``, to the case that was opened.

    ``draft`` and ``opened`` are report ids as hex. A file becomes an item now and is
    fetched by a durable job, unless it can never be. Raises DraftGone or NotFound rather
    than lose an item.
    """
    if not items:
        return
    vault = units.vault(session, office.keys).public_key
    additions: list[tuple[Content, Audience]] = []
    for item in items:
        report = bytes.fromhex(opened if item.to_case else draft)
        content = _content(session, office, incoming, item, report, language, now)
        if item.to_case:
            additions.append((content, item.audience))
            continue
        public = reports.draft_key(session, office.keys, report)
        if public is None:
            raise DraftGone
        report_items.add_item(
            session,
            office.keys,
            report,
            content,
            audience=item.audience,
            public=public,
            day=office.day(now),
            vault=vault,
        )
    if not additions:
        return
    report = bytes.fromhex(opened)
    if not reporter.add(session, office, report, additions, vault=vault, now=now):
        raise NotFound


def quarantine(
    session: Session,
    office: Office,
    raw: bytes,
    reason: str,
    *,
    channel: Channel,
    name: str = "",
    now: datetime,
) -> None:
    """Seal a message that was not understood to the vault; ``reason`` is a code.

    ``name`` is the provider's, where it was used up for this: a custodian may take the
    message in again under it (``handlers.quarantine.release``). Raises NotReady while the vault has
    no key of ours: an empty row would lose the message.
    """
    try:
        vault = units.vault(session, office.keys).public_key
    except (units.NoSuchUnit, NotAuthentic):
        vault = None
    if vault is None:
        raise NotReady
    day = office.day(now)
    kept.put(
        session, office.keys, raw, reason, vault=vault, day=day, channel=channel.value
    )
    if name:
        conversations.set_aside(session, office.keys, channel, name, day=day)


def _content(
    session: Session,
    office: Office,
    incoming: Incoming,
    item: Item,
    report: bytes,
    language: str,
    now: datetime,
) -> Content:
    file_id = name = content_type = ""
    if item.media is not None:
        media = incoming.media[item.media]
        name, content_type = media.name, media.content_type
        row = files.reserve(session, office.keys, report, day=office.day(now))
        file_id = row.hex()
        wanted = {
            "file": file_id,
            "report": report.hex(),
            "channel": incoming.channel.value,
            "reference": media.reference,
            "handle": incoming.handle,
            "language": language,
            "name": media.name,
            "type": media.content_type,
            "erase": incoming.erase,
            "heard": str(int(min(incoming.received, now).timestamp())),
        }
        if media.refused:
            files.refused(session, office.keys, row, FileState.REFUSED)
        else:
            jobs.put(session, office.keys, JobKind.FETCH, wanted, now=now)
    return Content(
        kind=item.kind,
        text=item.text,
        at=incoming.received.isoformat(),
        step=item.step,
        version=item.version,
        name=name,
        content_type=content_type,
        file=file_id,
        language=language,
        marks=_marks(incoming, item),
    )


def _marks(incoming: Incoming, item: Item) -> tuple[str, ...]:
    """Return what officers are told of how an item came."""
    quoted = (Mark.QUOTED,) if item.beside and incoming.quotes else ()
    return tuple(mark.value for mark in (*quoted, *incoming.marks))


FULL = 4000
"""Items that one draft may hold; far more than a person writes in a day."""


def find_beside(turning: Turning) -> str:
    """Find the report that a message belongs to without its code; return a quoted number."""
    memory, incoming = turning.memory, turning.incoming
    if incoming.group and incoming.group == memory.album and memory.sent:
        turning.beside = memory.sent
        return ""
    case = _quoted(turning, incoming) if incoming.quotes else None
    turning.beside = case.report.hex() if case is not None else ""
    return case.number if case is not None else ""


def _quoted(turning: Turning, incoming: Incoming) -> Case | None:
    session, keys = turning.session, turning.office.keys
    for handle in incoming.handles:
        report = subscriptions.quoted(
            session, keys, incoming.channel, handle, incoming.quotes
        )
        if report is not None:
            with suppress(NotAuthentic):
                return cases.get(session, keys, report)
    return None


def seal(turning: Turning, turn: Turn) -> bool:
    """Seal the items; False when this installation cannot take a report yet."""
    session, office, memory = turning.session, turning.office, turning.memory
    items = list(turn.items)
    if any(not item.to_case for item in items) and not memory.report:
        if readiness.ready(session, office.keys):
            return False
        memory.report = begin(session, office, now=turning.now).hex()
    if memory.report and items:
        held = report_items.count_items(session, bytes.fromhex(memory.report))
        if held + len(items) > FULL:
            items = [item for item in items if item.to_case]
            answer(turning, (Reply("FULL"),))
    keep(
        session,
        office,
        turning.incoming,
        items,
        draft=memory.report,
        opened=turning.case_of(turn),
        language=office.language(turn.state.language),
        now=turning.now,
    )
    return True


def changes_nothing(turning: Turning, turn: Turn) -> bool:
    """Tell whether this is an update of a live location that is not kept."""
    return turning.incoming.kind is Kind.MOVED and not (turn.items or turn.replies)
