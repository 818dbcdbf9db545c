"""Pages to add and remove a passkey. Signing in with one is in ``second.py``."""

from sqlmodel import Session
from starlette.responses import Response

from bot.console.headers import let_script
from bot.console.signing import passkey_checks
from bot.console.visit import SeeOther, Visit
from storage.audit import log, manifests
from storage.crypto.server_key import ServerKeys
from storage.people import passkeys
from storage.people.passkeys import KnownAlready, TooMany

_LABEL = 60


def form(visit: Visit) -> Response:
    """Offer to make a new passkey."""
    return _ask(visit)


def add(visit: Visit) -> Response:
    """Take the passkey that the browser made."""
    label = visit.form.get("label", "").strip()[:_LABEL]
    if not label:
        return _ask(visit, problem="unnamed", status=422)
    keys = visit.console.office.keys
    try:
        added = visit.write(_add, keys, visit, visit.form.get("answer", ""), label)
    except KnownAlready:
        return _ask(visit, problem="known", status=409)
    except TooMany:
        return _ask(visit, problem="many", status=409)
    if not added:
        return _ask(visit, problem="refused", status=403)
    return SeeOther("/account?done=passkey")


def remove(visit: Visit) -> Response:
    """Forget a passkey."""
    try:
        name = bytes.fromhex(visit.form.get("passkey", ""))
    except ValueError:
        name = b""
    visit.write(_remove, visit.console.office.keys, visit, name)
    return SeeOther("/account?done=passkey_removed")


def _add(
    session: Session, keys: ServerKeys, visit: Visit, answer: str, label: str
) -> bool:
    new = passkey_checks.made(session, keys, visit, answer, label)
    if new is None:
        return False
    who = visit.officer.id
    passkeys.add(session, keys, who, new)
    log.record(session, keys, "passkey_added", officer=who, now=visit.now)
    manifests.witness(session, keys, now=visit.now)
    return True


def _remove(session: Session, keys: ServerKeys, visit: Visit, name: bytes) -> None:
    who = visit.officer.id
    if passkeys.remove(session, keys, who, name):
        log.record(session, keys, "passkey_removed", officer=who, now=visit.now)
        manifests.witness(session, keys, now=visit.now)


def _ask(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    with visit.console.database.reading() as session:
        known = passkeys.of_officer(
            session, visit.console.office.keys, visit.officer.id
        )
    response = visit.page(
        "signing/passkey.html",
        status=status,
        problem=problem,
        label=visit.form.get("label", "")[:_LABEL],
        asked=passkey_checks.to_add(visit, known),
    )
    let_script(response)
    return response
