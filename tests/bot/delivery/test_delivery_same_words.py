"""The same words twice to one person are two letters, also where the first's end is known."""

import asyncio
import errno
from typing import Any

import pytest

from bot.channels import base
from bot.delivery import ledger
from bot.delivery.ledger import Ledger
from bot.telemetry.metrics import Departure
from bot.writer import Writer
from storage.letters import sent
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind
from tests.bot.delivery import test_delivery
from tests.bot.delivery.test_delivery import FAST, Provider, running

database = test_delivery.database
WORDS = "There is news."


class Asked(Provider):
    """A provider that can be asked what it took, and has every text as an id."""

    def __init__(self):
        super().__init__(Channel.SMS, FAST)
        self.held: list[str] = []

    async def send(self, letter):
        answer = await super().send(letter)
        self.held.append(f"SM{len(self.held) + 1}")
        return base.Sent(self.held[-1], final=answer.final)

    async def find(self, letter, _since, others=()):
        self.asked.append(letter.text)
        found = [one for one in self.held if one not in others]
        return base.Sent(found[0], final=False) if found else None


@pytest.mark.parametrize("final", [True, False])
async def test_an_earlier_letter_with_the_same_words_is_not_taken_for_this_one(
    database, final
):
    wire = Asked()
    taken = base.Sent("", final=final)
    wire.answers["1"] = [taken, base.Doubtful("sms.lost", after=0), taken]
    async with running(database, wire) as house:
        await house.post(WORDS, WORDS, channel=Channel.SMS)
        said = await house.hears(3)
    assert said == [Departure.SENT, Departure.DOUBTFUL, Departure.SENT]
    assert wire.sent == [WORDS] * 3
    assert wire.held == ["SM1", "SM2"]


async def test_another_process_knows_it_by_the_store(database):
    wire: Any = Asked()
    wire.answers["1"] = [base.Sent("", final=False)]
    async with running(database, wire) as house:
        await house.post(WORDS, channel=Channel.SMS)
        await house.hears()
        keys, now = house.keys, house.now
    letter = Letter(LetterKind.REPLY, Channel.SMS, "1", WORDS)
    fresh = Ledger(Writer(database), keys, lambda: None)
    wire.asked.clear()
    assert await fresh.find(wire, letter, now) is None
    assert len(wire.asked) == 2
    assert await fresh.find(wire, letter, now) is None
    assert len(wire.asked) == 3, "what is another's is looked up once"
    wire.held.append("SM9")
    found = await asyncio.wait_for(fresh.find(wire, letter, now), 5)
    assert found is not None
    assert found.provider_id == "SM9"


async def test_a_letter_whose_end_could_not_be_written_is_known_for_its_own(
    database, monkeypatch
):
    monkeypatch.setattr(ledger, "STORE_SECONDS", 0.01)
    wire = Asked()
    async with running(database, wire) as house:
        written = house.sent
        house.sent = store_is_away
        await house.post(WORDS, channel=Channel.SMS)
        assert await house.hears() == [Departure.SENT]
        assert len(house.rows()) == 1
        house.sent = written
        house.later(seconds=61)  # its lease is over
        assert await house.hears() == [Departure.SENT]
        assert house.rows() == []
    assert wire.asked == [WORDS]
    assert wire.sent == [WORDS]


def store_is_away(*_, **__):
    raise OSError(errno.ENOSPC, "no room")


async def test_a_letter_is_asked_for_again_where_the_store_cannot_tell_whose_it_is(
    database, monkeypatch
):
    knows, wire = sent.knows, Asked()
    monkeypatch.setattr(sent, "knows", store_is_away)
    wire.answers["1"] = [base.Doubtful("sms.lost", after=0)]
    wire.held.append("SM7")
    async with running(database, wire) as house:
        await house.post(WORDS, channel=Channel.SMS)
        assert await house.hears(2) == [Departure.DOUBTFUL, Departure.LATER]
        monkeypatch.setattr(sent, "knows", knows)
        house.later(seconds=1)
        assert await house.hears() == [Departure.SENT]
        assert house.rows() == []
    assert wire.sent == [WORDS]
