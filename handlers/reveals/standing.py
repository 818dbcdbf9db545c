"""Who may take part in a reveal, whether it still stands, and who is told of it."""

from handlers.errors import NotYours, RevealOver
from handlers.office import Office
from handlers.rules.reveals import Ground
from handlers.work import Work
from storage.cases import history, items, reveals
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, Event, Officer, Reveal
from storage.people import officers
from storage.units import grants, units
from storage.words import Channel, EventCode, RevealOf, RevealState

_STEPS = {
    RevealState.ASKED: {EventCode.REVEAL_ASKED},
    RevealState.GRANTED: {EventCode.REVEAL_GRANTED, EventCode.REVEAL_OPENED},
    RevealState.REFUSED: {EventCode.REVEAL_REFUSED},
}
_ENDS = {EventCode.ERASED, EventCode.WITHDRAWN, EventCode.PURGED}


def asker(work: Work, row: Reveal) -> Officer:
    """Return who asked, as they are now. Raises NotAuthentic, NotYours."""
    try:
        return officers.by_id(work.store, work.keys, row.officer)
    except officers.NoSuchOfficer:
        raise NotYours from None


def vault_secrets(work: Work, by: Officer, secret: bytes) -> list[tuple[int, bytes]]:
    """Open every generation of the vault's secret that a custodian holds, newest first."""
    vault = units.vault(work.store, work.keys)
    held = []
    for grant in reversed(grants.held_by(work.store, vault, by)):
        try:
            opened = grants.opened(work.keys, vault, grant, secret)
        except NotAuthentic:
            continue
        held.append((grant.generation, opened))
    return held


def require_state(work: Work, case: Case, row: Reveal, state: RevealState) -> None:
    """Raise RevealOver unless a request stands so; NotAuthentic where the history is broken.

    The history decides, not the row alone: one that ended and was put back is over.
    """
    if row.report != case.report or row.state != state or work.now >= row.ends:
        raise RevealOver
    kept = items.has_identity(work.store, case.report)
    if row.what == RevealOf.IDENTITY and not kept:
        raise RevealOver
    if history.first_broken(work.store, work.keys, case) is not None:
        raise NotAuthentic
    last = ""
    for event in history.of_case(work.store, case.report):
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
