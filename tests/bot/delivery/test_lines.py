"""Who goes first, who waits, and what a provider's wish to slow down does."""

import asyncio
import time
from dataclasses import replace

import pytest

from bot.channels import base, limits
from bot.delivery import line as line_of
from bot.delivery import repeats
from bot.telemetry import breaker
from bot.telemetry.breaker import Cause
from bot.telemetry.metrics import Departure
from storage import outbox
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind
from tests.bot.delivery.test_delivery import FAST, SENT, Provider, database, running

__all__ = ["database"]
HASTE = 20
"""The provider's rates, so many times faster: what is measured is divided by it."""
MACHINE = 1.0
"""Seconds that a loaded machine may take for writing and claiming."""


class Clocked(Provider):
    """Notes when each text was sent."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.at = {}

    async def send(self, letter):
        self.at.setdefault(letter.text, time.monotonic())
        return await super().send(letter)


def hasty(stated):
    return replace(
        stated,
        per_second=stated.per_second * HASTE,
        burst=stated.burst,
        per_chat_second=stated.per_chat_second * HASTE,
    )


async def fill(house, kind, count, channel=Channel.TELEGRAM, text="pengumuman"):
    """Post so many letters to so many people in one commit."""

    def put(session):
        for number in range(count):
            letter = Letter(kind, channel, f"9{number:05}", f"{text} {number}")
            outbox.put(session, house.keys, letter, now=house.now)

    await house.writer.run(put)


async def sent(wire, *texts):
    async with asyncio.timeout(30):
        while not all(text in wire.at for text in texts):  # noqa: ASYNC110 - as told
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("stated", "kind", "bound"),
    [
        (limits.TELEGRAM, LetterKind.ALERT, 0.25 + 1 / 27),
        (limits.TELEGRAM, LetterKind.NOTICE, 0.25 + 1 / 27),
        (limits.SMS, LetterKind.NOTICE, 3.0),
    ],
    ids=["digest", "breach", "breach by SMS"],
)
async def test_a_burst_to_everybody_delays_no_receipt(database, stated, kind, bound):
    """A receipt waits at most for a quarter of a second's letters, or for one text.

    Counted in letters that went before it: what a loaded machine does slowly counts not.
    """
    wire = Clocked(limits=hasty(stated))
    async with running(database, wire) as house:
        await fill(house, kind, 1200, text="pelanggaran data " + "x" * 140)
        await wire.begins(3)
        before = []
        for number in range(10):
            name = f"resi {number}"
            gone = len(wire.sent)
            await house.post(name, to=str(number), kind=LetterKind.RECEIPT)
            await sent(wire, name)
            before.append(wire.sent.index(name) - gone)
            await asyncio.sleep(0.02)
        assert len(wire.sent) < 1200, "the burst is not over yet"
    assert max(before) <= (bound + MACHINE * HASTE) * stated.per_second, before


async def test_of_eight_claims_one_takes_the_oldest_so_that_nothing_starves(database):
    wire = Clocked(limits=replace(FAST, per_second=40))
    async with running(database, wire) as house:
        wire.gate.clear()
        await house.post("pemanasan", to="0")
        await wire.begins()
        await house.post("ringkasan", to="1", kind=LetterKind.ALERT)
        for number in range(60):
            await house.post(f"balasan {number}", to=f"2{number}")
        wire.gate.set()
        await sent(wire, "ringkasan")
        assert "balasan 59" not in wire.sent


async def test_a_receipt_pulls_the_older_notice_of_its_person_along(database):
    wire = Clocked(limits=replace(FAST, per_second=20))
    async with running(database, wire) as house:
        await fill(house, LetterKind.NOTICE, 300)
        await house.post("pemberitahuan", to="7", kind=LetterKind.NOTICE)
        await house.post("resi", to="7", kind=LetterKind.RECEIPT)
        await sent(wire, "resi")
        assert wire.sent.index("pemberitahuan") < wire.sent.index("resi")
        assert len(wire.sent) < 60, "neither waited for the other three hundred"


async def waits(database, *, flooded):
    """Return how long ten quiet people waited, while one may have 200 letters."""
    wire = Clocked(limits=replace(limits.TELEGRAM, chat_burst=3))
    async with running(database, wire) as house:
        if flooded:
            await house.post(*(f"banjir {n}" for n in range(200)), to="1")
        found = []
        for number in range(10):
            name = f"tenang {number}"
            posted = time.monotonic()
            await house.post(name, to=f"5{number}")
            await sent(wire, name)
            found.append(wire.at[name] - posted)
    return max(found)


async def test_one_person_with_two_hundred_letters_slows_nobody(database):
    alone = await waits(database, flooded=False)
    beside = await waits(database, flooded=True)
    assert beside <= alone + 3 * MACHINE, "two hundred letters would take seven seconds"


async def test_telegram_tells_one_chat_to_wait_and_the_others_go_on(database):
    wire = Provider()
    wire.answers["1"] = [base.Busy("x.429", 30, wide=False)]
    async with running(database, wire) as house:
        await house.post("satu", "dua", to="1")
        assert await house.hears() == [Departure.BUSY]
        await house.post("tiga", to="2")
        assert await house.hears() == [Departure.SENT]
        (first, second) = house.rows()
        assert (first.due - house.now).total_seconds() == 30
        assert (first.attempts, first.doubtful, second.attempts) == (0, False, 0)
        house.later(seconds=31)
        assert await house.hears(2) == [Departure.SENT] * 2
        assert wire.sent == ["satu", "tiga", "satu", "dua"]


@pytest.mark.parametrize("wide", [True, False])
async def test_a_whole_channel_told_to_wait_stands_still(database, wide):
    """Twilio says it of the sender; Telegram, when a second chat hears it too."""
    wire, well = Provider(), Provider(Channel.SMS)
    for person in "12":
        wire.answers[person] = [base.Busy("x.429", 0.5, wide=wide)]
    async with running(database, wire, well) as house:
        await house.post("satu", to="1")
        await house.hears()
        if not wide:
            await house.post("dua", to="2")
            await house.hears()
        began = time.monotonic()
        await house.post("tiga", to="3")
        await house.post("empat", to="4", channel=Channel.SMS)
        assert await house.hears(2) == [Departure.SENT] * 2
        assert (well.sent, wire.sent[-1]) == (["empat"], "tiga")
        assert time.monotonic() - began > 0.3
        assert [row.attempts for row in house.rows()] == [0] * len(house.rows())


async def test_a_provider_that_is_away_is_not_tried_with_every_letter(
    database, monkeypatch
):
    """Three failures open the breaker; then one letter at a time shows whether it is back."""
    spans = {Cause.AWAY: (0.3, 0.3)}
    monkeypatch.setattr(breaker, "SPANS", breaker.SPANS | spans)
    wire = Provider()
    stood = []
    people = [str(number) for number in range(40)]
    for person in people:
        wire.answers[person] = [base.Away("x.connect")]
    async with running(database, wire) as house:
        tries = house.delivery._departures  # noqa: SLF001 - the house has no counters
        tries._stood_still = lambda *what: stood.append(what)  # noqa: SLF001 - as above
        for person in people:
            await house.post(f"halo {person}", to=person)
        await asyncio.sleep(1.0)
        assert len(wire.sent) < 20, "most were not tried in vain"
        tried = [row for row in house.rows() if row.attempts]
        assert len(tried) <= len(wire.sent)
        wire.answers.clear()
        house.later(minutes=15)
        assert (await house.hears(len(wire.sent)))[0] is Departure.LATER
        async with asyncio.timeout(20):
            while house.rows():
                house.later(seconds=1)
                await asyncio.sleep(0.05)
        assert set(wire.sent) == {f"halo {one}" for one in people}
    assert (Channel.TELEGRAM, Cause.AWAY) in stood


async def test_the_same_words_go_to_one_person_so_often_and_then_no_more(database):
    wire = Provider()
    most = repeats.CAPS[LetterKind.REPLY]
    async with running(database, wire) as house:
        await house.post(*["halo"] * (most.times + 3))
        told = await house.hears(most.times + 3)
        assert told.count(Departure.REPEATED) == 3
        assert len(wire.sent) == most.times
        assert house.rows() == []
        await house.post("lain", to="1")
        await house.post("halo", to="2")
        assert await house.hears(2) == [Departure.SENT] * 2
        house.now += most.span
        await house.post("halo")
        assert await house.hears() == [Departure.SENT], "after a quiet while it works"


async def test_a_receipt_is_never_too_often(database):
    wire = Provider()
    async with running(database, wire) as house:
        await house.post(*["resi"] * 30, kind=LetterKind.RECEIPT)
        assert await house.hears(30) == [Departure.SENT] * 30


async def test_a_letter_that_did_not_go_is_not_counted_as_said(database, monkeypatch):
    monkeypatch.setattr(breaker, "FAILURES", 99)
    wire = Provider()
    wire.answers["1"] = [base.Doubtful("x", 1)] * 12 + [SENT]
    async with running(database, wire) as house:
        await house.post("halo")
        for _ in range(12):
            assert await house.hears() == [Departure.DOUBTFUL]
            house.later(seconds=200)
        assert await house.hears() == [Departure.SENT]


async def test_a_channel_on_which_nothing_may_begin_waits_for_what_happens(database):
    """Its time to look is over, and there is no room: it must not look all the time."""
    wire = Provider()
    wire.gate.clear()
    async with running(database, wire) as house:
        await fill(house, LetterKind.REPLY, line_of.AT_ONCE)
        await wire.begins(line_of.AT_ONCE)
        (line,) = house.delivery.lines
        line.news, line.look_at = False, asyncio.get_running_loop().time() - 1
        assert await house.delivery._step(line) > 1  # noqa: SLF001 - what its loop waits
        wire.gate.set()
        await house.hears(line_of.AT_ONCE)
