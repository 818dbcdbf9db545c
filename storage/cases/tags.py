"""The tag of a case row: whatever decides who reads or hears it was written by us."""

from storage.crypto import sealing
from storage.crypto.sealing import Context
from storage.crypto.server_key import ServerKeys
from storage.models import Case


def case_content(case: Case) -> bytes:
    """Return what a case's tag covers: every column but the report id, which is its place."""
    return sealing.encode(
        case.number.encode(),
        case.status.encode(),
        (case.before or "").encode(),
        (case.reason or "").encode(),
        str(case.urgency).encode(),
        case.unit,
        case.officer or b"",
        sealing.encode(
            (case.wanted_status or "").encode(),
            (case.wanted_reason or "").encode(),
            case.wanted_by or b"",
        ),
        case.public_key,
        case.reporter_key or b"",
        case.receipt_salt or b"",
        case.receipt_wrap or b"",
        case.head,
        str(case.head_seq).encode(),
        sealing.encode(
            case.day.isoformat().encode(),
            case.category.encode(),
            case.track.encode(),
            case.position.encode(),
            case.province.encode(),
            b"open" if case.is_open else b"ended",
            b"withdrawn" if case.reporter_withdrawn else b"",
            case.due.isoformat().encode(),
            case.due_rule.encode(),
            case.paused_since.isoformat().encode() if case.paused_since else b"",
            str(case.register_year or "").encode(),
            str(case.register_number or "").encode(),
            b"unread" if case.unread_from_reporter else b"",
            case.figures,
            *_end(case),
        ),
    )


def _end(case: Case) -> tuple[bytes, ...]:
    """Return what is known of a case's end; nothing before, as in rows of old."""
    canary = (b"canary",) if case.canary else ()
    if not (case.closed or case.hold or case.purged):
        return canary
    return (
        case.closed.isoformat().encode() if case.closed else b"",
        b"hold" if case.hold else b"",
        case.purged.isoformat().encode() if case.purged else b"",
        *canary,
    )


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
