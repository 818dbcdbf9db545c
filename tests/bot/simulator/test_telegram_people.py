"""What people do on Telegram, as updates: polling, presses, files, edits, blocks."""

import asyncio

import httpx
import pytest

SARI = 6281234501


def keys(*labels, data="a.1.b"):
    return {
        "inline_keyboard": [
            [{"text": label, "callback_data": data} for label in labels]
        ]
    }


async def test_updates_wait_and_are_confirmed_by_offset(api, simulator):
    sari = simulator.phone("telegram")
    poll = asyncio.create_task(api.result("getUpdates", timeout=20))
    await sari.say("satu")
    (first,) = await poll
    await sari.say("dua")
    again = await api.result("getUpdates", limit=1)
    assert again == [first]
    (second,) = await api.result("getUpdates", offset=first["update_id"] + 1)
    assert second["message"]["text"] == "dua"
    assert second["update_id"] == first["update_id"] + 1
    assert await api.result("getUpdates", offset=-1) == [second]
    assert await api.result("getUpdates", offset=second["update_id"] + 1) == []


async def test_a_second_poll_ends_the_first(api):
    first = asyncio.create_task(api.call("getUpdates", timeout=20))
    await api.simulator.requests("telegram", "getUpdates", count=1)
    assert await api.result("getUpdates", timeout=0) == []
    ended = await first
    assert ended["error_code"] == 409
    assert "terminated by other getUpdates" in ended["description"]


async def test_allowed_updates_leave_kinds_out(api, simulator):
    sari = simulator.phone("telegram")
    await api.result("getUpdates", allowed_updates=["callback_query"])
    await sari.say("tidak diminta")
    assert await api.result("getUpdates") == []
    await api.result("getUpdates", allowed_updates=[])
    await simulator.control("update", update={"chat_member": {}})
    await simulator.control("update", update={"strange_kind": {"a": 1}})
    (strange,) = (await api.call_raw("getUpdates"))["result"]
    assert strange["strange_kind"] == {"a": 1}


