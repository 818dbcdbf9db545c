"""Changing one's own passphrase: the same key pair, wrapped anew."""

from sqlmodel import Session
from starlette.responses import Response

from bot.console.signing import passphrase
from bot.console.signing.passphrase import Hashing, Refused
from bot.console.visit import SeeOther, Visit
from storage.audit import log, manifests
from storage.crypto.server_key import ServerKeys
from storage.models import Officer
from storage.people import officers, passphrases, sessions
from storage.people.passphrases import PassphraseTooShort, Wrapped


def form(visit: Visit) -> Response:
    """Ask for the old passphrase and a new one."""
    return _ask(visit)


def change(visit: Visit) -> Response:
    """Wrap the key under the new passphrase; all other sessions end."""
    old, new, again = (
        visit.form.get(name, "") for name in ("old", "passphrase", "again")
    )
    if new.strip() != again.strip():
        return _ask(visit, problem="differ", status=422)
    if len(new) > passphrase.LONGEST:
        return _ask(visit, problem="long", status=422)
    keys = visit.console.office.keys
    try:
        was, secret = passphrase.opened(visit, visit.officer.login, old)
        with Hashing(visit, visit.officer.login):
            wrapped = passphrases.wrap(keys, was.id, secret, new)
    except Refused as refused:
        return _ask(visit, problem=refused.reason, status=refused.status)
    except PassphraseTooShort:
        return _ask(visit, problem="short", status=422)
    if not visit.write(_rewrap, keys, visit, was, wrapped):
        return _ask(visit, problem="wrong", status=409)
    return SeeOther("/account?done=passphrase")


def _rewrap(
    session: Session, keys: ServerKeys, visit: Visit, was: Officer, wrapped: Wrapped
) -> bool:
    if not officers.rewrap(session, keys, was, wrapped):
        return False
    sessions.end_all(session, was.id, but=visit.arrived.name)
    log.record(session, keys, "passphrase_changed", officer=was.id, now=visit.now)
    manifests.witness(session, keys, now=visit.now)
    return True


def _ask(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    return visit.page(
        "signing/own_passphrase.html",
        status=status,
        problem=problem,
        least=passphrases.LEAST,
    )
