"""Orders: what takes away or redirects. One message with its word, number and code.

Anybody can send an SMS in another person's number, so nothing that was proved earlier
counts for an order: it holds number and code itself, and is final. The warning stands in
the instruction before it. Where there are buttons (Telegram) a question may follow, about
what was just proved; its button alone answers it, never another message.
"""

from dataclasses import replace
from typing import Final

from handlers.messages import Command, CommandName, Kind, Reply
from handlers.questionnaire.keywords import normalise
from handlers.questionnaire.steps import Option, Step
from handlers.talk.report import KINDS
from handlers.talk.talk import Talk, hold, keep, release, release_if_held
from handlers.talk.turn import Item, Turn
from storage.words import Audience, ItemKind

SURE_WITHDRAW: Final = "Q26"
SURE_FORGET: Final = "Q27F"
SURE_ERASE: Final = "Q27C"
WHICH_RIGHT: Final = "Q30"
CORRECTION: Final = "Q31"
WHICH_NEWS: Final = "Q21K"

_ASKED: Final = {
    "WITHDRAW": SURE_WITHDRAW,
    "FORGET": SURE_FORGET,
    "ERASE": SURE_ERASE,
    "RIGHTS": WHICH_RIGHT,
    "SUBSCRIBE": WHICH_NEWS,
}
"""The question that follows an order where buttons can answer it."""
WORDS: Final = frozenset(_ASKED)
"""Keywords that are orders; the other rights are named in the menu of rights alone."""
_OTHER_RIGHTS: Final = frozenset({"RESTRICT", "ACCESS", "CORRECT"})
ASKED: Final = frozenset(_ASKED.values())
"""Whoever leaves one of these questions is told that nothing was changed."""
STEPS: Final = ASKED | {CORRECTION}
_OF_STEP: Final = {step: order for order, step in _ASKED.items()}
_HOW: Final = {
    "WITHDRAW": "Q26H",
    "FORGET": "Q27FH",
    "ERASE": "Q27CH",
    "SUBSCRIBE": "Q21H",
}
_SAID: Final = {
    "WITHDRAW": "WITHDRAWN",
    "FORGET": "FORGOTTEN",
    "ERASE": "Q27",
    "RESTRICT": "RESTRICTED",
    "ACCESS": "ACCESSED",
    "CORRECT": "CORRECTING",
}
_FORGETS: Final = frozenset({"WITHDRAW", "FORGET", "ERASE"})
_FEW_WORDS: Final = 4
"""Words of an order beside number and code; more are a sentence that we may misread."""


def named(talk: Talk) -> str:
    """Return the order that a message begins with, "" if it begins with none."""
    words = talk.book.keywords
    said = normalise(talk.text).split()
    if (longer := words.whole(" ".join(said[:2]))) and len(said) > 1:
        return longer.command if longer.command in WORDS else ""
    if word := words.first(talk.text):
        return word.command if word.command in WORDS else ""
    return named_right(talk, said[0]) if said else ""


def named_right(talk: Talk, said: str) -> str:
    """Return the right of the menu that no keyword names, by one of its words."""
    options = talk.book.by_code[WHICH_RIGHT].options
    found = (one.code for one in options if said in one.words)
    return next((code for code in found if code in _OTHER_RIGHTS), "")


def instruct(talk: Talk, order: str) -> Turn:
    """Say what the order does, and the one message that gives it; nothing is opened."""
    state = talk.state
    purpose = state.purpose if state.step else order
    state = replace(state, menu="", purpose=purpose)
    return Turn(state, replies=(_instruction(order),))


def insist(talk: Talk) -> Turn | None:
    """Tell again how an order is given, where its instruction is answered like a question.

    None for anything else: it may be a fact. A "no" is heard.
    """
    order, said = talk.state.purpose, normalise(talk.text)
    asked = talk.book.step(_ASKED.get(order, WHICH_RIGHT))
    if talk.state.step or order not in {*WORDS, *_OTHER_RIGHTS} or asked is None:
        return None
    words = talk.book.keywords
    if words.is_pass(said) or (said in words.of("NO") and order != "SUBSCRIBE"):
        return keep(talk)
    answers = words.of("YES").union(*(option.words for option in asked.options))
    is_number = said.isdigit() or said in words.numerals
    return instruct(talk, order) if is_number or said in answers else None


