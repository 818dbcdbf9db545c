"""A storm falls the same for the same seed; the books tell all that it hid."""

import httpx
import pytest

from bot.simulator.rules.faults import ANSWERS, Faults
from tests.bot.simulator.test_carrier import delivered
from tests.support.listener import status

SURE = {"lost_answer": 1.0}


def fallen(seed, calls=200):
    faults = Faults()
    faults.storm.begin(seed, {"telegram": {"429": 0.2, "lost_answer": 0.2}}, 1.0)
    told = [faults.take("telegram", "sendMessage", ANSWERS) for _ in range(calls)]
    return [fault.fault if fault else "" for fault in told]


def test_a_seed_decides_what_falls():
    assert fallen("one") == fallen("one") != fallen("two")
    assert 20 < fallen("one").count("429") < 60


def test_the_narrower_name_decides_alone_and_an_end_is_an_end():
    faults = Faults()
    rates = {"telegram": {"500": 1.0}, "telegram.getme": {}}
    faults.storm.begin("x", rates, 1.0)
    assert faults.take("telegram", "getMe", ANSWERS) is None
    assert faults.take("telegram", "sendMessage", ANSWERS)
    assert faults.take("telegram", "sendMessage", {"shuffle"}) is None
    faults.storm.end()
    assert faults.take("telegram", "sendMessage", ANSWERS) is None
    assert faults.storm.fallen == {"telegram.500": 1}


async def read(simulator, after=0):
    path = f"/control/books?after={after}&timeout=5"
    return (await simulator.client.get(path)).json()["entries"]


async def test_a_send_whose_answer_was_lost_stands_in_the_books(simulator, api):
    await simulator.phone("telegram").start()
    chat = (await simulator.phone("telegram").look())["address"]
    await simulator.control("storm", seed="x", rates={"telegram.sendmessage": SURE})
    with pytest.raises(httpx.TransportError):
        await api.call("sendMessage", chat_id=chat, text="halo")
    await simulator.client.delete("/control/storm")
    await api.result("sendMessage", chat_id=chat, text="halo")
    came, lost, given = await read(simulator)
    assert (came["what"], came["text"]) == ("came", "/start")
    assert (lost["what"], lost["answer"], lost["text"]) == (
        "accepted",
        "lost_answer",
        "halo",
    )
    assert (given["answer"], given["phone"]) == ("", "telegram")


async def test_what_the_bot_took_is_known_though_the_provider_never_heard(
    simulator, listener
):
    await simulator.webhooks(sms=listener.url("/sms#rc=1&rp=rt,5xx"))
    await simulator.control("storm", seed="x", rates={"webhook": SURE})
    listener.script += [status(503), status(204)]
    await simulator.phone("sms").say("LAPOR")
    await listener.hear(2)
    await delivered(simulator, "sms", attempts=2)
    came, first, second = (await read(simulator))[:3]
    assert came["id"] == first["id"] == second["id"]
    assert [first["status"], second["status"]] == [503, 204]


async def test_an_offset_confirms(simulator, api):
    await simulator.phone("telegram").start()
    (update,) = await api.result("getUpdates")
    await api.result("getUpdates", offset=update["update_id"] + 1)
    came, confirmed = await read(simulator)
    assert confirmed["ids"] == [came["id"]] == [str(update["update_id"])]
