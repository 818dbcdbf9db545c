"""A message that reached us long after it was written, because its webhook never did.

It was found at the provider (``bot/intake/lost_messages.py``). Where its person wrote since, it
answers no question that is open now: what it says goes to the draft as a late addition,
or is asked for again. A word that stops us always stops us.
"""

from typing import Final

from handlers.messages import Kind, Proof, Reply
from handlers.questionnaire.steps import Step
from handlers.talk import attachments as evidence
from handlers.talk.report import MIN_STORY_WORDS
from handlers.talk.state import Item, Turn
from handlers.talk.talk import Talk, with_menu

_ALWAYS: Final = frozenset(
    {Kind.OPT_OUT, Kind.OPT_IN, Kind.BLOCKED, Kind.UNBLOCKED, Kind.GROUP}
)


def take(talk: Talk) -> Turn | None:
    """Take a message that came late; None where it means what it always means."""
    incoming, facts = talk.incoming, talk.facts
    if not incoming.recovered or incoming.kind in _ALWAYS:
        return None
    if facts.proof is not Proof.NONE or facts.number_only:
        return None
    if not talk.text and not incoming.media:
        return Turn(talk.state, replies=(Reply("EMPTY"),))
    if not facts.overtaken or _stops(talk):
        return None
    if talk.state.draft:
        return with_menu(_added(talk), talk.book)
    return None if _begins(talk) else Turn(talk.state, replies=(Reply("LATE0"),))


def _stops(talk: Talk) -> bool:
    word = talk.book.keywords.whole(talk.text)
    return word is not None and word.command == "STOP"


def _begins(talk: Talk) -> bool:
    """Tell whether it is a report of its own, and nothing else is under way."""
    word = talk.book.keywords.first(talk.text)
    story = word is not None and word.command == "REPORT" and word.rest
    long = bool(story) and len(str(story).split()) >= MIN_STORY_WORDS
    return long and not talk.state.step


def _added(talk: Talk) -> Turn:
    """Add it to the draft; the open question stays open and is asked again."""
    refused, items = evidence.files(talk, to_case=False, caption="")
    state, step = talk.state, _place(talk)
    if talk.text:
        words: Item = talk.answer_item(step, state, talk.text)
        items = (words, *items)
    kept = evidence.held(talk, items)
    for item in kept:
        state = state.with_filled(item.step)
    told = (Reply("LATE"),) if kept else ()
    return talk.reopen(state, *refused, *told, items=items)


def _place(talk: Talk) -> Step:
    """Return where late words belong: who gave a name may have answered with it.

    Then they are sealed as a name is, to two, rather than shown to all who handle it.
    """
    contact, wish = talk.book.named("contact"), talk.book.named("anonymity")
    named = wish and talk.state.answers.get(wish.code, "ANON") != "ANON"
    return contact if contact and named else talk.book.story
