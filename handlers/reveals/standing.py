"""Who may take part in a reveal, whether it still stands, and who is told of it."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from handlers.errors import NotYours, RevealOver, TwoPeopleNeeded
from handlers.messages import Reply
from handlers.notices import reporters
from handlers.office import Office
from handlers.rules.reveals import Ground
from storage.cases import conflicts, history, items, reveals
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, Event, Officer, Reveal, Unit
from storage.people import officers, telegram_links
from storage.units import grants, units
from storage.words import Channel, EventCode, RevealOf, RevealState, Role, UnitKind

_STEPS = {
    RevealState.ASKED: {EventCode.REVEAL_ASKED},
    RevealState.GRANTED: {EventCode.REVEAL_GRANTED, EventCode.REVEAL_OPENED},
    RevealState.REFUSED: {EventCode.REVEAL_REFUSED},
}
_ENDS = {EventCode.ERASED, EventCode.WITHDRAWN, EventCode.PURGED}


def require_handler(
    session: Session, office: Office, case: Case, officer: Officer
) -> None:
    """Raise NotYours or TwoPeopleNeeded unless this officer handles the case now.

    They must be a member of the case's unit, sit in no vault, and have no conflict.
    """
    unit = units.verified(session, office.keys, case.unit)
    if not officer.active or not units.is_member(session, office.keys, unit, officer):
        raise NotYours
    if conflicts.is_barred(session, case.report, officer.id):
        raise NotYours
    own = units.units_of(session, office.keys, officer)
    if any(one.kind != UnitKind.HANDLING for one in own):
        raise TwoPeopleNeeded


def require_custodian(
    session: Session, office: Office, officer: Officer, row: Reveal | None = None
) -> Unit:
    """Return the vault; raise TwoPeopleNeeded unless this officer guards it and only it.

    Whoever asked for ``row`` is not the one who decides about it; NotYours for whoever
    declared a conflict on its case.
    """
    vault = units.vault(session, office.keys)
    own = units.units_of(session, office.keys, officer)
    guards = officer.active and officer.role == Role.CUSTODIAN
    if not guards or [unit.id for unit in own] != [vault.id]:
        raise TwoPeopleNeeded
    if row is not None and row.officer == officer.id:
        raise TwoPeopleNeeded
    if row is not None and conflicts.is_barred(session, row.report, officer.id):
        raise NotYours
    return vault


def asker(session: Session, office: Office, row: Reveal) -> Officer:
    """Return who asked, as they are now. Raises NotAuthentic, NotYours."""
    try:
        return officers.by_id(session, office.keys, row.officer)
    except officers.NoSuchOfficer:
        raise NotYours from None


def vault_secrets(
    session: Session, office: Office, by: Officer, secret: bytes
) -> list[tuple[int, bytes]]:
    """Open every generation of the vault's secret that a custodian holds, newest first."""
    vault = units.vault(session, office.keys)
    held = []
    for grant in reversed(grants.held_by(session, vault, by)):
        try:
            opened = grants.opened(office.keys, vault, grant, secret)
        except NotAuthentic:
            continue
        held.append((grant.generation, opened))
    return held


def require_state(
    session: Session,
    office: Office,
    case: Case,
    row: Reveal,
    state: RevealState,
    now: datetime,
) -> None:
    """Raise RevealOver unless a request stands so; NotAuthentic where the history is broken.

    The history decides, not the row alone: one that ended and was put back is over.
    """
    if row.report != case.report or row.state != state or now >= row.ends:
        raise RevealOver
    kept = items.has_identity(session, case.report)
    if row.what == RevealOf.IDENTITY and not kept:
        raise RevealOver
    if history.first_broken(session, office.keys, case) is not None:
        raise NotAuthentic
    last = ""
    for event in history.of_case(session, case.report):
        last = _step(event, row) or last
    if last not in _STEPS[state]:
        raise RevealOver


def _step(event: Event, row: Reveal) -> str:
    """Return the event's code if it moved this request."""
    if event.detail.endswith(f":{reveals.short(row)}"):
        return event.code
    mine = event.code == EventCode.CONFLICT and event.officer == row.officer
    return event.code if mine or event.code in _ENDS else ""


def told(
    office: Office, case: Case, row: Reveal, ground: Ground | None, language: str
) -> str:
    """Return what the reporter reads: that two people opened it, and why."""
    language = office.language(language)
    msgid = "REVEALED" if row.what == RevealOf.IDENTITY else "REVEALED.FILE"
    reason = ground.name(language) if ground is not None else row.reason
    return office.texts.say(
        msgid,
        language=language,
        channel=Channel.TELEGRAM,
        case=case.number,
        reason=reason,
    )


def alert_custodians(
    session: Session, office: Office, case: Case, vault: Unit, *, now: datetime
) -> int:
    """Alert the custodians who linked their account, by number only; returns how many."""
    people: Sequence[Officer] = units.members(session, office.keys, vault)
    return sum(
        alert(session, office, case, one, "ALERT.REVEAL", now=now)
        for one in people
        if not conflicts.is_barred(session, case.report, one.id)
    )


def alert(
    session: Session,
    office: Office,
    case: Case,
    officer: Officer,
    text: str,
    *,
    now: datetime,
) -> bool:
    """Alert one officer by number only; a planted link must not stop a request."""
    try:
        place = telegram_links.handle_of(session, office.keys, officer.id)
    except NotAuthentic:
        return False
    if place is None or not officer.active:
        return False
    reply = Reply(text, {"case": case.number})
    reporters.post_to_officer(session, office, officer, place, reply, now=now)
    return True
