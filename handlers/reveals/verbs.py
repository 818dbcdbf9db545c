"""The verbs of a reveal: an officer asks, a custodian opens or says no, it ends.

The asking officer's session opens the case's seal, the custodian's the vault's, and seals
the result to that officer: two people by key. Secrets come in as arguments and are
forgotten. Who takes part is judged by rows that are ours, never by a role alone.
"""

from dataclasses import dataclass, field

from handlers import authority
from handlers.cases import record
from handlers.errors import (
    AlreadyAsked,
    ConsentNeeded,
    NotFound,
    NotReady,
    ReasonNeeded,
    RevealOver,
)
from handlers.notices import officers as notices
from handlers.reveals import seals, standing
from handlers.work import Work
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
    work: Work,
    report: bytes,
    wish: Wish,
    words: Request,
    *,
    case_secret: bytes,
    by: Officer,
) -> bytes:
    """Ask for an identity or an original; opens the case's seal only. Returns the id.

    ``words`` comes without halves. Raises ReasonNeeded, ConsentNeeded, AlreadyAsked,
    TwoPeopleNeeded, NotYours, NotFound where there is nothing to open, NotReady.
    """
    case = record.lock(work, report)
    authority.require_handler(work, case, by)
    ground = work.office.rulebook.reveal.reasons.get(wish.reason)
    if ground is None or wish.what not in ground.fits or not words.justification:
        raise ReasonNeeded
    if ground.consent and not words.consent:
        raise ConsentNeeded
    vault = units.vault(work.store, work.keys)
    if vault.public_key is None:
        raise NotReady
    if _asked_already(work, report, wish, by):
        raise AlreadyAsked
    request = Request(
        justification=words.justification,
        consent=words.consent,
        language=words.language,
        halves=seals.open_outer(work, report, wish, case_secret),
    )
    life = work.office.rulebook.reveal.life[RevealState.ASKED]
    row = reveals.ask(
        work.store,
        work.keys,
        report,
        wish,
        request,
        by=by,
        vault=vault,
        now=work.now,
        ends=work.now + life,
    )
    detail = f"{wish.what}:{wish.reason}"
    _event(work, case, EventCode.REVEAL_ASKED, row, by, detail)
    cases.save(work.store, work.keys, case)
    notices.alert_custodians(work, case, vault)
    record.witness(work, case, "reveal_asked", by)
    return row.id


def read(work: Work, row: Reveal, *, secret: bytes, by: Officer) -> Request:
    """Open a request for the custodian who decides, without its halves.

    Raises TwoPeopleNeeded, NotFound, NotAuthentic.
    """
    authority.require_custodian(work, by, row)
    asker = standing.asker(work, row)
    held = standing.vault_secrets(work, by, secret)
    request = reveals.opened_request(row, asker, held)
    return Request(request.justification, request.consent, request.language, ())


def grant(
    work: Work, reveal_id: bytes, *, untold: str, secret: bytes, by: Officer
) -> bool:
    """Open the vault's seal and seal what is in it to the officer who asked.

    ``untold`` is a code where the reporter is not to be told, else "". True if they were
    told. Raises TwoPeopleNeeded, RevealOver, ReasonNeeded, NotYours, NotAuthentic.
    """
    case, row = _waiting(work, reveal_id, by)
    rules = work.office.rulebook.reveal
    if untold and untold not in rules.untold:
        raise ReasonNeeded
    asker = standing.asker(work, row)
    authority.require_handler(work, case, asker)
    held = standing.vault_secrets(work, by, secret)
    request = reveals.opened_request(row, asker, held)
    answer = seals.open_inner(work, row, request.halves, held)
    reason = rules.reasons.get(row.reason)
    ends = work.now + rules.life[RevealState.GRANTED]
    reveals.grant(work.store, work.keys, row, answer, to=asker, by=by, ends=ends)
    told = untold or ("TOLD" if case.reporter_key else "NORECEIPT")
    detail = f"{row.what}:{told}"
    _event(work, case, EventCode.REVEAL_GRANTED, row, by, detail)
    if told == "TOLD":
        text = standing.told(work.office, case, row, reason, request.language)
        record.tell_reporter(work, case, text, by=by)
    cases.save(work.store, work.keys, case)
    notices.alert_asker(work, case, asker)
    record.witness(work, case, "reveal_granted", by)
    return told == "TOLD"


