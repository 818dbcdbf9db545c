"""From parse to commit: counted, kept in quarantine, or refused because the store is away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from bot.channels.telegram import Telegram
from bot.writer import StoreUnavailable
from handlers import inbox
from handlers.conversation import receipt_lookup
from handlers.rules import numbering
from storage.words import Channel, LetterKind
from tests.support.doors import OURS, Doors, doors
from tests.support.street import Street

STORY = "LAPOR bendahara memotong uang bantuan"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(f"sqlite:///{tmp_path / 'k.db'}", tmp_path) as opened:
        yield opened


async def test_a_message_is_taken_and_counted(door: Doors) -> None:
    update = door.update(STORY)
    telegram = door.app.channels[Channel.TELEGRAM]
    assert isinstance(telegram, Telegram)
    for _ in range(2):
        await door.app.intake.take(telegram, update, b"raw")
    assert door.counted("telegram", "taken") == 1
    assert door.counted("telegram", "repeat") == 1


async def test_one_that_makes_us_stumble_holds_up_nobody(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = inbox.receive

    def stumbling(work, incoming, opening):
        if "batu" in incoming.text:
            raise ZeroDivisionError
        return real(work, incoming, opening)

    monkeypatch.setattr(inbox, "receive", stumbling)
    assert (await door.telegram(door.update("batu"))).status_code == 200
    assert (await door.telegram(door.update(STORY))).status_code == 200
    assert door.counted("telegram", "quarantined") == 1
    assert len(door.cases()) == 1
    assert "belum tersimpan" in door.letters()[0].text


async def test_a_receipt_is_tried_once_for_each_message(door: Doors) -> None:
    await door.telegram(door.update(STORY))
    (case,) = door.cases()
    door.letters()
    code = numbering.new_code(lambda below: below - 1)
    await door.telegram(door.update(f"STATUS {case.number} {code}"))
    (letter,) = door.letters()
    assert "belum cocok" in letter.text


@pytest.mark.parametrize(
    ("error", "status"),
    [(OperationalError("", None, Exception("disk I/O error")), 503), (KeyError(), 200)],
    ids=["the store is away", "a fault of ours"],
)
async def test_what_goes_wrong_while_a_receipt_is_looked_for(
    door: Doors, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(receipt_lookup, "look", broken)
    answer = await door.telegram(door.update("STATUS 7K3M-9QXB"))
    assert answer.status_code == status
    assert door.rows()["quarantine"] == (status == 200)


async def test_the_store_that_is_away_is_told_to_whoever_asks(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_args: object, **_more: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(door.app.writer, "run_message", away)
    monkeypatch.setattr(door.app.writer, "run", away)
    monkeypatch.setattr("bot.webhooks.PATIENCE", 0.0)
    assert (await door.telegram(door.update("halo"))).status_code == 503
    assert (await door.telegram(b"no JSON")).status_code == 503
    assert (await door.twilio("sms", door.sms("halo"))).status_code == 503
    status = {"MessageSid": "SM1", "MessageStatus": "sent", **OURS}
    assert (await door.twilio("status", status)).status_code == 503


async def test_twilio_is_kept_waiting_while_the_store_comes_back(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = door.app.writer.run_message, []

    async def late(*args, **more):
        tries.append(1)
        if len(tries) < 3:
            raise StoreUnavailable
        return await real(*args, **more)

    monkeypatch.setattr(door.app.writer, "run_message", late)
    monkeypatch.setattr("bot.webhooks._WAIT", 0.01)
    assert (await door.twilio("sms", door.sms(STORY))).status_code == 204
    assert len(door.cases()) == 1


async def test_a_tap_on_a_button_comes_to_rest_though_its_answer_failed(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbling(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(inbox, "receive", stumbling)
    street = Street(door, Channel.TELEGRAM)
    await street.press("-.Q01.REPORT", listen=False)
    assert door.counted("telegram", "quarantined") == 1
    assert [one.kind for one in door.letters()] == [LetterKind.ACK, LetterKind.REPLY]
