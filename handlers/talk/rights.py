"""The menu of a reporter's data rights: which right, and what to write for it."""

from dataclasses import replace
from typing import Final

from handlers.messages import Command, CommandName, Reply
from handlers.questionnaire.steps import Option, Step
from handlers.talk import followup
from handlers.talk.talk import Talk, hold, release
from handlers.talk.turn import Item, Turn
from storage.words import Audience, ItemKind

WHICH_RIGHT: Final = "Q30"
CORRECTION: Final = "Q31"
STEPS: Final = frozenset({followup.SURE_ERASE, WHICH_RIGHT, CORRECTION})
_ASKS: Final = {
    "ALL": CommandName.ERASE,
    "RESTRICT": CommandName.RESTRICT,
    "ACCESS": CommandName.ACCESS,
}
_SAID: Final = {
    CommandName.ERASE: "Q27",
    CommandName.RESTRICT: "RESTRICTED",
    CommandName.ACCESS: "ACCESSED",
    CommandName.CORRECT: "CORRECTING",
}


def choose(talk: Talk, step: Step, option: Option) -> Turn:
    """Apply a choice to a question of this part."""
    if step.code == CORRECTION:
        return talk.reopen(release(talk.state), Reply("THANKS"))
    if option.code == "NO":
        return followup.keep(talk)
    if not talk.facts.may_add:
        return followup.too_late(talk, _purpose(step))
    if option.code == "CORRECT":
        state = hold(talk.state, CORRECTION)
        return Turn(state, replies=(talk.question(state),))
    name = _ASKS.get(option.code)
    if name is None:
        return followup.ask(talk, "FORGET")
    held = followup.held_back(talk) if name is CommandName.ERASE else ()
    turn = talk.reopen(release(talk.state), _promise(talk, name), *held)
    return replace(turn, command=Command(name))


def take_text(talk: Talk, step: Step, text: str) -> Turn:
    """Keep what is to be corrected for the open case; the first text is the request."""
    if not talk.facts.may_add:
        return followup.too_late(talk, _purpose(step))
    item = Item(step.code, ItemKind.ADDITION, text, Audience.CASE, to_case=True)
    state = replace(talk.state, noted=True).with_said(
        talk.incoming.message_id, step.code
    )
    if talk.state.noted:
        return Turn(state, (item,))
    told = _promise(talk, CommandName.CORRECT)
    return Turn(state, (item,), (told,), Command(CommandName.CORRECT))


def _promise(talk: Talk, name: CommandName) -> Reply:
    date = talk.facts.promises.dates.get(name.value, "-")
    return Reply(_SAID[name], {"date": date})


def _purpose(step: Step) -> str:
    return "ERASE" if step.code == followup.SURE_ERASE else "RIGHTS"
