"""The verbs of a reveal: an officer asks, a custodian opens or says no, it ends.

The asking officer's session opens the case's seal, the custodian's the vault's, and seals
the result to that officer: two people by key. Secrets come in as arguments and are
forgotten. Who takes part is judged by rows that are ours, never by a role alone.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from handlers.cases import record
from handlers.errors import (
    AlreadyAsked,
    ConsentNeeded,
    NotFound,
    NotReady,
    ReasonNeeded,
    RevealOver,
)
from handlers.office import Office
from handlers.reveals import seals, standing
from storage.cases import cases, reveals
from storage.cases.items import Content
from storage.cases.reveals import Request, Wish
from storage.models import Case, Officer, Reveal
from storage.units import units
from storage.words import EventCode, RevealOf, RevealState


@dataclass(frozen=True, slots=True)
class Opened:
    """What an officer gets: an identity's items, or the key of an original."""

    reveal: Reveal
    identity: tuple[Content, ...] = field(default=(), repr=False)
    key: bytes = field(default=b"", repr=False)


def ask(
    session: Session,
    office: Office,
    report: bytes,
    wish: Wish,
    words: Request,
    *,
    case_secret: bytes,
    by: Officer,
    now: datetime,
) -> bytes:
    """Ask for an identity or an original; opens the case's seal only. Returns the id.

    ``words`` comes without halves. Raises ReasonNeeded, ConsentNeeded, AlreadyAsked,
    TwoPeopleNeeded, NotYours, NotFound where there is nothing to open, NotReady.
    """
    case = record.lock(session, office, report)
    standing.require_handler(session, office, case, by)
    ground = office.rulebook.reveal.reasons.get(wish.reason)
    if ground is None or wish.what not in ground.fits or not words.justification:
        raise ReasonNeeded
    if ground.consent and not words.consent:
        raise ConsentNeeded
    vault = units.vault(session, office.keys)
    if vault.public_key is None:
        raise NotReady
    if _asked_already(session, office, report, wish, by, now):
        raise AlreadyAsked
    request = Request(
        justification=words.justification,
        consent=words.consent,
        language=words.language,
        halves=seals.open_outer(session, office, report, wish, case_secret),
    )
    life = office.rulebook.reveal.life[RevealState.ASKED]
    row = reveals.ask(
        session,
        office.keys,
        report,
        wish,
        request,
        by=by,
        vault=vault,
        now=now,
        ends=now + life,
    )
    detail = f"{wish.what}:{wish.reason}"
    _event(session, office, case, EventCode.REVEAL_ASKED, row, by, now, detail)
    cases.save(session, office.keys, case)
    standing.alert_custodians(session, office, case, vault, now=now)
    record.witness(session, office, case, "reveal_asked", by, now)
    return row.id


def read(
    session: Session, office: Office, row: Reveal, *, secret: bytes, by: Officer
) -> Request:
    """Open a request for the custodian who decides, without its halves.

    Raises TwoPeopleNeeded, NotFound, NotAuthentic.
    """
    standing.require_custodian(session, office, by, row)
    asker = standing.asker(session, office, row)
    held = standing.vault_secrets(session, office, by, secret)
    request = reveals.opened_request(row, asker, held)
    return Request(request.justification, request.consent, request.language, ())


def grant(
    session: Session,
    office: Office,
    reveal_id: bytes,
    *,
    untold: str,
    secret: bytes,
    by: Officer,
    now: datetime,
) -> bool:
    """Open the vault's seal and seal what is in it to the officer who asked.

    ``untold`` is a code where the reporter is not to be told, else "". True if they were
    told. Raises TwoPeopleNeeded, RevealOver, ReasonNeeded, NotYours, NotAuthentic.
    """
    case, row = _waiting(session, office, reveal_id, by, now)
    rules = office.rulebook.reveal
    if untold and untold not in rules.untold:
        raise ReasonNeeded
    asker = standing.asker(session, office, row)
    standing.require_handler(session, office, case, asker)
    held = standing.vault_secrets(session, office, by, secret)
    request = reveals.opened_request(row, asker, held)
    answer = seals.open_inner(session, office, row, request.halves, held)
    reason = rules.reasons.get(row.reason)
    ends = now + rules.life[RevealState.GRANTED]
    reveals.grant(session, office.keys, row, answer, to=asker, by=by, ends=ends)
    told = untold or ("TOLD" if case.reporter_key else "NORECEIPT")
    detail = f"{row.what}:{told}"
    _event(session, office, case, EventCode.REVEAL_GRANTED, row, by, now, detail)
    if told == "TOLD":
        text = standing.told(office, case, row, reason, request.language)
        record.tell_reporter(session, office, case, text, by=by, now=now)
    cases.save(session, office.keys, case)
    standing.alert(session, office, case, asker, "ALERT.REVEAL_ANSWERED", now=now)
    record.witness(session, office, case, "reveal_granted", by, now)
    return told == "TOLD"


