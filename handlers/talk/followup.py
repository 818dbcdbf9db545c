"""What a reporter does with number and code: status, add, read, answer, withdraw, erase.

Also the clean chat, which needs neither.
"""

from dataclasses import replace
from typing import Final

from handlers.messages import Choice, Command, CommandName, Proof, Reply
from handlers.questionnaire.keywords import normalise
from handlers.questionnaire.steps import Option, Step
from handlers.talk.report import KINDS
from handlers.talk.state import State
from handlers.talk.talk import Talk, hold, release
from handlers.talk.turn import Item, Turn
from storage.words import Audience, ItemKind, Wanted

WELCOME: Final = "Q01"
ASK_RECEIPT: Final = "Q22"
ASK_ADDITION: Final = "Q23"
ASK_REPLY: Final = "Q25"
SURE_WITHDRAW: Final = "Q26"
SURE_FORGET: Final = "Q27F"
SURE_ERASE: Final = "Q27C"
WHICH_RIGHT: Final = "Q30"
SURE_CLEAN: Final = "CLEAN"
WHICH_NEWS: Final = "Q21K"

PURPOSES: Final = frozenset(
    {
        "STATUS",
        "READ",
        "ADD",
        "ANSWER",
        "WITHDRAW",
        "FORGET",
        "ERASE",
        "RIGHTS",
        "SUBSCRIBE",
    }
)
_OPENS: Final = {
    "ADD": ASK_ADDITION,
    "ANSWER": ASK_REPLY,
    "WITHDRAW": SURE_WITHDRAW,
    "FORGET": SURE_FORGET,
    "ERASE": SURE_ERASE,
    "RIGHTS": WHICH_RIGHT,
    "SUBSCRIBE": WHICH_NEWS,
}
STEPS: Final = frozenset(_OPENS.values())
"""The questions of this part."""
_SURE: Final = {SURE_WITHDRAW: "WITHDRAW", SURE_FORGET: "FORGET"}
_UNCHANGED: Final = frozenset({*_SURE, SURE_ERASE, WHICH_RIGHT, WHICH_NEWS})
"""Whoever leaves one of these questions is told that nothing was changed."""
_TOLD: Final = {
    Wanted.NEUTRAL: "SUBSCRIBED",
    Wanted.FULL: "SUBFULL",
    None: "SUBNONE",
}


def receipt_choices() -> tuple[Choice, ...]:
    """Return the buttons under a receipt (Q20)."""
    return (Choice("-.Q20.NOTED", "NOTED"), Choice("-.Q20.SUBSCRIBE", "SUBSCRIBE"))


def ask(talk: Talk, purpose: str) -> Turn:
    """Do what was asked if the proof still stands, otherwise ask for number and code."""
    if talk.facts.may_add and purpose not in {"STATUS", "READ"}:
        return _opened(talk, purpose)
    state = hold(talk.state, ASK_RECEIPT, purpose)
    return Turn(state, replies=(talk.question(state), *_waiting(state)))


def _waiting(state: State) -> tuple[Reply, ...]:
    """Tell whoever has a draft how to go back to it."""
    return (Reply("HELD"),) if state.draft else ()


def proved(talk: Talk) -> Turn:
    """Act on a message that held a number, or number and code; it is never kept."""
    state, facts = talk.state, talk.facts
    word = talk.book.keywords.first(talk.text)
    purpose = (
        word.command if word and word.command in PURPOSES else state.purpose or "STATUS"
    )
    match facts.proof:
        case Proof.OPENED:
            return _opened(talk, purpose)
        case Proof.LOCKED:
            return Turn(release_if_held(talk).state, replies=(_locked(talk),))
        case Proof.WRONG:
            waiting = hold(state, ASK_RECEIPT, purpose)
            reply = Reply("X02", {"n": str(facts.tries_left)})
            return Turn(
                waiting, replies=(reply if facts.tries_left > 0 else _locked(talk),)
            )
        case Proof.NONE:
            waiting = hold(state, ASK_RECEIPT, purpose)
            return Turn(waiting, replies=(Reply("Q22C"), *_waiting(waiting)))


def release_if_held(talk: Talk) -> Talk:
    """Leave whatever is open beside the draft."""
    beside = not talk.state.draft or talk.state.held
    return replace(talk, state=release(talk.state)) if beside else talk


def _locked(talk: Talk) -> Reply:
    return Reply("X03", {"n": str(max(1, talk.facts.locked_minutes))})


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
    if step.code in _SURE:
        return _confirmed(talk, step, agreed=option.code == "YES")
    if step.code == WHICH_NEWS:
        return _subscribed(talk, KINDS.get(option.code))
    if option.code == "DONTKNOW":
        turn = take_text(talk, step, _in_words(talk, option))
        return turn if not turn.items else replace(_finish(talk), items=turn.items)
    return _finish(talk)


def _subscribed(talk: Talk, kind: Wanted | None) -> Turn:
    if not talk.facts.may_add:
        return too_late(talk, "SUBSCRIBE")
    turn = talk.reopen(release(talk.state), Reply(_TOLD[kind]))
    return replace(turn, command=Command(CommandName.SUBSCRIBE, notify=kind))


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


def _confirmed(talk: Talk, step: Step, *, agreed: bool) -> Turn:
    if not agreed:
        return keep(talk)
    purpose = _SURE[step.code]
    if not talk.facts.may_add:
        return too_late(talk, purpose)
    reply = Reply("WITHDRAWN" if purpose == "WITHDRAW" else "FORGOTTEN")
    turn = talk.reopen(release(talk.state), reply, *held_back(talk))
    return replace(turn, command=Command(CommandName(purpose.lower())))


def held_back(talk: Talk) -> tuple[Reply, ...]:
    """Say so where a legal process keeps the reporter's name for now."""
    return (Reply("HELDBACK"),) if talk.facts.promises.held else ()


def keep(talk: Talk) -> Turn:
    """Change nothing."""
    return talk.reopen(release(talk.state), Reply("KEPT"))


def leave(talk: Talk) -> Turn:
    """Close what is open beside the draft; ask the draft's own question, or welcome."""
    if talk.state.step in {*_UNCHANGED, SURE_CLEAN}:
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
