"""The conversation: one state machine for all channels, pure and total.

``advance`` takes a state and a message and says what to seal, what to answer and which
verb to run. Any message in any state gets an answer, with five silences on purpose: a
reporter who blocked us (``BLOCKED``), an opt-out that the provider answers itself
(``OPT_OUT``), a further text of a question whose first text was acknowledged, a further
part of an album that was, and a file whose number and code were opened (the status is
the answer). Nothing that a reporter wrote stands in a state or in a reply.

Next file: ``storage/outbox.py``, where the replies wait to leave.
"""

from dataclasses import replace
from typing import Final

from handlers import choices, evidence, follow, ordering, report
from handlers.follow import receipt_choices
from handlers.keywords import Word
from handlers.messages import Command, CommandName, Incoming, Kind, Proof, Reply
from handlers.questionnaire import Option, Questionnaire, Step, StepKind
from handlers.state import Facts, Item, State, Turn
from handlers.talk import EDIT_MENU, Talk, discard, hold, release, without_proof

__all__ = [
    "Facts",
    "Item",
    "State",
    "Turn",
    "advance",
    "receipt_choices",
    "wants_receipt",
]

_FOLLOW_STEPS: Final = frozenset(
    {follow.ASK_ADDITION, follow.ASK_REPLY, follow.SURE_WITHDRAW, follow.SURE_ERASE}
)
_LONG_WORDS: Final = 5
_LANGUAGE_STEP: Final = "Q29"
_WELCOME: Final = "Q01"
_BESIDE: Final = frozenset({Kind.MEDIA, Kind.LOCATION, Kind.CONTACT})


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
    talk = Talk(
        _greeted(state, incoming, questionnaire), incoming, questionnaire, facts
    )
    if incoming.kind is Kind.PRESS:
        turn = ordering.take_press(talk, _respond)
    else:
        turn = ordering.take_message(talk, _respond)
    if turn.state.unclear == state.unclear > 0:
        turn = replace(turn, state=replace(turn.state, unclear=0))
    return turn


def wants_receipt(state: State) -> bool:
    """Say whether the conversation waits for number and code."""
    return state.step == follow.ASK_RECEIPT


def _expired(
    state: State, incoming: Incoming, book: Questionnaire, facts: Facts
) -> Turn:
    """Tell that the draft is gone; a command in the same message still counts."""
    turn = advance(state.fresh(), incoming, book, replace(facts, resumed_expired=False))
    acted = turn.items or turn.command or turn.state.step
    replies = (Reply("X06"), *(turn.replies if acted else ()))
    silent = incoming.kind in {Kind.BLOCKED, Kind.OPT_OUT}
    return turn if silent else replace(turn, replies=replies)


def _greeted(state: State, incoming: Incoming, book: Questionnaire) -> State:
    """Guess the language of a person whom we never met from the provider's hint."""
    hint = incoming.language_hint[:2].lower()
    return (
        replace(state, language=hint)
        if state == State() and hint in book.languages
        else state
    )


def _respond(talk: Talk) -> Turn:
    """Answer one message, in the order in which it is to be understood."""
    match talk.incoming.kind:
        case Kind.TEXT:
            return _text(talk)
        case Kind.PRESS:
            return _press(talk)
        case Kind.MEDIA | Kind.LOCATION | Kind.CONTACT:
            return _beside(talk)
        case Kind.EDIT:
            known = talk.facts.proof is Proof.NONE and not talk.facts.number_only
            return evidence.take_edit(talk) if known else follow.proved(talk)
        case Kind.GROUP:
            return Turn(talk.state, replies=(Reply("X14"),))
        case Kind.BLOCKED | Kind.OPT_OUT:
            return Turn(talk.state.fresh(), command=Command(CommandName.UNSUBSCRIBE))
        case Kind.UNBLOCKED | Kind.OPT_IN:
            return _start(talk)
        case Kind.UNSUPPORTED:
            return Turn(talk.state, replies=(Reply("X13"),))


def _beside(talk: Talk) -> Turn:
    """Take a file, place or card; words with a receipt under it are never kept."""
    incoming, facts = talk.incoming, talk.facts
    if facts.proof is Proof.NONE and not facts.number_only:
        empty = incoming.kind is Kind.MEDIA and not incoming.media
        return _text(talk) if empty else evidence.take(talk)
    turn = follow.proved(talk)
    if facts.proof is not Proof.OPENED:
        return replace(turn, replies=(*turn.replies, Reply("FILE0")))
    adding = turn.state if turn.state.step in _FOLLOW_STEPS else hold(turn.state, "Q23")
    inner = replace(
        talk,
        state=adding,
        incoming=replace(incoming, text=""),
        facts=replace(without_proof(facts), may_add=True),
    )
    kept = evidence.take(inner)
    return replace(kept, replies=(*turn.replies, *kept.replies), command=turn.command)


def _text(talk: Talk) -> Turn:
    if talk.facts.proof is not Proof.NONE or talk.facts.number_only:
        return follow.proved(talk)
    text, step, words = talk.text, talk.open, talk.book.keywords
    if not text:
        return talk.unclear()
    if step and (
        option := choices.exact(step, text, words, numbered=talk.numbered(step))
    ):
        return _choose(talk, step, option)
    if word := words.whole(text):
        return _command(talk, word)
    if step and (option := choices.nearest(step, text)):
        return _choose(talk, step, option)
    if step and step.kind.takes_text:
        take = follow.take_text if step.code in _FOLLOW_STEPS else report.take_text
        return take(talk, step, text)
    return _loose(talk, step, text)


