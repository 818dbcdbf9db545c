"""What a person sends in one act: words, files, a place or a card."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from bot.simulator.phones import Impossible
from bot.simulator.world import StoredFile


@dataclass(frozen=True)
class Sending:
    """What a person sends in one act; ``extra`` are further fields of the provider's."""

    text: str
    files: list[StoredFile]
    kinds: list[str]
    place: dict[str, Any]
    contact: dict[str, Any]
    extra: dict[str, Any]

    @classmethod
    def of(cls, message: dict[str, Any]) -> "Sending":
        """Read what the page or a test asked for."""
        media = message.get("media") or []
        return cls(
            text=str(message.get("text") or ""),
            files=[_file(part) for part in media],
            kinds=[str(part.get("kind") or "") for part in media],
            place=message.get("location") or {},
            contact=message.get("contact") or {},
            extra=message.get("extra") or {},
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send."""
        return not (self.text or self.files or self.place or self.contact)


def vcard(contact: dict[str, Any]) -> StoredFile:
    """WhatsApp sends a contact as a vCard file."""
    name, number = contact.get("first_name", ""), contact.get("phone_number", "")
    card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nTEL:{number}\r\nEND:VCARD\r\n"
    return StoredFile("contact.vcf", "text/vcard", card.encode())


def _file(part: dict[str, Any]) -> StoredFile:
    """Give a file given as ``base64``, or ``size`` bytes of nothing."""
    try:
        content = base64.b64decode(part.get("base64") or "", validate=True)
    except binascii.Error:
        raise Impossible("the media is not base64") from None
    size = int(part.get("size") or 0)
    return StoredFile(
        str(part.get("name") or "file"),
        str(part.get("type") or "application/octet-stream"),
        content or bytes(size),
    )
