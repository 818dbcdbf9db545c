"""The ways to report that the settings know; the last one needs no phone."""

from dataclasses import dataclass

from bot.settings.sections import Settings
from storage.words import Channel

NO_PHONE = "in-person"


@dataclass(frozen=True, slots=True)
class Way:
    """One way: its name (a channel's, or ``NO_PHONE``), what is shown, what opens it.

    ``shown`` are the lines of an address, a number or a name; ``link`` is what a browser
    opens, ``code`` what a camera reads; "" where there is none.
    """

    name: str
    shown: tuple[str, ...] = ()
    link: str = ""
    code: str = ""


def ways(settings: Settings, bot_url: str) -> tuple[Way, ...]:
    """Return every way; ``bot_url`` is the Telegram bot's address, "" while unknown."""
    found: list[Way] = []
    if settings.telegram.token:
        name = bot_url.rpartition("/")[2]
        shown = (f"@{name}",) if name else ()
        found.append(Way(Channel.TELEGRAM, shown, bot_url, bot_url))
    twilio = settings.twilio
    if twilio.account_sid and twilio.whatsapp_number:
        chat = f"https://wa.me/{twilio.whatsapp_number.removeprefix('+')}"
        found.append(Way(Channel.WHATSAPP, (twilio.whatsapp_number,), chat, chat))
    if twilio.account_sid and twilio.sms_number:
        number = twilio.sms_number
        found.append(
            Way(Channel.SMS, (number,), f"sms:{number}", f"SMSTO:{number}:LAPOR ")
        )
    agency = settings.agency
    place = (agency.name, agency.address) if agency.address else (agency.name,)
    found.append(Way(NO_PHONE, place))
    return tuple(found)