def _loose(talk: Talk, step: Step | None, text: str) -> Turn:
    """Understand words that are neither a choice, nor a keyword, nor an answer."""
    words = talk.book.keywords
    if step and _may_pass(step) and words.is_pass(text):
        return report.pass_over(talk, step)
    first = words.first(text)
    if first and first.command == "REPORT" and _is_story(first):
        return report.in_one_line(talk, first.rest)
    if first and (not step or first.command in follow.PURPOSES):
        return _command(talk, first)
    if word := words.nearest(text):
        return _command(talk, word)
    if step:
        return talk.unclear()
    return follow.take_unasked(talk) if talk.facts.may_add else _idle(talk, text)


def _may_pass(step: Step) -> bool:
    return step.kind in {StepKind.CHOICE, StepKind.FILES} and not (
        step.gate or step.aside
    )


def _is_story(word: Word) -> bool:
    return len(word.rest.split()) >= report.MIN_STORY_WORDS


def _idle(talk: Talk, text: str) -> Turn:
    """Answer words outside any question: nothing was kept, and this is how to begin."""
    count = talk.state.unclear + 1
    state = replace(talk.state, unclear=count)
    if not count % 3:
        return Turn(state, replies=(Reply("X01H"),))
    if len(text.split()) >= _LONG_WORDS:
        return Turn(state, replies=(Reply("NOTKEPT"),))
    return Turn(state, replies=(talk.question(state, _WELCOME),))


def _choose(talk: Talk, step: Step, option: Option) -> Turn:
    if option.code in talk.book.keywords.commands and step.code != EDIT_MENU:
        return _command(talk, Word(option.code, frozenset()))
    if step.code in _FOLLOW_STEPS:
        return follow.choose(talk, step, option)
    return report.choose(talk, step, option)


def _press(talk: Talk) -> Turn:
    press = choices.read_press(talk.incoming.press)
    step = talk.book.step(press.step) if press else None
    option = step.option(press.option) if press and step else None
    if not press or not step or not option:
        return talk.reopen(talk.state, Reply("X12"))
    own = talk.state.draft or choices.NO_DRAFT
    if press.draft == choices.NO_DRAFT:
        acts = (
            option.code in talk.book.keywords.commands or step.code == talk.state.step
        )
        known = step.aside and step.code != EDIT_MENU and acts
    else:
        known = press.draft == own and (not step.aside or step.code == EDIT_MENU)
    if not known:
        return talk.reopen(talk.state, Reply("X12"))
    if (
        step.kind is StepKind.CONFIRM
        and option.code == "SEND"
        and step.code != talk.state.step
    ):
        return report.return_to_review(talk)
    return _choose(talk, step, option)


def _command(talk: Talk, word: Word) -> Turn:
    talk = _in_their_language(talk, word)
    state = talk.state
    if word.command in follow.PURPOSES:
        return follow.ask(talk, word.command)
    match word.command:
        case "REPORT":
            return (
                report.in_one_line(talk, word.rest)
                if _is_story(word)
                else report.begin(talk)
            )
        case "SEND":
            adding = (
                talk.open
                if state.step in {follow.ASK_ADDITION, follow.ASK_REPLY}
                else None
            )
            done = adding.option("DONE") if adding else None
            return (
                follow.choose(talk, adding, done)
                if adding and done
                else report.submit(talk)
            )
        case "EDIT":
            return report.edit_menu(talk)
        case "ABORT":
            return discard(state, Reply("X09" if state.draft else "LEFT"))
        case "STOP":
            unsubscribe = Command(CommandName.UNSUBSCRIBE)
            return Turn(state.fresh(), replies=(Reply("STOPPED"),), command=unsubscribe)
        case "HELP":
            return Turn(state, replies=(Reply("Q28"),))
        case "LANG":
            return talk.reopen(hold(state, _LANGUAGE_STEP))
        case "SPEAK_ID" | "SPEAK_EN":
            return _speak(talk, word.command.removeprefix("SPEAK_").lower())
        case "PAUSE" if state.draft:
            return Turn(state, replies=(Reply("PAUSED"),))
        case "NOTED":
            return Turn(state, replies=(Reply("KEEP"),))
        case _:
            return _start(talk)


def _in_their_language(talk: Talk, word: Word) -> Talk:
    """Answer in the language of the first keyword of a person who chose none."""
    state = talk.state
    known = [language for language in word.languages if language in talk.book.languages]
    if state.chosen or state.draft or len(known) != 1:
        return talk
    return replace(talk, state=replace(state, language=known[0], chosen=True))


def _speak(talk: Talk, language: str) -> Turn:
    if language not in talk.book.languages:
        return talk.unclear()
    state = replace(talk.state, language=language, chosen=True)
    if state.step == _LANGUAGE_STEP:
        state = release(state)
    code = state.step or _WELCOME
    return Turn(state, replies=(talk.question(state, code),))


def _start(talk: Talk) -> Turn:
    """Welcome, or go on where the draft stands."""
    if talk.state.draft:
        return report.resume(talk)
    state = release(talk.state)
    return Turn(state, replies=(talk.question(state, _WELCOME),))
