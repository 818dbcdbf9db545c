"""Alerts that pile up: of one topic one waits for each officer, however much happens.

While an alert waits, the next one of its topic joins it: the letter then tells how many
cases there are and names the newest. What is urgent has a topic of its own and never
waits for, or vanishes in, what is not. A letter that is being sent is left alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from handlers.messages import Reply
from handlers.work import Work
from storage.letters.letter import Letter, expiry
from storage.notices import waiting
from storage.notices.waiting import Waiting

NEW, URGENT = "ALERT.NEW", "ALERT.URGENT"
MANY: Final[Mapping[str, str]] = {
    NEW: "ALERT.NEW.MANY",
    URGENT: "ALERT.URGENT.MANY",
    "ALERT.ANSWER": "ALERT.ANSWER.MANY",
    "ALERT.REQUEST": "ALERT.REQUEST.MANY",
    "ALERT.WITHDRAWN": "ALERT.WITHDRAWN.MANY",
    "ALERT.HANDED": "ALERT.HANDED.MANY",
    "ALERT.HANDED_AWAY": "ALERT.HANDED_AWAY.MANY",
    "ALERT.REVEAL": "ALERT.REVEAL.MANY",
    "ALERT.REVEAL_ANSWERED": "ALERT.REVEAL_ANSWERED.MANY",
}
"""What is said of one case, and of many."""
REMEMBERED: Final = 40
"""Cases that a letter knows by number, so that none of them counts twice."""


def begun(letter: Letter, reply: Reply) -> Letter:
    """Return an alert as others of its topic may join it; of no topic it stays as it is."""
    if reply.text not in MANY:
        return letter
    counted = {"n": "1", "cases": reply.params["case"]}
    return replace(letter, topic=reply.text, parameters=counted)


def join(work: Work, waits: Waiting, letter: Letter) -> bool:
    """Let the alert that waits tell of this one too; False if it began to leave meanwhile."""
    case, counted = letter.parameters["cases"], waits.letter.parameters
    known = counted["cases"].split()
    if case in known:
        return True
    count = int(counted["n"]) + 1
    reply = Reply(
        MANY[letter.topic],
        {"n": str(count), "case": case, "link": f"{work.office.console_url}/"},
    )
    text = work.office.texts.render(
        reply, language=letter.language, channel=letter.channel
    ).text
    cases = " ".join([*known, case][-REMEMBERED:])
    said = replace(
        letter, text=text, buttons=(), parameters={"n": str(count), "cases": cases}
    )
    ends = expiry(letter.kind, work.now)
    return waiting.rewrite(work.store, work.keys, waits, said, expires=ends)
