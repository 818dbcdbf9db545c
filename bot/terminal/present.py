"""Officers who are present at the terminal: they show it by their passphrase."""

from dataclasses import dataclass, field

from bot.terminal.desk import Desk, Refused
from bot.terminal.passphrases import Passphrases
from storage.crypto.sealing import NotAuthentic
from storage.models import Officer
from storage.people import officers


@dataclass(frozen=True, slots=True)
class Present:
    """An officer and their secret key, for one act."""

    officer: Officer
    secret: bytes = field(repr=False)


def ask(seat: Desk, login: str, passphrases: Passphrases) -> Present:
    """Ask for an officer's passphrase. Raises NoSuchOfficer, Refused."""
    with seat.database.reading() as session:
        officer = officers.verified(session, seat.keys, login)
    try:
        secret = officers.unwrap(seat.keys, officer, passphrases.known(officer.login))
    except NotAuthentic:
        raise Refused(f"the passphrase of {officer.login} is not right") from None
    return Present(officer, secret)
