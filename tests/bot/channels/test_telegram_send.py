"""What is sent to Telegram, and what its answers mean: real HTTP to a scripted server."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from bot.channels import base
from bot.channels.telegram import Telegram
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind
from tests.support.scripted import Answer, provider

SITI = "7000000001"
TAKEN = Answer(
    body={
        "ok": True,
        "result": {
            "message_id": 77,
            "date": 1795000000,
            "chat": {"id": int(SITI), "type": "private"},
        },
    }
)
DONE = Answer(body={"ok": True, "result": True})
ME = {"id": 123456, "is_bot": True, "first_name": "K", "username": "kentongan_bot"}


def letter(kind=LetterKind.REPLY, text="Halo", to=SITI, **fields):
    return Letter(kind, Channel.TELEGRAM, to, text, **fields)


def refused(status, description, **parameters):
    body = {"ok": False, "error_code": status, "description": description}
    if parameters:
        body["parameters"] = parameters
    return Answer(status, body)


@pytest.fixture
async def server():
    async with provider() as made:
        made.answers = [TAKEN]
        yield made


@pytest.fixture
async def telegram(server):
    adapter = Telegram("123456:abc", api_base_url=f"{server.url}/bot")
    yield adapter
    await adapter.stop()


async def test_a_text_with_buttons(telegram, server):
    buttons = (("Ya", "ab12.1.1"), ("Buka", "https://agency.example/console"))
    sent = await telegram.send(letter(buttons=buttons))
    assert sent == base.Sent("77", final=True)
    (asked,) = server.asked
    assert asked.path == "/bot123456:abc/sendMessage"
    assert asked.form | {"reply_markup": ""} == {
        "chat_id": SITI,
        "text": "Halo",
        "link_preview_options": '{"is_disabled": true}',
        "protect_content": "false",
        "reply_markup": "",
    }
    assert json.loads(asked.form["reply_markup"])["inline_keyboard"] == [
        [{"text": "Ya", "callback_data": "ab12.1.1"}],
        [{"text": "Buka", "url": "https://agency.example/console"}],
    ]


UNCLEAR = "Bad Request: wrong file_id or the file is temporarily unavailable"


@pytest.mark.parametrize("kind", [LetterKind.RECEIPT, LetterKind.ALERT])
async def test_what_must_not_be_forwarded(telegram, server, kind):
    await telegram.send(letter(kind))
    assert server.asked[0].form["protect_content"] == "true"


async def test_a_lone_surrogate_can_be_sent(telegram, server):
    await telegram.send(letter(text="a\ud800"))
    assert server.asked[0].form["text"] == "a\ufffd"


async def test_an_acknowledgment(telegram, server):
    server.answers = [DONE]
    sent = await telegram.send(letter(LetterKind.ACK, "", press_id="p1"))
    assert sent == base.Sent("", final=True)
    assert server.asked[0].path.endswith("/answerCallbackQuery")
    assert server.asked[0].form == {"callback_query_id": "p1"}


async def test_deletions_go_by_the_hundred(telegram, server):
    server.answers = [DONE]
    ids = tuple(range(1, 151))
    await telegram.send(letter(LetterKind.DELETE, "", message_ids=ids))
    assert [json.loads(asked.form["message_ids"]) for asked in server.asked] == [
        list(range(1, 101)),
        list(range(101, 151)),
    ]


async def test_a_chat_that_has_moved_is_followed(telegram, server):
    moved = refused(400, "upgraded", migrate_to_chat_id=-1009)
    server.answers = [moved, TAKEN]
    await telegram.send(letter(to="-9"))
    assert [asked.form["chat_id"] for asked in server.asked] == ["-9", "-1009"]


ANSWERS = [
    ("too fast", refused(429, "Too Many Requests", retry_after=7), base.Busy, "429"),
    ("blocked", refused(403, "Forbidden: bot was blocked"), base.Unreachable, "403"),
    ("no chat", refused(400, "Bad Request: chat not found"), base.Unreachable, "chat"),
    ("refused", refused(400, "Bad Request: can't parse"), base.Never, "400"),
    ("bad token", refused(401, "Unauthorized"), base.Misconfigured, "401"),
    ("no such bot", refused(404, "Not Found"), base.Misconfigured, "401"),
    ("fault", refused(500, "Internal Server Error"), base.Away, "5xx"),
    ("gateway", Answer(502, b"<html>"), base.Away, "5xx"),
    ("lost answer", Answer(lost=True), base.Doubtful, "lost"),
    ("no JSON", Answer(body=b"<html>"), base.Doubtful, "answer"),
    (
        "half an answer",
        Answer(body={"ok": True, "result": {}}),
        base.Doubtful,
        "answer",
    ),
    ("moves on", refused(400, "x", migrate_to_chat_id=-1009), base.Never, "400"),
]


@pytest.mark.parametrize(
    ("answer", "policy", "code"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS]
)
async def test_what_an_answer_means(telegram, server, answer, policy, code):
    server.answers = [answer]
    with pytest.raises(base.SendError) as caught:
        await telegram.send(letter())
    assert type(caught.value) is policy
    assert caught.value.code == f"telegram.{code}"
    assert SITI not in str(caught.value)
    if code == "429":
        assert getattr(caught.value, "after", None) == 7


async def test_nobody_listens():
    adapter = Telegram("123456:abc", api_base_url="http://127.0.0.1:9/bot")
    with pytest.raises(base.Later) as caught:
        await adapter.send(letter())
    assert (type(caught.value), caught.value.code) == (base.Away, "telegram.connect")
    await adapter.stop()


async def test_a_handle_that_is_none(telegram):
    with pytest.raises(base.Never, match=r"\[telegram.handle\]"):
        await telegram.send(letter(to="siti"))


async def test_telegram_cannot_be_asked_and_erases_by_letters(telegram):
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert await telegram.find(letter(), now) is None
    assert await telegram.erase("77") is None


async def test_the_bots_name_is_learned_while_letters_already_go(server):
    adapter = Telegram("123456:abc", api_base_url=f"{server.url}/bot")
    server.answers = [Answer(body={"ok": True, "result": ME})]
    await adapter.start()
    assert adapter.me.username == ""
    async with asyncio.timeout(5):
        while not adapter.me.username:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    assert adapter.me.username == "kentongan_bot"
    await adapter.stop()


async def test_start_does_not_wait_for_a_provider_that_is_down():
    adapter = Telegram("123456:abc", api_base_url="http://127.0.0.1:9/bot")
    async with asyncio.timeout(1):
        await adapter.start()
        await adapter.stop()


async def read(adapter, reference="AgAC"):
    async with adapter.fetch(reference) as (kind, chunks):
        return kind, b"".join([chunk async for chunk in chunks])


def path(file_path):
    file = {"file_id": "AgAC", "file_unique_id": "u", "file_path": file_path}
    return Answer(body={"ok": True, "result": file})


async def test_a_file(telegram, server):
    picture = Answer(body=b"\xff\xd8", headers={"content-type": "image/jpeg; x=1"})
    server.answers = [path("photos/file 1.jpg"), picture]
    assert await read(telegram) == ("image/jpeg", b"\xff\xd8")
    assert server.asked[0].form == {"file_id": "AgAC"}
    assert server.asked[1].path == "/file/bot123456:abc/photos/file%201.jpg"


@pytest.mark.parametrize(
    ("answers", "policy", "code"),
    [
        ([refused(400, "Bad Request: file is too big")], base.Never, "file.size"),
        ([refused(400, "Bad Request: wrong file_id")], base.Never, "file.400"),
        ([refused(400, UNCLEAR)], base.Later, "file.400"),
        ([refused(429, "x", retry_after=3)], base.Busy, "telegram.429"),
        ([path("a.jpg"), Answer(404)], base.Never, "file.404"),
        ([path("a.jpg"), Answer(503)], base.Later, "file.503"),
        ([path("a.jpg"), Answer(lost=True)], base.Away, "file.lost"),
        ([path("/var/lib/a.jpg")], base.Never, "file.404"),
    ],
)
async def test_a_file_that_does_not_come(telegram, server, answers, policy, code):
    server.answers = [*answers, Answer(404)]
    with pytest.raises(base.SendError) as caught:
        await read(telegram)
    assert (type(caught.value), caught.value.code) == (policy, code)


@pytest.mark.parametrize(
    "address",
    ["http://api.telegram.org/bot", "ftp://127.0.0.1/bot", "api.telegram.org"],
)
def test_an_address_that_is_not_safe(address):
    with pytest.raises(ValueError, match="https"):
        Telegram("123456:abc", api_base_url=address)
