"""Sign in with a passphrase, and sign out; the session's cookies and the browser's label.

A passphrase opens the officer's key and a session that allows nothing but the second
factor (``second.py``).
"""

from datetime import timedelta
from urllib.parse import quote

from sqlmodel import Session
from starlette.responses import Response

from bot.console.gate import local_path
from bot.console.signing import passphrase
from bot.console.signing.passphrase import Refused
from bot.console.visit import COOKIE, DEVICE, DOOR, HOME, SeeOther, Visit
from storage.audit import log
from storage.crypto.server_key import ServerKeys
from storage.models import Officer
from storage.people import cookies, devices, officers, sessions


def form(visit: Visit) -> Response:
    """Show the form; whoever is signed in goes on."""
    if visit.signed is not None:
        return SeeOther("/sign-in/second")
    return _door(visit, following=visit.query.get("next", ""))


def sign_in(visit: Visit) -> Response:
    """Check a passphrase and begin a session that opens nothing but the next question.

    An unknown account takes the same time and gets the same answer as a wrong passphrase.
    """
    login = officers.normal_login(visit.form.get("login", ""))[:80]
    following = visit.form.get("next", "")
    try:
        typed = visit.form.get("passphrase", "")
        officer, secret = passphrase.opened(visit, login, typed)
        passphrase.renew(visit, officer, secret, typed)
    except Refused as refused:
        return _door(
            visit, following=following, problem=refused.reason, status=refused.status
        )
    cookie = visit.write(_begin, visit.console.office.keys, officer, secret, visit)
    response = SeeOther(with_next("/sign-in/second", following))
    set_cookie(response, COOKIE, cookie)
    forget_cookie(response, DOOR)
    return response


def sign_out(visit: Visit) -> Response:
    """End this session, and the key with it."""
    visit.write(_end, visit.console.office.keys, visit)
    response = SeeOther("/sign-in")
    forget_cookie(response, COOKIE)
    return response


def with_next(path: str, following: str) -> str:
    """Return a path of ours that leads on to another one afterwards."""
    after = local_path(following) if following else "/"
    return path if after == "/" else f"{path}?next={quote(after, safe='/')}"


def set_cookie(
    response: Response, name: str, value: str, lasts: timedelta | None = None
) -> None:
    """Give the browser a cookie that only we see, over TLS, in our own pages.

    It goes with the browser's session unless ``lasts`` says how long it stays.
    """
    response.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()) if lasts else None,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )


def remember_device(response: Response, visit: Visit) -> None:
    """Mark a browser in which somebody has just signed in with both factors."""
    keys, login = visit.console.office.keys, visit.arrived.officer.login
    cookie = visit.request.cookies.get(DEVICE, "")
    marked = devices.mark(keys, cookie, login, now=visit.now)
    set_cookie(response, DEVICE, marked, devices.LASTS)


def forget_cookie(response: Response, name: str) -> None:
    """Let the browser forget a cookie."""
    response.delete_cookie(
        name, path="/", secure=True, httponly=True, samesite="strict"
    )


def _begin(
    session: Session, keys: ServerKeys, officer: Officer, secret: bytes, visit: Visit
) -> str:
    sessions.purge(session, now=visit.now)
    label = label_of(visit.request.headers.get("user-agent", ""))
    return sessions.begin(session, keys, officer, secret, label=label, now=visit.now)


def _end(session: Session, keys: ServerKeys, visit: Visit) -> None:
    sessions.end(session, visit.cookie)
    who = visit.arrived.officer.id
    log.record(session, keys, "signed_out", officer=who, now=visit.now)


def _door(
    visit: Visit, *, following: str, problem: str = "", status: int = 200
) -> Response:
    cookie = visit.cookie or cookies.new()
    response = visit.page(
        "signing/sign_in.html",
        status=status,
        problem=problem,
        following=HOME + local_path(following) if following else "",
        login=visit.form.get("login", "")[:80],
        token=cookies.form_token(cookie),
    )
    set_cookie(response, DOOR, cookie)
    return response


_FAMILIES = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def label_of(user_agent: str) -> str:
    """Return a coarse name ("Firefox, Linux"), "" for what is no browser we know."""
    found = (_first(user_agent, kinds) for kinds in (_FAMILIES, _SYSTEMS))
    return ", ".join(name for name in found if name)


def _first(user_agent: str, kinds: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in kinds if mark in user_agent), "")
