"""Whether a message of the bot's arrives: what Twilio refuses at once, what fails later."""

import re
from typing import Final

from bot.simulator.phones import Phone
from bot.simulator.rules.faults import UNDELIVERED
from bot.simulator.twilio.resources import TwilioError
from bot.simulator.world import Settings, World

E164 = re.compile(r"\+[1-9]\d{7,14}")
BSUID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")

ARRIVES: Final = (0, "")
_NOBODY: Final = {
    "whatsapp": (63024, "Invalid message recipient"),
    "sms": (30005, "Unknown destination handset"),
}
_OUT_OF_WINDOW: Final = (
    "Failed to send freeform message because you are outside the allowed window. "
    "If you are using WhatsApp, please use a Message Template."
)
_UNLIKE: Final = "Invalid From and To pair. From and To should be of the same channel"


def route(settings: Settings, to: str, sender: str, service: str) -> str:
    """Give the channel that From and To agree on; raises Twilio's first refusal."""
    on_whatsapp = to.startswith("whatsapp:")
    agree = sender.startswith("whatsapp:") == on_whatsapp
    ours = (
        f"whatsapp:{settings.whatsapp_number}" if on_whatsapp else settings.sms_number
    )
    for refused, code, words in (
        (not to, 21604, "A 'To' phone number is required."),
        (not _is_address(to), 21211, f"Invalid 'To' Phone Number: {to}"),
        (not (sender or service), 21603, "A 'From' phone number is required."),
        (sender and not agree, 21910, _UNLIKE),
        (sender and sender != ours, *_not_ours(sender)),
    ):
        if refused:
            raise TwilioError(400, code, words)
    return "whatsapp" if on_whatsapp else "sms"


def _is_address(to: str) -> bool:
    bare = to.removeprefix("whatsapp:")
    return bool(E164.fullmatch(bare) or (bare != to and BSUID.fullmatch(bare)))


def _not_ours(sender: str) -> tuple[int, str]:
    if sender.startswith("whatsapp:"):
        return 63007, "Twilio could not find a Channel with the specified From address"
    words = (
        f"The 'From' phone number provided ({sender}) is not a valid message-capable "
        "Twilio phone number for this destination."
    )
    return 21606, words


def failure(
    world: World, phone: Phone | None, channel: str, *, free: bool
) -> tuple[int, str]:
    """Why the message will not arrive (code, words); raises what is refused at once."""
    if channel == "sms" and phone and phone.opted_out:
        raise TwilioError(400, 21610, "Attempt to send to unsubscribed recipient")
    name = phone.name if phone else ""
    planned = world.faults.take("twilio", "create", UNDELIVERED, phone=name)
    if planned is not None:
        words = planned.description or "Unreachable destination handset"
        return planned.code or 30003, words
    if phone is None:
        return _NOBODY[channel]
    if phone.blocked:
        return 30004, "Message blocked"
    windowed = channel == "whatsapp" and free
    if not windowed or phone.in_window(world.clock.now()):
        return ARRIVES
    if world.settings.window_error == "refuse":
        raise TwilioError(400, 63016, _OUT_OF_WINDOW)
    return 63016, _OUT_OF_WINDOW
