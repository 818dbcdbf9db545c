"""What officers do from their own Telegram: link it, take a case, open it, snooze it.

None of it needs a key: contents are read in the console only. Whatever else an officer
writes there goes on to the conversation like anybody's, so an officer may report too.
"""

from handlers import authority
from handlers.cases import officer as case_verbs
from handlers.conversation.exchange import acknowledge
from handlers.errors import NotYours
from handlers.messages import Incoming, Kind, Reply
from handlers.notices import officers as notices
from handlers.work import Work
from storage.audit import log
from storage.cases import cases
from storage.models import Officer
from storage.notices import failed
from storage.people import officers, telegram_links

_START = "/start "


def receive(work: Work, incoming: Incoming) -> bool:
    """Do what an officer's message asks; False when it is not an officer's business."""
    if incoming.kind is Kind.TEXT and incoming.text.startswith(_START):
        return _link(work, incoming)
    verb, colon, number = incoming.press.partition(":")
    if incoming.kind is not Kind.PRESS or not colon:
        return False
    if verb not in {notices.TAKE, notices.OPEN}:
        return False
    officer_id = telegram_links.officer_at(
        work.store, work.keys, incoming.channel, incoming.handle
    )
    if officer_id is None:
        return False
    officer = officers.by_id(work.store, work.keys, officer_id)
    acknowledge(work, incoming)
    reply = _duty(work, officer, verb, number)
    place = (incoming.channel, incoming.handle)
    notices.post(work, officer, place, reply)
    return True


def offer_link(work: Work, officer: Officer) -> str:
    """Return the token of a one-time link. Raises NotYours for an account that waits."""
    if not authority.is_settled(work, officer):
        raise NotYours
    token = telegram_links.issue(work.store, work.keys, officer.id, now=work.now)
    log.record(work.store, work.keys, "link_made", officer=officer.id, now=work.now)
    return token


def unlink(work: Work, officer: Officer) -> None:
    """Tell an officer nothing on Telegram any more, also not what failed to come before."""
    failed.forget_officer(work.store, work.keys, officer.id)
    telegram_links.unlink(work.store, officer.id)
    log.record(work.store, work.keys, "unlinked", officer=officer.id, now=work.now)


def _link(work: Work, incoming: Incoming) -> bool:
    """Link the Telegram that pressed the link, unless the account waits (again)."""
    token = incoming.text.removeprefix(_START).strip()
    officer_id = telegram_links.redeem(
        work.store, work.keys, token, incoming.channel, incoming.handle, now=work.now
    )
    if officer_id is None:
        return False
    officer = officers.by_id(work.store, work.keys, officer_id)
    if not authority.is_settled(work, officer):
        telegram_links.unlink(work.store, officer.id)
        return False
    place = (incoming.channel, incoming.handle)
    notices.post(work, officer, place, Reply("DUTY.LINKED"))
    return True


def _duty(work: Work, officer: Officer, verb: str, number: str) -> Reply:
    case = cases.by_number(work.store, work.keys, number)
    if case is None or not authority.reaches(work, case, officer):
        return Reply("DUTY.UNKNOWN")
    link = f"{work.office.console_url}/cases/{case.number}"
    if verb == notices.OPEN:
        return Reply("DUTY.OPEN", {"case": number, "link": link})
    if case_verbs.take(work, case.report, by=officer):
        return Reply("DUTY.TAKEN", {"case": number, "link": link})
    return Reply("DUTY.GONE", {"case": number})
