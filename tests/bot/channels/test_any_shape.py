"""Whatever is missing or of another kind: a payload is read or refused as unparseable, never a fault."""

import asyncio
import copy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.channels.base import Unparseable
from bot.channels.telegram import chat_of
from handlers.messages import Incoming
from storage.words import Channel
from tests.support import shapes
from tests.support.shapes import Parse
from tests.support.talking import Phone

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=9),
    st.sampled_from(["\ud800", "\0", "\u202e", "1e999", "NaN", "²", "-0"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(
        st.sampled_from(["id", "file_id", "text", "x"]), st.text(), max_size=2
    ),
)
GONE = object()


@cache
def parsers() -> dict[str, Parse]:
    async def work() -> dict[str, Parse]:
        found = {name: (await shapes.parsing(name))[0] for name in shapes.CHANNELS}
        for name in ("whatsapp", "sms"):
            found[f"raw.{name}"] = await shapes.reading(name)
        return found

    return asyncio.run(work())


def changed(raw: dict[str, Any], at: tuple[str | int, ...], value: object) -> Any:
    """Return a payload in which one part is another thing, or gone."""
    whole = copy.deepcopy(raw)
    inner: Any = whole
    for name in at[:-1]:
        inner = inner[name]
    if value is not GONE:
        inner[at[-1]] = value
    elif isinstance(inner, dict):
        del inner[at[-1]]
    else:
        inner.pop(at[-1])
    return whole


def heard(channel: str, raw: Any) -> tuple[Incoming, ...]:
    """Read a payload as the door does; nothing where it is unparseable."""
    try:
        return parsers()[channel](raw)
    except Unparseable:
        return ()


def is_answered(incoming: Incoming) -> None:
    """Let the dialogue take it, wherever the conversation stands."""
    channel = Channel(incoming.channel)
    Phone(channel).take(incoming)
    shapes.at_the_story(channel).take(replace(incoming, order=10**9))


@st.composite
def payloads(draw: st.DrawFn, channel: str) -> dict[str, Any]:
    name = draw(st.sampled_from(shapes.names(channel)))
    raw = shapes.payload(channel, name)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from(list(shapes.paths(raw))))
        raw = changed(raw, at, draw(st.one_of(st.just(GONE), ODD)))
        if not raw:
            break
    return raw


LENIENT = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck)
)


@given(raw=payloads("telegram"))
@example(raw={"update_id": 1, "message": {"location": []}})
@LENIENT
def test_any_update_is_read_or_unparseable(raw: dict[str, Any]) -> None:
    assert isinstance(chat_of(raw), int)
    for incoming in heard("telegram", raw):
        is_answered(incoming)


@pytest.mark.parametrize("channel", ["whatsapp", "sms"])
@given(data=st.data())
@LENIENT
def test_any_form_is_read_or_unparseable(channel: str, data: st.DataObject) -> None:
    for incoming in heard(channel, data.draw(payloads(channel))):
        is_answered(incoming)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "sms"])
def test_each_field_of_each_payload_may_be_missing_or_another_kind(
    channel: str,
) -> None:
    kinds = (GONE, None, True, -1, 1.5, "", "x\ud800", [], [1], {}, {"x": 1})
    tried = read = 0
    for name in shapes.names(channel):
        raw = shapes.payload(channel, name)
        for at in shapes.paths(raw):
            for value in kinds:
                tried += 1
                read += len(heard(channel, changed(raw, at, value)))
    assert 0 < read < tried


@given(raw=st.binary(max_size=300))
@LENIENT
def test_any_bytes_of_a_form_are_read_or_unparseable(raw: bytes) -> None:
    for channel in ("whatsapp", "sms"):
        form = b"MessageSid=SM1&From=%2B1&Body=" + raw
        heard_raw = parsers()[f"raw.{channel}"]
        try:
            found = heard_raw(form)
        except Unparseable:
            continue
        for incoming in found:
            incoming.text.encode()
