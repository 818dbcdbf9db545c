"""A press may overtake a text: put every text where it belongs, whatever came first.

Telegram delivers one person's texts in order and their presses in order, but a press may
arrive before a text that was written earlier. So the state keeps, beside
what it is now, what it was before the presses that no later text has confirmed
(``base``) and those presses. A text with a lower order is applied to ``base``, then the
presses are applied once more: the outcome is that of the order in which all was written.
No press makes an item of a draft, so nothing that was sealed is ever put elsewhere.

A text that overtakes a press needs no such care: it was written before the next question
could be seen, so it belongs to the question that was open.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from handlers.messages import Reply
from handlers.talk.state import State
from handlers.talk.talk import Talk
from handlers.talk.turn import Turn

_REMEMBERED: Final = 24


def take_press(talk: Talk, respond: Callable[[Talk], Turn]) -> Turn:
    """Apply a press, and remember it until a later text comes."""
    state, order = talk.state, talk.incoming.order
    turn = respond(talk)
    same_draft = turn.state.draft == state.draft != ""
    if order <= state.newest or not same_draft:
        return turn
    base = state.base or _bare(state)
    presses = (*state.presses, (order, talk.incoming.press))
    for early, data in presses[:-_REMEMBERED]:
        base = _bare(respond(talk.pressed(base, early, data)).state)
    remembered = replace(turn.state, base=base, presses=presses[-_REMEMBERED:])
    return replace(turn, state=remembered)


def take_message(talk: Talk, respond: Callable[[Talk], Turn]) -> Turn:
    """Apply anything that is no press, before the presses that came too soon."""
    state, order = talk.state, talk.incoming.order
    late = [press for press in state.presses if 0 < order < press[0]]
    if not late or state.base is None:
        turn = respond(talk)
        newest = max(state.newest, order) if turn.state.draft else 0
        return replace(turn, state=replace(_bare(turn.state), newest=newest))
    base = state.base
    for early, data in state.presses[: -len(late)]:
        base = respond(talk.pressed(base, early, data)).state
    turn = respond(replace(talk, state=_bare(base)))
    if turn.state.draft != state.draft:
        return turn
    return _again(talk, turn, tuple(late), respond)


def _again(
    talk: Talk,
    turn: Turn,
    late: tuple[tuple[int, str], ...],
    respond: Callable[[Talk], Turn],
) -> Turn:
    """Apply the late presses once more, after the text that they overtook."""
    order = talk.incoming.order
    base = replace(_bare(turn.state), newest=order)
    now, command = base, turn.command
    for later, data in late:
        again = respond(talk.pressed(now, later, data))
        now, command = again.state, command or again.command
    if now.draft == base.draft:
        now = replace(_bare(now), base=base, presses=late, newest=order)
    replies = (Reply("TAKEN"),) if turn.items else turn.replies
    if now.step != talk.state.step and now.step in talk.book.by_code:
        replies = (*replies, talk.question(now))
    return replace(turn, state=now, command=command, replies=replies)


def _bare(state: State) -> State:
    return replace(state, base=None, presses=())
