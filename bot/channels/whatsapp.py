"""WhatsApp by Twilio. What is parsed here goes on to ``handlers/inbox.py``.

A person may have no phone number here: the handle is the business-scoped id where Twilio
tells one, and nothing is ever read out of it.
"""

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from bot.channels import base, twilio, twilio_forms
from bot.channels.limits import WHATSAPP, Limits
from bot.channels.sms import AGREEING
from handlers.messages import Incoming, Kind, Media
from storage.letters.letter import Letter
from storage.words import Channel

PREFIX = "whatsapp:"
OPT_OUT_TYPES = {"STOP": Kind.OPT_OUT, "START": Kind.OPT_IN}
#: The provider's 24 hours, less what a letter may wait on its way.
WINDOW = timedelta(hours=24) - timedelta(minutes=5)


class WhatsApp(twilio.Twilio):
    """The WhatsApp adapter.

    ``templates`` maps a language to template names and their ContentSids. ``clock``
    tells whether the 24 h window of a letter's ``last_inbound`` is still open.
    """

    name: ClassVar = Channel.WHATSAPP
    limits: Limits = WHATSAPP
    prefix: ClassVar = PREFIX

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        templates: Mapping[str, Mapping[str, str]] | None = None,
        **account: Any,  # noqa: ANN401 - passed on to Twilio as it is
    ) -> None:
        super().__init__(**account)
        self._clock = clock
        self._templates = templates or {}

    def parse(self, raw: bytes, *, now: datetime) -> tuple[Incoming, ...]:
        """Read one form; see ``base.Channel``."""
        form = twilio_forms.fields(raw)
        sid = twilio_forms.required(form, "MessageSid")
        sender = _address(twilio_forms.required(form, "From"))
        scoped = form.get("ExternalUserId", "")
        handle = (
            _address(twilio_forms.required(form, "ExternalUserId"))
            if scoped
            else sender
        )
        media = twilio_forms.files(form)
        press = form.get("ButtonPayload") or form.get("ListId", "")
        kind, text = _content(form, media, press)
        return (
            Incoming(
                channel=Channel.WHATSAPP,
                handle=handle,
                provider_id=sid,
                received=now,
                kind=kind,
                text=text,
                press=press,
                media=media,
                aliases=() if handle == sender else (sender,),
                erase=sid,
                quotes=form.get("OriginalRepliedMessageSid", "")[: base.WIDEST_HANDLE],
                marks=twilio_forms.marks(form),
            ),
        )

    async def send(self, letter: Letter) -> base.Sent:
        """Send one letter, as a template where free text is not allowed any more.

        The window is computed now, at the moment of sending, from when the person last
        wrote. Outside it no words of ours leave: the template goes, or nothing.
        """
        template = self._templates.get(letter.language, {}).get(letter.template, "")
        if self._is_open(letter):
            try:
                return await self._create(letter, body=self.text_of(letter))
            except base.WindowClosed:
                if not template:
                    raise
        if not template:
            raise base.WindowClosed("whatsapp.window")
        return await self._send_template(letter, template)

    async def _send_template(self, letter: Letter, template: str) -> base.Sent:
        return await self._create(
            letter,
            content_sid=template,
            content_variables=json.dumps(dict(letter.parameters)),
        )

    def _is_open(self, letter: Letter) -> bool:
        return letter.last_inbound > self._clock().timestamp() - WINDOW.total_seconds()


def _address(value: str) -> str:
    return value if value.startswith(PREFIX) else PREFIX + value


def _content(
    form: Mapping[str, str], media: tuple[Media, ...], press: str
) -> tuple[Kind, str]:
    text = form.get("Body") or form.get("ButtonText", "")
    kind = OPT_OUT_TYPES.get(form.get("OptOutType", ""))
    if kind is Kind.OPT_IN and text.strip().upper() in AGREEING:
        kind = None
    if kind or press:
        return kind or Kind.PRESS, text
    if form.get("Latitude") and form.get("Longitude"):
        return Kind.LOCATION, _place(form)
    if media:
        return Kind.MEDIA, text
    return (Kind.TEXT if text else Kind.UNSUPPORTED), text


def _place(form: Mapping[str, str]) -> str:
    try:
        latitude, longitude = float(form["Latitude"]), float(form["Longitude"])
    except ValueError:
        raise base.Unparseable("twilio.place") from None
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise base.Unparseable("twilio.place")
    names = (form.get("Label"), form.get("Address"))
    return "\n".join((f"{latitude:.6f},{longitude:.6f}", *filter(None, names)))
