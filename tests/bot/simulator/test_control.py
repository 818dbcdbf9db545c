"""The control API: phones, impossible acts, faults that do not exist, settings."""

import asyncio

import httpx
import pytest

from tests.support.phones import Refused, Silence

SARI = 6281234501


async def test_four_phones_exist_with_plausible_addresses(simulator):
    phones = (await simulator.client.get("/control/phones")).json()["phones"]
    found = {phone["name"]: (phone["channel"], phone["address"]) for phone in phones}
    assert list(found) == ["telegram", "whatsapp", "sms", "officer"]
    assert int(found["telegram"][1]) > 2**32
    assert found["whatsapp"][1].startswith("+628")


async def test_more_phones_can_be_made(api, simulator):
    first = await simulator.new_phone("satu", "telegram", language="en")
    second = await simulator.new_phone("dua", "telegram")
    assert (await first.look())["address"] != (await second.look())["address"]
    await first.say("hi")
    (update,) = await api.result("getUpdates")
    assert update["message"]["from"]["language_code"] == "en"
    again = await simulator.new_phone("satu", "telegram")
    assert len((await again.look())["messages"]) == 1
    with pytest.raises(Refused):
        await simulator.new_phone("tiga", "pigeon")


async def test_the_same_acts_give_the_same_ids(simulator):
    first = (await simulator.phone("sms").say("a"))["message_id"]
    await simulator.reset()
    assert (await simulator.phone("sms").say("b"))["message_id"] == first


