"""What people are told: the reporter neutrally, the officers by number and urgency."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from handlers.lengths import split
from handlers.messages import Choice, Reply
from handlers.notices import joined
from handlers.notices.joined import NEWS, SHORTEST_LIMIT, News
from handlers.office import Office
from storage import outbox
from storage.cases import conflicts
from storage.crypto.sealing import NotAuthentic
from storage.letters.letter import Letter
from storage.models import Case, Officer, Unit
from storage.notices import subscriptions, waiting
from storage.notices.subscriptions import Subscriber
from storage.people import telegram_links
from storage.units import units
from storage.words import Channel, LetterKind, Status, Urgency, Wanted

FULL_NEWS = "FULLNEWS"
TAKE, OPEN = "take", "open"


def say(
    session: Session,
    office: Office,
    reply: Reply,
    *,
    channel: Channel,
    to: str,
    language: str,
    heard: int,
    now: datetime,
    kind: LetterKind = LetterKind.REPLY,
) -> None:
    """Post one reply to somebody who wrote, in parts where it is too long for one.

    ``heard`` is the POSIX second of their last message, 0 where nobody knows it: a reply
    that comes too late for the provider's window does not leave.
    """
    rendered = office.texts.render(reply, language=language, channel=channel)
    parts = split(rendered.text, office.text_limits.get(channel, SHORTEST_LIMIT))
    for number, part in enumerate(parts, start=1):
        letter = Letter(
            kind=kind,
            channel=channel,
            to=to,
            text=part,
            buttons=rendered.buttons if number == len(parts) else (),
            language=language,
            last_inbound=heard,
        )
        outbox.put(session, office.keys, letter, now=now)


def tell(
    session: Session,
    office: Office,
    case: Case,
    *,
    now: datetime,
    words: str = "",
    status: bool = False,
) -> int:
    """Tell everybody who asked for it that there is news; returns how many.

    ``case`` must be verified. The text is neutral: a number and a word to send back. Who
    asked for the text itself gets ``words`` (an officer's), or with ``status`` what is
    said of the case's status; both wait in the outbox and nowhere else.
    """
    people = subscriptions.of_case(session, office.keys, case.report)
    for person in people:
        text = words
        if status and person.kind is Wanted.FULL:
            text = _standing(office, case, person)
        news = _news(case, person, text)
        joined.post(session, office, case, person, news, now=now)
    return len(people)


def tell_of_another(
    session: Session,
    office: Office,
    case: Case,
    *,
    channel: Channel,
    handles: Sequence[str],
    now: datetime,
) -> int:
    """Tell whoever has news of a case that another contact now has it too; returns how many.

    ``handles`` are the names of that contact on ``channel``: they are told nothing. Where
    only a template may go, it is the one of news.
    """
    told = 0
    for person in subscriptions.of_case(session, office.keys, case.report):
        if person.channel is channel and person.handle in handles:
            continue
        news = News(Reply("ALSO", {"case": case.number}))
        joined.post(session, office, case, person, news, now=now)
        told += 1
    return told


def standing(
    office: Office, case: Case, *, language: str, channel: Channel
) -> Reply | None:
    """Return what is said of a case's status; None where nothing is said by itself."""
    msgid = office.rulebook.workflow.hears(Status(case.status))
    if not msgid:
        return None
    reason = ""
    if case.reason:
        reason = office.texts.say(case.reason, language=language, channel=channel)
    return Reply(msgid, {"reason": reason, "case": case.number})


def _standing(office: Office, case: Case, person: Subscriber) -> str:
    language, channel = person.language, person.channel
    reply = standing(office, case, language=language, channel=channel)
    if reply is None:
        return ""
    return office.texts.render(reply, language=language, channel=channel).text


def _news(case: Case, person: Subscriber, words: str) -> News:
    """Return what this person hears; without words of ours, or not wanted, it is neutral."""
    full = bool(words) and person.kind is Wanted.FULL
    line = Reply(FULL_NEWS if full else NEWS, {"case": case.number})
    return News(line, words if full else "")


def alert(
    session: Session, office: Office, case: Case, *, text: str, now: datetime
) -> int:
    """Alert the unit's linked officers: number, category, urgency; returns how many.

    A taken case alerts only the officer who took it, the server's own test nobody.
    """
    if case.canary:
        return 0
    unit = units.verified(session, office.keys, case.unit)
    told = 0
    for officer in units.members(session, office.keys, unit):
        if case.officer not in {None, officer.id}:
            continue
        if conflicts.is_barred(session, case.report, officer.id):
            continue
        place = _place_of(session, office, officer)
        if place is not None:
            reply = _alert(office, case, officer, text)
            post_to_officer(session, office, officer, place, reply, now=now)
            told += 1
    return told


def knocked(session: Session, office: Office, unit: Unit, *, now: datetime) -> int:
    """Tell a unit's linked members that somebody waits to be admitted; returns how many.

    Who waits is seen in the console alone.
    """
    told = 0
    for officer in units.members(session, office.keys, unit):
        place = _place_of(session, office, officer)
        if place is not None:
            reply = Reply("DUTY.KNOCK", {"unit": unit.name})
            post_to_officer(session, office, officer, place, reply, now=now)
            told += 1
    return told


def post_to_officer(
    session: Session,
    office: Office,
    officer: Officer,
    place: tuple[Channel, str],
    reply: Reply,
    *,
    now: datetime,
) -> None:
    """Post to where an officer linked their account, unless the same waits there already."""
    language = office.language(officer.language)
    channel, handle = place
    rendered = office.texts.render(reply, language=language, channel=channel)
    letter = Letter(
        kind=LetterKind.ALERT,
        channel=channel,
        to=handle,
        text=rendered.text,
        buttons=rendered.buttons,
        language=language,
    )
    if not waiting.says(session, office.keys, letter):
        outbox.put(session, office.keys, letter, now=now)


def _place_of(
    session: Session, office: Office, officer: Officer
) -> tuple[Channel, str] | None:
    """Return where an officer wants alerts; a planted link must not stop a report."""
    try:
        return telegram_links.handle_of(session, office.keys, officer.id)
    except NotAuthentic:
        return None


def _alert(office: Office, case: Case, officer: Officer, text: str) -> Reply:
    language = office.language(officer.language)

    def word(msgid: str) -> str:
        return office.texts.say(msgid, language=language, channel=Channel.TELEGRAM)

    choices: Sequence[Choice] = [Choice(f"{OPEN}:{case.number}", "B.OPEN")]
    if case.officer is None:
        choices = [Choice(f"{TAKE}:{case.number}", "B.TAKE"), *choices]
    params = {
        "case": case.number,
        "category": word(f"GROUP.{case.category}"),
        "urgency": word(f"URGENCY.{Urgency(case.urgency).name}"),
    }
    return Reply(text, params, tuple(choices))
