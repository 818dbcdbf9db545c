"""The Bot API as the bot meets it: methods, words of refusal, updates, faults."""

import asyncio
import json

import httpx
import pytest

SARI = 6281234501


def keys(*labels, data="a.1.b"):
    return {
        "inline_keyboard": [
            [{"text": label, "callback_data": data} for label in labels]
        ]
    }


async def test_a_wrong_token_is_401_and_an_unknown_method_404(api):
    answer = await api.client.get(f"{api.simulator.url}/bot1:wrong/getMe")
    assert answer.status_code == 401
    assert answer.json() == {
        "ok": False,
        "error_code": 401,
        "description": "Unauthorized",
    }
    assert (await api.call("getNothing"))["error_code"] == 404


async def test_methods_are_known_without_regard_to_case(api):
    answer = await api.client.get(f"{api.base}/GETME")
    assert answer.json()["result"]["username"] == "kentongan_demo_bot"
    assert (await api.result("getMe"))["is_bot"] is True


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"chat_id": SARI}, 400, "message text is empty"),
        ({"chat_id": SARI, "text": " \n"}, 400, "text must be non-empty"),
        ({"chat_id": SARI, "text": 7}, 400, "message text must be a string"),
        ({"chat_id": SARI, "text": "x" * 4097}, 400, "message is too long"),
        ({"chat_id": SARI, "text": "\ud800"}, 400, "strings must be encoded in UTF-8"),
        (
            {"chat_id": SARI, "text": "x", "parse_mode": "HTML"},
            400,
            "unsupported parse_mode",
        ),
        ({"text": "x"}, 400, "chat_id is empty"),
        ({"chat_id": 404, "text": "x"}, 400, "chat not found"),
        ({"chat_id": 7102938475, "text": "x"}, 400, "chat not found"),
        ({"chat_id": SARI, "text": "x", "reply_markup": "{"}, 400, "JSON object"),
        ({"chat_id": SARI, "text": "x", "reply_markup": [1]}, 400, "object expected"),
        ({"chat_id": SARI, "text": "x", "reply_markup": "["}, 400, "JSON object"),
        (
            {"chat_id": SARI, "text": "x", "reply_markup": {"inline_keyboard": 1}},
            400,
            "Array",
        ),
        (
            {"chat_id": SARI, "text": "x", "reply_markup": keys("a", data="é" * 33)},
            400,
            "BUTTON_DATA_INVALID",
        ),
        (
            {"chat_id": SARI, "text": "x", "reply_markup": keys(*"a" * 101)},
            400,
            "too long",
        ),
        ({"chat_id": SARI, "text": "x", "reply_markup": keys(" ")}, 400, "non-empty"),
        (
            {
                "chat_id": SARI,
                "text": "x",
                "reply_markup": {"inline_keyboard": [["a"]]},
            },
            400,
            "can't parse inline keyboard button",
        ),
        (
            {
                "chat_id": SARI,
                "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "a"}]]},
            },
            400,
            "text buttons are unallowed",
        ),
        (
            {
                "chat_id": SARI,
                "text": "x",
                "reply_markup": {
                    "inline_keyboard": [[{"text": "a", "url": "ftp://x"}]]
                },
            },
            400,
            "Wrong HTTP URL",
        ),
        (
            {
                "chat_id": SARI,
                "text": "x",
                "reply_markup": {
                    "inline_keyboard": [[{"text": "a", "copy_text": {"text": ""}}]]
                },
            },
            400,
            "BUTTON_COPY_TEXT_INVALID",
        ),
    ],
)
async def test_a_bad_message_is_refused_in_telegrams_words(
    api, simulator, given, code, words
):
    await simulator.phone("telegram").say("hai")
    answer = await api.client.post(
        f"{api.base}/sendMessage",
        content=json.dumps(given),
        headers={"content-type": "application/json"},
    )
    refusal = answer.json()
    assert (refusal["ok"], refusal["error_code"]) == (False, code)
    assert words in refusal["description"]
    assert await simulator.phone("telegram").heard() == []


