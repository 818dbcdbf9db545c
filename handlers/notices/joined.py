"""Joins notices: at most one waits for each person and case, however much happens.

A second notice joins the one that waits: what it already says is not said twice, words
that were asked for are added as long as they fit, and what does not fit becomes one
neutral line; it can be read with number and code. A letter that is being sent is left
alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from handlers.lengths import split, width
from handlers.messages import Reply
from handlers.office import Office
from handlers.work import Work
from storage import outbox
from storage.letters.letter import Letter, expiry
from storage.models import Case
from storage.notices import waiting as pending
from storage.notices.subscriptions import Subscriber
from storage.notices.waiting import Waiting
from storage.words import LetterKind

NEWS: Final = "Q24"
TEMPLATE: Final = "news"
SHORTEST_LIMIT: Final = 1600
_WORDS_MAY_STAY: Final = timedelta(hours=24)
"""Words whose end is nearer give way to the neutral line: they must not wait longer."""


@dataclass(frozen=True, slots=True)
class News:
    """What a person is to be told: a neutral line of ours and, if they want them, words.

    ``closed``: the provider says that their 24 h window is closed. ``again``: it went once
    and did not arrive.
    """

    line: Reply
    words: str = field(default="", repr=False)
    closed: bool = False
    again: bool = False


def post(
    work: Work,
    case: Case,
    person: Subscriber,
    news: News,
    *,
    due: datetime | None = None,
) -> None:
    """Tell a person news of a case, by the letter that waits for them if there is one."""
    waiting = _waiting(work, case, person)
    line = _said(work.office, person, news.line)
    if not waiting:
        texts = _parts(work.office, person, _joined(line, news.words))
        for number, text in enumerate(texts):
            template = "" if number else TEMPLATE
            letter = _letter(case, person, text, template, news)
            outbox.put(work.store, work.keys, letter, now=work.now, due=due)
        return
    _join(work, case, person, news, waiting, line)


def quieten(work: Work, case: Case, person: Subscriber) -> None:
    """Let words that wait give way to the neutral line: this person wants them no more."""
    worded = [one for one in _waiting(work, case, person) if one.letter.full]
    if not worded:
        return
    for one in worded:
        pending.drop(work.store, one)
    news = News(Reply(NEWS, {"case": case.number}))
    post(work, case, person, news)


def _waiting(work: Work, case: Case, person: Subscriber) -> list[Waiting]:
    place = (person.channel, person.handle, case.report.hex())
    return pending.notices(work.store, work.keys, *place)


def _join(
    work: Work,
    case: Case,
    person: Subscriber,
    news: News,
    queue: list[Waiting],
    line: str,
) -> None:
    """Let the letter that waits say this too; a second one only where nothing else helps."""
    waiting = queue[-1]
    template = "" if any(one.letter.template for one in queue[:-1]) else TEMPLATE
    neutral = _said(work.office, person, Reply(NEWS, {"case": case.number}))
    letter, expires = waiting.letter, expiry(LetterKind.NOTICE, work.now)
    if letter.full and waiting.expires - work.now < _WORDS_MAY_STAY:
        letter = replace(letter, text=neutral, full=False)
        text = _with(neutral, neutral if news.words else line)
    else:
        text = _with(letter.text, line, news.words)
        if not _fits(work.office, person, text):
            text = _with(letter.text, neutral)
    full = letter.full or (bool(news.words) and text.endswith(news.words))
    if letter.full:
        expires = waiting.expires
    if not _fits(work.office, person, text):
        rest = "" if waiting.letter.template else template
        last = _letter(case, person, neutral, rest, replace(news, words=""))
        outbox.put(work.store, work.keys, last, now=work.now)
        return
    heard = 0 if news.closed else max(letter.last_inbound, person.last_inbound)
    said = replace(letter, text=text, full=full, last_inbound=heard, template=template)
    if not pending.rewrite(work.store, work.keys, waiting, said, expires=expires):
        again = _letter(case, person, _joined(line, news.words), TEMPLATE, news)
        outbox.put(work.store, work.keys, again, now=work.now)


def _letter(
    case: Case, person: Subscriber, text: str, template: str, news: News
) -> Letter:
    return Letter(
        kind=LetterKind.NOTICE,
        channel=person.channel,
        to=person.handle,
        text=text,
        template=template,
        parameters={"1": case.number},
        language=person.language,
        last_inbound=0 if news.closed else person.last_inbound,
        case=case.report.hex(),
        full=bool(news.words),
        again=news.again,
    )


def _said(office: Office, person: Subscriber, line: Reply) -> str:
    language, channel = person.language, person.channel
    return office.texts.render(line, language=language, channel=channel).text


def _parts(office: Office, person: Subscriber, text: str) -> Sequence[str]:
    """Cut what is too long; only the first part may become the provider's template."""
    return split(text, _limit(office, person))


def _fits(office: Office, person: Subscriber, text: str) -> bool:
    return width(text) <= _limit(office, person)


def _limit(office: Office, person: Subscriber) -> int:
    return office.text_limits.get(person.channel, SHORTEST_LIMIT)


def _with(text: str, line: str, words: str = "") -> str:
    """Add a line unless it is said already, and words in any case."""
    return _joined(text, "" if line in text else line, words)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
