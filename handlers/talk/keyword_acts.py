"""Keywords that act in any state: what each does, and the button that stands for it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from handlers.messages import Command, CommandName, Reply
from handlers.questionnaire.keywords import Word, normalise
from handlers.questionnaire.steps import Step, StepKind
from handlers.talk import followup, orders, report
from handlers.talk.talk import (
    EDIT_MENU,
    Talk,
    discard,
    hold,
    is_of_draft,
    release,
    release_if_held,
)
from handlers.talk.turn import Turn

LANGUAGE: Final = "Q29"
_SPEAK: Final = "SPEAK_"
_FEW_WORDS: Final = 2
_HARMLESS: Final = frozenset({"CONTINUE", "HELP", "PAUSE", "REPORT", "RESUME", "START"})
"""What a slip of the thumb may mean inside a draft: commands that lead nowhere else."""
_LEAVING: Final = ("NO", "DONE", "FINE", "THANKS")
_PATIENCE: Final = 3


def grant(talk: Talk, word: Word) -> Turn:
    """Do what a keyword asks for."""
    talk = in_their_language(talk, word)
    if word.command in followup.PURPOSES:
        return followup.ask(talk, word.command)
    if word.command.startswith(_SPEAK):
        return _speak(talk, word.command.removeprefix(_SPEAK).lower())
    if word.command == "REPORT" and is_story(word):
        return report.in_one_line(talk, word.rest)
    return _WISHES.get(word.command, start)(talk)


def led(talk: Talk) -> Turn | None:
    """Do what the first word of a message asks for, or what a right of the menu is called."""
    word = talk.book.keywords.first(talk.text)
    if not word:
        right = "" if talk.open else orders.named_right(talk, normalise(talk.text))
        return orders.instruct(talk, right) if right else None
    if word.rest and followup.may_take(talk, word.command):
        return followup.take_at_once(talk, word.command, word.rest)
    free = not talk.open or word.command in followup.PURPOSES
    story = word.command == "REPORT" and is_story(word)
    order = free and _is_order(word, inside=talk.state.has_draft)
    return grant(talk, word) if story or order else None


def slip(talk: Talk) -> Word | None:
    """Return the command that a message nearly is.

    Inside a draft only exact words may open another question, send or delete: there
    ``head`` is a position, not a slip of READ.
    """
    word = talk.book.keywords.nearest(talk.text)
    far = word and talk.state.draft and word.command not in _HARMLESS
    return None if far else word


def is_leaving(talk: Talk) -> bool:
    """Say whether a message wants to be done with a question beside the draft."""
    words = talk.book.keywords
    said = normalise(talk.text)
    return words.is_pass(said) or any(said in words.of(code) for code in _LEAVING)


def leave(talk: Talk) -> Turn:
    """Close the question beside the draft that is open."""
    menu = talk.state.step == EDIT_MENU
    return report.leave_menu(talk) if menu else followup.leave(talk)


def lost(talk: Talk, step: Step) -> Turn:
    """Answer what nothing understands; nobody is held for long beside their draft."""
    count = talk.state.unclear + 1
    receipt = step.kind is StepKind.RECEIPT
    beside = not is_of_draft(step)
    if beside and count >= _PATIENCE - receipt:
        return leave(replace(talk, state=replace(talk.state, unclear=0)))
    if receipt:
        return Turn(replace(talk.state, unclear=count), replies=(Reply("X01R"),))
    return talk.unclear()


def _is_order(word: Word, *, inside: bool) -> bool:
    """Say whether a message is a keyword with little beside it, not a story."""
    few = len(word.rest.split()) <= _FEW_WORDS and not inside
    return few or any(letter.isdigit() for letter in word.rest)


def is_story(word: Word) -> bool:
    """Say whether enough follows LAPOR to be a report of its own."""
    return len(word.rest.split()) >= report.MIN_STORY_WORDS


def start(talk: Talk) -> Turn:
    """Welcome, or go on where the draft stands."""
    if talk.state.draft:
        return report.resume(talk)
    state = release(talk.state)
    return Turn(state, replies=(talk.question(state, followup.WELCOME),))


def stop(talk: Talk) -> Turn | None:
    """Stop where a message was changed to say nothing else; None for any other."""
    word = talk.book.keywords.whole(talk.text)
    return grant(talk, word) if word and word.command == "STOP" else None


def resume(talk: Talk) -> Turn:
    """Welcome somebody back: nobody knows whether they ever said STOP, so both are said.

    The first word on Telegram is ``/start``; who presses that button hears the welcome.
    """
    if talk.state.draft or talk.text.startswith("/"):
        return start(talk)
    turn = start(talk)
    return replace(turn, replies=(Reply("AGAIN"), *turn.replies))


def in_their_language(talk: Talk, word: Word) -> Talk:
    """Answer in the language of the keyword; inside a draft it stays what it was.

    A greeting only suggests a language: people say "hi" in all of them.
    """
    state = talk.state
    known = [language for language in word.languages if language in talk.book.languages]
    greeting = word.command in {"START", "RESUME"}
    if state.draft or len(known) != 1 or (greeting and state.chosen):
        return talk
    chosen = not greeting
    return replace(talk, state=replace(state, language=known[0], chosen=chosen))


def _speak(talk: Talk, language: str) -> Turn:
    if language not in talk.book.languages:
        return start(talk)
    state = replace(talk.state, language=language, chosen=True)
    if state.step == LANGUAGE:
        state = release(state)
    return Turn(state, replies=(talk.question(state, state.step or followup.WELCOME),))


def _send(talk: Talk) -> Turn:
    """Send the report; under an addition the word only means that it is complete."""
    step = talk.open
    done = step.option("DONE") if step and step.aside else None
    return followup.choose(talk, step, done) if step and done else report.submit(talk)


def _abort(talk: Talk) -> Turn:
    """Delete the draft; what is open beside it, or the edit menu, is only closed."""
    if talk.state.held or talk.state.step == EDIT_MENU:
        return leave(talk)
    reply = Reply("X09" if talk.state.draft else "LEFT")
    return discard(talk.state, replace(reply, choices=followup.clean_choices(talk)))


def _stop(talk: Talk) -> Turn:
    unsubscribe = Command(CommandName.UNSUBSCRIBE)
    return Turn(talk.state.fresh(), replies=(Reply("STOPPED"),), command=unsubscribe)


def _help(talk: Talk) -> Turn:
    return Turn(talk.state, replies=(Reply("Q28"),))


def _language(talk: Talk) -> Turn:
    return talk.reopen(hold(talk.state, LANGUAGE))


def _pause(talk: Talk) -> Turn:
    return Turn(
        talk.state, replies=(Reply("PAUSED" if talk.state.draft else "NODRAFT"),)
    )


def _edit(talk: Talk) -> Turn:
    if talk.state.draft:
        return report.edit_menu(talk)
    return Turn(release(talk.state), replies=(Reply("NODRAFT"),))


def _lost_code(talk: Talk) -> Turn:
    return talk.reopen(release_if_held(talk).state, Reply("LOSTCODE"))


def _noted(talk: Talk) -> Turn:
    if talk.facts.cleans:
        return followup.ask_clean(talk)
    return Turn(talk.state, replies=(Reply("KEEP"),))


_WISHES: Final[Mapping[str, Callable[[Talk], Turn]]] = {
    "REPORT": report.begin,
    "SEND": _send,
    "EDIT": _edit,
    "LOST": _lost_code,
    "ABORT": _abort,
    "STOP": _stop,
    "HELP": _help,
    "LANG": _language,
    "PAUSE": _pause,
    "NOTED": _noted,
    "CLEAN": followup.ask_clean,
    "CONTINUE": start,
    "START": start,
    "RESUME": resume,
}
