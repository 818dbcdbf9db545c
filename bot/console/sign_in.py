"""Sign in and out. A passphrase opens the officer's key; nothing else is a credential."""

import base64
import secrets

from sqlmodel import Session
from starlette.responses import Response

from bot.console.gate import local_path
from bot.console.visit import COOKIE, DOOR, HOME, SeeOther, Visit
from storage import audit, officers, sessions
from storage.keys import ServerKeys
from storage.models import Officer
from storage.sealing import NotAuthentic

_WAIT_FOR_HASHER = 10.0


def form(visit: Visit) -> Response:
    """Show the form; whoever is signed in goes on to the queue."""
    if visit.signed is not None:
        return SeeOther("/")
    return _door(visit, following=visit.query.get("next", ""))


def sign_in(visit: Visit) -> Response:
    """Check a passphrase and begin a session.

    An unknown account takes the same time and gets the same answer as a wrong passphrase.
    """
    login = officers.normal_login(visit.form.get("login", ""))[:80]
    following = visit.form.get("next", "")
    throttle, now = visit.console.throttle, visit.now
    if not throttle.begin(login, visit.address, now=now):
        return _door(visit, following=following, problem="slow", status=429)
    if not _wait_for_hasher(visit):
        return _door(visit, following=following, problem="busy", status=503)
    try:
        officer, secret = _opened(visit, login)
    except NotAuthentic:
        return _door(visit, following=following, problem="wrong", status=403)
    finally:
        visit.console.hashers.release()
    throttle.succeeded(login, visit.address, now=now)
    cookie = visit.write(_begin, visit.console.office.keys, officer, secret, visit)
    response = SeeOther(local_path(following))
    _set(response, COOKIE, cookie)
    response.delete_cookie(
        DOOR, path="/", secure=True, httponly=True, samesite="strict"
    )
    return response


def sign_out(visit: Visit) -> Response:
    """End this session, and the key with it."""
    visit.write(_end, visit.console.office.keys, visit)
    response = SeeOther("/sign-in")
    response.delete_cookie(
        COOKIE, path="/", secure=True, httponly=True, samesite="strict"
    )
    return response


def _wait_for_hasher(visit: Visit) -> bool:
    """Wait a moment for a free hasher; a crowd is sent away at once and holds no thread."""
    if not visit.console.waiting.acquire(blocking=False):
        return False
    try:
        return visit.console.hashers.acquire(timeout=_WAIT_FOR_HASHER)
    finally:
        visit.console.waiting.release()


def _opened(visit: Visit, login: str) -> tuple[Officer, bytes]:
    with visit.console.database.reading() as session:
        try:
            officer = officers.find(session, visit.console.office.keys, login)
        except NotAuthentic:
            officer = None
    passphrase = visit.form.get("passphrase", "")[:1024]
    secret = officers.unwrap(visit.console.office.keys, officer, passphrase)
    if officer is None:
        raise NotAuthentic
    return officer, secret


def _begin(
    session: Session, keys: ServerKeys, officer: Officer, secret: bytes, visit: Visit
) -> str:
    sessions.purge(session, now=visit.now)
    cookie = sessions.begin(session, keys, officer, secret, now=visit.now)
    audit.record(session, keys, "signed_in", officer=officer.id, now=visit.now)
    return cookie


def _end(session: Session, keys: ServerKeys, visit: Visit) -> None:
    sessions.end(session, visit.cookie)
    audit.record(session, keys, "signed_out", officer=visit.officer.id, now=visit.now)


def _door(
    visit: Visit, *, following: str, problem: str = "", status: int = 200
) -> Response:
    cookie = visit.cookie or _new_door()
    response = visit.page(
        "sign_in.html",
        status=status,
        problem=problem,
        following=HOME + local_path(following) if following else "",
        login=visit.form.get("login", "")[:80],
        token=sessions.form_token(cookie),
    )
    _set(response, DOOR, cookie)
    return response


def _new_door() -> str:
    """Make a cookie of the shape of a session's, behind which there is none."""
    return ".".join(
        base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        for _ in range(2)
    )


def _set(response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name, value, path="/", secure=True, httponly=True, samesite="strict"
    )
