"""What Telegram is sent, and what its errors mean for a letter."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import TypeAlias

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from bot.channels import base
from bot.channels.limits import DELETE_AT_ONCE
from storage.letters.letter import Letter
from storage.words import LetterKind

BUTTONS = 100
_LONGEST = 3600.0
#: What PTB raises for an answer that is no answer of Telegram's.
STRANGE = (
    *(AttributeError, LookupError, OverflowError),
    *(RecursionError, TypeError, ValueError),
)
PROTECTED = frozenset({LetterKind.RECEIPT, LetterKind.ALERT})


async def send(bot: Bot, letter: Letter) -> base.Sent:
    """Send one letter, following a chat that has moved; raise a ``SendError``."""
    try:
        chat = int(letter.to or 0)
    except ValueError:
        raise base.Never("telegram.handle") from None
    try:
        try:
            return await _send(bot, letter, chat)
        except ChatMigrated as moved:
            return await _send(bot, letter, moved.new_chat_id)
    except TelegramError as error:
        raise policy(error) from None
    except STRANGE:
        # A 2xx whose body PTB cannot read: most probably sent.
        raise base.Doubtful("telegram.answer") from None


async def _send(bot: Bot, letter: Letter, chat: int) -> base.Sent:
    if letter.kind is LetterKind.ACK:
        await bot.answer_callback_query(letter.press_id)
        return base.Sent("", final=True)
    if letter.kind is LetterKind.DELETE:
        for start in range(0, len(letter.message_ids), DELETE_AT_ONCE):
            some = letter.message_ids[start : start + DELETE_AT_ONCE]
            await bot.delete_messages(chat, some)
        return base.Sent("", final=True)
    message = await bot.send_message(
        chat,
        base.clean(letter.text),
        reply_markup=_keyboard(letter),
        protect_content=letter.kind in PROTECTED,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
    )
    return base.Sent(str(message.message_id), final=True)


def _keyboard(letter: Letter) -> InlineKeyboardMarkup | None:
    """Return one button a row; data that is an address makes a button that opens it."""
    rows = [
        [
            InlineKeyboardButton(base.clean(label), url=data)
            if data.startswith("https://")
            else InlineKeyboardButton(base.clean(label), callback_data=data)
        ]
        for label, data in letter.buttons[:BUTTONS]
    ]
    return InlineKeyboardMarkup(rows) if rows else None


Opener: TypeAlias = Callable[[str], AbstractAsyncContextManager[base.Download]]
"""Opens what ``getFile`` told."""


@asynccontextmanager
async def open_file(
    bot: Bot, opened: Opener, reference: str
) -> AsyncIterator[base.Download]:
    """Open the file with this file id; its address, which holds the token, stays here."""
    try:
        file = await bot.get_file(reference)
    except BadRequest as error:
        said = error.message.lower()
        if "temporarily" in said:  # the same words are said of an id that is none
            raise base.Later("file.400") from None
        raise base.Never("file.size" if "too big" in said else "file.400") from None
    except TelegramError as error:
        raise policy(error) from None
    except STRANGE:
        raise base.Later("telegram.answer") from None
    async with opened(file.file_path or "") as download:
        yield download


def policy(error: TelegramError) -> base.SendError:
    """Return what an error of PTB means; ``BadRequest`` is a ``NetworkError`` there."""
    result: base.SendError = base.Away("telegram.5xx")
    match error:
        case RetryAfter():
            result = base.Busy("telegram.429", seconds(error), wide=False)
        case Forbidden():
            result = base.Unreachable("telegram.403")
        case InvalidToken():
            result = base.Misconfigured("telegram.401")
        case BadRequest() if "chat not found" in error.message.lower():
            result = base.Unreachable("telegram.chat")
        case BadRequest() | ChatMigrated():
            result = base.Never("telegram.400")
        case _ if isinstance(error.__cause__, base.UNSENT):
            result = base.Away("telegram.connect")
        case _ if isinstance(error.__cause__, httpx.HTTPError):
            result = base.Doubtful("telegram.lost")
        case _ if error.message.startswith("Invalid server response"):
            result = base.Doubtful("telegram.answer")
        case _:
            pass
    return result


def seconds(error: RetryAfter) -> float:
    """Return how long Telegram wants us to wait, an hour at most; 0 where it says nonsense."""
    after: object = error.retry_after
    told = after.total_seconds() if isinstance(after, timedelta) else after
    return min(max(float(told), 0.0), _LONGEST) if isinstance(told, int | float) else 0
