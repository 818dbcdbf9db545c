"""Polling: real HTTP to a scripted Telegram, real leases in a real store."""

import asyncio
import json
from datetime import timedelta

import pytest

from bot.intake.poller import CONFLICT, NAME
from bot.writer import StoreUnavailable
from storage.jobs import leases
from tests.support.polled import NOW, SECONDS, shorten_rests, text, world_in
from tests.support.scripted import Answer

DONE = Answer(body={"ok": True, "result": True})


def batch(*updates):
    return Answer(body={"ok": True, "result": list(updates)})


@pytest.fixture(autouse=True)
def short_rests(monkeypatch):
    shorten_rests(monkeypatch)


@pytest.fixture
async def world(tmp_path):
    async with world_in(tmp_path, queue=False) as made:
        yield made


async def test_a_batch_is_handed_over_and_then_confirmed(world):
    world.server.answers = [DONE, batch(text(5), text(6)), batch()]
    async with world.polling():
        assert await world.takes(2) == [5, 6]
        assert await world.polls(3) == [0, 7, 0]
    first, second = world.server.asked[:2]
    assert first.path.endswith("/deleteWebhook")
    assert first.form == {"drop_pending_updates": "false"}
    assert json.loads(second.form["allowed_updates"]) == [
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
    ]


async def test_polling_goes_on_where_another_process_ended(world):
    await world.writer.run(leases.hold, NAME, "old", seconds=0, now=NOW)
    await world.writer.run(leases.move_cursor, NAME, "old", 41)
    world.server.answers = [DONE, batch()]
    async with world.polling():
        assert (await world.polls(1))[0] == 41


async def test_strange_updates_hold_nobody_back(world):
    strange = [{"update_id": 6, "message": []}, "x", {}, {"update_id": 7, "poll": 1}]
    world.server.answers = [DONE, batch(text(5), *strange), batch()]
    async with world.polling():
        assert sorted(await world.takes(5)) == [-1, -1, 5, 6, 7]
        assert (await world.polls(2))[1] == 8


async def test_a_batch_without_any_number_is_asked_for_again(world):
    world.server.answers = [DONE, batch({}), batch()]
    async with world.polling():
        assert await world.takes(1) == [-1]
        assert (await world.polls(2))[1] == 0
    assert await world.cursor() == 0


async def test_a_store_that_is_away_keeps_the_offset_and_the_order(world):
    world.fails = {5: 3, 8: 1}
    updates = [text(5), text(6), text(7, chat=2), text(8, chat=3)]
    world.server.answers = [DONE, *[batch(*updates)] * 50, batch()]
    async with world.polling():
        await world.takes(4)
        offsets = await world.polls(1)
        while 9 not in offsets:
            offsets = await world.polls(len(offsets) + 1)
        assert sorted({*offsets}) == [0, 5, 9]
    first = list(dict.fromkeys(world.taken))  # the script may offer them once more
    assert [number for number in first if number in {5, 6}] == [5, 6]
    assert sorted(first) == [5, 6, 7, 8]


async def test_one_chat_waits_for_itself_alone(world):
    world.holds = {5: asyncio.Event()}
    world.server.answers = [DONE, batch(text(5), text(6), text(7, chat=2)), batch()]
    async with world.polling():
        assert await world.takes(1) == [7]
        assert await world.cursor() == 0
        world.holds[5].set()
        assert await world.takes(2) == [5, 6]


async def test_a_lease_lost_while_the_store_is_away_moves_nothing(world):
    world.server.answers = [DONE, batch(text(5)), batch()]
    tried = asyncio.Event()

    async def receive(_):
        later = NOW + timedelta(seconds=120)
        await world.writer.run(leases.hold, NAME, "two", seconds=60, now=later)
        tried.set()
        raise StoreUnavailable

    world.receive = receive
    async with world.polling():
        async with asyncio.timeout(SECONDS):
            await tried.wait()
        await asyncio.sleep(0.1)
        assert len(await world.polls(1)) == 1
    assert world.given_up == []
    assert await world.cursor() == 0
    asked = [one.path.rpartition("/")[2] for one in world.server.asked]
    assert asked == ["deleteWebhook", "getUpdates"]


async def test_only_the_holder_of_the_lease_polls(world):
    await world.writer.run(leases.hold, NAME, "two", seconds=60, now=NOW)
    async with world.polling():
        await asyncio.sleep(0.1)
    assert world.server.asked == []


async def test_a_stopped_poller_gives_its_lease_back(world):
    world.server.answers = [DONE, batch()]
    async with world.polling():
        await world.polls(1)
    held = await world.writer.run(leases.hold, NAME, "two", seconds=60, now=NOW)
    assert held


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {"ok": False, "description": "x"}),
        Answer(502, b"<html>"),
        Answer(401, {"ok": False, "description": "Unauthorized"}),
        Answer(lost=True),
        Answer(body=b"<html>"),
        Answer(body={"ok": True, "result": {}}),
    ],
    ids=["500", "502", "401", "lost", "no JSON", "no list"],
)
async def test_a_provider_that_fails_is_asked_again(world, answer):
    world.server.answers = [DONE, answer, batch(text(5)), batch()]
    async with world.polling():
        assert await world.takes(1) == [5]


async def test_a_webhook_that_somebody_set_is_removed(world, caplog):
    conflict = {
        "ok": False,
        "description": "Conflict: can't use getUpdates method while webhook is active",
    }
    world.server.answers = [DONE, Answer(409, conflict), DONE, batch(text(5)), batch()]
    async with world.polling():
        assert await world.takes(1) == [5]
    asked = world.server.asked[:4]
    paths = [one.path.rpartition("/")[2] for one in asked]
    assert paths == ["deleteWebhook", "getUpdates"] * 2
    assert {one.form["drop_pending_updates"] for one in asked[::2]} == {"false"}
    assert world.told == [CONFLICT, ""]
    assert "poller.conflict" in caplog.text


async def test_a_second_poller_is_told_of_once(world, caplog):
    """Its webhook is not what is in the way: nothing is removed, and nobody gives up."""
    another = {
        "ok": False,
        "description": "Conflict: terminated by other getUpdates request",
    }
    refusal = Answer(409, another)
    world.server.answers = [DONE, refusal, refusal, refusal, batch(text(5)), batch()]
    async with world.polling():
        assert await world.takes(1) == [5]
    paths = [one.path.rpartition("/")[2] for one in world.server.asked[:5]]
    assert paths == ["deleteWebhook", *["getUpdates"] * 4]
    assert world.told == [CONFLICT, ""]
    assert caplog.text.count("poller.conflict") == 1


async def test_telegrams_wish_to_wait_is_heard(world):
    flood = {"ok": False, "description": "x", "parameters": {"retry_after": 1}}
    world.server.answers = [DONE, Answer(429, flood), batch(text(5)), batch()]
    async with world.polling():
        loop = asyncio.get_running_loop()
        await world.polls(1)
        start = loop.time()
        assert await world.takes(1) == [5]
        assert loop.time() - start > 0.8


async def test_a_store_that_is_down_stops_nobody_from_stopping(world):
    world.server.answers = [DONE, batch()]
    async with world.polling():
        await world.polls(1)
        world.writer.database.write_engine.dispose()
        world.writer.run = _down


async def _down(*_, **__):
    raise StoreUnavailable
