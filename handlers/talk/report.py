"""A report from its first question to SEND: each answer closes a step and opens the next."""

from dataclasses import replace
from typing import Final

from handlers.messages import Command, CommandName, Reply
from handlers.questionnaire.steps import Option, Step, StepKind
from handlers.talk.state import State
from handlers.talk.talk import EDIT_MENU, Talk, discard
from handlers.talk.turn import Item, Turn
from storage.words import Wanted

MIN_STORY_WORDS: Final = 3
_PASSING: Final = frozenset({"SKIP", "DONE"})
KINDS: Final = {"YES": Wanted.NEUTRAL, "FULL": Wanted.FULL}
"""Which notices an answer to "may we tell you?" asks for; any other one asks for none."""


def begin(talk: Talk) -> Turn:
    """Start a report, or ask the open question of the one that was started."""
    state = talk.state
    if state.draft:
        return resume(talk)
    first = talk.book.report[0]
    return talk.reopen(
        replace(
            state.fresh(), draft=talk.facts.token, step=first.code, newest=state.newest
        )
    )


def resume(talk: Talk, *before: Reply) -> Turn:
    """Ask the draft's own question again, whatever else was open."""
    state = talk.state
    if state.held:
        state = replace(state, step=state.held, held="", purpose="")
    return talk.reopen(state, *before)


def in_one_line(talk: Talk, story: str, extra: tuple[Item, ...] = ()) -> Turn:
    """Take ``LAPOR <story>`` as a whole report and send it.

    In a flood it joins a draft that sends itself. The same words again are kept and not sent.
    """
    step = talk.book.story
    item = talk.answer_item(step, talk.state, story)
    if talk.facts.repeated or talk.facts.flooding:
        return _held_back(talk, (item, *extra))
    turn = submit(replace(talk, state=talk.state.with_filled(step.code)))
    return replace(turn, items=(item, *extra))


def _held_back(talk: Talk, items: tuple[Item, ...]) -> Turn:
    """Keep a report in the open draft, or in one that begins with it; tell so once."""
    state, story = talk.state, talk.book.story.code
    again, known = talk.facts.repeated, story in state.filled
    if not state.draft:
        fresh = replace(state.fresh(), draft=talk.facts.token, newest=state.newest)
        state = replace(fresh, step=story, noted=True)
    if not again:
        told = () if state.itself else (Reply("JOINED"),)
        state = replace(state, itself=True)
        return Turn(state.with_filled(story), items, told)
    kept = () if known else items
    return Turn(state.with_filled(story), kept, (Reply("SAMEWORDS"),))


def submit(talk: Talk) -> Turn:
    """Send the report if it tells what happened; otherwise say what is missing and ask."""
    state, book = talk.state, talk.book
    if not state.draft and book.story.code not in state.filled:
        return Turn(state, replies=(Reply("NODRAFT"),))
    if book.story.code not in state.filled:
        return _ask_story(talk)
    notify = book.named("notify")
    answers = dict(state.answers)
    wanted = answers.pop(notify.code, "") if notify else ""
    command = Command(CommandName.SUBMIT, answers, notify=KINDS.get(wanted))
    return Turn(state.fresh(), replies=(Reply("SENT"),), command=command)


def _ask_story(talk: Talk) -> Turn:
    state = talk.state
    waiting = talk.book.step(state.held or state.step)
    if waiting and waiting.gate:
        return resume(talk, Reply("NEEDGATE"))
    opened = replace(
        state, step=talk.book.story.code, held="", back="", purpose="", noted=False
    )
    return talk.reopen(opened, Reply("NEEDSTORY"))


def choose(talk: Talk, step: Step, option: Option) -> Turn:
    """Apply a choice to a step of the draft: the open one, or one asked before."""
    if option.ends:
        return discard(talk.state, Reply(option.ends))
    if step.code == EDIT_MENU:
        return edit(talk, option.code)
    if step.code != talk.state.step:
        return _change(talk, step, option)
    warned = _warned(talk.state, step, option)
    if option.says and not (talk.on_sms and step.kind is StepKind.FILES):
        return Turn(talk.state, replies=(Reply(option.says),))
    if step.required and option.code in _PASSING and step.code not in talk.state.filled:
        return talk.reopen(talk.state, Reply("NEEDSTORY"))
    state = _record(talk, talk.state, step, option)
    before = (Reply(option.says),) if option.says else warned
    return talk.reopen(onward(talk, state, step), *before)


def _warned(state: State, step: Step, option: Option) -> tuple[Reply, ...]:
    """Return what must be said of a choice, once; whatever comes next goes on."""
    new = state.answers.get(step.code) != option.code
    return (Reply(option.warns),) if option.warns and new else ()


