"""Polling from a Telegram that behaves as the real one: an offset confirms all below it."""

import asyncio
from datetime import timedelta

import pytest

from bot.intake import poller
from bot.intake.poller import NAME, TRIES, Poller
from bot.writer import StoreUnavailable
from storage.jobs import leases
from tests.support.polled import NOW, SECONDS, WINDOW, shorten_rests, text, world_in


@pytest.fixture(autouse=True)
def short_rests(monkeypatch):
    shorten_rests(monkeypatch)


@pytest.fixture
def patience(monkeypatch):
    """Let nothing be given up."""
    monkeypatch.setattr(poller, "TRIES", 10_000)


@pytest.fixture
async def world(tmp_path):
    async with world_in(tmp_path, queue=True) as made:
        yield made


async def test_lower_numbers_after_a_quiet_week_and_a_restart_are_taken(world):
    world.queue.updates = [text(900_000)]
    async with world.polling():
        await world.until(lambda: world.taken == [900_000])
        await world.empty()
    assert await world.cursor() == 0, "an old offset would confirm what nobody has seen"
    world.queue.updates = [text(501)]
    async with world.polling("two"):
        await world.until(lambda: world.taken == [900_000, 501])


async def test_a_cursor_may_go_backwards(world):
    await world.writer.run(leases.hold, NAME, "one", seconds=60, now=NOW)
    assert await world.writer.run(leases.move_cursor, NAME, "one", 900_001)
    assert await world.writer.run(leases.move_cursor, NAME, "one", 502)
    assert await world.cursor() == 502


@pytest.mark.parametrize(("hours", "kept"), [(23, 900_001), (25, 0)])
async def test_a_process_that_was_away_for_a_day_begins_anew(world, hours, kept):
    """It ended with an offset; meanwhile Telegram may have numbered anew."""
    await world.writer.run(leases.hold, NAME, "old", seconds=0, now=NOW)
    await world.writer.run(leases.move_cursor, NAME, "old", 900_001)
    later = NOW + timedelta(hours=hours)
    await world.writer.run(leases.hold, NAME, "new", seconds=60, now=later)
    assert await world.cursor() == kept


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("error", [StoreUnavailable(), RuntimeError("a bug")])
async def test_a_poison_message_holds_up_its_own_chat_alone(world, error, caplog):
    world.poison = {5: error}
    world.queue.updates = [text(4, chat=2), text(5), text(6), text(7, chat=2)]
    async with world.polling() as task:
        await world.until(lambda: world.taken == [4, 7])
        await world.until(lambda: world.tries.count(5) > 2)
        world.queue.updates.append(text(8, chat=3))
        await world.until(lambda: world.taken == [4, 7, 8])
        assert not task.done()
        waiting = [one["update_id"] for one in world.queue.updates]
        assert waiting == [5, 6, 7, 8], "nothing from the poison on is confirmed"
        assert await world.cursor() == 5
        held = [one for one in caplog.records if "poller.held" in one.getMessage()]
        assert held
        world.poison = {}
        await world.until(lambda: len(world.taken) == 5)
        await world.empty()
    assert world.taken == [4, 7, 8, 5, 6], "each once, each chat in its order"
    assert await world.cursor() == 0


@pytest.mark.usefixtures("patience")
async def test_a_restart_while_one_is_held_loses_nothing(world):
    world.poison = {5: StoreUnavailable()}
    world.queue.updates = [text(5), text(6), text(7, chat=2)]
    async with world.polling():
        await world.until(lambda: 7 in world.taken)
    world.poison = {}
    async with world.polling("two"):
        await world.until(lambda: {5, 6, 7} <= {*world.taken})
        await world.empty()
    order = [number for number in world.taken if number != 7]
    assert order == [5, 6]


