"""What officers do from their own Telegram: link it, take a case, open it, snooze it.

None of it needs a key: contents are read in the console only. Whatever else an officer
writes there goes on to the conversation like anybody's, so an officer may report too.
"""

from datetime import datetime

from sqlmodel import Session

from handlers.cases import officer as case_verbs
from handlers.messages import Incoming, Kind, Reply
from handlers.notices import reporters
from handlers.office import Office
from storage import outbox
from storage.cases import cases, conflicts
from storage.letters.letter import Letter
from storage.models import Officer
from storage.people import officers, telegram_links
from storage.units import units
from storage.words import LetterKind

_START = "/start "


def receive(
    session: Session, office: Office, incoming: Incoming, *, now: datetime
) -> bool:
    """Do what an officer's message asks; False when it is not an officer's business."""
    if incoming.kind is Kind.TEXT and incoming.text.startswith(_START):
        return _link(session, office, incoming, now)
    verb, colon, number = incoming.press.partition(":")
    if incoming.kind is not Kind.PRESS or not colon:
        return False
    if verb not in {reporters.TAKE, reporters.OPEN}:
        return False
    officer_id = telegram_links.officer_at(
        session, office.keys, incoming.channel, incoming.handle
    )
    if officer_id is None:
        return False
    officer = officers.by_id(session, office.keys, officer_id)
    _acknowledge(session, office, incoming, now)
    reply = _duty(session, office, officer, verb, number, now)
    place = (incoming.channel, incoming.handle)
    reporters.post_to_officer(session, office, officer, place, reply, now=now)
    return True


def _link(session: Session, office: Office, incoming: Incoming, now: datetime) -> bool:
    token = incoming.text.removeprefix(_START).strip()
    officer_id = telegram_links.redeem(
        session, office.keys, token, incoming.channel, incoming.handle, now=now
    )
    if officer_id is None:
        return False
    officer = officers.by_id(session, office.keys, officer_id)
    place = (incoming.channel, incoming.handle)
    reporters.post_to_officer(
        session, office, officer, place, Reply("DUTY.LINKED"), now=now
    )
    return True


def _duty(
    session: Session,
    office: Office,
    officer: Officer,
    verb: str,
    number: str,
    now: datetime,
) -> Reply:
    case = cases.by_number(session, office.keys, number)
    mine = {unit.id for unit in units.units_of(session, office.keys, officer)}
    if case is None or case.unit not in mine or not officer.active:
        return Reply("DUTY.UNKNOWN")
    if conflicts.is_barred(session, case.report, officer.id):
        return Reply("DUTY.UNKNOWN")
    link = f"{office.console_url}/cases/{case.number}"
    if verb == reporters.OPEN:
        return Reply("DUTY.OPEN", {"case": number, "link": link})
    if case_verbs.take(session, office, case.report, by=officer, now=now):
        return Reply("DUTY.TAKEN", {"case": number, "link": link})
    return Reply("DUTY.GONE", {"case": number})


def _acknowledge(
    session: Session, office: Office, incoming: Incoming, now: datetime
) -> None:
    if incoming.press_id:
        letter = Letter(
            kind=LetterKind.ACK,
            channel=incoming.channel,
            to=incoming.handle,
            press_id=incoming.press_id,
        )
        outbox.put(session, office.keys, letter, now=now)
