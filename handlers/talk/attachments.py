"""Files, places, contact cards and edited texts: kept, or refused with the reason."""

import hashlib
from dataclasses import replace
from typing import Final

from handlers.messages import Incoming, Kind, Reply
from handlers.questionnaire.steps import Step, StepKind
from handlers.talk import followup, keyword_acts, report
from handlers.talk.state import State
from handlers.talk.talk import Talk
from handlers.talk.turn import Item, Turn
from storage.words import Audience, ItemKind, Mark

OWN_CARD: Final = "self:"
"""How a channel marks a contact card that is the sender's own."""


def take(talk: Talk) -> Turn:
    """Keep files, a place or a contact card, wherever the conversation stands."""
    incoming = talk.incoming
    if incoming.kind is Kind.MEDIA and (story := _story_in_caption(talk)):
        refused, kept = files(talk, to_case=False, caption="")
        turn = report.in_one_line(_greeted(talk), story, kept)
        return replace(turn, replies=(*refused, *turn.replies))
    to_case = _goes_to_case(talk)
    if not to_case and not talk.state.draft:
        return _refused(talk)
    if incoming.kind is Kind.CONTACT and talk.text.startswith(OWN_CARD):
        return _own_card(talk, to_case=to_case)
    if incoming.kind in {Kind.CONTACT, Kind.LOCATION}:
        return _card_or_place(talk, to_case=to_case)
    return _media(talk, to_case=to_case)


def take_forwarded(talk: Talk) -> Turn | None:
    """Keep forwarded words as evidence; None where they are an answer like any other.

    Somebody else's "yes" or "cancel" must neither choose, nor send, nor delete. The story,
    and a name that is asked for, may be forwarded.
    """
    step = talk.open
    if not talk.text or not _is_forwarded(talk):
        return None
    if _goes_to_case(talk):
        return followup.take_unasked(talk) if not step else _forwarded_to(talk, step)
    if not talk.state.draft:
        return None
    if asked := _asked(talk):
        return report.take_text(talk, asked, talk.text)
    return _card_or_place(talk, to_case=False)


def _is_forwarded(talk: Talk) -> bool:
    forwarded = {Mark.FORWARDED, Mark.OFTEN_FORWARDED}
    return bool(forwarded.intersection(talk.incoming.marks))


def _asked(talk: Talk) -> Step | None:
    """Return the draft's open question, where the words of this message may answer it.

    Of an album only one caption answers a short question, forwarded words answer none.
    """
    step, group = talk.open, talk.incoming.group
    if not step or not step.kind.takes_text or step.aside:
        return None
    again = bool(group) and group == talk.state.captioned
    if step.multiple or not (again or _is_forwarded(talk)):
        return step
    return step if step.identity and not again else None


def _forwarded_to(talk: Talk, step: Step) -> Turn | None:
    asked = step.code in {followup.ASK_ADDITION, followup.ASK_REPLY}
    return followup.take_text(talk, step, talk.text) if asked else None


def _refused(talk: Talk) -> Turn:
    """Say that there is nothing to add a file to; once for the parts of an album."""
    group = talk.incoming.group
    again = bool(group) and group in talk.state.albums
    replies = () if again else (Reply("FILE0"),)
    return Turn(talk.state.with_album(group), replies=replies)


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
    return keyword_acts.in_their_language(talk, word) if word else talk


def _goes_to_case(talk: Talk) -> bool:
    state = talk.state
    if state.draft and state.step not in {followup.ASK_ADDITION, followup.ASK_REPLY}:
        return False
    return talk.facts.may_add


def _place_for_files(talk: Talk, *, to_case: bool) -> tuple[str, ItemKind]:
    if to_case:
        reply = talk.state.step == followup.ASK_REPLY
        return (
            (followup.ASK_REPLY, ItemKind.REPLY)
            if reply
            else (followup.ASK_ADDITION, ItemKind.ADDITION)
        )
    evidence = talk.book.named("evidence")
    return (evidence.code if evidence else talk.book.story.code, ItemKind.ANSWER)