async def test_broken_json_is_400(api):
    answer = await api.client.post(
        f"{api.base}/sendMessage",
        content=b"{",
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 400


async def test_the_longest_text_and_the_longest_data_pass(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    sent = await api.result(
        "sendMessage",
        chat_id=SARI,
        text="x" * 4096,
        reply_markup=keys("Ya", data="é" * 32),
        protect_content=True,
    )
    assert sent["has_protected_content"] is True
    line = await sari.gets("xxx")
    assert line["protected"]
    assert line["buttons"][0][0]["data"] == "é" * 32


async def test_a_form_with_json_inside_is_understood(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    await api.client.post(
        f"{api.base}/sendMessage",
        data={
            "chat_id": str(SARI),
            "text": "true",
            "protect_content": "false",
            "reply_markup": json.dumps(keys("Ya", "Tidak")),
        },
    )
    line = await sari.gets("true")
    assert [button["text"] for button in line["buttons"][0]] == ["Ya", "Tidak"]
    assert not line["protected"]


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


async def test_deleting_removes_both_sides_messages_while_they_are_young(
    api, simulator
):
    sari = simulator.phone("telegram")
    own = (await sari.say("rahasia"))["message_id"]
    sent = (await api.result("sendMessage", chat_id=SARI, text="kode"))["message_id"]
    assert await api.result("deleteMessage", chat_id=SARI, message_id=own) is True
    again = await api.call("deleteMessage", chat_id=SARI, message_id=own)
    assert "message to delete not found" in again["description"]
    assert (await api.call("deleteMessage", chat_id=SARI, message_id=99))[
        "error_code"
    ] == 400
    assert (
        await api.result("deleteMessages", chat_id=SARI, message_ids=[sent, 98, 99])
        is True
    )
    assert all(
        line["deleted"] and not line["text"] for line in (await sari.look())["messages"]
    )
    old = (await api.result("sendMessage", chat_id=SARI, text="lama"))["message_id"]
    await simulator.control("clock", shift_seconds=48 * 3600)
    late = await api.call("deleteMessage", chat_id=SARI, message_id=old)
    assert "can't be deleted" in late["description"]
    await api.result("deleteMessages", chat_id=SARI, message_ids=[old])
    assert "lama" in await sari.heard()
    for ids in ([], list(range(101)), "x"):
        assert (await api.call("deleteMessages", chat_id=SARI, message_ids=ids))[
            "error_code"
        ] == 400


async def test_editing_changes_text_and_buttons(api, simulator):
    sari = simulator.phone("telegram")
    own = (await sari.say("hai"))["message_id"]
    sent = await api.result(
        "sendMessage", chat_id=SARI, text="?", reply_markup=keys("Ya")
    )
    where = {"chat_id": SARI, "message_id": sent["message_id"]}
    same = await api.call("editMessageReplyMarkup", **where, reply_markup=keys("Ya"))
    assert "message is not modified" in same["description"]
    edited = await api.result("editMessageReplyMarkup", **where)
    assert "reply_markup" not in edited
    assert await sari.buttons() == []
    await api.result("editMessageText", **where, text="!", reply_markup=keys("Lagi"))
    assert (await sari.heard(), await sari.buttons()) == (["!"], ["Lagi"])
    same = await api.call(
        "editMessageText", **where, text="!", reply_markup=keys("Lagi")
    )
    assert same["error_code"] == 400
    missing = await api.call("editMessageText", chat_id=SARI, message_id=99, text="x")
    assert "message to edit not found" in missing["description"]
    alien = await api.call("editMessageText", chat_id=SARI, message_id=own, text="x")
    assert "can't be edited" in alien["description"]
    await api.result("deleteMessage", **where)
    assert (await api.call("editMessageText", **where, text="x"))["error_code"] == 400


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


async def test_commands_are_checked_and_kept(api):
    good = [{"command": "lapor", "description": "Buat laporan"}]
    assert await api.result("setMyCommands", commands=good, language_code="id") is True
    assert await api.result("getMyCommands", language_code="id") == good
    assert await api.result("getMyCommands") == []
    assert await api.result("deleteMyCommands", language_code="id") is True
    assert await api.result("getMyCommands", language_code="id") == []
    for bad in (
        [{"command": "LAPOR!", "description": "x"}],
        [{"command": "a", "description": ""}],
        good * 101,
        "x",
        [7],
    ):
        assert (await api.call("setMyCommands", commands=bad))["error_code"] == 400
    for name in ("setMyDescription", "setMyShortDescription"):
        assert await api.result(name) is True


async def test_the_bot_can_send_files_and_show_that_it_types(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    answer = await api.client.post(
        f"{api.base}/sendDocument",
        data={"chat_id": str(SARI), "caption": "tanda terima"},
        files={"document": ("terima.pdf", b"%PDF", "application/pdf")},
    )
    assert answer.json()["result"]["document"]["file_name"] == "terima.pdf"
    line = await sari.gets("tanda terima")
    assert line["media"][0]["name"] == "terima.pdf"
    assert await api.result("sendChatAction", chat_id=SARI, action="typing") is True
    assert (await api.call("sendPhoto", chat_id=SARI))["error_code"] == 400
    long = await api.client.post(
        f"{api.base}/sendDocument",
        data={"chat_id": str(SARI), "caption": "x" * 1025},
        files={"document": ("a", b"")},
    )
    assert "caption is too long" in long.json()["description"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("lost_answer", httpx.RemoteProtocolError),
        ("reset", httpx.ReadError),
        ("timeout", httpx.ReadTimeout),
    ],
)
async def test_an_answer_may_never_come(api, simulator, fault, error):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    await simulator.fault("telegram", fault, "sendMessage")
    with pytest.raises(error):
        await api.client.post(
            f"{api.base}/sendMessage",
            json={"chat_id": SARI, "text": "sampai?"},
            timeout=0.3,
        )
    assert await sari.heard() == (["sampai?"] if fault == "lost_answer" else [])


async def test_errors_on_demand_hit_one_phone_and_run_out(api, simulator):
    await simulator.phone("telegram").say("hai")
    await simulator.phone("officer").say("hai")
    await simulator.fault(
        "telegram", "429", "sendMessage", phone="telegram", retry_after=7, times=2
    )
    assert (await api.call("sendMessage", chat_id=7102938475, text="x"))["ok"]
    for _ in range(2):
        slow = await api.call("sendMessage", chat_id=SARI, text="x")
        assert slow["parameters"] == {"retry_after": 7}
        assert slow["description"] == "Too Many Requests: retry after 7"
    assert (await api.call("sendMessage", chat_id=SARI, text="x"))["ok"]
    await simulator.fault("telegram", "500")
    assert (await api.call("getMe"))["error_code"] == 500
    await simulator.fault("telegram", "403", "sendMessage")
    assert (
        "blocked"
        in (await api.call("sendMessage", chat_id=SARI, text="x"))["description"]
    )
    await simulator.fault("telegram", "delay", "getMe", seconds=0.01)
    assert (await api.call("getMe"))["ok"]


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


async def test_a_reply_keyboard_is_accepted_and_not_shown(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    await api.result(
        "sendMessage", chat_id=SARI, text="x", reply_markup={"remove_keyboard": True}
    )
    assert await sari.buttons() == []


async def test_texts_that_are_no_text_of_utf8_arrive_as_they_are(api, simulator):
    await simulator.phone("telegram").say("a\ud800\u200b\u202eb")
    (update,) = await api.result("getUpdates")
    assert update["message"]["text"] == "a\ud800\u200b\u202eb"
