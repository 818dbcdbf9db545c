"""What Twilio posts to us: its signature, its fields, its statuses."""

import base64
import hmac
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from bot.channels import base, twilio
from handlers.messages import Media
from storage.words import Mark

FIELDS = 1000
FILES = 50
#: Twilio's error of an inbound text of which a part never came.
MISSING_SEGMENT = "30009"
#: How far a message has come; a status never moves back.
RANKS: Final[Mapping[str, int]] = {
    "accepted": 1,
    "scheduled": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "partially_delivered": 4,
    "delivered": 5,
    "undelivered": 5,
    "failed": 5,
    "canceled": 5,
    "read": 6,
}
LEFT = RANKS["sent"]
FINAL = 5
Ours: TypeAlias = Mapping[str, Container[str]]
"""Fields of a call that name account and number, and which of them are ours."""
FAILED = frozenset({"undelivered", "failed", "canceled"})


def pairs(raw: bytes) -> list[tuple[str, str]]:
    """Return a form's fields in order, blank ones and repeats too; bytes survive.

    Bytes that are no UTF-8 are kept as lone surrogates, so that the signature can be
    computed over what was sent. Raises ``Unparseable``.
    """
    try:
        return parse_qsl(
            raw.decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=FIELDS,
        )
    except ValueError:
        raise base.Unparseable("twilio.form") from None


def fields(raw: bytes) -> dict[str, str]:
    """Return a form's fields as clean text, the first of each name."""
    return {
        name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for name, value in reversed(pairs(raw))
    }


def is_ours(raw: bytes, ours: Ours) -> bool:
    """Tell whether a call is about our account and number: an account signs for all of its own."""
    form = fields(raw)
    return all(form.get(name, "") in known for name, known in ours.items())


def signed_address(public_url: str, path: str, query: str = "") -> str:
    """Return the URL that Twilio signed: never taken from the request's own host."""
    base_url = public_url.partition("#")[0].rstrip("/")
    return f"{base_url}{path}?{query}" if query else f"{base_url}{path}"


def verify(
    url: str, form: Iterable[tuple[str, str]], signature: str, tokens: Iterable[str]
) -> bool:
    """Check ``X-Twilio-Signature`` in constant time, with each token in use.

    Twilio signs the URL with or without its port, so both are tried.
    """
    values = sorted(set(form))
    tail = "".join(name + value for name, value in values)
    given = signature.encode("utf-8", "replace")
    good = False
    for address in _with_and_without_port(url):
        signed = (address + tail).encode("utf-8", "surrogateescape")
        for token in tokens:
            mac = hmac.digest(token.encode(), signed, "sha1")
            good |= bool(token) and hmac.compare_digest(base64.b64encode(mac), given)
    return good


def _with_and_without_port(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host, _, port = parts.netloc.partition(":")
    standard = "443" if parts.scheme == "https" else "80"
    full = f"{host}:{port or standard}"
    return parts._replace(netloc=host).geturl(), parts._replace(netloc=full).geturl()


def files(form: Mapping[str, str]) -> tuple[Media, ...]:
    """Return the files of a message; raise ``Unparseable`` on a strange count."""
    count = form.get("NumMedia") or "0"
    if not (count.isascii() and count.isdigit() and int(count[:9]) <= FILES):
        raise base.Unparseable("twilio.media")
    return tuple(
        Media(form[f"MediaUrl{i}"], form.get(f"MediaContentType{i}", ""))
        for i in range(int(count))
        if form.get(f"MediaUrl{i}")
    )


def marks(form: Mapping[str, str]) -> tuple[Mark, ...]:
    """Return what an officer should know of how a message came."""
    found = []
    if _is_true(form, "FrequentlyForwarded"):
        found.append(Mark.OFTEN_FORWARDED)
    elif _is_true(form, "Forwarded"):
        found.append(Mark.FORWARDED)
    if form.get("ErrorCode") == MISSING_SEGMENT:
        found.append(Mark.INCOMPLETE)
    return tuple(found)


def _is_true(form: Mapping[str, str], name: str) -> bool:
    return form.get(name, "").strip().lower() in {"true", "1"}


def required(form: Mapping[str, str], name: str) -> str:
    """Return a field that must hold an id or an address; raise ``Unparseable``."""
    value = form.get(name, "")
    if not 0 < len(value) <= base.WIDEST_HANDLE:
        raise base.Unparseable(f"twilio.{name}")
    return value


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What became of a message: ``rank`` grows, ``error_code`` is 0 where there is none."""

    provider_id: str
    rank: int
    state: str
    error_code: int

    @property
    def final(self) -> bool:
        """Tell whether the message has come to its end (it may still be read)."""
        return self.rank >= FINAL

    @property
    def error(self) -> base.SendError | None:
        """Return what a failure means for the letter; None where it went well."""
        return twilio.policy(self.error_code) if self.state in FAILED else None


def parse_status(raw: bytes) -> StatusUpdate | None:
    """Read a status callback; None for a status we do not know. Raises ``Unparseable``."""
    form = fields(raw)
    state = form.get("MessageStatus") or form.get("SmsStatus", "")
    code = form.get("ErrorCode") or "0"
    if not (code.isascii() and code.isdigit()):
        raise base.Unparseable("twilio.ErrorCode")
    provider_id = required(form, "MessageSid")
    if state not in RANKS:
        return None
    return StatusUpdate(provider_id, RANKS[state], state, int(code[:9]))
