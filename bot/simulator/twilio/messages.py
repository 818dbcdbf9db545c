"""What happens to the messages that the bot sends; the resources of all of them."""

import json
import re

from bot.simulator.phones import Phone
from bot.simulator.rules import segments
from bot.simulator.twilio import arrival
from bot.simulator.twilio.carrier import Carrier
from bot.simulator.twilio.resources import Message, TwilioError
from bot.simulator.world import Template, World

BODY_LIMIT = 1600
MEDIA_LIMIT = 10


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
        service = params.get("MessagingServiceSid", "")
        channel = arrival.route(self.world.settings, to, sender, service)
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
        failure = arrival.failure(self.world, phone, channel, free=template is None)
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

    def _template(self, params: dict[str, str]) -> Template | None:
        sid = params.get("ContentSid", "")
        if not sid:
            return None
        if sid not in self.world.templates:
            raise TwilioError(400, 21655, f"The ContentSid {sid} is Invalid")
        if params.get("Body"):
            raise TwilioError(400, 21654, "ContentSid and Body cannot be used together")
        return self.world.templates[sid]

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
