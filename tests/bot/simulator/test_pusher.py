"""Telegram's webhook: the secret, order per chat, presses apart, retries, expiry."""

import pytest

from tests.specs.conformance import check_type
from tests.support.listener import status

SARI = 6281234501
SECRET = "rahasia_-9"


@pytest.fixture
async def hook(api, listener):
    """The bot listens on a webhook; what waited is dropped."""
    await api.result(
        "setWebhook",
        url=listener.url("/webhooks/telegram"),
        secret_token=SECRET,
        drop_pending_updates=True,
        allowed_updates=[
            "message",
            "edited_message",
            "callback_query",
            "my_chat_member",
        ],
    )
    return listener


async def settled(simulator):
    """Wait until no update waits; return how the pushes went."""
    found = (await simulator.client.get("/control/updates?empty=1")).json()
    assert found["pending"] == []
    return found["pushes"]


async def test_an_update_is_pushed_with_the_secret(simulator, hook):
    await simulator.phone("telegram").say("hai")
    (heard,) = await hook.hear(1)
    assert heard.headers["x-telegram-bot-api-secret-token"] == SECRET
    assert heard.headers["content-type"] == "application/json"
    assert check_type("Update", heard.json) == []
    assert heard.json["message"]["text"] == "hai"


@pytest.mark.usefixtures("hook")
async def test_polling_beside_a_webhook_is_409(api):
    refused = await api.call("getUpdates")
    assert refused["error_code"] == 409
    assert "webhook is active" in refused["description"]


async def test_what_waited_is_pushed_when_the_webhook_is_set(api, simulator, listener):
    await simulator.phone("telegram").say("tadi")
    await api.result("setWebhook", url=listener.url("/"))
    (heard,) = await listener.hear(1)
    assert "x-telegram-bot-api-secret-token" not in heard.headers
    await settled(simulator)
    assert await api.call("deleteWebhook") == {
        "ok": True,
        "result": True,
        "description": "Webhook was deleted",
    }
    await simulator.phone("telegram").say("kini")
    (update,) = await api.result("getUpdates")
    assert update["message"]["text"] == "kini"


@pytest.mark.parametrize(
    "given",
    [
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://127.0.0.1/", "secret_token": "spasi tidak"},
    ],
)
async def test_a_bad_webhook_is_refused(api, given):
    assert (await api.call("setWebhook", **given))["error_code"] == 400
    assert (await api.result("getWebhookInfo"))["url"] == ""


async def test_an_empty_url_removes_the_webhook(api, hook):
    assert (await api.result("getWebhookInfo"))["url"] == hook.url("/webhooks/telegram")
    assert await api.result("setWebhook", url="") is True
    assert (await api.call("deleteWebhook"))[
        "description"
    ] == "Webhook is already deleted"


async def test_a_failure_is_tried_again_until_2xx_and_shown(api, simulator, hook):
    hook.script = [status(500), status(302, "Location: /"), status(200)]
    await simulator.phone("telegram").say("hai")
    heard = await hook.hear(3)
    assert len({entry.json["update_id"] for entry in heard}) == 1
    pushes = await settled(simulator)
    assert [push["status"] for push in pushes] == [500, 302, 200]
    info = await api.result("getWebhookInfo")
    assert "302" in info["last_error_message"]
    assert info["pending_update_count"] == 0


async def test_retry_after_is_honoured(simulator, hook):
    await simulator.control("clock", scale=0.001)
    hook.script = [status(503, "Retry-After: 200")]
    await simulator.phone("telegram").say("hai")
    await hook.hear(2)
    pushes = await settled(simulator)
    assert [push["status"] for push in pushes] == [503, 204]
    assert pushes[1]["at"] - pushes[0]["at"] >= 0.2


async def test_only_the_head_of_a_chat_is_in_flight_and_presses_overtake(
    api, simulator, hook
):
    sari, officer = simulator.phone("telegram"), simulator.phone("officer")
    await sari.say("hai")
    await hook.hear(1)
    keys = {"inline_keyboard": [[{"text": "Ya", "callback_data": "1"}]]}
    await api.result("sendMessage", chat_id=SARI, text="?", reply_markup=keys)
    hook.held = lambda heard: b"tertahan" in heard.body
    await sari.say("tertahan")
    await sari.say("menunggu")
    await sari.press("Ya")
    await officer.say("orang lain")
    heard = await hook.hear(4)
    kinds = ["".join(set(entry.json) - {"update_id"}) for entry in heard[1:]]
    assert sorted(kinds) == ["callback_query", "message", "message"]
    assert not any(b"menunggu" in entry.body for entry in heard)
    hook.held = lambda _: False
    hook.gate.set()
    assert b"menunggu" in (await hook.hear(5))[-1].body


async def test_a_lost_answer_and_a_doubled_push_come_again(api, simulator, hook):
    await simulator.fault("webhook", "lost_answer", "telegram")
    await simulator.phone("telegram").say("satu")
    await hook.hear(2)
    assert "timeout" in (await api.result("getWebhookInfo"))["last_error_message"]
    await simulator.fault("webhook", "duplicate", "telegram")
    await simulator.phone("telegram").say("dua")
    await hook.hear(4)
    await simulator.fault("webhook", "reset", "telegram")
    await simulator.fault("webhook", "delay", "telegram", seconds=0.01)
    await simulator.phone("telegram").say("tiga")
    await hook.hear(5)
    pushes = await settled(simulator)
    assert [push["status"] for push in pushes] == [204, 204, 204, 204, 0, 204]


async def test_a_bot_that_is_down_is_tried_until_the_update_expires(
    api, simulator, listener
):
    listener.script = [b""] * 1000
    await api.result("setWebhook", url=listener.url("/"))
    await simulator.phone("telegram").say("hai")
    await listener.hear(2)
    await simulator.control("clock", shift_seconds=24 * 3600 + 1)
    pushes = await settled(simulator)
    assert {push["status"] for push in pushes} == {0}
    assert (
        "Connection failed"
        in (await api.result("getWebhookInfo"))["last_error_message"]
    )
