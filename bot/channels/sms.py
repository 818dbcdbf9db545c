"""SMS by Twilio. What is parsed here goes on to ``handlers/inbox.py``."""

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final

from bot.channels import base, twilio, twilio_forms
from bot.channels.limits import SMS, SMS_PER_SECOND, Limits
from handlers.messages import Incoming, Kind
from storage.letters.letter import Letter
from storage.words import Channel

STOP_WORDS = frozenset(
    {"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"}
)
START_WORDS = frozenset({"START", "UNSTOP"})
#: Twilio's Advanced Opt-Out calls these an opt-in too, but our questions ask for them.
AGREEING = frozenset({"YES"})
#: Look-alikes that would double the price: one of them switches a text to UCS-2.
LOOK_ALIKES: Final = str.maketrans(
    {
        "\u00a0": " ",
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2015": "-",
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2022": "-",
        "\u2026": "...",
        "\u2032": "'",
        "\u2033": '"',
        "\u200b": "",
        "\u200e": "",
        "\u200f": "",
        "\ufeff": "",
    }
)


class Sms(twilio.Twilio):
    """The SMS adapter."""

    name: ClassVar = Channel.SMS
    look_alikes: ClassVar = LOOK_ALIKES
    limits: Limits = SMS

    def __init__(self, *, per_second: int = SMS_PER_SECOND, **account: Any) -> None:  # noqa: ANN401 - passed on to Twilio as it is
        super().__init__(**account)
        if per_second != SMS_PER_SECOND:
            self.limits = replace(self.limits, per_second=per_second)

    def parse(self, raw: bytes, *, now: datetime) -> tuple[Incoming, ...]:
        """Read one form; see ``base.Channel``."""
        form = twilio_forms.fields(raw)
        sid = twilio_forms.required(form, "MessageSid")
        media = twilio_forms.files(form)
        text = form.get("Body", "")
        return (
            Incoming(
                channel=Channel.SMS,
                handle=twilio_forms.required(form, "From"),
                provider_id=sid,
                received=now,
                kind=_kind(form.get("OptOutType", ""), text, files=bool(media)),
                text=text,
                media=media,
                erase=sid,
                marks=twilio_forms.marks(form),
            ),
        )

    async def send(self, letter: Letter) -> base.Sent:
        """Send one text, in GSM-7 where look-alikes allow it; see ``base.Sender``."""
        return await self._create(letter, body=self.text_of(letter))


def _kind(opt_out: str, text: str, *, files: bool) -> Kind:
    word = text.strip().upper()
    if opt_out == "STOP" or (not opt_out and word in STOP_WORDS):
        return Kind.OPT_OUT
    back = opt_out == "START" and word not in AGREEING
    if back or (not opt_out and word in START_WORDS):
        return Kind.OPT_IN
    return Kind.MEDIA if files else Kind.TEXT