async def test_a_restart_leaves_nothing_of_what_was(api, simulator):
    """Tests share a process: what one of them set, or still waits for, is gone."""
    before = dict(simulator.settings)
    await simulator.control("settings", strict_pace=True, bot_name="Lain")
    await simulator.control("clock", shift_seconds=90_000, scale=2)
    await api.call("setWebhook", url="http://127.0.0.1:9/webhooks/telegram")
    await simulator.phone("telegram").say("halo")
    await simulator.fault("telegram", "delay", "sendMessage", seconds=60)
    chat = (await simulator.phone("telegram").look())["address"]
    late = asyncio.create_task(api.call("sendMessage", chat_id=chat, text="terlambat"))
    await simulator.requests("telegram", "sendMessage", count=1)

    await simulator.control("reset", settings=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await late
    assert (await simulator.client.get("/control/settings")).json() == before
    assert (await simulator.control("clock"))["scale"] == 0.01
    assert (await api.result("getWebhookInfo"))["url"] == ""
    for name in ("telegram", "whatsapp", "sms", "officer"):
        assert (await simulator.phone(name).look())["messages"] == []


@pytest.mark.parametrize(
    ("path", "given", "status", "words"),
    [
        ("phones/nobody/send", {"text": "x"}, 404, "no phone"),
        ("phones/sms/send", {}, 409, "nothing to send"),
        (
            "phones/sms/send",
            {"location": {"latitude": 1, "longitude": 1}},
            409,
            "location",
        ),
        ("phones/telegram/send", {"media": [{"base64": "!"}]}, 409, "base64"),
        ("phones/telegram/send", {"media": 7}, 400, "wrong or missing field"),
        ("phones/telegram/press", {}, 409, "no message with buttons"),
        ("phones/telegram/press", {"message_id": 9}, 404, "no such message"),
        ("phones/telegram/edit", {"text": "x"}, 404, "no such message"),
        ("phones/sms/edit", {"text": "x"}, 409, "only Telegram"),
        ("phones/sms/start", {}, 409, "only Telegram"),
        ("phones/sms/group", {"text": "x"}, 409, "only Telegram"),
        ("phones/telegram/start", {"payload": "x" * 65}, 409, "1-64"),
        (
            "phones/telegram/open",
            {"link": "https://t.me/other?start=x"},
            409,
            "not a link",
        ),
        ("phones/telegram/open", {}, 400, "link"),
        ("faults", {"api": "telegram", "fault": "earthquake"}, 400, "does not exist"),
        ("faults", {"api": "pigeon", "fault": "500"}, 400, "does not exist"),
        ("faults", {"api": "telegram"}, 400, "fault"),
        ("settings", {"colour": "red"}, 400, "colour"),
    ],
)
async def test_what_cannot_be_is_said_clearly(simulator, path, given, status, words):
    answer = await simulator.client.post(f"/control/{path}", json=given)
    assert answer.status_code == status
    assert words in answer.json()["error"]


async def test_a_group_has_no_hands(simulator):
    await simulator.phone("telegram").say_in_group("x")
    with pytest.raises(Refused, match="group"):
        await simulator.phone("group").say("x")


async def test_not_json_is_400(simulator):
    for body in (b"{", b"[]"):
        answer = await simulator.client.post("/control/clock", content=body)
        assert answer.status_code == 400


async def test_a_bot_message_cannot_be_edited_by_the_person(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    sent = await api.result("sendMessage", chat_id=SARI, text="x")
    with pytest.raises(Refused, match="own"):
        await sari.edit("y", message_id=sent["message_id"])


async def test_buttons_are_chosen_by_label_data_or_index(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    buttons = [
        {"text": "Ya, lanjut", "callback_data": "1"},
        {"text": "Tidak", "callback_data": "2"},
        {"text": "Konsol", "url": "http://127.0.0.1/console"},
        {"text": "Tautan", "url": "https://t.me/kentongan_demo_bot?start=abc"},
        {"text": "Salin", "copy_text": {"text": "7K3M-9QXB"}},
    ]
    markup = {"inline_keyboard": [[button] for button in buttons]}
    sent = await api.result("sendMessage", chat_id=SARI, text="?", reply_markup=markup)
    await sari.press("lanjut")
    await sari.press(data="2", message_id=sent["message_id"])
    await simulator.control("phones/telegram/press", index=1)
    queries = [
        u["callback_query"]["data"] for u in (await api.result("getUpdates"))[1:]
    ]
    assert queries == ["1", "2", "2"]
    assert await sari.press("konsol") == {"url": "http://127.0.0.1/console"}
    assert await sari.press("salin") == {"copied": "7K3M-9QXB"}
    await sari.press("tautan")
    assert (await api.result("getUpdates"))[-1]["message"]["text"] == "/start abc"
    with pytest.raises(Refused, match="there are: Ya, lanjut, Tidak"):
        await sari.press("mungkin")
    await api.result("deleteMessage", chat_id=SARI, message_id=sent["message_id"])
    with pytest.raises(Refused, match="no buttons"):
        await sari.press("tidak", message_id=sent["message_id"])


async def test_waiting_ends_when_something_arrives_or_in_silence(api, simulator):
    sari = simulator.phone("telegram")
    await sari.say("hai")
    waiting = asyncio.create_task(sari.hears("dua"))
    await api.result("sendMessage", chat_id=SARI, text="satu")
    await api.result("sendMessage", chat_id=SARI, text="dua")
    assert await waiting == "dua"
    await sari.hears_nothing(0.05)
    with pytest.raises(Silence, match="heard \\[\\]"):
        await sari.hears("tiga", timeout=0.05)
    await api.result("sendMessage", chat_id=SARI, text="empat")
    with pytest.raises(Silence, match="empat"):
        await sari.hears_nothing(5)
    await sari.skips_to_now()
    await sari.hears_nothing(0.01)


async def test_changes_tell_which_phone_changed(simulator):
    before = (await simulator.client.get("/control/changes?after=-1")).json()
    await simulator.phone("sms").say("x")
    after = (
        await simulator.client.get(
            f"/control/changes?after={before['version']}&timeout=5"
        )
    ).json()
    changed = {
        name for name, seen in after["phones"].items() if seen != before["phones"][name]
    }
    assert changed == {"sms"}


async def test_requests_are_remembered_and_can_be_waited_for(api, simulator):
    waiting = asyncio.create_task(
        simulator.requests("telegram", "sendMessage", count=1)
    )
    await api.call("getMe")
    await api.call("sendMessage", chat_id=1, text="x")
    (request,) = await waiting
    assert request["params"] == {"chat_id": 1, "text": "x"}
    assert simulator.settings["telegram_token"] not in str(await simulator.requests())
    assert await simulator.requests("twilio") == []
    assert len(await simulator.requests(after=request["n"])) == 0


async def test_planned_faults_can_be_seen_and_end_with_a_reset(simulator):
    await simulator.fault("telegram", "500", "getMe", times=3)
    planned = (await simulator.client.get("/control/faults")).json()["planned"]
    assert [(fault["method"], fault["times"]) for fault in planned] == [("getMe", 3)]
    await simulator.reset()
    assert (await simulator.client.get("/control/faults")).json()["planned"] == []


async def test_another_host_name_is_refused(simulator):
    answer = await simulator.client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400


async def test_a_body_beyond_the_limit_is_refused(simulator):
    try:
        answer = await simulator.client.post(
            "/control/clock", content=bytes(81 * 2**20)
        )
        assert answer.status_code == 400
    except httpx.WriteError:
        pass


async def test_the_configuration_leads_a_bot_here(api, simulator):
    found = simulator.configuration()
    telegram, twilio = found["telegram"], found["twilio"]
    answer = await api.client.get(
        f"{telegram['api_base_url']}{telegram['token']}/getMe"
    )
    assert answer.json()["ok"]
    assert twilio["templates"]["en"]["news"].startswith("HX")
    assert (twilio["account_sid"], twilio["auth_token"]) == api.auth


async def test_one_can_look_until_a_phone_is_so(api, simulator):
    sari = simulator.phone("telegram")
    own = (await sari.say("rahasia"))["message_id"]
    looking = asyncio.create_task(
        sari.looks_until(lambda seen: seen["messages"][0]["deleted"])
    )
    await api.result("deleteMessage", chat_id=SARI, message_id=own)
    assert (await looking)["messages"][0]["text"] == ""
    with pytest.raises(Silence):
        await sari.looks_until(lambda seen: seen["blocked"], timeout=0.02)
