"""Telegram's objects: User, Chat, Message and the kinds of files."""

import re
from typing import Any

from bot.simulator.phones import Phone
from bot.simulator.world import Settings, StoredFile


def bot(settings: Settings) -> dict[str, Any]:
    """Give the bot as a User."""
    return {
        "id": int(settings.telegram_token.partition(":")[0]),
        "is_bot": True,
        "first_name": settings.bot_name,
        "username": settings.bot_username,
    }


def unique_id(file_id: str) -> str:
    """Give the stable id of a file, which cannot be used to fetch it."""
    return f"U{file_id[-15:]}"


def user(phone: Phone) -> dict[str, Any]:
    """Give the person as a User."""
    return {
        "id": phone.chat_id,
        "is_bot": False,
        "first_name": phone.title,
        "username": f"{phone.name}_{phone.address[-4:]}",
        "language_code": phone.language,
    }


def chat(phone: Phone) -> dict[str, Any]:
    """Give the chat as a Chat."""
    if phone.group:
        return {"id": phone.chat_id, "type": "supergroup", "title": phone.title}
    person = user(phone)
    return {
        "id": person["id"],
        "type": "private",
        "first_name": person["first_name"],
        "username": person["username"],
    }


def message(
    where: Phone,
    sender: Phone,
    message_id: int,
    now: float,
    content: dict[str, Any],
) -> dict[str, Any]:
    """Give a Message of a person with this content."""
    return {
        "message_id": message_id,
        "from": user(sender),
        "chat": chat(where),
        "date": int(now),
        **content,
    }


def text(words: str) -> dict[str, Any]:
    """Give a text with the entity that marks a command."""
    command = re.match(r"/[A-Za-z0-9_]+", words)
    if command is None:
        return {"text": words}
    entity = {"type": "bot_command", "offset": 0, "length": len(command.group())}
    return {"text": words, "entities": [entity]}


def content(file_id: str, stored: StoredFile, kind: str = "") -> dict[str, Any]:
    """Give the content of a message with a file; ``kind`` as in Message, or a guess."""
    kind = kind or _kind(stored.content_type)
    found: dict[str, Any] = {
        "file_id": file_id,
        "file_unique_id": unique_id(file_id),
        "file_size": len(stored.content),
    }
    typed = found | {"mime_type": stored.content_type}
    named = typed | {"file_name": stored.name}
    shapes: dict[str, Any] = {
        "photo": [
            found | {"width": 90, "height": 67, "file_size": 1},
            found | {"width": 1280, "height": 960},
        ],
        "voice": typed | {"duration": 3},
        "audio": named | {"duration": 3},
        "video": named | {"duration": 3, "width": 640, "height": 360},
        "animation": named | {"duration": 3, "width": 640, "height": 360},
        "video_note": found | {"duration": 3, "length": 240},
        "sticker": found
        | {"width": 512, "height": 512, "type": "regular"}
        | {"is_animated": False, "is_video": False},
        "document": named,
    }
    return {kind: shapes[kind]}


def _kind(content_type: str) -> str:
    """Give the kind that Telegram's app makes of a file picked by a person."""
    major = content_type.partition("/")[0]
    if content_type == "audio/ogg":
        return "voice"
    if content_type == "image/gif":
        return "animation"
    return {"image": "photo", "video": "video", "audio": "audio"}.get(major, "document")
