"""The phones: who holds them, and everything that was said on them."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.simulator.clock import iso

CHANNELS = ("telegram", "whatsapp", "sms")
WINDOW = 24 * 3600.0
"""Seconds in which WhatsApp accepts free text after the person's last message."""


class NoSuchPhone(Exception):
    """There is no phone of that name: GET /control/phones lists them."""


class NoSuchLine(Exception):
    """There is no such message on this phone."""


class Impossible(Exception):
    """A person could not do this on that phone; the message says why."""


@dataclass
class Line:
    """One message on a phone. ``sender`` is person, bot or provider (an automatic answer).

    ``buttons`` are rows of dicts with ``text`` and ``data``, ``url`` or ``copy``.
    ``status`` is the delivery state: Twilio's words, or ``read`` on Telegram. ``on`` is the
    message whose button was pressed.
    """

    number: int
    sender: str
    text: str
    at: float
    message_id: int | str
    kind: str = "text"
    buttons: list[list[dict[str, str]]] = field(default_factory=list)
    media: list[dict[str, Any]] = field(default_factory=list)
    deleted: bool = False
    edited: bool = False
    protected: bool = False
    status: str = ""
    toast: str | None = None
    segments: int = 0
    webhook: dict[str, Any] | None = None
    on: int | str = 0

    @property
    def direction(self) -> str:
        """``in`` when it arrived on the phone, ``out`` when the person sent it."""
        return "out" if self.sender == "person" else "in"

    def public(self) -> dict[str, Any]:
        """Give the line as the control API shows it."""
        shown = asdict(self) | {"direction": self.direction, "time": iso(self.at)}
        if self.deleted:
            shown |= {"text": "", "buttons": [], "media": []}
        return shown


@dataclass
class Phone:
    """A phone with one app open. ``address`` is a Telegram chat id or an E.164 number.

    ``external_id`` is WhatsApp's business-scoped id; with ``hides_number`` the bot sees
    nothing else. ``started`` is true once the bot may write here (Telegram).
    """

    name: str
    channel: str
    address: str
    title: str
    language: str = "id"
    external_id: str = ""
    hides_number: bool = False
    group: bool = False
    started: bool = False
    blocked: bool = False
    opted_out: bool = False
    last_out: float | None = None
    lines: list[Line] = field(default_factory=list)
    version: int = 0
    message_ids: int = 0
    answer: Callable[[], object] | None = None
    """What the phone does by itself whenever the bot writes: an automatic answer."""

    @property
    def chat_id(self) -> int:
        """The Telegram chat id."""
        return int(self.address)

    @property
    def sender_address(self) -> str:
        """The address as the bot sees it in ``From``."""
        if self.channel != "whatsapp":
            return self.address
        return f"whatsapp:{self.external_id if self.hides_number else self.address}"

    def in_window(self, now: float) -> bool:
        """Whether WhatsApp takes free text to this person now."""
        return self.last_out is not None and now - self.last_out < WINDOW

    def heard(self) -> list[Line]:
        """Tell what arrived on the phone, oldest first, deleted lines included."""
        return [line for line in self.lines if line.sender != "person"]

    def add(self, sender: str, text: str, at: float, **rest: Any) -> Line:  # noqa: ANN401 - the fields of Line
        """Append a line to the thread."""
        line = Line(len(self.lines) + 1, sender, text, at, **rest)
        self.lines.append(line)
        if sender == "bot" and self.answer is not None:
            self.answer()
        return line

    def find(self, message_id: int | str) -> Line:
        """Give the line of a message id."""
        for line in reversed(self.lines):
            if str(line.message_id) == str(message_id):
                return line
        raise NoSuchLine

    def latest(self, *, sender: str, buttons: bool = False) -> Line:
        """Give the newest line of a sender that still stands (with buttons, if asked)."""
        for line in reversed(self.lines):
            if (
                line.sender == sender
                and not line.deleted
                and (line.buttons or not buttons)
            ):
                return line
        raise NoSuchLine

    def public(self) -> dict[str, Any]:
        """Give the whole phone as the control API shows it."""
        return {
            "name": self.name,
            "channel": self.channel,
            "title": self.title,
            "address": self.address,
            "external_id": self.external_id,
            "language": self.language,
            "started": self.started,
            "blocked": self.blocked,
            "opted_out": self.opted_out,
            "version": self.version,
            "heard": len(self.heard()),
            "messages": [line.public() for line in self.lines],
        }


class PhoneBook:
    """All phones by name; four exist from the start."""

    def __init__(self, officer: str = "Dewi Anggraini") -> None:
        self._phones: dict[str, Phone] = {}
        self._made = 0
        for name, channel, address, title in (
            ("telegram", "telegram", "6281234501", "Sari Lestari"),
            ("whatsapp", "whatsapp", "+6281298765432", "Budi Santoso"),
            ("sms", "sms", "+6285712345678", "Wayan Artha"),
            ("officer", "telegram", "7102938475", officer),
        ):
            self._keep(Phone(name, channel, address, title))

    def _keep(self, phone: Phone) -> Phone:
        if phone.channel == "whatsapp":
            phone.external_id = phone.external_id or f"ID.45{phone.address[1:]}"
        self._phones[phone.name] = phone
        return phone

    def __iter__(self) -> Iterator[Phone]:
        return iter(tuple(self._phones.values()))

    def __getitem__(self, name: str) -> Phone:
        try:
            return self._phones[name]
        except KeyError:
            raise NoSuchPhone from None

    def make(self, name: str, channel: str, **rest: Any) -> Phone:  # noqa: ANN401 - the fields of Phone
        """Give a further phone with an address of its own; the same name gives the same phone."""
        if name in self._phones:
            return self._phones[name]
        self._made += 1
        number = f"+628{13_00000000 + self._made * 7919}"
        address = (
            str(6_500_000_000 + self._made * 7919) if channel == "telegram" else number
        )
        rest.setdefault("title", name.title())
        return self._keep(Phone(name, channel, rest.pop("address", address), **rest))

    def group(self, title: str) -> Phone:
        """Give the one Telegram group, as a phone that only shows what is said there."""
        return self.make(
            "group",
            "telegram",
            address="-1001700000001",
            title=title,
            group=True,
            started=True,
        )

    def of_chat(self, chat_id: str) -> Phone | None:
        """Give the Telegram phone of a chat id."""
        return self._of("telegram", chat_id)

    def of_number(self, channel: str, address: str) -> Phone | None:
        """Give the phone of a number or of a business-scoped id, without ``whatsapp:``."""
        return self._of(channel, address)

    def _of(self, channel: str, address: str) -> Phone | None:
        for phone in self._phones.values():
            if phone.channel == channel and address in {
                phone.address,
                phone.external_id,
            } - {""}:
                return phone
        return None
