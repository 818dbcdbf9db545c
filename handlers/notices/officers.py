"""What officers are told on their Telegram, and who hears it: the one answer.

Heard by an active account that counts, was let in, linked a Telegram and is barred from
nothing that is told. A planted link or account is told nothing and stops nothing. Told
are numbers and codes, never what a report says or whom it is about.
"""

from collections.abc import Iterable, Sequence

from handlers import authority
from handlers.messages import Choice, Reply
from handlers.notices import piles
from handlers.office import Office
from handlers.work import Work
from storage import outbox
from storage.cases import conflicts
from storage.crypto.sealing import NotAuthentic
from storage.letters.letter import Letter
from storage.models import Case, Officer, Unit
from storage.notices import waiting
from storage.people import telegram_links
from storage.units import memberships, units
from storage.words import Channel, LetterKind, Role, Urgency

TAKE, OPEN = "take", "open"
ROUTE_ADDED, ROUTE_REMOVED = "DUTY.ROUTE", "DUTY.UNROUTE"


def tell(work: Work, people: Iterable[Officer], reply: Reply) -> int:
    """Post one reply to each who linked a Telegram; returns how many.

    ``people`` are settled: members of a unit, or holders of a role.
    """
    return sum(_told(work, officer, reply) for officer in people)


def tell_role(work: Work, role: Role, reply: Reply) -> int:
    """Post one reply to everybody who holds a role now; returns how many hear it."""
    return tell(work, authority.holders(work, role), reply)


def alert(work: Work, case: Case, *, text: str) -> int:
    """Alert the unit's officers: number, category, urgency; returns how many hear it.

    A taken case alerts only the officer who took it, and the supervisors while that one is
    absent; the server's own test alerts nobody.
    """
    if case.canary:
        return 0
    if text == piles.NEW and case.urgency == Urgency.URGENT:
        text = piles.URGENT
    linked = telegram_links.linked(work.store)
    if not linked:
        return 0
    unit = units.verified(work.store, work.keys, case.unit)
    absent = case.officer is not None and authority.is_absent(work, case)
    return sum(
        _told(work, officer, _alert(work.office, case, officer, text))
        for officer in _of_case(work, case, unit)
        if officer.id in linked
        and (
            case.officer in {None, officer.id}
            or (absent and officer.role == Role.SUPERVISOR)
        )
    )


def handed_on(work: Work, case: Case, *, had: bytes | None) -> int:
    """Tell who has a case now and who ``had`` it, by number only; returns how many."""
    unit = units.verified(work.store, work.keys, case.unit)
    texts = {had: "ALERT.HANDED_AWAY", case.officer: "ALERT.HANDED"}
    return sum(
        _told(work, one, Reply(texts[one.id], {"case": case.number}))
        for one in _of_case(work, case, unit)
        if one.id in texts
    )


def alert_custodians(work: Work, case: Case, vault: Unit) -> int:
    """Alert the custodians that a request waits, by number only; returns how many."""
    reply = Reply("ALERT.REVEAL", {"case": case.number})
    return tell(work, _of_case(work, case, vault), reply)


def alert_asker(work: Work, case: Case, asker: Officer) -> int:
    """Alert who asked for a reveal that it was decided, by number only; returns how many."""
    people = [asker] if authority.is_settled(work, asker) else []
    return tell(work, people, Reply("ALERT.REVEAL_ANSWERED", {"case": case.number}))


def knocked(work: Work, unit: Unit) -> int:
    """Tell a unit's members that somebody waits to be admitted; returns how many.

    Who waits is seen in the console alone.
    """
    members = memberships.members(work.store, work.keys, unit)
    return tell(work, members, Reply("DUTY.KNOCK", {"unit": unit.name}))


def route_changed(work: Work, text: str, *, unit: str, by: str, second: str) -> int:
    """Tell all supervisors of a route (ROUTE_ADDED, ROUTE_REMOVED); returns how many.

    Who controls routing controls future reports, so a change is never quiet. ``by`` and
    ``second`` are the logins of the two who did it.
    """
    when = f"{work.now.astimezone(work.office.zone):%d.%m.%Y %H:%M}"
    params = {"unit": unit, "by": by, "second": second, "when": when}
    return tell_role(work, Role.SUPERVISOR, Reply(text, params))


def post(
    work: Work, officer: Officer, place: tuple[Channel, str], reply: Reply
) -> None:
    """Post to where an officer linked their account.

    What waits there and says the same stays alone; of one topic it tells of all
    (``piles``).
    """
    language = work.office.language(officer.language)
    channel, handle = place
    rendered = work.office.texts.render(reply, language=language, channel=channel)
    letter = Letter(
        kind=LetterKind.ALERT,
        channel=channel,
        to=handle,
        text=rendered.text,
        buttons=rendered.buttons,
        language=language,
    )
    letter = piles.begun(letter, reply)
    waits = waiting.twin(work.store, work.keys, letter)
    if waits and (not letter.topic or piles.join(work, waits, letter)):
        return
    outbox.put(work.store, work.keys, letter, now=work.now)


def _told(work: Work, officer: Officer, reply: Reply) -> bool:
    """Post to an officer; False where they hear nothing on Telegram."""
    try:
        place = telegram_links.handle_of(work.store, work.keys, officer.id)
    except NotAuthentic:
        return False
    if place is None:
        return False
    post(work, officer, place, reply)
    return True


def _of_case(work: Work, case: Case, unit: Unit) -> list[Officer]:
    """Return a unit's members without those whom a conflict bars from the case."""
    barred = conflicts.who_declared(work.store, case.report)
    members = memberships.members(work.store, work.keys, unit)
    return [officer for officer in members if officer.id not in barred]


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
