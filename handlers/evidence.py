"""Files, places, contact cards and edited texts: kept, or refused with the reason."""

from dataclasses import replace
from typing import Final

from handlers import follow, report, wishes
from handlers.messages import Kind, Reply
from handlers.state import Item, State, Turn
from handlers.steps import StepKind
from handlers.talk import Talk
from storage.words import Audience, Channel, ItemKind

MEGABYTES: Final = {
    Channel.TELEGRAM: "20",
    Channel.WHATSAPP: "16",
    Channel.SMS: "5",
    Channel.CANARY: "1",
}
"""What a provider lets us fetch (PLATFORMS A2, C5, C6)."""

OWN_CARD: Final = "self:"
"""How a channel marks a contact card that is the sender's own."""


def take(talk: Talk) -> Turn:
    """Keep files, a place or a contact card, wherever the conversation stands."""
    incoming = talk.incoming
    if incoming.kind is Kind.MEDIA and (story := _story_in_caption(talk)):
        refused, files = _files(talk, to_case=False, caption="")
        turn = report.in_one_line(_greeted(talk), story, files)
        return replace(turn, replies=(*refused, *turn.replies))
    to_case = _goes_to_case(talk)
    if not to_case and not talk.state.draft:
        return Turn(talk.state, replies=(Reply("FILE0"),))
    if incoming.kind is Kind.CONTACT and talk.text.startswith(OWN_CARD):
        return _own_card(talk, to_case=to_case)
    if incoming.kind in {Kind.CONTACT, Kind.LOCATION}:
        return _card_or_place(talk, to_case=to_case)
    return _media(talk, to_case=to_case)


def _story_in_caption(talk: Talk) -> str:
    """Return the story of a photo that is captioned ``LAPOR <story>``, or ""."""
    step = talk.open
    if step and step.kind.takes_text:
        return ""
    word = talk.book.keywords.first(talk.text)
    if not word or word.command != "REPORT":
        return ""
    return word.rest if len(word.rest.split()) >= report.MIN_STORY_WORDS else ""


def _greeted(talk: Talk) -> Talk:
    word = talk.book.keywords.first(talk.text)
    return wishes.in_their_language(talk, word) if word else talk


def _goes_to_case(talk: Talk) -> bool:
    state = talk.state
    if state.draft and state.step not in {follow.ASK_ADDITION, follow.ASK_REPLY}:
        return False
    return talk.facts.may_add


def _place_for_files(talk: Talk, *, to_case: bool) -> tuple[str, ItemKind]:
    if to_case:
        reply = talk.state.step == follow.ASK_REPLY
        return (
            (follow.ASK_REPLY, ItemKind.REPLY)
            if reply
            else (follow.ASK_ADDITION, ItemKind.ADDITION)
        )
    evidence = talk.book.named("evidence")
    return (evidence.code if evidence else talk.book.story.code, ItemKind.ANSWER)


def _files(
    talk: Talk, *, to_case: bool, caption: str
) -> tuple[tuple[Reply, ...], tuple[Item, ...]]:
    step, kind = _place_for_files(talk, to_case=to_case)
    reasons: dict[str, None] = {}
    items: list[Item] = []
    for index, media in enumerate(talk.incoming.media):
        if media.refused:
            reasons[media.refused] = None
        else:
            text = caption if not items else ""
            items.append(Item(step, kind, text, Audience.CASE, to_case, media=index))
    if caption and not items:
        items.append(Item(step, kind, caption, Audience.CASE, to_case))
    params = {"n": MEGABYTES[talk.incoming.channel]}
    return tuple(Reply(reason, params) for reason in reasons), tuple(items)


def _media(talk: Talk, *, to_case: bool) -> Turn:
    """Keep the files; a caption under the open story question is part of the story."""
    caption, step = talk.text, talk.open
    before: Turn | None = None
    if caption and not to_case and step and step.kind.takes_text and not step.aside:
        before = report.take_text(talk, step, caption)
        talk, caption = replace(talk, state=before.state), ""
    refused, files = _files(talk, to_case=to_case, caption=caption)
    state = _kept(talk, files)
    group = talk.incoming.group
    again = bool(group) and group == state.album
    state = replace(state, album=group)
    got = (Reply("FILED"),) if files and not again else ()
    if before:
        return Turn(state, (*before.items, *files), (*refused, *got, *before.replies))
    return Turn(state, files, (*refused, *got))


def _kept(talk: Talk, items: tuple[Item, ...]) -> State:
    state = talk.state
    for item in items[:1]:
        state = state.with_said(talk.incoming.message_id, item.step)
        if not item.to_case:
            state = state.with_filled(item.step)
    return state


def _own_card(talk: Talk, *, to_case: bool) -> Turn:
    contact, anonymity = talk.book.named("contact"), talk.book.named("anonymity")
    step = contact.code if contact else talk.book.story.code
    card = talk.text.removeprefix(OWN_CARD).strip()
    item = Item(step, ItemKind.IDENTITY, card, Audience.IDENTITY, to_case)
    state = talk.state
    replies: tuple[Reply, ...] = (Reply("IDENTITY"),)
    if to_case:
        return Turn(state, (item,), replies)
    state = state.with_filled(step).with_said(talk.incoming.message_id, step)
    if anonymity and state.answers.get(anonymity.code, "ANON") == "ANON":
        state = state.with_answer(anonymity.code, "CONF")
        replies = (*replies, Reply("NOWCONF"))
    if contact and state.step == step:
        state = report.onward(talk, state, contact)
        return talk.reopen(state, *replies, items=(item,))
    return Turn(state, (item,), replies)


def _card_or_place(talk: Talk, *, to_case: bool) -> Turn:
    text, step = talk.text, talk.open
    if not text:
        return Turn(talk.state, replies=(Reply("X13"),))
    asked = step and step.kind is StepKind.PLACE and talk.incoming.kind is Kind.LOCATION
    if step and asked and not to_case:
        return report.take_text(talk, step, text)
    code, kind = _place_for_files(talk, to_case=to_case)
    item = Item(code, kind, text, Audience.CASE, to_case)
    return Turn(_kept(talk, (item,)), (item,), (Reply("FILED"),))


def take_edit(talk: Talk) -> Turn:
    """Keep another wording of a message that was kept; any other edit is refused.

    Only messages whose step is known are taken: the new wording of a name must not be
    sealed to anybody but those whom the name was sealed to.
    """
    state = talk.state
    code = (
        dict(state.said).get(talk.incoming.message_id, "")
        if talk.incoming.message_id
        else ""
    )
    to_case = code in {follow.ASK_ADDITION, follow.ASK_REPLY}
    step = talk.book.step(code)
    if not step or not talk.text or (to_case and not talk.facts.may_add):
        return Turn(state, replies=(Reply("EDIT0"),))
    item = replace(
        talk.answer_item(step, state, talk.text),
        kind=ItemKind.EDIT,
        to_case=to_case,
        edit=True,
    )
    return Turn(state, (item,), (Reply("EDITED"),))
