"""What reporters are told: neutrally, or with the words for which they asked."""

from collections.abc import Sequence

from handlers.lengths import split
from handlers.messages import Reply
from handlers.notices import joined
from handlers.notices.joined import NEWS, SHORTEST_LIMIT, News
from handlers.office import Office
from handlers.work import Work
from storage import outbox
from storage.letters.letter import Letter
from storage.models import Case
from storage.notices import subscriptions
from storage.notices.subscribers import Subscriber
from storage.words import Channel, LetterKind, Status, Wanted

FULL_NEWS = "FULLNEWS"


def say(
    work: Work,
    reply: Reply,
    *,
    channel: Channel,
    to: str,
    language: str,
    heard: int,
    kind: LetterKind = LetterKind.REPLY,
) -> None:
    """Post one reply to somebody who wrote, in parts where it is too long for one.

    ``heard`` is the POSIX second of their last message, 0 where nobody knows it: a reply
    that comes too late for the provider's window does not leave.
    """
    rendered = work.office.texts.render(reply, language=language, channel=channel)
    parts = split(rendered.text, work.office.text_limits.get(channel, SHORTEST_LIMIT))
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
        outbox.put(work.store, work.keys, letter, now=work.now)


def tell(work: Work, case: Case, *, words: str = "", status: bool = False) -> int:
    """Tell everybody who asked for it that there is news; returns how many.

    ``case`` must be verified. The text is neutral: a number and a word to send back. Who
    asked for the text itself gets ``words`` (an officer's), or with ``status`` what is
    said of the case's status; both wait in the outbox and nowhere else.
    """
    people = subscriptions.of_case(work.store, work.keys, case.report)
    for person in people:
        text = words
        if status and person.kind is Wanted.FULL:
            text = _standing(work.office, case, person)
        news = _news(case, person, text)
        joined.post(work, case, person, news)
    return len(people)


def tell_of_another(
    work: Work, case: Case, *, channel: Channel, handles: Sequence[str]
) -> int:
    """Tell whoever has news of a case that another contact now has it too; returns how many.

    ``handles`` are the names of that contact on ``channel``: they are told nothing. Where
    only a template may go, it is the one of news.
    """
    told = 0
    for person in subscriptions.of_case(work.store, work.keys, case.report):
        if person.channel is channel and person.handle in handles:
            continue
        news = News(Reply("ALSO", {"case": case.number}))
        joined.post(work, case, person, news)
        told += 1
    return told


def standing(
    office: Office, case: Case, *, language: str, channel: Channel
) -> Reply | None:
    """Return what is said of a case's status; None where nothing is said by itself."""
    status, reason = Status(case.status), case.reason
    return after(office, case, status, reason, language=language, channel=channel)


def after(
    office: Office,
    case: Case,
    status: Status,
    reason: str | None,
    *,
    language: str,
    channel: Channel,
) -> Reply | None:
    """Return what will be said of a case after a step into ``status``."""
    msgid = office.rulebook.workflow.hears(status)
    if not msgid:
        return None
    why = ""
    if reason:
        why = office.texts.say(reason, language=language, channel=channel)
    return Reply(msgid, {"reason": why, "case": case.number})


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
