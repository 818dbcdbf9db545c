"""The tag of a case row: whatever decides who reads or hears it was written by us."""

from datetime import date

from storage.crypto import sealing
from storage.crypto.sealing import Context
from storage.crypto.server_key import ServerKeys
from storage.models import Case


def case_content(case: Case) -> bytes:
    """Return what a case's tag covers: every column but the report id, which is its place."""
    return _joined(
        case.number,
        case.status,
        case.before,
        case.reason,
        case.urgency,
        case.unit,
        case.officer,
        _joined(case.wanted_status, case.wanted_reason, case.wanted_by),
        case.public_key,
        case.reporter_key,
        case.receipt_salt,
        case.receipt_wrap,
        case.head,
        case.head_seq,
        _joined(
            case.day,
            case.category,
            case.track,
            case.position,
            case.province,
            "open" if case.is_open else "ended",
            _word("withdrawn", said=case.reporter_withdrawn),
            case.due,
            case.due_rule,
            case.paused_since,
            case.register_year,
            case.register_number,
            _word("unread", said=case.unread_from_reporter),
            case.figures,
            *_end(case),
        ),
    )


def _end(case: Case) -> tuple[str | date | None, ...]:
    """Return what is known of a case's end; nothing before, as in rows of old."""
    canary = ("canary",) if case.canary else ()
    if not (case.closed or case.hold or case.purged):
        return canary
    return (case.closed, _word("hold", said=case.hold), case.purged, *canary)


def _word(word: str, *, said: bool) -> str:
    return word if said else ""


def _joined(*columns: str | bytes | int | date | None) -> bytes:
    """Join columns; one that says nothing is empty, as in rows of old."""
    return sealing.encode(*map(_plain, columns))


def _plain(column: str | bytes | int | date | None) -> bytes:
    if isinstance(column, str):
        return column.encode()
    if isinstance(column, bytes):
        return column
    if column is None:
        return b""
    return (column.isoformat() if isinstance(column, date) else str(column)).encode()


def tag_case(keys: ServerKeys, case: Case) -> None:
    """Make the tag anew after a verb changed the row."""
    case.tag = keys.tag(
        Context("cases", case.report, "row", case.report), case_content(case)
    )


def check_case(keys: ServerKeys, case: Case) -> None:
    """Raise NotAuthentic unless the row is as our last verb left it."""
    keys.check_tag(
        case.tag, Context("cases", case.report, "row", case.report), case_content(case)
    )
