"""WebAuthn: the options that a browser is given, the check of its answer, the challenges.

The library ``webauthn`` checks signature, challenge, origin, name and counter. Any
exception that strange bytes cause there is a refusal. A challenge is a MAC over
session, act and end; ``spend`` accepts it once, so replicas share nothing but the
database.
"""

import hmac
import ipaddress
import json
import secrets
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlmodel import Session
from webauthn.helpers import base64url_to_bytes, options_to_json, structs
from webauthn.helpers.exceptions import WebAuthnException

from bot.console.visit import Visit
from storage import conversations
from storage.crypto.sealing import encode
from storage.crypto.server_key import Purpose, ServerKeys
from storage.people import passkeys
from storage.people.passkeys import Passkey

_TIMEOUT = 120_000
_LONGEST = 32 * 1024
_STRANGE = (WebAuthnException, ValueError, KeyError, TypeError, RecursionError)
SIGN_IN, PROVE, ADD = "sign-in", "prove", "add"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passkey is good: a name, and the origin of our pages under it."""

    name: str
    origin: str


def place(visit: Visit) -> Place | None:
    """Return where we are, None when the page was reached by a number: no passkey then."""
    host = visit.request.url.hostname or ""
    if _is_number(host):
        return None
    own = urlsplit(visit.console.public_url)
    if own.hostname == host:
        return Place(host, f"{own.scheme}://{own.netloc}")
    url = visit.request.url
    return Place(host, f"{url.scheme}://{url.netloc}")


def to_add(visit: Visit, known: list[Passkey]) -> str:
    """Return as JSON what the browser needs to make a new passkey, "" where it cannot."""
    here = place(visit)
    if here is None:
        return ""
    who = visit.officer
    wanted = structs.AuthenticatorSelectionCriteria(
        resident_key=structs.ResidentKeyRequirement.DISCOURAGED,
        user_verification=structs.UserVerificationRequirement.PREFERRED,
    )
    options = webauthn.generate_registration_options(
        rp_id=here.name,
        rp_name=visit.console.agency or "Kentongan",
        user_name=who.login,
        user_display_name=who.name,
        user_id=visit.console.office.keys.look_up(Purpose.PASSKEY, "person", who.id),
        challenge=make(visit, ADD),
        timeout=_TIMEOUT,
        authenticator_selection=wanted,
        exclude_credentials=[_descriptor(passkey) for passkey in known],
    )
    return options_to_json(options)


def to_show(visit: Visit, act: str, known: list[Passkey]) -> str:
    """Return as JSON what the browser needs to show a passkey, "" when there is none."""
    here = place(visit)
    if here is None or not known:
        return ""
    options = webauthn.generate_authentication_options(
        rp_id=here.name,
        challenge=make(visit, act),
        timeout=_TIMEOUT,
        allow_credentials=[_descriptor(passkey) for passkey in known],
        user_verification=structs.UserVerificationRequirement.PREFERRED,
    )
    return options_to_json(options)


def made(
    session: Session, keys: ServerKeys, visit: Visit, answer: str, label: str
) -> Passkey | None:
    """Return the passkey that a browser made for us just now, None if it does not hold."""
    here, given = place(visit), _read(answer)
    challenge = _challenge(given)
    if here is None or not spend(session, keys, visit, ADD, challenge):
        return None
    try:
        found = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=here.name,
            expected_origin=here.origin,
        )
    except _STRANGE:
        return None
    return Passkey(
        credential=found.credential_id,
        public_key=found.credential_public_key,
        count=found.sign_count,
        label=label,
        transports=_transports(given),
    )


def shown(
    session: Session,
    keys: ServerKeys,
    visit: Visit,
    answer: str,
    act: str,
) -> bool:
    """Tell whether an answer holds for one of the officer's passkeys; count its use.

    To prove oneself again it must have asked the person too (a PIN, a finger).
    """
    here, given = place(visit), _read(answer)
    challenge = _challenge(given)
    if here is None or not spend(session, keys, visit, act, challenge):
        return False
    who = visit.arrived.officer.id
    try:
        credential = base64url_to_bytes(given["id"])
    except _STRANGE:
        return False
    passkey = passkeys.hold(session, keys, who, credential)
    if passkey is None:
        return False
    try:
        found = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=here.name,
            expected_origin=here.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.count,
            require_user_verification=act == PROVE,
        )
    except _STRANGE:
        return False
    passkeys.used(session, keys, who, passkey, found.new_sign_count)
    return True


def _read(answer: str) -> dict[str, Any]:
    try:
        found = json.loads(answer[:_LONGEST])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _challenge(given: dict[str, Any]) -> bytes:
    """Return what the browser says it signed; the signature over it is checked later."""
    try:
        told = json.loads(base64url_to_bytes(given["response"]["clientDataJSON"]))
        return base64url_to_bytes(told["challenge"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return b""


def _transports(given: dict[str, Any]) -> tuple[str, ...]:
    response = given.get("response")
    found = response.get("transports") if isinstance(response, dict) else None
    known = [transport.value for transport in structs.AuthenticatorTransport]
    return (
        tuple(one for one in found if one in known) if isinstance(found, list) else ()
    )


def _descriptor(passkey: Passkey) -> structs.PublicKeyCredentialDescriptor:
    return structs.PublicKeyCredentialDescriptor(
        id=passkey.credential,
        transports=[structs.AuthenticatorTransport(t) for t in passkey.transports],
    )


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


LIFE = timedelta(minutes=5)
_EXPIRES = struct.Struct(">Q")
_NONCE, _MAC = 16, 32


def make(visit: Visit, act: str) -> bytes:
    """Return a challenge for one act of this session."""
    nonce = secrets.token_bytes(_NONCE)
    expires = _EXPIRES.pack(int((visit.now + LIFE).timestamp()))
    keys = visit.console.office.keys
    return nonce + expires + _mac(keys, visit, act, nonce, expires)


def spend(
    session: Session, keys: ServerKeys, visit: Visit, act: str, challenge: bytes
) -> bool:
    """Tell whether a challenge is ours, for this act, in time and unused; use it up."""
    nonce, rest = challenge[:_NONCE], challenge[_NONCE:]
    expires, mac = rest[: _EXPIRES.size], rest[_EXPIRES.size :]
    if len(mac) != _MAC:
        return False
    if not hmac.compare_digest(mac, _mac(keys, visit, act, nonce, expires)):
        return False
    if not _in_time(visit.now, expires):
        return False
    day = visit.console.office.day(visit.now)
    return conversations.first_time(session, keys, f"challenge {mac.hex()}", day=day)


def _in_time(now: datetime, expires: bytes) -> bool:
    (end,) = _EXPIRES.unpack(expires)
    return now.timestamp() < float(end)


def _mac(
    keys: ServerKeys, visit: Visit, act: str, nonce: bytes, expires: bytes
) -> bytes:
    name = visit.arrived.name
    content = encode(b"challenge", act.encode(), name, nonce, expires)
    return keys.look_up(Purpose.PASSKEY, content)
