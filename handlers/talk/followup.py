"""What a reporter does with number and code: status, read, add, answer.

For 15 minutes after them words can be added without; what takes away or redirects is an
order (``handlers/talk/orders.py``). Also the clean chat, which needs neither.
"""

from dataclasses import replace
from typing import Final

from handlers.messages import Choice, Command, CommandName, Proof, Reply
from handlers.questionnaire.keywords import normalise
from handlers.questionnaire.steps import Option, Step
from handlers.talk import orders
from handlers.talk.state import State
from handlers.talk.talk import Talk, hold, keep, release, release_if_held
from handlers.talk.turn import Item, Turn
from storage.words import Audience, ItemKind

WELCOME: Final = "Q01"
ASK_RECEIPT: Final = "Q22"
ASK_ADDITION: Final = "Q23"
ASK_REPLY: Final = "Q25"
SURE_CLEAN: Final = "CLEAN"

_OPENS: Final = {"ADD": ASK_ADDITION, "ANSWER": ASK_REPLY}
_KEPT: Final = frozenset({"STATUS", "READ", *_OPENS})
"""What may wait for number and code in a later message; an order never does."""
PURPOSES: Final = _KEPT | orders.WORDS
STEPS: Final = frozenset(_OPENS.values())
"""The questions of this part."""


def receipt_choices() -> tuple[Choice, ...]:
    """Return the buttons under a receipt (Q20)."""
    return (Choice("-.Q20.NOTED", "NOTED"), Choice("-.Q20.SUBSCRIBE", "SUBSCRIBE"))


def ask(talk: Talk, purpose: str) -> Turn:
    """Do what was asked if the proof still stands, otherwise ask for number and code.

    For an order no earlier proof stands.
    """
    if purpose in orders.WORDS:
        return orders.instruct(talk, purpose)
    if talk.facts.may_add and purpose in _OPENS:
        return _opened(talk, purpose)
    state = hold(talk.state, ASK_RECEIPT, purpose)
    return Turn(state, replies=(talk.question(state), *_waiting(state)))


def _waiting(state: State) -> tuple[Reply, ...]:
    """Tell whoever has a draft how to go back to it."""
    return (Reply("HELD"),) if state.draft else ()


def proved(talk: Talk) -> Turn:
    """Act on a message that held a number, or number and code; it is never kept.

    An order opens no question that another message could answer: where number and code
    do not stand beside its word, it is only told how it is given.
    """
    state, facts = talk.state, talk.facts
    order = orders.named(talk)
    word = talk.book.keywords.first(talk.text)
    purpose = word.command if word and word.command in PURPOSES else state.purpose
    if purpose not in _KEPT:
        purpose = "STATUS"
    waiting = state if order else hold(state, ASK_RECEIPT, purpose)
    match facts.proof:
        case Proof.OPENED if order:
            return orders.take(talk, order)
        case Proof.OPENED:
            return _opened(talk, purpose)
        case Proof.BUSY:
            return Turn(waiting, replies=(Reply("BUSY"),))
        case Proof.WRONG:
            return Turn(waiting, replies=(Reply("X02"),))
        case Proof.NONE if order:
            return orders.instruct(talk, order)
        case Proof.NONE:
            return Turn(waiting, replies=(Reply("Q22C"), *_waiting(waiting)))


def _opened(talk: Talk, purpose: str) -> Turn:
    if purpose in _OPENS:
        state = hold(talk.state, _OPENS[purpose])
        return Turn(state, replies=(talk.question(state),))
    state = release_if_held(talk).state
    waiting = _waiting(state)
    name = CommandName.READ if purpose == "READ" else CommandName.STATUS
    return Turn(
        state, replies=(talk.question(state, "OPENED"), *waiting), command=Command(name)
    )


def choose(talk: Talk, step: Step, option: Option) -> Turn:
    """Apply a choice to a question of this part."""
    if step.code == SURE_CLEAN:
        return _cleaned(talk) if option.code == "YES" else keep(talk)
    if option.code == "DONTKNOW":
        turn = take_text(talk, step, _in_words(talk, option))
        return turn if not turn.items else replace(_finish(talk), items=turn.items)
    return _finish(talk)


