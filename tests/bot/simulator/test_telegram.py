"""The Bot API as the bot calls it: methods, words of refusal, faults."""

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
            timeout=0.3 if fault == "timeout" else 10,
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


async def test_a_reply_keyboard_is_accepted_and_not_shown(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    await api.result(
        "sendMessage", chat_id=SARI, text="x", reply_markup={"remove_keyboard": True}
    )
    assert await sari.buttons() == []