def refuse(
    session: Session,
    office: Office,
    reveal_id: bytes,
    *,
    reason: str,
    by: Officer,
    now: datetime,
) -> None:
    """Say no, with a code. Raises TwoPeopleNeeded, RevealOver, ReasonNeeded."""
    case, row = _waiting(session, office, reveal_id, by, now)
    rules = office.rulebook.reveal
    if reason not in rules.refusals:
        raise ReasonNeeded
    ends = now + rules.life[RevealState.REFUSED]
    reveals.refuse(session, office.keys, row, reason, by=by, ends=ends)
    detail = f"{row.what}:{reason}"
    _event(session, office, case, EventCode.REVEAL_REFUSED, row, by, now, detail)
    cases.save(session, office.keys, case)
    asker = standing.asker(session, office, row)
    standing.alert(session, office, case, asker, "ALERT.REVEAL_ANSWERED", now=now)
    record.witness(session, office, case, "reveal_refused", by, now)


def open_answer(
    session: Session,
    office: Office,
    report: bytes,
    reveal_id: bytes,
    *,
    secret: bytes,
    by: Officer,
    now: datetime,
) -> Opened:
    """Open what was granted to this officer; each opening is a line of the history.

    Raises RevealOver, NotFound for whoever did not ask, NotYours, NotAuthentic.
    """
    case = record.lock(session, office, report)
    row = reveals.lock(session, office.keys, reveal_id)
    if row is None or row.report != report or row.officer != by.id:
        raise NotFound
    standing.require_handler(session, office, case, by)
    standing.require_state(session, office, case, row, RevealState.GRANTED, now)
    answer = reveals.opened_answer(row, by, secret)
    if row.what == RevealOf.ORIGINAL:
        opened = Opened(row, key=answer)
    else:
        opened = Opened(row, identity=seals.identity(answer))
    _event(session, office, case, EventCode.REVEAL_OPENED, row, by, now, row.what)
    cases.save(session, office.keys, case)
    record.witness(session, office, case, "reveal_opened", by, now)
    return opened


def end(
    session: Session, office: Office, reveal_id: bytes, *, by: Officer, now: datetime
) -> None:
    """Delete a reveal: the officer who asked, or a custodian who takes it back.

    Nothing happens where it is gone. Raises TwoPeopleNeeded, NotAuthentic.
    """
    row = reveals.get(session, office.keys, reveal_id)
    if row is None:
        return
    case = record.lock(session, office, row.report)
    if row.officer != by.id:
        standing.require_custodian(session, office, by, row)
    _event(session, office, case, EventCode.REVEAL_ENDED, row, by, now, row.what)
    reveals.end(session, row)
    cases.save(session, office.keys, case)
    record.witness(session, office, case, "reveal_ended", by, now)


def _waiting(
    session: Session, office: Office, reveal_id: bytes, by: Officer, now: datetime
) -> tuple[Case, Reveal]:
    """Hold case and request for a custodian's decision; the case first, as everywhere."""
    found = reveals.get(session, office.keys, reveal_id)
    if found is None:
        raise RevealOver
    case = record.lock(session, office, found.report)
    row = reveals.lock(session, office.keys, reveal_id)
    if row is None:
        raise RevealOver
    standing.require_custodian(session, office, by, row)
    standing.require_state(session, office, case, row, RevealState.ASKED, now)
    return case, row


def _asked_already(
    session: Session,
    office: Office,
    report: bytes,
    wish: Wish,
    by: Officer,
    now: datetime,
) -> bool:
    return any(
        (row.officer, row.what, row.file) == (by.id, wish.what, wish.file)
        and row.state != RevealState.REFUSED
        and row.ends > now
        for row in reveals.of_report(session, office.keys, report)
    )


def _event(
    session: Session,
    office: Office,
    case: Case,
    code: EventCode,
    row: Reveal,
    by: Officer,
    now: datetime,
    detail: str,
) -> None:
    detail = f"{detail}:{reveals.short(row)}"
    record.event(session, office, case, code, by, now, detail)
