"""Messages that answer no question: quotes, late messages, live locations.

Also late parts of an album. A late message is one that was fetched after newer ones. A
quoted notice names its case, so a reply to it needs no number and code: it is sealed to
that case, which nobody but the case's officers can read afterwards. A late message goes
to the draft. The open question stays as it is. A keyword keeps its meaning, quoted or
not.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from handlers.messages import Kind, Proof, Reply
from handlers.questionnaire.keywords import normalise
from handlers.questionnaire.steps import Step
from handlers.talk import attachments, followup
from handlers.talk.report import MIN_STORY_WORDS
from handlers.talk.talk import Talk, with_menu
from handlers.talk.turn import Item, Turn
from storage.words import Audience, ItemKind, Mark

_ANSWERS: Final = frozenset(
    {Kind.TEXT, Kind.MEDIA, Kind.LOCATION, Kind.CONTACT, Kind.EDIT}
)


_ALWAYS: Final = frozenset(
    {Kind.OPT_OUT, Kind.OPT_IN, Kind.BLOCKED, Kind.UNBLOCKED, Kind.GROUP}
)


class Thinning(NamedTuple):
    """Which updates of a live location are kept: one in so many minutes, so many at most.

    Distance is no part of it: the last place would have to be remembered where the
    server key can read it. The last update, when the sharing ends, is always kept.
    """

    minutes: int
    most: int


LIVE: Final = Thinning(minutes=10, most=48)
"""Eight hours, the longest that Telegram offers beside "until I stop it"."""


def take(talk: Talk) -> Turn | None:
    """Take what belongs beside the open question; None for anything else."""
    if talk.incoming.kind is Kind.MOVED:
        return _moved(talk)
    overtaken = _late(talk)
    if overtaken or talk.facts.proof is not Proof.NONE:
        return overtaken
    if talk.facts.late_part and talk.incoming.kind is Kind.MEDIA:
        return _late_part(talk)
    if not talk.facts.quoted or talk.incoming.kind not in _ANSWERS:
        return None
    if talk.incoming.kind is Kind.EDIT:
        return _reworded(talk)
    return None if _is_order(talk) else _quoting(talk)


def _is_order(talk: Talk) -> bool:
    """Tell whether a quoted reply is a keyword, or asks something of a case by number."""
    words, text = talk.book.keywords, talk.text
    if talk.incoming.kind is not Kind.TEXT or Mark.FORWARDED in talk.incoming.marks:
        return False
    if not text or words.whole(text):
        return True
    first = words.first(text)
    asks = first is not None and first.command in followup.PURPOSES
    return asks and talk.facts.number_only


def _quoting(talk: Talk) -> Turn:
    """Seal an answer to the case whose notice it quotes."""
    if normalise(talk.text) in talk.book.keywords.of("THANKS"):
        return Turn(talk.state, replies=(Reply("POLITE"),))
    refused, items = _content(talk)
    if not items:
        return Turn(talk.state, replies=refused or (Reply("X13"),))
    if not attachments.held(talk, items):
        return Turn(talk.state, items, refused)
    again = talk.incoming.group and talk.incoming.group in talk.state.albums
    state = talk.state.with_album(talk.incoming.group)
    state = attachments.started(talk, state)
    reply = "QUOTEDDRAFT" if state.draft else "QUOTED"
    told = () if again else (Reply(reply, {"case": talk.facts.quoted}),)
    return Turn(state, items, (*refused, *told))


def _content(talk: Talk) -> tuple[tuple[Reply, ...], tuple[Item, ...]]:
    kind, text = talk.incoming.kind, talk.text
    if kind is Kind.MEDIA:
        refused, files = attachments.files(talk, to_case=True, caption=text)
        return refused, tuple(_beside(item) for item in files)
    if kind is Kind.CONTACT and text.startswith(attachments.OWN_CARD):
        card = text.removeprefix(attachments.OWN_CARD).strip()
        contact = talk.book.named("contact")
        step = contact.code if contact else followup.ASK_REPLY
        own = Item(step, ItemKind.IDENTITY, card, Audience.IDENTITY, to_case=True)
        return (), (replace(own, beside=True),)
    word = talk.book.keywords.first(text) if kind is Kind.TEXT else None
    if word and word.command in {"ADD", "ANSWER"} and word.rest:
        text = word.rest
    return (), (_beside(_reply(text)),) if text else ()


def _reply(text: str) -> Item:
    return Item(followup.ASK_REPLY, ItemKind.REPLY, text, Audience.CASE, to_case=True)


def _beside(item: Item) -> Item:
    step, kind = followup.ASK_REPLY, ItemKind.REPLY
    return replace(item, step=step, kind=kind, to_case=True, beside=True)


def _reworded(talk: Talk) -> Turn | None:
    """Keep another wording of a quoted reply; one of a known answer is no such thing."""
    if talk.incoming.message_id in dict(talk.state.said):
        return None
    if not talk.text or talk.book.keywords.whole(talk.text):
        return None
    item = replace(_beside(_reply(talk.text)), kind=ItemKind.EDIT)
    return Turn(talk.state, (item,), (Reply("EDITED"),))


def _late_part(talk: Talk) -> Turn | None:
    """Keep a part of the album with which the report was sent, and say nothing more."""
    refused, files = attachments.files(talk, to_case=True, caption=talk.text)
    items = tuple(
        replace(item, step=followup.ASK_ADDITION, kind=ItemKind.ADDITION, beside=True)
        for item in files
    )
    return Turn(talk.state, items, refused) if items or refused else None


def _moved(talk: Talk) -> Turn:
    """Keep an update of a live location where the rule asks for it; never answer it."""
    state, incoming = talk.state, talk.incoming
    known = {one[0]: one for one in state.live}.get(incoming.message_id)
    if known is None or not talk.text:
        return Turn(state)
    _, last, count = known
    due = attachments.minute(talk) - last >= LIVE.minutes and count < LIVE.most
    item = _moved_item(talk) if due or not incoming.live else None
    if item is None:
        return Turn(state)
    if incoming.live:
        return Turn(
            state.with_live(incoming.message_id, attachments.minute(talk), count + 1),
            (item,),
        )
    return Turn(state.without_live(incoming.message_id), (item,))


def _moved_item(talk: Talk) -> Item | None:
    if talk.facts.quoted:
        item = _beside(_reply(talk.text))
        return replace(item, kind=ItemKind.EDIT)
    turn = attachments.take_edit(talk)
    return turn.items[0] if turn.items else None


def _late(talk: Talk) -> Turn | None:
    """Take a message that came late; None where it means what it always means."""
    incoming, facts = talk.incoming, talk.facts
    if not incoming.recovered or incoming.kind in _ALWAYS:
        return None
    if talk.holds_receipt:
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
    refused, items = attachments.files(talk, to_case=False, caption="")
    state, step = talk.state, _place(talk)
    if talk.text:
        words: Item = talk.answer_item(step, state, talk.text)
        items = (words, *items)
    kept = attachments.held(talk, items)
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