def clean_choices(talk: Talk) -> tuple[Choice, ...]:
    """Return the button that offers a clean chat, where there is such a thing."""
    return (Choice("-.Q20.CLEAN", "CLEAN"),) if talk.facts.cleans else ()


def ask_clean(talk: Talk) -> Turn:
    """Ask whether to delete the messages of this chat; say how, where we cannot."""
    if not talk.facts.cleans:
        return Turn(talk.state, replies=(Reply("CLEAN0"),))
    state = hold(talk.state, SURE_CLEAN)
    return Turn(state, replies=(talk.question(state), *_waiting(state)))


def _cleaned(talk: Talk) -> Turn:
    """Have the chat cleaned; a draft stays, but its question would be deleted too."""
    return Turn(
        release(talk.state),
        replies=(Reply("CLEANING"),),
        command=Command(CommandName.CLEAN),
    )


def _in_words(talk: Talk, option: Option) -> str:
    """Return a choice as the officer shall read it: as it was typed, or in full."""
    if normalise(talk.text) in option.words:
        return talk.text
    return talk.book.keywords.spoken(option.code, talk.state.language)


def _finish(talk: Talk) -> Turn:
    return talk.reopen(release(talk.state), Reply("THANKS"))


def leave(talk: Talk) -> Turn:
    """Close what is open beside the draft; ask the draft's own question, or welcome."""
    if talk.state.step in {*orders.ASKED, SURE_CLEAN}:
        return keep(talk)
    state = release(talk.state)
    if state.draft:
        return talk.reopen(state, Reply("BACK"))
    return Turn(state, replies=(talk.question(state, WELCOME),))


def too_late(talk: Talk, purpose: str) -> Turn:
    """Ask for number and code again: the 15 minutes are over."""
    state = hold(release(talk.state), ASK_RECEIPT, purpose)
    return Turn(state, replies=(Reply("TIMEOVER"), talk.question(state)))


def take_text(talk: Talk, step: Step, text: str) -> Turn:
    """Keep a text for the open case, if the proof still stands."""
    adding = step.code == ASK_ADDITION
    if not talk.facts.may_add:
        return too_late(talk, "ADD" if adding else "ANSWER")
    kind = ItemKind.ADDITION if adding else ItemKind.REPLY
    item = Item(step.code, kind, text, Audience.CASE, to_case=True)
    replies = () if talk.state.noted else (Reply("ADDED"),)
    state = replace(talk.state, noted=True).with_said(
        talk.incoming.message_id, step.code
    )
    return Turn(state, (item,), replies)


def polite(talk: Talk) -> Turn | None:
    """Answer thanks and the like, which belong to no report; None for anything else.

    "OK" may be the answer to an officer's question, so it is kept where one is awaited.
    """
    said, words = normalise(talk.text), talk.book.keywords
    step, state = talk.open, talk.state
    fine = said in words.of("FINE") or (not step and said in words.of("DONE"))
    if not fine and said not in words.of("THANKS"):
        return None
    if step and not step.aside:
        told = Reply("MORE" if step.code in state.filled else "NEEDSTORY")
        return Turn(state, replies=(told,)) if step.required else None
    asked = state.menu == "OPENED" if not step else step.code == ASK_REPLY
    if fine and asked and talk.facts.may_add and not state.noted:
        return None
    return Turn(state, replies=(Reply("POLITE"),))


def take_unasked(talk: Talk) -> Turn:
    """Keep a text that came with no question open, right after number and code."""
    step = talk.book.by_code[ASK_REPLY]
    opened = replace(talk.state, step=step.code, noted=False)
    return take_text(replace(talk, state=opened), step, talk.text)


def may_take(talk: Talk, command: str) -> bool:
    """Say whether words right after this keyword can be kept for the open case."""
    return command in {"ADD", "ANSWER"} and talk.facts.may_add


def take_at_once(talk: Talk, command: str, text: str) -> Turn:
    """Keep ``TAMBAH <words>`` or ``JAWAB <words>`` without asking for them first."""
    step = talk.book.by_code[_OPENS[command]]
    opened = replace(talk, state=hold(talk.state, step.code))
    return take_text(opened, step, text)
