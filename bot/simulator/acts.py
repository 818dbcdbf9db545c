"""What a person can do with a phone, the same on every channel where it exists."""

import asyncio
import itertools
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.simulator import manners
from bot.simulator.phones import Impossible, Line, NoSuchLine, Phone
from bot.simulator.sending import Sending, vcard
from bot.simulator.telegram import shapes
from bot.simulator.telegram.api import Telegram
from bot.simulator.telegram.chats import TEXT_LIMIT
from bot.simulator.twilio.api import Twilio
from bot.simulator.world import World

"""Characters after which Telegram's app begins another message."""
__all__ = ["Acts", "Impossible"]
PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Acts:
    """Hands: they type, press, attach, edit, block and open links."""

    world: World
    telegram: Telegram
    twilio: Twilio

    def send(self, phone: Phone, message: dict[str, Any]) -> list[Line]:
        """Send ``text``, ``media``, ``contact`` or ``location`` as one act.

        Several media on Telegram are an album. ``quote`` is the id of the message that is
        answered, ``forwarded`` tells that it was (``often`` many times), a location's
        ``live_period`` that it will move. ``extra`` adds fields to a webhook of Twilio's,
        or to Telegram's message.
        """
        if phone.group:
            raise Impossible(
                "a group has no hands: send with /group on a person's phone"
            )
        sent = Sending.of(message)
        if sent.is_empty:
            raise Impossible("nothing to send: give text, media, contact or location")
        manner = manners.of(self.telegram, phone, message)
        sent = replace(sent, extra=manner | sent.extra)
        if phone.channel == "telegram":
            return self._send_telegram(phone, sent)
        return [self._send_twilio(phone, sent)]

    def answer_by_itself(self, phone: Phone, text: str) -> None:
        """Let a phone answer everything the bot writes; ``{n}`` counts; no text ends it."""
        if not text:
            phone.answer = None
            return
        count = itertools.count(1)
        loop = asyncio.get_running_loop()

        def answer() -> None:
            words = text.replace("{n}", str(next(count)))
            loop.call_soon(self.send, phone, {"text": words})

        phone.answer = answer

    def _send_twilio(self, phone: Phone, sent: Sending) -> Line:
        extra = {str(name): str(value) for name, value in sent.extra.items()}
        if sent.place and phone.channel == "sms":
            raise Impossible("an SMS cannot carry a location")
        if sent.place:
            extra |= {
                "Latitude": str(sent.place["latitude"]),
                "Longitude": str(sent.place["longitude"]),
                "MessageType": "location",
            }
        cards = [vcard(sent.contact)] if sent.contact else []
        return self.twilio.people.receive(
            phone, sent.text, [*sent.files, *cards], extra
        )

    def _send_telegram(self, phone: Phone, sent: Sending) -> list[Line]:
        people, extra = self.telegram.people, sent.extra
        if phone.blocked:
            people.block(phone, blocked=False)
        if sent.place:
            return [
                people.say(phone, {"location": sent.place} | extra, kind="location")
            ]
        if sent.contact:
            own = {"user_id": phone.chat_id} if sent.contact.get("own") else {}
            card = {
                name: value for name, value in sent.contact.items() if name != "own"
            } | own
            return [people.say(phone, {"contact": card} | extra, kind="contact")]
        if sent.files:
            return self._send_files(phone, sent)
        starts = range(0, len(sent.text), TEXT_LIMIT)
        parts = [sent.text[at : at + TEXT_LIMIT] for at in starts]
        return [people.say(phone, shapes.text(part) | extra) for part in parts]

    def _send_files(self, phone: Phone, sent: Sending) -> list[Line]:
        """Send files; several are an album, whose caption stands under the first."""
        group = str(self.world.count("album", 10**16)) if sent.files[1:] else ""
        album = {"media_group_id": group} if group else {}
        lines = []
        for index, (stored, kind) in enumerate(
            zip(sent.files, sent.kinds, strict=True)
        ):
            caption = {"caption": sent.text} if sent.text and not index else {}
            content = self.telegram.chats.attach(kind, stored) | caption | album
            shown = {
                "name": stored.name,
                "type": stored.content_type,
                "size": len(stored.content),
            }
            lines.append(
                self.telegram.people.say(
                    phone, content | sent.extra, kind="media", media=[shown]
                )
            )
        return lines

    def press(self, phone: Phone, wanted: dict[str, Any]) -> dict[str, Any]:
        """Press a button chosen by ``data``, ``label`` or ``index`` (from 0).

        On the message ``message_id``, else on the newest message with buttons.
        """
        line = self._pressable(phone, wanted)
        buttons = [button for row in line.buttons for button in row]
        button = _chosen(buttons, wanted)
        if link := button.get("url"):
            if "?start" in link:
                self.open(phone, link)
            return {"url": link}
        if copied := button.get("copy"):
            return {"copied": copied}
        if phone.channel == "telegram":
            return {
                "callback_query_id": self.telegram.people.press(phone, line, button)
            }
        extra = {
            "ButtonText": button["text"],
            "ButtonPayload": button["data"],
            "MessageType": "button",
            "OriginalRepliedMessageSid": str(line.message_id),
        }
        sent = self.twilio.people.receive(phone, button["text"], [], extra)
        return {"message_id": sent.message_id}

    def _pressable(self, phone: Phone, wanted: dict[str, Any]) -> Line:
        if wanted.get("message_id") is not None:
            line = phone.find(wanted["message_id"])
        else:
            try:
                line = phone.latest(sender="bot", buttons=True)
            except NoSuchLine:
                raise Impossible(
                    "there is no message with buttons on this phone"
                ) from None
        if line.deleted or not line.buttons:
            raise Impossible("this message has no buttons (any more)")
        return line

    def start(self, phone: Phone, payload: str = "") -> Line:
        """Open the bot, by a deep link when there is a payload of at most 64 characters."""
        self._telegram_only(phone)
        if payload and not PAYLOAD.fullmatch(payload):
            raise Impossible("a start payload is 1-64 characters of A-Z a-z 0-9 _ -")
        people = self.telegram.people
        if phone.blocked:
            people.block(phone, blocked=False)
        return people.say(phone, shapes.text(f"/start {payload}".strip()))

    def open(self, phone: Phone, link: str) -> Line:
        """Open ``https://t.me/<bot>?start=<payload>`` on a phone."""
        parts = urlsplit(link.strip())
        bot = self.world.settings.bot_username
        ours = (
            parts.hostname in {"t.me", "telegram.me"} and parts.path.strip("/") == bot
        )
        payload = parse_qs(parts.query, keep_blank_values=True).get("start", [""])[0]
        if not ours:
            raise Impossible(f"not a link to this bot: https://t.me/{bot}?start=…")
        return self.start(phone, payload)

    def edit(self, phone: Phone, wanted: dict[str, Any]) -> Line:
        """Change an own message: ``message_id`` or the latest, to ``text``."""
        self._telegram_only(phone)
        given = wanted.get("message_id")
        line = phone.latest(sender="person") if given is None else phone.find(given)
        if (
            line.deleted
            or line.sender != "person"
            or line.kind not in {"text", "media"}
        ):
            raise Impossible("only an own text or caption can be edited")
        self.telegram.people.edit(phone, line, str(wanted.get("text") or ""))
        return line

    def move(self, phone: Phone, wanted: dict[str, Any]) -> Line:
        """Let a live location move, the latest or ``message_id``; ``ended`` ends it."""
        self._telegram_only(phone)
        given = wanted.get("message_id")
        places = [line for line in phone.lines if line.kind == "location"]
        if given is None and not places:
            raise Impossible("no location was shared on this phone")
        line = places[-1] if given is None else phone.find(given)
        latitude, longitude = float(wanted["latitude"]), float(wanted["longitude"])
        ended = bool(wanted.get("ended"))
        self.telegram.people.move(phone, line, latitude, longitude, ended=ended)
        return line

    def block(self, phone: Phone, *, blocked: bool) -> None:
        """Block the bot or number, or lift the block."""
        if phone.channel == "telegram":
            self.telegram.people.block(phone, blocked=blocked)
        phone.blocked = blocked
        self.world.ring(phone)

    def say_in_group(self, phone: Phone, text: str) -> Line:
        """Write in a group that the bot was added to."""
        self._telegram_only(phone)
        group = self.world.phones.group("Warga RT 05")
        return self.telegram.people.say_in_group(phone, group, text)

    def _telegram_only(self, phone: Phone) -> None:
        if phone.channel != "telegram":
            raise Impossible("only Telegram has this")


def _chosen(buttons: list[dict[str, str]], wanted: dict[str, Any]) -> dict[str, str]:
    """Give the button that was meant; labels match without regard to case."""
    if wanted.get("data") is not None:
        found = [button for button in buttons if button["data"] == wanted["data"]]
    elif wanted.get("label") is not None:
        label = str(wanted["label"]).casefold()
        found = [
            button for button in buttons if button["text"].casefold() == label
        ] or [button for button in buttons if label in button["text"].casefold()]
    else:
        index = int(wanted.get("index") or 0)
        found = buttons[index : index + 1]
    if not found:
        labels = ", ".join(button["text"] for button in buttons)
        raise Impossible(f"no such button; there are: {labels}")
    return found[0]