def _record(talk: Talk, state: State, step: Step, option: Option) -> State:
    if option.says or option.code == "DONE":
        return state
    if option.code == "SKIP":
        return state.with_answer(step.code, "") if not step.kind.takes_text else state
    return _unnamed(talk, state.with_answer(step.code, option.code))


def _unnamed(talk: Talk, state: State) -> State:
    """Take a name for never given once the answers say that none is wanted: it is deleted."""
    gone = {
        one.code
        for one in talk.book.report
        if one.identity and not one.applies(state.answers)
    }
    if not gone.intersection(state.filled):
        return state
    filled = tuple(code for code in state.filled if code not in gone)
    said = tuple(one for one in state.said if one[1] not in gone)
    return replace(state, filled=filled, said=said)


def _change(talk: Talk, step: Step, option: Option) -> Turn:
    """Change the answer of a step asked before; the open question is asked again."""
    state = talk.state
    if not was_asked(talk, step):
        return talk.reopen(state, Reply("X12"))
    changed = _record(talk, state, step, option)
    following = _dependent(talk, changed, step)
    if following and not state.held:
        changed = replace(
            changed, step=following.code, back=state.back or state.step, noted=False
        )
    return talk.reopen(changed, Reply("CHANGED"), *_warned(state, step, option))


def was_asked(talk: Talk, step: Step) -> bool:
    """Say whether a step lies before the one where the draft stands."""
    codes = [one.code for one in talk.book.report]
    state = talk.state
    reached = [
        codes.index(code)
        for code in (state.step, state.held, state.back)
        if code in codes
    ]
    if EDIT_MENU in {state.step, state.held} and not reached:
        return True
    return (
        bool(reached) and step.code in codes and codes.index(step.code) <= max(reached)
    )


def take_text(talk: Talk, step: Step, text: str) -> Turn:
    """Keep a text as the answer to the open step; most steps then move on."""
    state = talk.state
    if state.reopened and step.code in state.filled:
        version = state.versions.get(step.code, 1) + 1
        state = replace(state, versions={**state.versions, step.code: version})
    item = talk.answer_item(step, state, text)
    state = replace(state.with_filled(step.code), reopened=False)
    state = state.with_said(talk.incoming.message_id, step.code)
    if not step.multiple:
        return talk.reopen(onward(talk, state, step), items=(item,))
    replies = () if state.noted else (Reply("MORE"),)
    return Turn(replace(state, noted=True), (item,), replies)


def pass_over(talk: Talk, step: Step) -> Turn:
    """Leave a step without an answer."""
    return talk.reopen(onward(talk, talk.state.with_answer(step.code, ""), step))


def onward(talk: Talk, state: State, step: Step) -> State:
    """Close a step: open what comes next, or what an edit returns to."""
    state = replace(state, noted=False, reopened=False)
    if not state.back:
        return replace(state, step=talk.book.following(step.code, state.answers).code)
    if following := _dependent(talk, state, step):
        return replace(state, step=following.code)
    back = talk.book.step(state.back)
    if back and not back.applies(state.answers):
        back = talk.book.following(back.code, state.answers)
    return replace(state, step=back.code if back else talk.book.review.code, back="")


def _dependent(talk: Talk, state: State, step: Step) -> Step | None:
    """Return the next step if it is asked only because of this step's answer."""
    following = talk.book.following(step.code, state.answers)
    caused = step.code in following.when
    return following if caused and following.code not in state.filled else None


def edit_menu(talk: Talk) -> Turn:
    """Ask which part to edit."""
    state = talk.state
    if not state.draft:
        return Turn(state, replies=(Reply("NODRAFT"),))
    waiting = talk.book.step(state.held or state.step)
    if waiting and waiting.gate:
        return resume(talk, Reply("NEEDGATE"))
    here = state.held or state.step
    back = state.back or (here if here != EDIT_MENU else talk.book.review.code)
    return talk.reopen(replace(state, step=EDIT_MENU, held="", purpose="", back=back))


def leave_menu(talk: Talk) -> Turn:
    """Close the edit menu and ask what was open before it."""
    back = talk.book.step(talk.state.back) or talk.book.review
    return talk.reopen(replace(talk.state, step=back.code, back=""))


def edit(talk: Talk, code: str) -> Turn:
    """Ask the chosen part again; its next text is a new version."""
    state = talk.state
    here = state.held or state.step
    back = state.back or (here if here != EDIT_MENU else talk.book.review.code)
    opened = replace(
        state,
        step=code,
        held="",
        purpose="",
        back=back if back != code else "",
        reopened=True,
        noted=False,
    )
    return talk.reopen(opened)


def return_to_review(talk: Talk) -> Turn:
    """Show the review as it stands now (a button of an older one was pressed)."""
    review = talk.book.review.code
    return talk.reopen(
        replace(talk.state, step=review, held="", back="", purpose="", noted=False)
    )
