"""Seals what a message brought: the items of a turn.

``seal`` decides where a turn's items belong (a draft, which it begins if need be, the
opened case, or the case that a quoted notice names); ``keep`` seals them there and owes
the fetching of files.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from handlers.cases import reporter
from handlers.cases.submission import entry_units
from handlers.conversation import accusations
from handlers.conversation.exchange import Exchange, answer
from handlers.errors import DraftGone, NotFound
from handlers.messages import Incoming, Kind, Proof, Reply
from handlers.talk.turn import Item, Turn
from handlers.work import Work
from storage.cases import cases, reports
from storage.cases import items as report_items
from storage.cases.items import Content
from storage.crypto.sealing import NotAuthentic
from storage.evidence import files
from storage.jobs import jobs
from storage.models import Case
from storage.notices import subscriptions
from storage.units import entrance, units
from storage.words import Audience, Channel, FileState, JobKind, Mark


def begin(work: Work) -> bytes:
    """Begin a draft, its secret sealed to every unit that routing may choose."""
    entry = entry_units(work)
    return reports.start(work.store, work.keys, entry, day=work.day).report


def keep(
    work: Work,
    incoming: Incoming,
    items: Sequence[Item],
    *,
    draft: str,
    opened: str,
    language: str,
    unproved: bool = False,
) -> None:
    """Seal items to the draft or, with ``to_case``, to the case that was opened.

    What accuses those who stand above us goes to them alone, beside that case.
    ``draft`` and ``opened`` are report ids as hex. A file becomes an item now and is
    fetched by a durable job, unless it can never be. Raises DraftGone or NotFound rather
    than lose an item. ``unproved`` marks what goes to the case: its sender may be forged.
    """
    if not items:
        return
    vault = _vault(work, items)
    additions: list[tuple[Content, Audience]] = []
    for item in items:
        if not item.to_case:
            report = bytes.fromhex(draft)
            content = _content(work, incoming, item, report, language)
            _seal_to_draft(work, report, content, item.audience, vault)
            continue
        report = bytes.fromhex(opened)
        beside = accusations.begin(work, item, report)
        place = beside.report if beside else report
        content = _content(work, incoming, item, place, language)
        if unproved:
            content = replace(content, marks=(*content.marks, Mark.UNPROVED.value))
        if beside is None:
            additions.append((content, item.audience))
            continue
        _seal_to_draft(work, place, content, item.audience, vault)
        accusations.send(work, beside)
    if additions and not reporter.add(
        work, bytes.fromhex(opened), additions, vault=vault
    ):
        raise NotFound


def _vault(work: Work, items: Sequence[Item]) -> bytes | None:
    """Return the vault's key where an identity is about to be sealed to it."""
    if all(item.audience is not Audience.IDENTITY for item in items):
        return None
    return units.vault(work.store, work.keys).public_key


def _seal_to_draft(
    work: Work, report: bytes, content: Content, audience: Audience, vault: bytes | None
) -> None:
    public = reports.draft_key(work.store, work.keys, report)
    if public is None:
        raise DraftGone
    report_items.add_item(
        work.store,
        work.keys,
        report,
        content,
        audience=audience,
        public=public,
        day=work.day,
        vault=vault,
    )


def _content(
    work: Work, incoming: Incoming, item: Item, report: bytes, language: str
) -> Content:
    file_id = name = content_type = ""
    if item.media is not None:
        media = incoming.media[item.media]
        name, content_type = media.name, media.content_type
        row = files.reserve(work.store, work.keys, report, day=work.day)
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
            "heard": str(int(min(incoming.received, work.now).timestamp())),
        }
        if media.refused:
            files.refused(work.store, work.keys, row, FileState.REFUSED)
        else:
            jobs.put(work.store, work.keys, JobKind.FETCH, wanted, now=work.now)
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


def find_beside(exchange: Exchange) -> str:
    """Find the report that a message belongs to without its code; return a quoted number."""
    memory, incoming = exchange.memory, exchange.incoming
    if incoming.group and incoming.group == memory.album and memory.sent:
        exchange.beside = memory.sent
        return ""
    case = _quoted(exchange, incoming) if incoming.quotes else None
    exchange.beside = case.report.hex() if case is not None else ""
    return case.number if case is not None else ""


def _quoted(exchange: Exchange, incoming: Incoming) -> Case | None:
    session, keys = exchange.work.store, exchange.work.keys
    for handle in incoming.handles:
        report = subscriptions.quoted(
            session, keys, incoming.channel, handle, incoming.quotes
        )
        if report is not None:
            with suppress(NotAuthentic):
                return cases.get(session, keys, report)
    return None


def seal(exchange: Exchange, turn: Turn) -> bool:
    """Seal the items; False when this installation cannot take a report yet."""
    work, memory = exchange.work, exchange.memory
    items = list(turn.items)
    if any(not item.to_case for item in items) and not memory.report:
        if entrance.present(work.store, work.keys, hold=True).problems:
            return False
        memory.report = begin(work).hex()
    if memory.report and items:
        last = report_items.last_seq(work.store, bytes.fromhex(memory.report))
        if last + len(items) > FULL:
            items = [item for item in items if item.to_case]
            answer(exchange, (Reply("FULL"),))
    keep(
        work,
        exchange.incoming,
        items,
        draft=memory.report,
        opened=exchange.case_of(turn),
        language=work.office.language(turn.state.language),
        unproved=_is_unproved(exchange),
    )
    return True


def _is_unproved(exchange: Exchange) -> bool:
    """Tell whether a message without number and code came where anybody can be its sender."""
    is_sms = exchange.incoming.channel is Channel.SMS
    return is_sms and exchange.opening.proof is not Proof.OPENED


def changes_nothing(exchange: Exchange, turn: Turn) -> bool:
    """Tell whether this is an update of a live location that is not kept."""
    return exchange.incoming.kind is Kind.MOVED and not (turn.items or turn.replies)
