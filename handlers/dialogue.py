"""The conversation: one state machine for all channels, pure and total.

``advance`` takes a state and a message and says what to seal, what to answer and which
verb to run. Any message in any state gets an answer, with six silences on purpose:
BLOCKED, OPT_OUT (the provider answers), MOVED (a live location), a further text of a
question whose first text was acknowledged, a further part of such an album, and a file
whose number and code were opened (the status is the answer). Nothing that a reporter wrote
stands in a state or in a reply.

Next file: ``storage/outbox.py``, where the replies wait to leave.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from handlers.messages import Command, CommandName, Incoming, Kind, Proof, Reply
from handlers.questionnaire import choices
from handlers.questionnaire.choices import Press
from handlers.questionnaire.keywords import Word
from handlers.questionnaire.steps import Option, Questionnaire, Step, StepKind
from handlers.talk import (
    attachments,
    followup,
    keyword_acts,
    orders,
    out_of_order,
    report,
    unprompted,
)
from handlers.talk.state import State
from handlers.talk.talk import (
    EDIT_MENU,
    Talk,
    hold,
    is_of_draft,
    sound,
    with_menu,
    without_proof,
)
from handlers.talk.turn import Facts, Turn
from storage.words import Mark

_FOLLOW_STEPS: Final = followup.STEPS | orders.STEPS
_LONG_WORDS: Final = 5


def advance(
    state: State, incoming: Incoming, questionnaire: Questionnaire, facts: Facts
) -> Turn:
    """Take one message. Never raises, whatever the message or the state.

    A receipt in the text has been found and tried before (``facts.proof``,
    ``facts.number_only``); such a text never becomes an item. After a SUBMIT the state
    holds nothing about the report. UNSUBSCRIBE means that a draft is discarded too.
    """
    if facts.resumed_expired:
        return _expired(state, incoming, questionnaire, facts)
    known = sound(_greeted(state, incoming, questionnaire), questionnaire)
    talk = Talk(known, incoming, questionnaire, facts)
    if aside := unprompted.take(talk):
        return aside
    pressed = incoming.kind is Kind.PRESS
    take = out_of_order.take_press if pressed else out_of_order.take_message
    turn = take(talk, _respond)
    if turn.state.unclear == state.unclear > 0:
        turn = replace(turn, state=replace(turn.state, unclear=0))
    if Mark.INCOMPLETE in incoming.marks:
        return replace(turn, replies=(Reply("INCOMPLETE"), *turn.replies))
    return turn


def wants_receipt(state: State) -> bool:
    """Say whether the conversation waits for number and code."""
    return state.step == followup.ASK_RECEIPT


def _expired(
    state: State, incoming: Incoming, book: Questionnaire, facts: Facts
) -> Turn:
    """Tell that the draft is gone; a command in the same message still counts."""
    turn = advance(state.fresh(), incoming, book, replace(facts, resumed_expired=False))
    if incoming.kind in {Kind.BLOCKED, Kind.OPT_OUT}:
        return turn
    if turn.items or turn.command or turn.state.step:
        return replace(turn, replies=(Reply("X06"), *turn.replies))
    return replace(turn, state=replace(turn.state, menu=""), replies=(Reply("X06"),))


def _greeted(state: State, incoming: Incoming, book: Questionnaire) -> State:
    """Guess the language of a person whom we never met from the provider's hint."""
    hint = incoming.language_hint[:2].lower()
    known = state.chosen or state != state.fresh() or hint not in book.languages
    return state if known else replace(state, language=hint)


def _respond(talk: Talk) -> Turn:
    """Answer one message, whatever its shape."""
    return with_menu(_SHAPES[talk.incoming.kind](talk), talk.book)


def _beside(talk: Talk) -> Turn:
    """Take a file, place or card; words with a receipt under it are never kept."""
    incoming, facts = talk.incoming, talk.facts
    if not talk.holds_receipt:
        empty = incoming.kind is Kind.MEDIA and not incoming.media
        return _text(talk) if empty else attachments.take(talk)
    turn = followup.proved(talk)
    if facts.proof is not Proof.OPENED or orders.named(talk):
        return replace(turn, replies=(*turn.replies, Reply("FILE0")))
    adding = turn.state if turn.state.step in _FOLLOW_STEPS else hold(turn.state, "Q23")
    inner = replace(
        talk,
        state=adding,
        incoming=replace(incoming, text=""),
        facts=replace(without_proof(facts), may_add=True),
    )
    kept = attachments.take(inner)
    return replace(kept, replies=(*turn.replies, *kept.replies), command=turn.command)


def _edit(talk: Talk) -> Turn:
    take = followup.proved if talk.holds_receipt else attachments.take_edit
    return keyword_acts.stop(talk) or take(talk)


def _refusing(code: str) -> Callable[[Talk], Turn]:
    return lambda talk: Turn(talk.state, replies=(Reply(code),))


