"""What one Telegram message holds, read from raw JSON."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.channels import base
from handlers.messages import Kind, Media
from storage.words import Mark

FILE_BYTES = 20 << 20
TOO_BIG = "X04"

#: Fields that hold a file, with the type that Telegram gives such files.
FILES = {
    "animation": "video/mp4",  # also sets ``document``: the same file
    "document": "",
    "video": "video/mp4",
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
    "video_note": "video/mp4",
}
#: What nobody sent as a message: Telegram's own lines in a private chat.
SERVICE = frozenset(
    [
        "boost_added",
        "channel_chat_created",
        "chat_background_set",
        "chat_owner_changed",
        "chat_owner_left",
        "chat_shared",
        "checklist_tasks_added",
        "checklist_tasks_done",
        "connected_website",
        "delete_chat_photo",
        "direct_message_price_changed",
        "forum_topic_closed",
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_reopened",
        "general_forum_topic_hidden",
        "general_forum_topic_unhidden",
        "gift",
        "gift_upgrade_sent",
        "giveaway_completed",
        "giveaway_created",
        "group_chat_created",
        "left_chat_member",
        "managed_bot_created",
        "message_auto_delete_timer_changed",
        "migrate_from_chat_id",
        "migrate_to_chat_id",
        "new_chat_members",
        "new_chat_photo",
        "new_chat_title",
        "paid_message_price_changed",
        "pinned_message",
        "poll_option_added",
        "poll_option_deleted",
        "proximity_alert_triggered",
        "refunded_payment",
        "successful_payment",
        "suggested_post_approval_failed",
        "suggested_post_approved",
        "suggested_post_declined",
        "suggested_post_paid",
        "suggested_post_refunded",
        "supergroup_chat_created",
        "unique_gift",
        "users_shared",
        "video_chat_ended",
        "video_chat_participants_invited",
        "video_chat_scheduled",
        "video_chat_started",
        "write_access_allowed",
    ]
)


class Content(NamedTuple):
    """Kind, words and files of a message; ``live`` while its place may still move."""

    kind: Kind
    text: str = ""
    media: tuple[Media, ...] = ()
    live: bool = False

    @property
    def edited(self) -> Kind:
        """Return what an edit of it is: nobody edits a place, it moves."""
        return Kind.MOVED if self.kind is Kind.LOCATION else Kind.EDIT


@dataclass(frozen=True, slots=True)
class Me:
    """The bot's own account; ``username`` is empty until Telegram told it."""

    id: int
    username: str = ""

    def is_addressed(self, raw: dict[str, Any]) -> bool:
        """Tell whether a message in a group speaks to this bot."""
        answered = raw.get("reply_to_message") or {}
        if (answered.get("from") or {}).get("id") == self.id:
            return True
        text = raw.get("text", raw.get("caption", ""))
        entities = raw.get("entities", raw.get("caption_entities", ()))
        return any(self._is_named(text, entity) for entity in entities)

    def _is_named(self, text: str, entity: dict[str, Any]) -> bool:
        if entity["type"] == "text_mention":
            return bool(entity["user"]["id"] == self.id)
        start = 2 * entity["offset"]
        units = text.encode("utf-16-le", "surrogatepass")
        word = units[start : start + 2 * entity["length"]].decode(
            "utf-16-le", "replace"
        )
        at, name = word.partition("@")[1:]
        mine = name.lower() == self.username.lower() or not self.username
        if entity["type"] == "bot_command":
            return start == 0 and (not at or mine)
        return entity["type"] == "mention" and mine and bool(self.username)


def read(raw: dict[str, Any], *, most: int = FILE_BYTES) -> Content | None:
    """Return what a message holds; None for Telegram's own service lines.

    A file of more than ``most`` bytes can never be fetched, and says so.
    Raises KeyError, TypeError, ValueError or AttributeError where its shape is wrong.
    """
    text = _text(raw.get("text", raw.get("caption", "")))
    if media := tuple(_files(raw, most)):
        return Content(Kind.MEDIA, text, media)
    if "venue" in raw or "location" in raw:
        live = bool((raw.get("location") or {}).get("live_period"))
        return Content(Kind.LOCATION, _place(raw), live=live)
    if "contact" in raw:
        return Content(Kind.CONTACT, _contact(raw["contact"], raw["from"]))
    if "rich_message" in raw:
        text = "\n".join(_words(raw["rich_message"]["blocks"]))
    if "checklist" in raw:
        text = "\n".join(_tasks(raw["checklist"]))
    if text and raw.keys() & {"text", "rich_message", "checklist"}:
        return Content(Kind.TEXT, text)
    if raw.keys() & SERVICE:
        return None
    return Content(Kind.UNSUPPORTED, text)


def marks(raw: dict[str, Any]) -> tuple[Mark, ...]:
    """Return what an officer should know of how a message came, never from whom."""
    found = []
    if raw.get("forward_origin"):
        found.append(Mark.FORWARDED)
    if raw.get("via_bot"):
        found.append(Mark.VIA_BOT)
    return tuple(found)


def _files(raw: dict[str, Any], most: int) -> Iterator[Media]:
    if "photo" in raw:
        yield _media(raw["photo"][-1], "image/jpeg", most)
    if "live_photo" in raw:
        yield _media(raw["live_photo"], "video/mp4", most)
    name = next((name for name in FILES if name in raw), None)
    if name:
        yield _media(raw[name], FILES[name], most)


def _media(file: dict[str, Any], kind: str, most: int) -> Media:
    size = file.get("file_size", 0)
    if type(size) is not int or size < 0:
        raise TypeError
    return Media(
        reference=_text(file["file_id"]),
        content_type=_text(file.get("mime_type", kind)),
        name=_text(file.get("file_name", "")),
        size=size,
        same=_text(file.get("file_unique_id", "")),
        refused=TOO_BIG if size > most else "",
        most=most >> 20,
    )


def _place(raw: dict[str, Any]) -> str:
    venue = raw.get("venue") or {}
    location = venue.get("location") or raw["location"]
    latitude, longitude = float(location["latitude"]), float(location["longitude"])
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise ValueError
    lines = (
        f"{latitude:.6f},{longitude:.6f}",
        venue.get("title"),
        venue.get("address"),
    )
    return "\n".join(_text(line) for line in lines if line)


def _contact(contact: dict[str, Any], sender: dict[str, Any]) -> str:
    names = (contact["first_name"], contact.get("last_name", ""))
    name = " ".join(_text(part) for part in names if part)
    own = "self: " if contact.get("user_id") == sender["id"] else ""
    return f"{own}{name}, {_text(contact['phone_number'])}"


def _tasks(checklist: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a list of tasks."""
    yield _text(checklist["title"])
    for task in checklist["tasks"]:
        yield f"- {_text(task['text'])}"


def _words(part: object) -> Iterator[str]:
    """Yield the strings of a rich message in reading order."""
    match part:
        case str():
            yield _text(part)
        case list():
            for one in part:
                yield from _words(one)
        case dict():
            for name, one in part.items():
                if name != "type":
                    yield from _words(one)
        case _:
            pass


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return base.clean(value)
