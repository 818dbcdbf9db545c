"""How a message is sent: as an answer to another one, or as something forwarded."""

from typing import Any

from bot.simulator.phones import Impossible, Phone
from bot.simulator.telegram.api import Telegram

SOMEBODY = "Seseorang"


def of(telegram: Telegram, phone: Phone, message: dict[str, Any]) -> dict[str, Any]:
    """Give the fields that the provider adds for ``quote`` and ``forwarded``."""
    quote, forwarded = message.get("quote"), message.get("forwarded")
    if phone.channel == "sms" and (quote is not None or forwarded):
        raise Impossible("an SMS neither quotes nor tells that it was forwarded")
    found = {} if quote is None else _quoting(telegram, phone, quote)
    return found | (_forwarding(telegram, phone, str(forwarded)) if forwarded else {})


def _quoting(telegram: Telegram, phone: Phone, quote: int | str) -> dict[str, Any]:
    line = phone.find(quote)
    if line.deleted:
        raise Impossible("a message that was deleted cannot be quoted")
    if phone.channel == "telegram":
        quoted = telegram.chats.messages[phone.address, int(line.message_id)]
        bare = {
            name: part for name, part in quoted.items() if name != "reply_to_message"
        }
        return {"reply_to_message": bare}
    number = f"whatsapp:{telegram.world.settings.whatsapp_number}"
    sender = phone.sender_address if line.sender == "person" else number
    return {
        "OriginalRepliedMessageSid": str(line.message_id),
        "OriginalRepliedMessageSender": sender,
    }


def _forwarding(telegram: Telegram, phone: Phone, how: str) -> dict[str, Any]:
    if phone.channel == "telegram":
        date = int(telegram.world.clock.now()) - 3600
        origin = {"type": "hidden_user", "date": date, "sender_user_name": SOMEBODY}
        return {"forward_origin": origin}
    often = {"FrequentlyForwarded": "true"} if how == "often" else {}
    return {"Forwarded": "true"} | often
