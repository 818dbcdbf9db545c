"""The pages for everybody of an agency with any settings."""

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.front.front import Front
from bot.settings import loading
from storage.crypto.server_key import ServerKeys
from tests.support.doors import SMS_NUMBER, WHATSAPP_NUMBER

BOT = "https://t.me/lapor_bot"
PLACE = {
    "AGENCY__ADDRESS": "Jl. Merdeka 1, lantai 2",
    "AGENCY__HOURS": "Senin-Jumat 08.00-15.00",
    "AGENCY__LETTER": "PO Box 100",
}
TOKEN = {"TELEGRAM__TOKEN": "1234567:token-of-the-bot-token-of-the-bot"}
TWILIO = {
    "TWILIO__ACCOUNT_SID": f"AC{5:032x}",
    "TWILIO__AUTH_TOKEN": "t" * 32,
    "SERVER__PUBLIC_URL": "https://lapor.example.go.id",
}
SMS = {"TWILIO__SMS_NUMBER": SMS_NUMBER}
WHATSAPP = {"TWILIO__WHATSAPP_NUMBER": WHATSAPP_NUMBER}


def front(bot_url: str = BOT, **environ: str) -> Front:
    """Return the pages of an agency with these settings."""
    given = {f"KENTONGAN_{name}": value for name, value in environ.items()}
    settings = loading.load(None, given)
    office = make_office(settings, ServerKeys.new(), now=utc_now())
    return Front(settings, office, lambda: bot_url)