async def test_updates_expire_messages_after_a_day_presses_sooner(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    await api.result("sendMessage", chat_id=SARI, text="?", reply_markup=keys("Ya"))
    pressed = await sari.press("ya")
    assert len(await api.result("getUpdates")) == 2
    await simulator.control("clock", shift_seconds=151)
    (left,) = await api.result("getUpdates")
    assert left["message"]["text"] == "hai"
    late = await api.call(
        "answerCallbackQuery", callback_query_id=pressed["callback_query_id"]
    )
    assert "query is too old" in late["description"]
    await simulator.control("clock", shift_seconds=24 * 3600)
    assert await api.result("getUpdates") == []


async def test_a_press_carries_its_data_and_is_acknowledged(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    await api.result(
        "sendMessage", chat_id=SARI, text="?", reply_markup=keys("Ya", "Tidak")
    )
    await sari.press("TIDAK")
    query = (await api.result("getUpdates"))[-1]["callback_query"]
    assert (query["data"], query["message"]["text"]) == ("a.1.b", "?")
    assert query["from"]["id"] == SARI
    long = await api.call(
        "answerCallbackQuery", callback_query_id=query["id"], text="x" * 201
    )
    assert "MESSAGE_TOO_LONG" in long["description"]
    assert await api.result(
        "answerCallbackQuery", callback_query_id=query["id"], text="baik"
    )
    assert (await sari.look())["messages"][-1]["toast"] == "baik"
    assert (await api.call("answerCallbackQuery", callback_query_id="1"))[
        "error_code"
    ] == 400


async def test_a_blocked_bot_hears_of_it_and_is_refused(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    await sari.block()
    member = (await api.result("getUpdates"))[-1]["my_chat_member"]
    assert member["new_chat_member"]["status"] == "kicked"
    refused = await api.call("sendMessage", chat_id=SARI, text="x")
    assert refused["error_code"] == 403
    assert refused["description"] == "Forbidden: bot was blocked by the user"
    await sari.start()
    updates = await api.result("getUpdates")
    assert updates[-2]["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert updates[-1]["message"]["text"] == "/start"
    assert (await api.call("sendMessage", chat_id=SARI, text="x"))["ok"]


@pytest.mark.parametrize(
    ("name", "kind", "forced", "field"),
    [
        ("a.jpg", "image/jpeg", "", "photo"),
        ("a.jpg", "image/jpeg", "document", "document"),
        ("a.gif", "image/gif", "", "animation"),
        ("a.ogg", "audio/ogg", "", "voice"),
        ("a.mp3", "audio/mpeg", "", "audio"),
        ("a.mp4", "video/mp4", "", "video"),
        ("a.mp4", "video/mp4", "video_note", "video_note"),
        ("a.webp", "image/webp", "sticker", "sticker"),
        ("a.pdf", "application/pdf", "", "document"),
    ],
)
async def test_every_kind_of_file_arrives_and_can_be_fetched(
    api, simulator, name, kind, forced, field
):
    content = bytes(range(256))
    await simulator.phone("telegram").attach(
        (name, kind, content), kind=forced, text="ini"
    )
    (update,) = await api.result("getUpdates")
    message = update["message"]
    assert message["caption"] == "ini"
    found = message[field][-1] if field == "photo" else message[field]
    file = await api.result("getFile", file_id=found["file_id"])
    assert file["file_unique_id"] == found["file_unique_id"]
    url = f"{api.base.replace('/bot', '/file/bot')}/{file['file_path']}"
    assert (await api.client.get(url)).content == content
    assert (await api.client.get(url + "x")).status_code == 404


async def test_a_file_above_20_mb_and_an_unknown_one_cannot_be_fetched(api, simulator):
    large = {"name": "a.mp4", "type": "video/mp4", "size": 20 * 2**20 + 1}
    await simulator.control("phones/telegram/send", media=[large])
    (update,) = await api.result("getUpdates")
    refused = await api.call("getFile", file_id=update["message"]["video"]["file_id"])
    assert refused["description"] == "Bad Request: file is too big"
    assert "wrong file_id" in (await api.call("getFile", file_id="x"))["description"]


async def test_an_album_is_several_messages_with_one_caption(api, simulator):
    files = [(f"{n}.jpg", "image/jpeg", b"x") for n in range(3)]
    await simulator.phone("telegram").attach(*files, text="bukti")
    messages = [update["message"] for update in await api.result("getUpdates")]
    assert len({message["media_group_id"] for message in messages}) == 1
    assert [message.get("caption") for message in messages] == ["bukti", None, None]


async def test_places_and_contacts_arrive(api, simulator):
    sari = simulator.phone("telegram")
    await sari.share_location(-6.2, 106.8)
    await sari.share_contact("+62811", "Sari", own=True)
    place, card = (update["message"] for update in await api.result("getUpdates"))
    assert place["location"] == {"latitude": -6.2, "longitude": 106.8}
    assert card["contact"]["user_id"] == SARI


async def test_an_edit_comes_as_edited_message(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("sebelum")
    await sari.edit("sesudah")
    edited = (await api.result("getUpdates"))[-1]["edited_message"]
    assert (edited["text"], edited["message_id"]) == ("sesudah", 1)
    await sari.attach(("a.jpg", "image/jpeg", b"x"), text="sebelum")
    await sari.edit("sesudah")
    assert (await api.result("getUpdates"))[-1]["edited_message"][
        "caption"
    ] == "sesudah"


async def test_a_group_hears_the_bot_in_its_own_chat(api, simulator):
    await simulator.phone("telegram").say_in_group("saya mau lapor")
    (update,) = await api.result("getUpdates")
    assert update["message"]["chat"]["type"] == "supergroup"
    assert update["message"]["from"]["id"] == SARI
    await api.result(
        "sendMessage", chat_id=update["message"]["chat"]["id"], text="pribadi saja"
    )
    assert await simulator.phone("group").hears("pribadi")
    assert await simulator.phone("telegram").heard() == []


async def test_a_deep_link_is_a_start_with_its_payload(api, simulator):
    officer = simulator.phone("officer")
    await officer.open("https://t.me/kentongan_demo_bot?start=aB_9-")
    (update,) = await api.result("getUpdates")
    assert update["message"]["text"] == "/start aB_9-"
    assert update["message"]["entities"] == [
        {"type": "bot_command", "offset": 0, "length": 6}
    ]


async def test_downloads_fail_on_demand_too(api, simulator):
    await simulator.phone("telegram").attach(("a.pdf", "application/pdf", b"x"))
    (update,) = await api.result("getUpdates")
    path = await api.result("getFile", file_id=update["message"]["document"]["file_id"])
    url = f"{api.base.replace('/bot', '/file/bot')}/{path['file_path']}"
    await simulator.fault("telegram", "500", "file")
    assert (await api.client.get(url)).status_code == 500
    await simulator.fault("telegram", "lost_answer", "file")
    with pytest.raises(httpx.RemoteProtocolError):
        await api.client.get(url)
    assert (await api.client.get(url)).content == b"x"


async def test_an_update_may_come_twice(api, simulator):
    await simulator.fault("telegram", "duplicate")
    await simulator.phone("telegram").say("sekali")
    first, second = await api.result("getUpdates")
    assert first == second
    assert len(await api.result("getUpdates")) == 1


async def test_texts_that_are_no_text_of_utf8_arrive_as_they_are(api, simulator):
    await simulator.phone("telegram").say("a\ud800\u200b\u202eb")
    (update,) = await api.result("getUpdates")
    assert update["message"]["text"] == "a\ud800\u200b\u202eb"


async def test_a_very_long_text_is_sent_in_parts_as_the_app_does(api, simulator):
    await simulator.phone("telegram").say("x" * 4096 + "y")
    texts = [update["message"]["text"] for update in await api.result("getUpdates")]
    assert texts == ["x" * 4096, "y"]