def refuse(work: Work, reveal_id: bytes, *, reason: str, by: Officer) -> None:
    """Say no, with a code. Raises TwoPeopleNeeded, RevealOver, ReasonNeeded."""
    case, row = _waiting(work, reveal_id, by)
    rules = work.office.rulebook.reveal
    if reason not in rules.refusals:
        raise ReasonNeeded
    ends = work.now + rules.life[RevealState.REFUSED]
    reveals.refuse(work.store, work.keys, row, reason, by=by, ends=ends)
    detail = f"{row.what}:{reason}"
    _event(work, case, EventCode.REVEAL_REFUSED, row, by, detail)
    cases.save(work.store, work.keys, case)
    asker = standing.asker(work, row)
    notices.alert_asker(work, case, asker)
    record.witness(work, case, "reveal_refused", by)


def open_answer(
    work: Work, report: bytes, reveal_id: bytes, *, secret: bytes, by: Officer
) -> Opened:
    """Open what was granted to this officer; each opening is a line of the history.

    Raises RevealOver, NotFound for whoever did not ask, NotYours, NotAuthentic.
    """
    case = record.lock(work, report)
    row = reveals.lock(work.store, work.keys, reveal_id)
    if row is None or row.report != report or row.officer != by.id:
        raise NotFound
    authority.require_handler(work, case, by)
    standing.require_state(work, case, row, RevealState.GRANTED)
    answer = reveals.opened_answer(row, by, secret)
    if row.what == RevealOf.ORIGINAL:
        opened = Opened(row, key=answer)
    else:
        opened = Opened(row, identity=seals.identity(answer))
    _event(work, case, EventCode.REVEAL_OPENED, row, by, row.what)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "reveal_opened", by)
    return opened


def end(work: Work, reveal_id: bytes, *, by: Officer) -> None:
    """Delete a reveal: the officer who asked, or a custodian who takes it back.

    Nothing happens where it is gone. Raises TwoPeopleNeeded, NotAuthentic.
    """
    row = reveals.get(work.store, work.keys, reveal_id)
    if row is None:
        return
    case = record.lock(work, row.report)
    if row.officer != by.id:
        authority.require_custodian(work, by, row)
    _event(work, case, EventCode.REVEAL_ENDED, row, by, row.what)
    reveals.end(work.store, row)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "reveal_ended", by)


def _waiting(work: Work, reveal_id: bytes, by: Officer) -> tuple[Case, Reveal]:
    """Hold case and request for a custodian's decision; the case first, as everywhere."""
    found = reveals.get(work.store, work.keys, reveal_id)
    if found is None:
        raise RevealOver
    case = record.lock(work, found.report)
    row = reveals.lock(work.store, work.keys, reveal_id)
    if row is None:
        raise RevealOver
    authority.require_custodian(work, by, row)
    standing.require_state(work, case, row, RevealState.ASKED)
    return case, row


def _asked_already(work: Work, report: bytes, wish: Wish, by: Officer) -> bool:
    return any(
        (row.officer, row.what, row.file) == (by.id, wish.what, wish.file)
        and row.state != RevealState.REFUSED
        and row.ends > work.now
        for row in reveals.of_report(work.store, work.keys, report)
    )


def _event(
    work: Work, case: Case, code: EventCode, row: Reveal, by: Officer, detail: str
) -> None:
    detail = f"{detail}:{reveals.short(row)}"
    record.event(work, case, code, by, detail)