def _gone(talk: Talk) -> Turn:
    return Turn(talk.state.fresh(), command=Command(CommandName.UNSUBSCRIBE))


def _text(talk: Talk) -> Turn:
    if talk.holds_receipt:
        return followup.proved(talk)
    step = talk.open
    if not talk.text:
        return keyword_acts.lost(talk, step) if step else _idle(talk, "")
    return attachments.take_forwarded(talk) or _known(talk, step) or _free(talk, step)


def _known(talk: Talk, step: Step | None) -> Turn | None:
    """Understand a number of the last menu, a choice of the open question, a keyword."""
    text, words, menu = talk.text, talk.book.keywords, talk.menu
    listed = choices.by_number(menu, text, words) if menu else None
    if menu and listed:
        return _choose(talk, menu, listed)
    numbered = step is not None and talk.numbered(step)
    option = choices.exact(step, text, words, numbered=numbered) if step else None
    if step and option:
        return _choose(talk, step, option)
    if word := words.whole(text):
        return keyword_acts.grant(talk, word)
    option = choices.nearest(step, text) if step else None
    return _choose(talk, step, option) if step and option else None


def _free(talk: Talk, step: Step | None) -> Turn:
    """Keep free words as the answer, where the open question takes them."""
    if polite := followup.polite(talk):
        return polite
    if not step or not step.kind.takes_text:
        return _loose(talk, step, talk.text)
    if step.code in orders.STEPS:
        return orders.take_text(talk, step, talk.text)
    take = followup.take_text if step.code in _FOLLOW_STEPS else report.take_text
    return take(talk, step, talk.text)


def _loose(talk: Talk, step: Step | None, text: str) -> Turn:
    """Understand words that are neither a choice, nor a keyword, nor an answer."""
    words = talk.book.keywords
    if step and _may_pass(step) and words.is_pass(text):
        return report.pass_over(talk, step)
    if step and step.aside and keyword_acts.is_leaving(talk):
        return keyword_acts.leave(talk)
    if led := keyword_acts.led(talk):
        return led
    if word := keyword_acts.slip(talk):
        return keyword_acts.grant(talk, word)
    if step:
        return keyword_acts.lost(talk, step)
    added = followup.take_unasked(talk) if talk.facts.may_add else _idle(talk, text)
    return orders.insist(talk) or added


def _may_pass(step: Step) -> bool:
    return step.kind in {StepKind.CHOICE, StepKind.FILES} and not (
        step.gate or step.aside
    )


def _idle(talk: Talk, text: str) -> Turn:
    """Answer words outside any question: nothing was kept, and this is how to begin."""
    count = talk.state.unclear + 1
    state = replace(talk.state, unclear=count)
    if not count % 3:
        return Turn(state, replies=(Reply("X01N"),))
    if len(text.split()) >= _LONG_WORDS:
        return Turn(state, replies=(Reply("NOTKEPT"),))
    return Turn(state, replies=(talk.question(state, followup.WELCOME),))


def _choose(talk: Talk, step: Step, option: Option) -> Turn:
    if step.code in orders.STEPS:
        return orders.choose(talk, step, option)
    if option.code in talk.book.keywords.commands and step.code != EDIT_MENU:
        return keyword_acts.grant(talk, Word(option.code, frozenset()))
    if step.code in _FOLLOW_STEPS or step.code == followup.SURE_CLEAN:
        return followup.choose(talk, step, option)
    return report.choose(talk, step, option)


def _press(talk: Talk) -> Turn:
    press = choices.read_press(talk.incoming.press)
    step = talk.book.step(press.step) if press else None
    option = step.option(press.option) if press and step else None
    if not (press and step and option and _counts(talk, press, step, option)):
        return talk.reopen(talk.state, Reply("X12"))
    sends = step.kind is StepKind.CONFIRM and option.code == "SEND"
    if sends and step.code != talk.state.step:
        return report.return_to_review(talk)
    return _choose(talk, step, option)


def _counts(talk: Talk, press: Press, step: Step, option: Option) -> bool:
    """Tell whether a button still means something: its draft or its question is open."""
    if press.draft != choices.NO_DRAFT:
        return is_of_draft(step) and press.draft == talk.state.draft
    acts = option.code in talk.book.keywords.commands or step.code == talk.state.step
    return acts and not is_of_draft(step)


_SHAPES: Final[Mapping[Kind, Callable[[Talk], Turn]]] = {
    Kind.TEXT: _text,
    Kind.PRESS: _press,
    Kind.MEDIA: _beside,
    Kind.LOCATION: _beside,
    Kind.CONTACT: _beside,
    Kind.EDIT: _edit,
    Kind.MOVED: _edit,
    Kind.GROUP: _refusing("X14"),
    Kind.BLOCKED: _gone,
    Kind.OPT_OUT: _gone,
    Kind.UNBLOCKED: keyword_acts.resume,
    Kind.OPT_IN: keyword_acts.resume,
    Kind.UNSUPPORTED: _refusing("X13"),
}