@pytest.mark.usefixtures("patience")
async def test_what_telegram_dropped_holds_nobody_up(world):
    """After a day Telegram forgets an update: it is still tried, the offset moves."""
    world.poison = {5: StoreUnavailable()}
    world.queue.updates = [text(5), text(7, chat=2)]
    async with world.polling():
        await world.until(lambda: 7 in world.taken)
        del world.queue.updates[0]
        await world.empty()
        world.queue.updates = [text(8, chat=2)]
        await world.until(lambda: 8 in world.taken)
        world.poison = {}
        await world.until(lambda: 5 in world.taken)
        await world.empty()
    assert world.taken == [7, 8, 5]


@pytest.mark.usefixtures("patience")
async def test_a_poison_message_is_tried_less_and_less_often(world, monkeypatch):
    monkeypatch.setattr(poller, "LONGEST_HOLD", 60.0)
    world.poison = {5: StoreUnavailable()}
    world.queue.updates = [text(5)]
    async with world.polling():
        await world.until(lambda: world.tries.count(5) == 4)
        first = asyncio.get_running_loop().time()
        await world.until(lambda: world.tries.count(5) == 5)
        assert asyncio.get_running_loop().time() - first >= 0.07


async def test_a_fault_of_our_own_never_brings_the_batch_back_at_once(
    world, caplog, monkeypatch
):
    """Not even when the poller's own steps fail: it rests, longer each time."""
    monkeypatch.setattr(poller, "LONGEST_REST", 0.02)
    slept = asyncio.Queue()
    real = asyncio.sleep

    async def sleep(span):
        slept.put_nowait(span)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(Poller, "_fetch", None)
    async with world.polling() as task, asyncio.timeout(SECONDS):
        assert [await slept.get() for _ in range(3)] == [0.01, 0.02, 0.02]
        assert not task.done()
    assert "poller.failed" in caplog.text


@pytest.mark.parametrize("error", [StoreUnavailable(), RuntimeError("a bug")])
async def test_a_poison_message_is_given_up_before_the_window_is_full(
    world, error, caplog
):
    """Telegram hands over 100 from the offset on: behind it 150 others wait."""
    later = [text(number, chat=number) for number in range(7, 7 + WINDOW + 50)]
    world.poison = {5: error}
    world.queue.updates = [text(5), text(6), *later]
    async with world.polling():
        await world.until(lambda: len(world.taken) == len(later) + 1)
        await world.empty()
    assert world.given_up == [5]
    assert world.tries.count(5) == TRIES
    assert world.taken.count(6) == 1, "the rest of its chat goes on"
    assert sorted(world.taken) == [6, *range(7, 7 + WINDOW + 50)]
    assert await world.cursor() == 0
    assert "poller.given_up" in caplog.text


async def test_nothing_is_given_up_while_the_store_is_away_for_all(world):
    world.poison = {5: StoreUnavailable()}
    world.queue.updates = [text(5), text(6, chat=2)]
    async with world.polling():
        await world.until(lambda: world.taken == [6])
        real, before = world.writer.run, world.tries.count(5)
        # Only the poller's own round goes on: it tries again, and again in vain.
        world.writer.run = only(real, "hold", every=2)
        await world.until(lambda: world.tries.count(5) > before + 2)
        world.writer.run = real
        world.poison = {}
        await world.until(lambda: 5 in world.taken)
    assert world.given_up == []


async def test_what_cannot_even_be_kept_in_quarantine_waits(world):
    world.poison, world.keeps = {5: RuntimeError("a bug")}, False
    world.queue.updates = [text(5), text(6)]
    async with world.polling():
        await world.until(lambda: world.tries.count(5) > TRIES + 1)
        assert await world.cursor() in {0, 5}
        world.keeps = True
        await world.until(lambda: 6 in world.taken)
    assert world.given_up == [5]


def only(real, name, *, every):
    """Let the store be away but for each second lease: the one of the poller's round."""
    calls = []

    async def run(verb, *args, **more):
        if verb.__name__ == name:
            calls.append(verb)
            if len(calls) % every:
                return await real(verb, *args, **more)
        raise StoreUnavailable

    return run
