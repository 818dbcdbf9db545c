"""The demo officers' authenticator app: what code each of them would read off a phone."""

import base64
import json
import time
from dataclasses import dataclass
from html import escape
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECONDS = 30
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Card:
    """One officer's code, and how many seconds it is still shown."""

    login: str
    code: str
    left: int


class Authenticator:
    """Reads ``file`` (JSON: login to base32 secret) at every look; None: there is none."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    def cards(self, now: float | None = None) -> list[Card]:
        """Give the codes of this moment (``now``: seconds since 1970)."""
        if self._file is None or not self._file.exists():
            return []
        now = time.time() if now is None else now
        secrets: dict[str, str] = json.loads(self._file.read_text("utf-8"))
        left = SECONDS - int(now) % SECONDS
        return [Card(login, _code(word, now), left) for login, word in secrets.items()]

    def markup(self, words: dict[str, str]) -> str:
        """Give the list of codes as HTML, "" while there is nobody."""
        cards = self.cards()
        if not cards:
            return ""
        items = "".join(
            f"<li><span>{escape(card.login)}</span> "
            f"<strong>{card.code[:3]}&#8239;{card.code[3:]}</strong></li>"
            for card in cards
        )
        left = escape(words["code_left"]).replace(
            "{n}", f"<span>{cards[0].left}</span>"
        )
        return f'<ul>{items}</ul><p class="left" data-left="{cards[0].left}">{left}</p>'


def _code(word: str, now: float) -> str:
    seed = base64.b32decode(word)
    return TOTP(seed, _DIGITS, SHA1(), SECONDS).generate(int(now)).decode()  # noqa: S303 - RFC 6238
