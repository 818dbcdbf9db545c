"""Telegram's chats: what the bot sends to a phone, and what a person does on it."""

import re
from typing import Any

from bot.simulator import keyboards
from bot.simulator.phones import Line, NoSuchLine, Phone
from bot.simulator.updates import MESSAGE_LIFE, PRESS_LIFE, ApiError, Updates
from bot.simulator.world import StoredFile, World

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
TOAST_LIMIT = 200
DELETE_LIMIT = 100
DELETABLE = 48 * 3600.0
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup "
    "are exactly the same as a current content and reply markup of the message"
)
TOO_OLD = (
    "Bad Request: query is too old and response timeout expired or query ID is invalid"
)


class Chats:
    """Chats between the bot and every Telegram phone."""

    def __init__(self, world: World, updates: Updates) -> None:
        self.world = world
        self.updates = updates
        self.queries: dict[str, tuple[Phone, Line, float]] = {}
        self.messages: dict[tuple[str, int], dict[str, Any]] = {}

    def forget(self) -> None:
        """Empty every chat."""
        self.queries.clear()
        self.messages.clear()

    # What the bot asks for

    def bot(self) -> dict[str, Any]:
        """The bot as a User."""
        settings = self.world.settings
        return {
            "id": int(settings.telegram_token.partition(":")[0]),
            "is_bot": True,
            "first_name": settings.bot_name,
            "username": settings.bot_username,
        }

    def unique_id(self, file_id: str) -> str:
        """The stable id of a file, which cannot be used to fetch it."""
        return f"U{file_id[-15:]}"

    def reach(self, params: dict[str, Any]) -> Phone:
        """The phone of ``chat_id`` if the bot may write there."""
        chat_id = str(params.get("chat_id") or "")
        if not chat_id:
            raise ApiError(400, "Bad Request: chat_id is empty")
        phone = self.world.phones.of_chat(chat_id)
        if phone is None or not phone.started:
            raise ApiError(400, "Bad Request: chat not found")
        if phone.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return phone

    def send_message(self, params: dict[str, Any]) -> dict[str, Any]:
        """``sendMessage``."""
        text = self._text(params)
        phone = self.reach(params)
        markup = keyboards.parse(params.get("reply_markup"))
        return self._deliver(phone, {"text": text}, markup, params, text)

    def send_file(
        self, kind: str, params: dict[str, Any], files: dict[str, StoredFile]
    ) -> dict[str, Any]:
        """``sendDocument`` and ``sendPhoto`` with an uploaded file."""
        phone = self.reach(params)
        stored = files.get(kind)
        if stored is None:
            raise ApiError(400, f"Bad Request: there is no {kind} in the request")
        caption = str(params.get("caption") or "")
        if len(caption) > CAPTION_LIMIT:
            raise ApiError(400, "Bad Request: message caption is too long")
        content = self._file(kind, stored) | ({"caption": caption} if caption else {})
        markup = keyboards.parse(params.get("reply_markup"))
        media = [
            {
                "name": stored.name,
                "type": stored.content_type,
                "size": len(stored.content),
            }
        ]
        return self._deliver(phone, content, markup, params, caption, media=media)

    def _text(self, params: dict[str, Any]) -> str:
        text = params.get("text")
        if text is None or text == "":
            raise ApiError(400, "Bad Request: message text is empty")
        if not isinstance(text, str):
            raise ApiError(400, "Bad Request: message text must be a string")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ApiError(
                400, "Bad Request: strings must be encoded in UTF-8"
            ) from None
        if not text.strip():
            raise ApiError(400, "Bad Request: text must be non-empty")
        if len(text) > TEXT_LIMIT:
            raise ApiError(400, "Bad Request: message is too long")
        if params.get("parse_mode"):
            raise ApiError(400, "Bad Request: unsupported parse_mode")
        return text

    def _deliver(
        self,
        phone: Phone,
        content: dict[str, Any],
        markup: dict[str, Any],
        params: dict[str, Any],
        text: str,
        **rest: Any,  # noqa: ANN401 - the fields of Line
    ) -> dict[str, Any]:
        now = self.world.clock.now()
        message = {
            "message_id": self._next_id(phone),
            "from": self.bot(),
            "chat": self.chat(phone),
            "date": int(now),
            **content,
        }
        if "inline_keyboard" in markup:
            message["reply_markup"] = markup
        if params.get("protect_content"):
            message["has_protected_content"] = True
        self._keep(phone, message)
        phone.add(
            "bot",
            text,
            now,
            message_id=message["message_id"],
            buttons=keyboards.shown(markup),
            protected=bool(params.get("protect_content")),
            status="read",
            **rest,
        )
        self.world.ring(phone)
        return message

    def edit_text(self, params: dict[str, Any]) -> dict[str, Any]:
        """``editMessageText``: new text, and new buttons or none."""
        text = self._text(params)
        phone, line, message = self._editable(params)
        markup = keyboards.parse(params.get("reply_markup"))
        if text == message.get("text") and markup == message.get("reply_markup", {}):
            raise ApiError(400, NOT_MODIFIED)
        message["text"] = line.text = text
        return self._edited(phone, line, message, markup)

    def edit_markup(self, params: dict[str, Any]) -> dict[str, Any]:
        """``editMessageReplyMarkup``: new buttons or none."""
        phone, line, message = self._editable(params)
        markup = keyboards.parse(params.get("reply_markup"))
        if markup == message.get("reply_markup", {}):
            raise ApiError(400, NOT_MODIFIED)
        return self._edited(phone, line, message, markup)

    def _edited(
        self, phone: Phone, line: Line, message: dict[str, Any], markup: dict[str, Any]
    ) -> dict[str, Any]:
        message.pop("reply_markup", None)
        if markup.get("inline_keyboard"):
            message["reply_markup"] = markup
        message["edit_date"] = int(self.world.clock.now())
        line.buttons = keyboards.shown(markup)
        line.edited = True
        self.world.ring(phone)
        return message

    def _editable(self, params: dict[str, Any]) -> tuple[Phone, Line, dict[str, Any]]:
        phone = self.reach(params)
        try:
            line = phone.find(int(params.get("message_id") or 0))
        except NoSuchLine:
            raise ApiError(400, "Bad Request: message to edit not found") from None
        if line.deleted:
            raise ApiError(400, "Bad Request: message to edit not found")
        if line.sender != "bot":
            raise ApiError(400, "Bad Request: message can't be edited")
        return phone, line, self.messages[phone.address, int(line.message_id)]

    def delete(self, params: dict[str, Any]) -> bool:
        """``deleteMessage``: the bot's or the person's, if younger than 48 hours."""
        phone = self.reach(params)
        message_id = int(params.get("message_id") or 0)
        try:
            line = phone.find(message_id)
        except NoSuchLine:
            raise ApiError(400, "Bad Request: message to delete not found") from None
        if line.deleted:
            raise ApiError(400, "Bad Request: message to delete not found")
        if self.world.clock.now() - line.at >= DELETABLE:
            raise ApiError(400, "Bad Request: message can't be deleted for everyone")
        self._delete(phone, line)
        return True

    def delete_many(self, params: dict[str, Any]) -> bool:
        """``deleteMessages``: what is missing is skipped."""
        phone = self.reach(params)
        ids = params.get("message_ids")
        if not isinstance(ids, list) or not ids:
            raise ApiError(400, "Bad Request: message identifiers are not specified")
        if len(ids) > DELETE_LIMIT:
            raise ApiError(400, "Bad Request: too many messages to delete")
        wanted = {str(message_id) for message_id in ids}
        for line in phone.lines:
            young = self.world.clock.now() - line.at < DELETABLE
            if str(line.message_id) in wanted and young:
                self._delete(phone, line)
        return True

    def _delete(self, phone: Phone, line: Line) -> None:
        line.deleted = True
        self.messages.pop((phone.address, int(line.message_id)), None)
        self.world.ring(phone)

    def acknowledge(self, params: dict[str, Any]) -> bool:
        """``answerCallbackQuery``: the button stops spinning, perhaps with a toast."""
        known = self.queries.get(str(params.get("callback_query_id") or ""))
        if known is None or self.world.clock.now() - known[2] > PRESS_LIFE:
            raise ApiError(400, TOO_OLD)
        text = str(params.get("text") or "")
        if len(text) > TOAST_LIMIT:
            raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
        phone, line, _ = known
        line.toast = text
        line.status = "acknowledged"
        self.world.ring(phone)
        return True

    # What the person does

    def user(self, phone: Phone) -> dict[str, Any]:
        """The person as a User."""
        return {
            "id": phone.chat_id,
            "is_bot": False,
            "first_name": phone.title,
            "username": f"{phone.name}_{phone.address[-4:]}",
            "language_code": phone.language,
        }

    def chat(self, phone: Phone) -> dict[str, Any]:
        """The chat as a Chat."""
        if phone.group:
            return {"id": phone.chat_id, "type": "supergroup", "title": phone.title}
        user = self.user(phone)
        return {
            "id": user["id"],
            "type": "private",
            "first_name": user["first_name"],
            "username": user["username"],
        }

    def say(self, phone: Phone, content: dict[str, Any], **line: Any) -> Line:  # noqa: ANN401 - the fields of Line
        """A new message of the person, as an update."""
        now = self.world.clock.now()
        phone.started = True
        phone.last_out = now
        message_id = self._next_id(phone)
        message = self._message(phone, phone, message_id, now, content)
        self._keep(phone, message)
        text = content.get("text") or content.get("caption") or ""
        added = phone.add("person", text, now, message_id=message_id, **line)
        self.updates.add(phone.address, {"message": message}, MESSAGE_LIFE)
        self.world.ring(phone)
        return added

    def say_in_group(self, phone: Phone, group: Phone, text: str) -> Line:
        """A message of the person in a group that the bot is in."""
        now = self.world.clock.now()
        message_id = self._next_id(group)
        message = self._message(group, phone, message_id, now, self.text(text))
        self._keep(group, message)
        added = group.add("person", text, now, message_id=message_id)
        self.updates.add(group.address, {"message": message}, MESSAGE_LIFE)
        self.world.ring(group)
        return added

    def _message(
        self,
        chat: Phone,
        sender: Phone,
        message_id: int,
        now: float,
        content: dict[str, Any],
    ) -> dict[str, Any]:
        return {
            "message_id": message_id,
            "from": self.user(sender),
            "chat": self.chat(chat),
            "date": int(now),
            **content,
        }

    def text(self, text: str) -> dict[str, Any]:
        """A text with the entity that marks a command."""
        command = re.match(r"/[A-Za-z0-9_]+", text)
        if command is None:
            return {"text": text}
        entity = {"type": "bot_command", "offset": 0, "length": len(command.group())}
        return {"text": text, "entities": [entity]}

    def attach(self, kind: str, stored: StoredFile) -> dict[str, Any]:
        """The content of a message with a file; ``kind`` as in Message, or ``""``."""
        return self._file(kind or _kind(stored.content_type), stored)

    def _file(self, kind: str, stored: StoredFile) -> dict[str, Any]:
        file_id = "F" + self.world.hexadecimal("telegram file", 40)
        self.world.files[file_id] = stored
        found: dict[str, Any] = {
            "file_id": file_id,
            "file_unique_id": self.unique_id(file_id),
            "file_size": len(stored.content),
        }
        named = found | {"mime_type": stored.content_type, "file_name": stored.name}
        match kind:
            case "photo":
                small = found | {"width": 90, "height": 67, "file_size": 1}
                return {"photo": [small, found | {"width": 1280, "height": 960}]}
            case "voice":
                return {
                    "voice": found | {"duration": 3, "mime_type": stored.content_type}
                }
            case "audio":
                return {"audio": named | {"duration": 3}}
            case "video" | "animation":
                return {kind: named | {"duration": 3, "width": 640, "height": 360}}
            case "video_note":
                return {"video_note": found | {"duration": 3, "length": 240}}
            case "sticker":
                shape = {"width": 512, "height": 512, "type": "regular"}
                flags = {"is_animated": False, "is_video": False}
                return {"sticker": found | shape | flags}
            case _:
                return {"document": named}

    def edit(self, phone: Phone, line: Line, text: str) -> None:
        """The person changes a message."""
        message = self.messages[phone.address, int(line.message_id)]
        key = "caption" if "caption" in message else "text"
        message = message | {key: text, "edit_date": int(self.world.clock.now())}
        self._keep(phone, message)
        line.text, line.edited = text, True
        self.updates.add(phone.address, {"edited_message": message}, MESSAGE_LIFE)
        self.world.ring(phone)

    def press(self, phone: Phone, line: Line, button: dict[str, str]) -> str:
        """The person presses a button: a callback query with a queue of its own."""
        query_id = str(int(self.world.hexadecimal("callback query", 15), 16))
        now = self.world.clock.now()
        added = phone.add(
            "person", button["text"], now, message_id=f"press-{query_id}", kind="press"
        )
        self.queries[query_id] = (phone, added, now)
        query = {
            "id": query_id,
            "from": self.user(phone),
            "chat_instance": str(phone.chat_id * 31),
            "message": self.messages[phone.address, int(line.message_id)],
            "data": button["data"],
        }
        self.updates.add(
            f"press:{phone.address}", {"callback_query": query}, PRESS_LIFE
        )
        self.world.ring(phone)
        return query_id

    def block(self, phone: Phone, *, blocked: bool) -> None:
        """The person stops or restarts the bot."""
        phone.blocked = blocked
        old, new = ("member", "kicked") if blocked else ("kicked", "member")

        def member(status: str) -> dict[str, Any]:
            until = {"until_date": 0} if status == "kicked" else {}
            return {"user": self.bot(), "status": status, **until}

        change = {
            "chat": self.chat(phone),
            "from": self.user(phone),
            "date": int(self.world.clock.now()),
            "old_chat_member": member(old),
            "new_chat_member": member(new),
        }
        self.updates.add(phone.address, {"my_chat_member": change}, MESSAGE_LIFE)
        self.world.ring(phone)

    def _next_id(self, phone: Phone) -> int:
        phone.message_ids += 1
        return phone.message_ids

    def _keep(self, phone: Phone, message: dict[str, Any]) -> None:
        self.messages[phone.address, message["message_id"]] = message


def _kind(content_type: str) -> str:
    """The kind that Telegram's app makes of a file picked by a person."""
    major = content_type.partition("/")[0]
    if content_type == "audio/ogg":
        return "voice"
    if content_type == "image/gif":
        return "animation"
    return {"image": "photo", "video": "video", "audio": "audio"}.get(major, "document")