def _instruction(order: str) -> Reply:
    return Reply(_HOW.get(order, "Q30H"))


def take(talk: Talk, order: str) -> Turn:
    """Carry out an order whose number and code were right, or ask by buttons."""
    if not talk.facts.whole or _is_sentence(talk, order):
        return instruct(talk, order)
    if order == "SUBSCRIBE" and (kind := _named_news(talk)):
        return _news(talk, kind)
    if order in _ASKED and talk.has_buttons:
        state = hold(talk.state, _ASKED[order])
        return Turn(state, replies=(talk.question(state),))
    if order == "RIGHTS":
        return instruct(talk, order)
    return _news(talk, "YES") if order == "SUBSCRIBE" else _done(talk, order)


def _is_sentence(talk: Talk, order: str) -> bool:
    words = [word for word in normalise(talk.text).split() if word.isalpha()]
    return order != "SUBSCRIBE" and len(words) > _FEW_WORDS


def _named_news(talk: Talk) -> str:
    """Return the kind of news that stands behind the keyword, "" for none."""
    word = talk.book.keywords.first(talk.text)
    said = f"{normalise(word.rest)} " if word else ""
    for option in talk.book.by_code[WHICH_NEWS].options:
        if any(said.startswith(f"{one} ") for one in option.words):
            return option.code
    return ""


def _news(talk: Talk, code: str) -> Turn:
    kind = KINDS.get(code)
    told = {"YES": "SUBSCRIBED", "FULL": "SUBFULL"}.get(code, "SUBNONE")
    turn = talk.reopen(release_if_held(talk).state, Reply(told))
    return replace(turn, command=Command(CommandName.SUBSCRIBE, notify=kind))


def _done(talk: Talk, order: str) -> Turn:
    """Carry an order out; a correction is asked for in words."""
    if order == "CORRECT":
        state = hold(talk.state, CORRECTION)
        return Turn(state, replies=(talk.question(state),))
    name = CommandName(order.lower())
    held = talk.facts.promises.held and order in _FORGETS
    notes = (Reply("HELDBACK"),) if held else ()
    told = _promise(talk, name)
    turn = talk.reopen(release_if_held(talk).state, told, *notes)
    return replace(turn, command=Command(name))


def choose(talk: Talk, step: Step, option: Option) -> Turn:
    """Apply a choice to a question of this part: by its button, while it is open."""
    if step.code == CORRECTION:
        return talk.reopen(release(talk.state), Reply("THANKS"))
    order = _OF_STEP[step.code]
    if talk.state.step != step.code:
        return instruct(talk, order)
    if option.code == "NO" and step.code != WHICH_NEWS:
        return keep(talk)
    if talk.incoming.kind is not Kind.PRESS:
        return talk.reopen(talk.state, Reply("PRESSIT"))
    return _pressed(talk, order, option) if talk.facts.may_add else _late(talk, order)


def _pressed(talk: Talk, order: str, option: Option) -> Turn:
    if order == "SUBSCRIBE":
        return _news(talk, option.code)
    if option.code in _ASKED:
        state = hold(talk.state, _ASKED[option.code])
        return Turn(state, replies=(talk.question(state),))
    return _done(talk, option.code if option.code in _OTHER_RIGHTS else order)


def take_text(talk: Talk, step: Step, text: str) -> Turn:
    """Keep what is to be corrected for the open case; the first text is the request."""
    if not talk.facts.may_add:
        return _late(talk, "RIGHTS")
    item = Item(step.code, ItemKind.ADDITION, text, Audience.CASE, to_case=True)
    state = replace(talk.state, noted=True).with_said(
        talk.incoming.message_id, step.code
    )
    if talk.state.noted:
        return Turn(state, (item,))
    told = _promise(talk, CommandName.CORRECT)
    return Turn(state, (item,), (told,), Command(CommandName.CORRECT))


def _late(talk: Talk, order: str) -> Turn:
    """Say that the 15 minutes are over, and how the order is given."""
    state = release(talk.state)
    return Turn(state, replies=(Reply("TIMEOVER"), _instruction(order)))


def _promise(talk: Talk, name: CommandName) -> Reply:
    date = talk.facts.promises.dates.get(name.value, "-")
    said = _SAID[name.upper()]
    dated = said not in {"WITHDRAWN", "FORGOTTEN"}
    return Reply(said, {"date": date} if dated else {})
