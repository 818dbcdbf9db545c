"""What people do in Telegram's chats: each act becomes an update for the bot."""

from typing import Any

from bot.simulator.phones import Line, Phone
from bot.simulator.telegram import shapes
from bot.simulator.telegram.chats import Chats
from bot.simulator.telegram.updates import MESSAGE_LIFE, PRESS_LIFE, Updates


class People:
    """The persons who hold the Telegram phones."""

    def __init__(self, chats: Chats, updates: Updates) -> None:
        self.world = chats.world
        self.chats = chats
        self.updates = updates

    def say(self, phone: Phone, content: dict[str, Any], **line: Any) -> Line:  # noqa: ANN401 - the fields of Line
        """Say something new, as an update."""
        now = self.world.clock.now()
        phone.started = True
        phone.last_out = now
        message_id = self.chats.next_id(phone)
        message = shapes.message(phone, phone, message_id, now, content)
        self.chats.keep(phone, message)
        text = content.get("text") or content.get("caption") or ""
        added = phone.add("person", text, now, message_id=message_id, **line)
        self.updates.add(phone.address, {"message": message}, MESSAGE_LIFE)
        self.world.ring(phone)
        return added

    def say_in_group(self, phone: Phone, group: Phone, text: str) -> Line:
        """Say something in a group that the bot is in."""
        now = self.world.clock.now()
        message_id = self.chats.next_id(group)
        message = shapes.message(group, phone, message_id, now, shapes.text(text))
        self.chats.keep(group, message)
        added = group.add("person", text, now, message_id=message_id)
        self.updates.add(group.address, {"message": message}, MESSAGE_LIFE)
        self.world.ring(group)
        return added

    def edit(self, phone: Phone, line: Line, text: str) -> None:
        """Change an own message."""
        message = self.chats.messages[phone.address, int(line.message_id)]
        key = "caption" if "caption" in message else "text"
        message = message | {key: text, "edit_date": int(self.world.clock.now())}
        self.chats.keep(phone, message)
        line.text, line.edited = text, True
        self.updates.add(phone.address, {"edited_message": message}, MESSAGE_LIFE)
        self.world.ring(phone)

    def move(
        self,
        phone: Phone,
        line: Line,
        latitude: float,
        longitude: float,
        *,
        ended: bool,
    ) -> None:
        """Move a live location; one that ended is live no more."""
        message = self.chats.messages[phone.address, int(line.message_id)]
        period = message["location"].get("live_period", 0)
        place = {"latitude": latitude, "longitude": longitude}
        live = {} if ended else {"live_period": period}
        now = int(self.world.clock.now())
        moved = message | {"location": place | live, "edit_date": now}
        self.chats.keep(phone, moved)
        self.updates.add(phone.address, {"edited_message": moved}, MESSAGE_LIFE)
        self.world.ring(phone)

    def press(self, phone: Phone, line: Line, button: dict[str, str]) -> str:
        """Press a button: a callback query with a queue of its own."""
        query_id = str(int(self.world.hexadecimal("callback query", 15), 16))
        now = self.world.clock.now()
        added = phone.add(
            "person",
            button["text"],
            now,
            message_id=f"press-{query_id}",
            kind="press",
            on=line.message_id,
        )
        self.chats.queries[query_id] = (phone, added, now)
        query = {
            "id": query_id,
            "from": shapes.user(phone),
            "chat_instance": str(phone.chat_id * 31),
            "message": self.chats.messages[phone.address, int(line.message_id)],
            "data": button["data"],
        }
        self.updates.add(
            f"press:{phone.address}", {"callback_query": query}, PRESS_LIFE
        )
        self.world.ring(phone)
        return query_id

    def block(self, phone: Phone, *, blocked: bool) -> None:
        """Stop or restart the bot."""
        phone.blocked = blocked
        old, new = ("member", "kicked") if blocked else ("kicked", "member")

        def member(status: str) -> dict[str, Any]:
            until = {"until_date": 0} if status == "kicked" else {}
            return {"user": shapes.bot(self.world.settings), "status": status, **until}

        change = {
            "chat": shapes.chat(phone),
            "from": shapes.user(phone),
            "date": int(self.world.clock.now()),
            "old_chat_member": member(old),
            "new_chat_member": member(new),
        }
        self.updates.add(phone.address, {"my_chat_member": change}, MESSAGE_LIFE)
        self.world.ring(phone)
