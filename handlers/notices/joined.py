"""Joins notices: at most one waits for each person and case, however much happens.

A second notice joins the one that waits: what it already says is not said twice, words
that were asked for are added as long as they fit, and what does not fit becomes one
neutral line; it can be read with number and code. A letter that is being sent is left
alone.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from handlers.lengths import split, width
from handlers.messages import Reply
from handlers.work import Work
from storage import outbox
from storage.letters.letter import Letter, expiry
from storage.models import Case
from storage.notices import waiting as pending
from storage.notices.subscribers import Subscriber
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


@dataclass(frozen=True, slots=True)
class _Telling:
    """News of a case on their way to one person."""

    work: Work
    case: Case
    person: Subscriber
    news: News

    @property
    def line(self) -> str:
        """Return the neutral line in the person's language."""
        return self._said(self.news.line)

    @property
    def neutral(self) -> str:
        """Return the line that says only that there is news."""
        return self._said(Reply(NEWS, {"case": self.case.number}))

    def waiting(self) -> list[Waiting]:
        """Hold the letters about this case that wait for this person."""
        place = (self.person.channel, self.person.handle, self.case.report.hex())
        return pending.notices(self.work.store, self.work.keys, *place)

    @property
    def limit(self) -> int:
        """Return how long a letter may be on the person's channel."""
        return self.work.office.text_limits.get(self.person.channel, SHORTEST_LIMIT)

    def fits(self, text: str) -> bool:
        """Say whether a text goes into one letter."""
        return width(text) <= self.limit

    def put(
        self, text: str, template: str, *, full: bool, due: datetime | None = None
    ) -> None:
        """Put a letter of its own into the outbox."""
        person = self.person
        letter = Letter(
            kind=LetterKind.NOTICE,
            channel=person.channel,
            to=person.handle,
            text=text,
            template=template,
            parameters={"1": self.case.number},
            language=person.language,
            last_inbound=0 if self.news.closed else person.last_inbound,
            case=self.case.report.hex(),
            full=full,
            again=self.news.again,
        )
        work = self.work
        outbox.put(work.store, work.keys, letter, now=work.now, due=due)

    def _said(self, line: Reply) -> str:
        language, channel = self.person.language, self.person.channel
        return self.work.office.texts.render(
            line, language=language, channel=channel
        ).text


def post(
    work: Work,
    case: Case,
    person: Subscriber,
    news: News,
    *,
    due: datetime | None = None,
) -> None:
    """Tell a person news of a case, by the letter that waits for them if there is one."""
    telling = _Telling(work, case, person, news)
    queue = telling.waiting()
    if queue:
        _join(telling, queue)
        return
    parts = split(_joined(telling.line, news.words), telling.limit)
    for number, text in enumerate(parts):
        template = "" if number else TEMPLATE  # the provider's is for the first part
        telling.put(text, template, full=bool(news.words), due=due)


def quieten(work: Work, case: Case, person: Subscriber) -> None:
    """Let words that wait give way to the neutral line: this person wants them no more."""
    news = News(Reply(NEWS, {"case": case.number}))
    queue = _Telling(work, case, person, news).waiting()
    worded = [one for one in queue if one.letter.full]
    for one in worded:
        pending.drop(work.store, one)
    if worded:
        post(work, case, person, news)


def _join(telling: _Telling, queue: list[Waiting]) -> None:
    """Let the letter that waits say this too; a second one only where nothing else helps."""
    work, person, news, last = telling.work, telling.person, telling.news, queue[-1]
    template = "" if any(one.letter.template for one in queue[:-1]) else TEMPLATE
    together = _together(telling, last)
    if together is None:
        rest = "" if last.letter.template else template
        telling.put(telling.neutral, rest, full=False)
        return
    letter, expires = together
    heard = 0 if news.closed else max(letter.last_inbound, person.last_inbound)
    said = replace(letter, last_inbound=heard, template=template)
    if not pending.rewrite(work.store, work.keys, last, said, expires=expires):
        text = _joined(telling.line, news.words)
        telling.put(text, TEMPLATE, full=bool(news.words))


def _together(telling: _Telling, last: Waiting) -> tuple[Letter, datetime] | None:
    """Return what the letter says with the news, and its end; None where it has no room.

    As long as it holds words of old it keeps the end that it had.
    """
    letter, words, now = last.letter, telling.news.words, telling.work.now
    keeps = letter.full and last.expires - now >= _WORDS_MAY_STAY
    if letter.full and not keeps:
        text = _with(telling.neutral, telling.neutral if words else telling.line)
    else:
        text = _with(letter.text, telling.line, words)
        if not telling.fits(text):
            text = _with(letter.text, telling.neutral)
    if not telling.fits(text):
        return None
    full = keeps or (bool(words) and text.endswith(words))
    expires = last.expires if keeps else expiry(LetterKind.NOTICE, now)
    return replace(letter, text=text, full=full), expires


def _with(text: str, line: str, words: str = "") -> str:
    """Add a line unless it is said already, and words in any case."""
    return _joined(text, "" if line in text else line, words)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
