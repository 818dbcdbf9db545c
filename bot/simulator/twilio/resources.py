"""Twilio's Message resources as its REST API shows them, and its errors."""

from dataclasses import dataclass, field
from typing import Any

from bot.simulator.clock import rfc2822
from bot.simulator.rules import segments
from bot.simulator.rules.faults import Fault
from bot.simulator.world import StoredFile


class TwilioError(Exception):
    """An error of the REST API: HTTP status, Twilio's code, Twilio's words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass
class Media:
    """One file of a message."""

    sid: str
    stored: StoredFile
    created: float


@dataclass
class Message:
    """A Message resource. ``sender`` and ``to`` as they travel, with ``whatsapp:``."""

    sid: str
    sender: str
    to: str
    body: str
    direction: str
    status: str
    created: float
    media: list[Media] = field(default_factory=list)
    media_urls: int = 0
    error_code: int | None = None
    error_message: str | None = None
    sent: float | None = None
    service: str | None = None

    def public(self, account: str) -> dict[str, Any]:
        """Give the resource as the REST API shows it."""
        uri = f"/2010-04-01/Accounts/{account}/Messages/{self.sid}"
        return {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": rfc2822(self.created),
            "date_sent": rfc2822(self.sent) if self.sent is not None else None,
            "date_updated": rfc2822(self.sent or self.created),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": self.error_message,
            "from": self.sender,
            "messaging_service_sid": self.service,
            "num_media": str(len(self.media) + self.media_urls),
            "num_segments": str(segments.count(self.body)),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }


def refusal(fault: Fault) -> TwilioError:
    """Give the error of a planned HTTP status."""
    known = {
        429: (20429, "Too Many Requests"),
        401: (20003, "Authenticate"),
        404: (20404, "Not found"),
    }
    code, words = known.get(fault.status, (20500, "Internal Server Error"))
    return TwilioError(fault.status, fault.code or code, fault.description or words)
