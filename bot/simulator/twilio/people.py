"""What people send by SMS and WhatsApp: resources, webhooks, and Twilio's opt-out."""

import json

from bot.simulator.phones import Line, Phone
from bot.simulator.rules import segments
from bot.simulator.rules.faults import TWICE
from bot.simulator.twilio.messages import Messages
from bot.simulator.twilio.resources import Media, Message
from bot.simulator.world import StoredFile

STOP_WORDS = frozenset(
    {"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"}
)
START_WORDS = frozenset({"START", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})
ANSWERS = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more "
    "messages from this number. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. "
    "Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


class People:
    """The persons who hold the SMS and WhatsApp phones."""

    def __init__(self, messages: Messages) -> None:
        self.world = messages.world
        self.messages = messages

    def receive(
        self,
        phone: Phone,
        text: str,
        files: list[StoredFile],
        extra: dict[str, str],
    ) -> Line:
        """Give a message of the person: a resource, a line, a webhook (or an opt-out)."""
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        now = self.world.clock.now()
        phone.started = True
        phone.last_out = now
        message = self._resource(phone, text, files, now)
        line = _line(phone, message)
        self.world.ring(phone)
        word = _opt_word(phone, text)
        kind = word.lower() or "message"
        self.world.books.came(
            phone.channel, phone.name, message.sid, kind, text, files=len(files)
        )
        self._answer_opt_out(phone, word)
        settings = self.world.settings
        if word and not (settings.advanced_opt_out or settings.forwards_opt_out):
            line.webhook = None
            return line
        if word and settings.advanced_opt_out:
            extra = extra | {"OptOutType": word}
        self._knock(phone, self._inbound(phone, message) | extra, line)
        return line

    def _resource(
        self, phone: Phone, text: str, files: list[StoredFile], now: float
    ) -> Message:
        settings = self.world.settings
        prefix = "whatsapp:" if phone.channel == "whatsapp" else ""
        number = settings.whatsapp_number if prefix else settings.sms_number
        media = [
            Media("ME" + self.world.hexadecimal("media"), stored, now)
            for stored in files
        ]
        message = Message(
            sid=("MM" if media else "SM") + self.world.hexadecimal("message"),
            sender=phone.sender_address,
            to=prefix + number,
            body=text,
            direction="inbound",
            status="received",
            created=now,
            media=media,
            sent=now,
            service=settings.messaging_service_sid or None,
        )
        self.messages.stored[message.sid] = message
        return message

    def _knock(self, phone: Phone, params: dict[str, str], line: Line) -> None:
        """Send the webhook, twice where the weather wants it."""
        report = line.webhook if line.webhook is not None else {}
        twice = self.world.faults.take("twilio", phone.channel, TWICE)
        for _ in range(2 if twice else 1):
            self.messages.carrier.inbound(phone, params, report)

    def _answer_opt_out(self, phone: Phone, word: str) -> None:
        """Twilio's own answer to STOP, START and HELP on a long code."""
        if not word:
            return
        if word != "HELP":
            phone.opted_out = word == "STOP"
        phone.add(
            "provider",
            ANSWERS[word],
            self.world.clock.now(),
            message_id="SM" + self.world.hexadecimal("automatic"),
            segments=segments.count(ANSWERS[word]),
        )
        self.world.books.answered(phone.name, ANSWERS[word])
        self.world.ring(phone)

    def _inbound(self, phone: Phone, message: Message) -> dict[str, str]:
        """Give the fields of an inbound webhook, blanks included."""
        params = self.messages.common(message) | {
            "SmsMessageSid": message.sid,
            "From": message.sender,
            "To": message.to,
            "Body": message.body,
            "NumMedia": str(len(message.media)),
            "NumSegments": str(segments.count(message.body)),
            "SmsStatus": "received",
        }
        for index, media in enumerate(message.media):
            params[f"MediaUrl{index}"] = self.media_url(message, media)
            params[f"MediaContentType{index}"] = media.stored.content_type
        if phone.channel == "sms":
            for end, country in (("From", "ID"), ("To", "US")):
                params |= {f"{end}City": "", f"{end}State": "", f"{end}Zip": ""}
                params[f"{end}Country"] = country
            return params
        shown = phone.external_id if phone.hides_number else phone.address
        details = {
            "type": "whatsapp",
            "data": {"context": {"ProfileName": phone.title}},
        }
        major = (
            message.media[0].stored.content_type.partition("/")[0]
            if message.media
            else "text"
        )
        return params | {
            "ProfileName": phone.title,
            "WaId": shown.removeprefix("+"),
            "ExternalUserId": f"whatsapp:{phone.external_id}",
            "MessageType": major,
            "ChannelMetadata": json.dumps(details),
        }

    def media_url(self, message: Message, media: Media) -> str:
        """Where the bot fetches a file (with Basic auth)."""
        settings = self.world.settings
        return (
            f"{settings.base_url}/2010-04-01/Accounts/{settings.account_sid}"
            f"/Messages/{message.sid}/Media/{media.sid}"
        )


def _line(phone: Phone, message: Message) -> Line:
    """Show on the phone what its person wrote."""
    files = [one.stored for one in message.media]
    return phone.add(
        "person",
        message.body,
        message.created,
        message_id=message.sid,
        media=[
            {"name": file.name, "type": file.content_type, "size": len(file.content)}
            for file in files
        ],
        segments=segments.count(message.body) if phone.channel == "sms" else 0,
        webhook={},
    )


def _opt_word(phone: Phone, text: str) -> str:
    """STOP, START or HELP when an SMS is nothing but such a word."""
    word = text.strip().upper()
    if phone.channel != "sms":
        return ""
    if word in STOP_WORDS:
        return "STOP"
    if word in START_WORDS:
        return "START"
    return "HELP" if word in HELP_WORDS else ""
