"""Telegram's chats as the bot uses them: send, edit, delete, acknowledge."""

from typing import Any

from bot.simulator.phones import Line, NoSuchLine, Phone
from bot.simulator.telegram import keyboards, shapes
from bot.simulator.telegram.updates import PRESS_LIFE, ApiError
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

    def __init__(self, world: World) -> None:
        self.world = world
        self.queries: dict[str, tuple[Phone, Line, float]] = {}
        self.messages: dict[tuple[str, int], dict[str, Any]] = {}

    def forget(self) -> None:
        """Empty every chat."""
        self.queries.clear()
        self.messages.clear()

    def reach(self, params: dict[str, Any]) -> Phone:
        """Give the phone of ``chat_id`` if the bot may write there."""
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
        content = self.attach(kind, stored) | ({"caption": caption} if caption else {})
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
            "message_id": self.next_id(phone),
            "from": shapes.bot(self.world.settings),
            "chat": shapes.chat(phone),
            "date": int(now),
            **content,
        }
        if "inline_keyboard" in markup:
            message["reply_markup"] = markup
        if params.get("protect_content"):
            message["has_protected_content"] = True
        self.keep(phone, message)
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
        for press in phone.lines:
            if press.kind == "press" and str(press.on) == str(line.message_id):
                press.deleted = True
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

    def attach(self, kind: str, stored: StoredFile) -> dict[str, Any]:
        """Keep a file for ``getFile``; give the content of its message."""
        file_id = "F" + self.world.hexadecimal("telegram file", 40)
        self.world.files[file_id] = stored
        return shapes.content(file_id, stored, kind)

    def next_id(self, phone: Phone) -> int:
        """Give the next message id of a chat."""
        phone.message_ids += 1
        return phone.message_ids

    def keep(self, phone: Phone, message: dict[str, Any]) -> None:
        """Remember a message for presses and edits."""
        self.messages[phone.address, message["message_id"]] = message
