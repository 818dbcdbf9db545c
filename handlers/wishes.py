"""Words that act in any state: what a keyword, or the button that stands for it, does."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from handlers import follow, report
from handlers.keywords import Word
from handlers.messages import Command, CommandName, Reply
from handlers.state import Turn
from handlers.talk import Talk, discard, hold, release

WELCOME: Final = "Q01"
LANGUAGE: Final = "Q29"
_SPEAK: Final = "SPEAK_"
_FEW_WORDS: Final = 2


def grant(talk: Talk, word: Word) -> Turn:
    """Do what a keyword asks for."""
    talk = in_their_language(talk, word)
    if word.command in follow.PURPOSES:
        return follow.ask(talk, word.command)
    if word.command.startswith(_SPEAK):
        return _speak(talk, word.command.removeprefix(_SPEAK).lower())
    if word.command == "REPORT" and is_story(word):
        return report.in_one_line(talk, word.rest)
    return _WISHES.get(word.command, start)(talk)


def led(talk: Talk) -> Turn | None:
    """Do what the first word of a message asks for, if it asks for something."""
    word = talk.book.keywords.first(talk.text)
    if not word:
        return None
    if word.rest and follow.may_take(talk, word.command):
        return follow.take_at_once(talk, word.command, word.rest)
    free = not talk.open or word.command in follow.PURPOSES
    story = word.command == "REPORT" and is_story(word)
    return grant(talk, word) if story or (free and _is_order(word)) else None


def _is_order(word: Word) -> bool:
    """Say whether a message is a keyword with little beside it, not a story."""
    few = len(word.rest.split()) <= _FEW_WORDS
    return few or any(letter.isdigit() for letter in word.rest)


def is_story(word: Word) -> bool:
    """Say whether enough follows LAPOR to be a report of its own."""
    return len(word.rest.split()) >= report.MIN_STORY_WORDS


def start(talk: Talk) -> Turn:
    """Welcome, or go on where the draft stands."""
    if talk.state.draft:
        return report.resume(talk)
    state = release(talk.state)
    return Turn(state, replies=(talk.question(state, WELCOME),))


def in_their_language(talk: Talk, word: Word) -> Talk:
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
    if state.step == LANGUAGE:
        state = release(state)
    return Turn(state, replies=(talk.question(state, state.step or WELCOME),))


def _send(talk: Talk) -> Turn:
    """Send the report; under an addition the word only means that it is complete."""
    step = talk.open
    done = step.option("DONE") if step and step.aside else None
    return follow.choose(talk, step, done) if step and done else report.submit(talk)


def _abort(talk: Talk) -> Turn:
    return discard(talk.state, Reply("X09" if talk.state.draft else "LEFT"))


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


def _noted(talk: Talk) -> Turn:
    return Turn(talk.state, replies=(Reply("KEEP"),))


_WISHES: Final[Mapping[str, Callable[[Talk], Turn]]] = {
    "REPORT": report.begin,
    "SEND": _send,
    "EDIT": report.edit_menu,
    "ABORT": _abort,
    "STOP": _stop,
    "HELP": _help,
    "LANG": _language,
    "PAUSE": _pause,
    "NOTED": _noted,
    "CONTINUE": start,
    "START": start,
}