def files(
    talk: Talk, *, to_case: bool, caption: str
) -> tuple[tuple[Reply, ...], tuple[Item, ...]]:
    """Return why files are refused, and the items of all of them.

    A refused one is an item too: the report tells that it was sent and did not come. The
    caption goes with the first that is taken.
    """
    step, kind = _place_for_files(talk, to_case=to_case)
    media = talk.incoming.media
    words = Item(step, kind, caption, Audience.CASE, to_case)
    first = next((at for at, one in enumerate(media) if not one.refused), 0)
    items = tuple(
        replace(words, text=caption if at == first else "", media=at)
        for at in range(len(media))
    )
    reasons = {one.refused: str(one.most) for one in media if one.refused}
    told = tuple(Reply(reason, {"n": most}) for reason, most in reasons.items())
    return told, items or ((words,) if caption else ())


def held(talk: Talk, items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Leave out the items of files that are refused, unless words came with them."""
    media = talk.incoming.media
    return tuple(
        item
        for item in items
        if item.text or item.media is None or not media[item.media].refused
    )


def _media(talk: Talk, *, to_case: bool) -> Turn:
    """Keep the files; a caption under the open text question is its answer."""
    caption, group = talk.text, talk.incoming.group
    before: Turn | None = None
    asked = _asked(talk)
    if caption and not to_case and asked:
        before = report.take_text(talk, asked, caption)
        state = replace(before.state, captioned=group or before.state.captioned)
        talk, caption = replace(talk, state=state), ""
    refused, items = files(talk, to_case=to_case, caption=caption)
    kept = held(talk, items)
    again = bool(group) and group in talk.state.albums
    state = _kept(talk, kept).with_album(group if kept else "")
    got = (Reply("FILED"),) if kept and not again else ()
    if before:
        return Turn(state, (*before.items, *items), (*refused, *got, *before.replies))
    return Turn(state, items, (*refused, *got))


def _kept(talk: Talk, items: tuple[Item, ...]) -> State:
    state = talk.state
    for item in items[:1]:
        if talk.incoming.message_id not in dict(state.said):
            state = state.with_said(talk.incoming.message_id, item.step)
        state = state.with_file(talk.incoming.message_id, _trace(talk.incoming))
        state = started(talk, state)
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
        turn = report.take_text(talk, step, text)
        return replace(turn, state=started(talk, turn.state))
    code, kind = _place_for_files(talk, to_case=to_case)
    item = Item(code, kind, text, Audience.CASE, to_case)
    return Turn(_kept(talk, (item,)), (item,), (Reply("FILED"),))


def started(talk: Talk, state: State) -> State:
    """Remember a live location that was kept, to tell its updates apart."""
    if not talk.incoming.live:
        return state
    return state.with_live(talk.incoming.message_id, minute(talk), 0)


def minute(talk: Talk) -> int:
    """Return the minute (since 1970) of a message."""
    return int(talk.facts.now.timestamp() // 60)


def take_edit(talk: Talk) -> Turn:
    """Keep another wording of a message that was kept, or its other file.

    Only messages whose step is known are taken: the new wording of a name must not be
    sealed to anybody but those whom the name was sealed to. Any other edit is refused.
    """
    state, incoming = talk.state, talk.incoming
    number = incoming.message_id
    code = dict(state.said).get(number, "") if number else ""
    to_case = code in {followup.ASK_ADDITION, followup.ASK_REPLY}
    step = talk.book.step(code)
    if not step or (to_case and not talk.facts.may_add):
        return Turn(state, replies=(Reply("EDIT0"),))
    new = incoming.media and dict(state.files).get(number) != _trace(incoming)
    refused, kept = files(talk, to_case=to_case, caption="") if new else ((), ())
    if talk.text:
        kept = (talk.answer_item(step, state, talk.text), *kept)
    items = tuple(
        replace(
            item,
            step=code if to_case else item.step,
            kind=ItemKind.EDIT,
            to_case=to_case,
        )
        for item in kept
    )
    if not items:
        return Turn(state, replies=refused or (Reply("EDIT0"),))
    state = state.with_file(number, _trace(incoming))
    told = (Reply("EDITED"),) if held(talk, items) else ()
    return Turn(state, items, (*refused, *told))


def _trace(incoming: Incoming) -> str:
    """Return a trace of a message's files: enough to see a change, too short for proof.

    One file in 65,536 has the same, so it does not tell which file it was.
    """
    same = "|".join(media.same for media in incoming.media)
    digest = hashlib.sha256(same.encode("utf-8", "replace")).hexdigest()
    return digest[:4] if same.strip("|") else ""
