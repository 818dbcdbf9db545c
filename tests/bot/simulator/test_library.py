"""The library that the bot uses finds the simulator to be a Telegram."""

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TimedOut
from telegram.request import HTTPXRequest

from tests.specs.conformance import check_recorded

SARI = 6281234501


@pytest.fixture
async def bot(simulator):
    bot = Bot(
        simulator.settings["telegram_token"],
        base_url=f"{simulator.url}/bot",
        base_file_url=f"{simulator.url}/file/bot",
        request=HTTPXRequest(read_timeout=10),
    )
    async with bot:
        yield bot


async def test_a_conversation_by_the_library(bot, simulator):
    sari = simulator.phone("telegram")
    await sari.attach(("a.jpg", "image/jpeg", b"gambar"), text="bukti")
    (update,) = await bot.get_updates(timeout=1)
    assert isinstance(update, Update)
    assert update.message is not None
    file = await bot.get_file(update.message.photo[-1].file_id)
    assert bytes(await file.download_as_bytearray()) == b"gambar"
    rows = [[InlineKeyboardButton("Ya", callback_data="1.2.3")]]
    sent = await bot.send_message(
        SARI, "Baik?", reply_markup=InlineKeyboardMarkup(rows), protect_content=True
    )
    await sari.press("Ya")
    query = (await bot.get_updates(offset=update.update_id + 1))[0].callback_query
    assert query is not None
    assert query.data == "1.2.3"
    assert await query.answer("Baik")
    await bot.edit_message_reply_markup(SARI, sent.message_id)
    await bot.delete_messages(SARI, [sent.message_id, update.message.message_id])
    await bot.set_my_commands([("lapor", "Buat laporan")], language_code="id")
    await bot.send_document(SARI, b"%PDF", filename="terima.pdf", caption="x")
    await bot.set_webhook(
        "https://127.0.0.1:8443/x", secret_token="abc", allowed_updates=["message"]
    )
    assert (await bot.get_webhook_info()).url == "https://127.0.0.1:8443/x"
    await bot.delete_webhook(drop_pending_updates=True)
    assert check_recorded(await simulator.requests()) == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", RetryAfter),
        ("403", Forbidden),
        ("400", BadRequest),
        ("401", InvalidToken),
        ("timeout", TimedOut),
    ],
)
async def test_faults_are_the_librarys_errors(
    bot, simulator, monkeypatch, fault, error
):
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    await simulator.phone("telegram").say("hai")
    await simulator.fault("telegram", fault, "sendMessage")
    with pytest.raises(error):
        await bot.send_message(
            SARI, "x", read_timeout=0.3 if fault == "timeout" else 10
        )
