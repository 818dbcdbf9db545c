"""Twilio's Message resources, and what happens to those that the bot sends."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from bot.simulator.clock import rfc2822
from bot.simulator.phones import Phone
from bot.simulator.rules import segments
from bot.simulator.rules.faults import UNDELIVERED, Fault
from bot.simulator.twilio.carrier import Carrier
from bot.simulator.world import StoredFile, Template, World

BODY_LIMIT = 1600
MEDIA_LIMIT = 10
E164 = re.compile(r"\+[1-9]\d{7,14}")
BSUID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")


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


class Messages:
    """All Message resources, newest last, and what creates them."""

    def __init__(self, world: World, carrier: Carrier) -> None:
        self.world = world
        self.carrier = carrier
        self.stored: dict[str, Message] = {}

    def forget(self) -> None:
        """Drop every resource."""
        self.stored.clear()

    def fetch(self, sid: str) -> Message:
        """Give the message of a SID, or Twilio's 20404."""
        found = self.stored.get(sid)
        if found is None:
            uri = f"/2010-04-01/Accounts/{self.world.settings.account_sid}/Messages/{sid}.json"
            raise TwilioError(404, 20404, f"The requested resource {uri} was not found")
        return found

    def create(self, params: dict[str, str], media_urls: list[str]) -> Message:
        """``POST Messages.json``: check, put on the phone, promise status callbacks."""
        to, sender = params.get("To", ""), params.get("From", "")
        channel = self._route(to, sender, params.get("MessagingServiceSid", ""))
        template = self._template(params)
        body = params.get("Body", "") if template is None else _filled(template, params)
        if not body and not media_urls:
            raise TwilioError(400, 21602, "Message body is required.")
        if len(body) > BODY_LIMIT:
            raise TwilioError(
                400,
                21617,
                "The concatenated message body exceeds the 1600 character limit",
            )
        if len(media_urls) > MEDIA_LIMIT:
            raise TwilioError(400, 21623, "Number of media files exceeds allowed limit")
        phone = self.world.phones.of_number(channel, to.removeprefix("whatsapp:"))
        failure = self._failure(phone, channel, free=template is None)
        if template is not None and not failure[0] and _missing(template, params):
            failure = 63028, "Number of parameters provided does not match"
        message = Message(
            sid=("MM" if media_urls else "SM") + self.world.hexadecimal("message"),
            sender=sender,
            to=to,
            body=body,
            direction="outbound-api",
            status="queued",
            created=self.world.clock.now(),
            media_urls=len(media_urls),
            service=params.get("MessagingServiceSid"),
        )
        self.stored[message.sid] = message
        self._carry(message, phone, template, failure, params.get("StatusCallback", ""))
        return message

    def _route(self, to: str, sender: str, service: str) -> str:
        """Give the channel that From and To agree on."""
        settings = self.world.settings
        if not to:
            raise TwilioError(400, 21604, "A 'To' phone number is required.")
        bare = to.removeprefix("whatsapp:")
        on_whatsapp = to.startswith("whatsapp:")
        if not E164.fullmatch(bare) and not (on_whatsapp and BSUID.fullmatch(bare)):
            raise TwilioError(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not sender and not service:
            raise TwilioError(400, 21603, "A 'From' phone number is required.")
        if sender and sender.startswith("whatsapp:") != on_whatsapp:
            raise TwilioError(
                400,
                21910,
                "Invalid From and To pair. From and To should be of the same channel",
            )
        if on_whatsapp and sender and sender != f"whatsapp:{settings.whatsapp_number}":
            raise TwilioError(
                400,
                63007,
                "Twilio could not find a Channel with the specified From address",
            )
        if not on_whatsapp and sender and sender != settings.sms_number:
            raise TwilioError(
                400,
                21606,
                f"The 'From' phone number provided ({sender}) is not a valid message-capable "
                "Twilio phone number for this destination.",
            )
        return "whatsapp" if on_whatsapp else "sms"

    def _template(self, params: dict[str, str]) -> Template | None:
        sid = params.get("ContentSid", "")
        if not sid:
            return None
        if sid not in self.world.templates:
            raise TwilioError(400, 21655, f"The ContentSid {sid} is Invalid")
        if params.get("Body"):
            raise TwilioError(400, 21654, "ContentSid and Body cannot be used together")
        return self.world.templates[sid]

    def _failure(
        self, phone: Phone | None, channel: str, *, free: bool
    ) -> tuple[int, str]:
        """Why the message will not arrive (code, words); raises what is refused at once."""
        if channel == "sms" and phone and phone.opted_out:
            raise TwilioError(400, 21610, "Attempt to send to unsubscribed recipient")
        planned = self.world.faults.take(
            "twilio", "create", UNDELIVERED, phone=phone.name if phone else ""
        )
        if planned is not None:
            return (
                planned.code or 30003,
                planned.description or "Unreachable destination handset",
            )
        if phone is None:
            return (
                (63024, "Invalid message recipient")
                if channel == "whatsapp"
                else (30005, "Unknown destination handset")
            )
        if phone.blocked:
            return 30004, "Message blocked"
        if (
            channel == "whatsapp"
            and free
            and not phone.in_window(self.world.clock.now())
        ):
            words = (
                "Failed to send freeform message because you are outside the allowed window. "
                "If you are using WhatsApp, please use a Message Template."
            )
            if self.world.settings.window_error == "refuse":
                raise TwilioError(400, 63016, words)
            return 63016, words
        return 0, ""

    def _carry(
        self,
        message: Message,
        phone: Phone | None,
        template: Template | None,
        failure: tuple[int, str],
        callback: str,
    ) -> None:
        """Put the message on the phone (or fail it) and send the callbacks."""
        code, words = failure
        names = ["sent", "delivered"] if not code else ["undelivered"]
        if (
            not code
            and phone
            and phone.channel == "whatsapp"
            and self.world.settings.read_receipts
        ):
            names.append("read")
        if code:
            message.error_code, message.error_message = code, words
        message.status = names[-1]
        message.sent = self.world.clock.now()
        if phone is not None and not code:
            buttons = [
                [{"text": button["title"], "data": button.get("id", button["title"])}]
                for button in (template.buttons if template else [])
            ]
            phone.add(
                "bot",
                message.body,
                message.sent,
                message_id=message.sid,
                status=message.status,
                buttons=buttons,
                segments=segments.count(message.body) if phone.channel == "sms" else 0,
            )
            self.world.ring(phone)
        base = self.common(message) | {"From": message.sender, "To": message.to}
        error = {"ErrorCode": str(code)} if code else {}
        steps = [{"MessageStatus": name, "SmsStatus": name, **error} for name in names]
        self.carrier.statuses(callback, base, steps)

    def common(self, message: Message) -> dict[str, str]:
        """Give the fields that every webhook about a message has."""
        return {
            "AccountSid": self.world.settings.account_sid,
            "ApiVersion": "2010-04-01",
            "MessageSid": message.sid,
            "SmsSid": message.sid,
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


def _missing(template: Template, params: dict[str, str]) -> bool:
    """Whether the variables given are not those of the template."""
    wanted = set(re.findall(r"\{\{(\w+)\}\}", template.body))
    return wanted != set(json.loads(params.get("ContentVariables") or "{}"))


def _filled(template: Template, params: dict[str, str]) -> str:
    """Give the template's text with its variables."""
    try:
        given = json.loads(params.get("ContentVariables") or "{}")
        variables = {str(name): str(value) for name, value in given.items()}
    except (ValueError, AttributeError):
        raise TwilioError(
            400, 21656, "The ContentVariables Parameter is invalid"
        ) from None
    return re.sub(
        r"\{\{(\w+)\}\}", lambda found: variables.get(found[1], found[0]), template.body
    )
