"""The adapters against the simulator's own HTTP, which behaves as the providers do."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels import base
from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from handlers.messages import Kind
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind


def clock():
    return datetime.fromtimestamp(time.time(), UTC)


@pytest.fixture
async def telegram(simulator):
    adapter = Telegram(
        simulator.settings["telegram_token"], api_base_url=f"{simulator.url}/bot"
    )
    await adapter.start()
    yield adapter
    await adapter.stop()


def account(simulator):
    return {
        "account_sid": simulator.settings["account_sid"],
        "auth_token": simulator.settings["auth_token"],
        "api_base_url": simulator.url,
    }


@pytest.fixture
async def sms(simulator):
    number = simulator.settings["sms_number"]
    adapter = Sms(sender=number, **account(simulator))
    yield adapter
    await adapter.stop()


async def updates(telegram, offset=0):
    """Return what the phone did, parsed."""
    found = await telegram.bot.get_updates(offset=offset, timeout=5)
    return [update.to_dict() for update in found]


async def test_a_telegram_phone_is_heard_and_answered(simulator, telegram):
    phone = simulator.phone("telegram")
    await phone.start()
    await phone.attach(("bukti.jpg", "image/jpeg", b"\xff\xd8" * 200), text="Bukti")
    now = clock()
    started, picture = [
        incoming
        for update in await updates(telegram)
        for incoming in telegram.parse(update, now=now)
    ]
    assert (started.kind, started.text) == (Kind.TEXT, "/start")
    assert (picture.kind, picture.text) == (Kind.MEDIA, "Bukti")
    async with telegram.fetch(picture.media[0].reference) as (_, chunks):
        content = b"".join([chunk async for chunk in chunks])
    assert content == b"\xff\xd8" * 200
    buttons = (("Ya, lanjut", "ab12.1.1"),)
    letter = Letter(LetterKind.REPLY, Channel.TELEGRAM, started.handle, "Halo", buttons)
    sent = await telegram.send(letter)
    assert await phone.hears("Halo")
    pressing = asyncio.create_task(phone.press("Ya, lanjut"))
    (update,) = await updates(telegram, offset=picture.order + 1)
    (press,) = telegram.parse(update, now=now)
    assert (press.kind, press.press) == (Kind.PRESS, "ab12.1.1")
    await telegram.send(
        Letter(LetterKind.ACK, Channel.TELEGRAM, press.handle, press_id=press.press_id)
    )
    await pressing
    ids = (int(sent.provider_id), started.message_id)
    await telegram.send(
        Letter(LetterKind.DELETE, Channel.TELEGRAM, press.handle, message_ids=ids)
    )
    assert "Halo" not in await phone.heard()
    await phone.block()
    with pytest.raises(base.Unreachable):
        await telegram.send(letter)


@pytest.mark.parametrize(
    ("fault", "policy"),
    [("429", base.Busy), ("500", base.Away), ("lost_answer", base.Doubtful)],
)
async def test_telegrams_faults(simulator, telegram, fault, policy):
    phone = simulator.phone("telegram")
    await phone.start()
    handle = (await phone.look())["address"]
    letter = Letter(LetterKind.REPLY, Channel.TELEGRAM, handle, "Halo")
    await simulator.fault("telegram", fault, "sendMessage")
    with pytest.raises(base.Later) as caught:
        await telegram.send(letter)
    assert type(caught.value) is policy
    await telegram.send(letter)
    assert await phone.hears("Halo")


async def test_an_sms_of_doubtful_end_is_found_and_then_erased(simulator, sms):
    phone = simulator.phone("sms")
    handle = (await phone.look())["address"]
    letter = Letter(LetterKind.REPLY, Channel.SMS, handle, "Halo “Wayan”")
    since = clock() - timedelta(minutes=15)
    assert await sms.find(letter, since) is None
    await simulator.fault("twilio", "lost_answer", "create")
    with pytest.raises(base.Doubtful):
        await sms.send(letter)
    found = await sms.find(letter, since)
    assert found is not None
    assert await phone.hears('Halo "Wayan"')
    await sms.erase(found.provider_id)
    await sms.erase(found.provider_id)
    assert await sms.find(letter, since) is None


@pytest.mark.parametrize(
    ("fault", "policy"),
    [("429", base.Busy), ("500", base.Doubtful), ("401", base.Misconfigured)],
)
async def test_twilios_faults(simulator, sms, fault, policy):
    letter = Letter(LetterKind.REPLY, Channel.SMS, "+6285712345678", "Halo")
    await simulator.fault("twilio", fault, "create")
    with pytest.raises(base.SendError) as caught:
        await sms.send(letter)
    assert type(caught.value) is policy
    assert (await sms.send(letter)).provider_id


async def test_a_stopped_phone_cannot_be_reached(simulator, sms):
    await simulator.phone("sms").say("STOP")
    letter = Letter(LetterKind.REPLY, Channel.SMS, "+6285712345678", "Halo")
    with pytest.raises(base.Unreachable, match=r"\[twilio.21610\]"):
        await sms.send(letter)


async def test_a_closed_whatsapp_window_and_a_template(simulator):
    number = simulator.settings["whatsapp_number"]
    adapter = WhatsApp(sender=number, clock=clock, **account(simulator))
    handle = "whatsapp:" + (await simulator.phone("whatsapp").look())["address"]
    open_ = int(clock().timestamp())
    letter = Letter(
        LetterKind.REPLY, Channel.WHATSAPP, handle, "Halo", last_inbound=open_
    )
    with pytest.raises(base.WindowClosed, match=r"\[twilio.63016\]"):
        await adapter.send(letter)
    await adapter.stop()
