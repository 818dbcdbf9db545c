"""The second step of signing in: a code, a recovery code or a passkey; each counts once."""

from sqlmodel import Session
from starlette.responses import Response

from bot.console.gate import local_path
from bot.console.headers import let_script
from bot.console.signing import passkey_checks
from bot.console.signing.sign_in import (
    forget_cookie,
    remember_device,
    set_cookie,
    with_next,
)
from bot.console.visit import COOKIE, SeeOther, Visit
from storage.audit import log
from storage.crypto.server_key import ServerKeys
from storage.people import one_time_codes, passkeys, recovery_codes, sessions
from storage.words import Stage

LONGEST = 40
"""Characters of a code as somebody may type it, with spaces."""


def form(visit: Visit) -> Response:
    """Ask for the second factor; whoever has none sets one up first."""
    following = visit.query.get("next", "")
    signed = visit.arrived
    if signed.stage is Stage.FULL:
        return SeeOther(local_path(following))
    with visit.console.database.reading() as session:
        found = one_time_codes.find(
            session, visit.console.office.keys, signed.officer.id
        )
    if found is None:
        return SeeOther(with_next("/account/factor/set-up", following))
    return _ask(visit, following=following)


def check(visit: Visit) -> Response:
    """Take a code; a right one gives a full session under a new cookie."""
    following, signed = visit.form.get("next", ""), visit.arrived
    if signed.stage is Stage.FULL:
        return SeeOther(local_path(following))
    if not may_try(visit):
        return _ask(visit, following=following, problem="slow", status=429)
    keys = visit.console.office.keys
    cookie = visit.write(_second, keys, visit)
    if cookie is None:
        return _ask(visit, following=following, problem="wrong", status=403)
    if not cookie:
        return over()
    succeeded(visit)
    response = SeeOther(local_path(following))
    set_cookie(response, COOKIE, cookie)
    remember_device(response, visit)
    return response


def accepted(session: Session, keys: ServerKeys, visit: Visit, act: str) -> bool:
    """Tell whether code or passkey counts, in the transaction that uses it up."""
    signed, answer = visit.arrived, visit.form.get("answer", "")
    if answer:
        return passkey_checks.shown(session, keys, visit, answer, act)
    code = "".join(visit.form.get("code", "")[:LONGEST].split())
    who, secret, now = signed.officer.id, signed.secret, visit.now
    if one_time_codes.is_code(code):
        return one_time_codes.accept(session, keys, who, secret, code, now=now)
    if not recovery_codes.use(session, keys, who, secret, code):
        return False
    log.record(session, keys, "recovery_code_used", officer=who, now=now)
    return True


def refused(session: Session, keys: ServerKeys, visit: Visit) -> bool:
    """Count a wrong factor against the session; True when that ended it."""
    signed = visit.arrived
    ended = sessions.failed(session, keys, signed.name)
    who = signed.officer.id
    log.record(session, keys, "second_factor_wrong", officer=who, now=visit.now)
    return ended


def may_try(visit: Visit) -> bool:
    """Count a try of this account's second factor; False when there were too many."""
    device = visit.device(visit.arrived.officer.login)
    return visit.console.throttle.begin(
        _name(visit), visit.address, device, now=visit.now
    )


def succeeded(visit: Visit) -> None:
    """Forget the tries of this account's second factor."""
    device = visit.device(visit.arrived.officer.login)
    visit.console.throttle.succeeded(_name(visit), visit.address, device, now=visit.now)


def over() -> Response:
    """Send somebody whose session has ended to the door."""
    response = SeeOther("/sign-in")
    forget_cookie(response, COOKIE)
    return response


def with_passkey(
    visit: Visit, template: str, act: str, *, status: int, **values: object
) -> Response:
    """Render a page that takes a passkey too; only for who has one it has a script."""
    with visit.console.database.reading() as session:
        keys, who = visit.console.office.keys, visit.arrived.officer.id
        known = passkeys.of_officer(session, keys, who)
    asked = passkey_checks.to_show(visit, act, known)
    response = visit.page(template, status=status, asked=asked, **values)
    if asked:
        let_script(response)
    return response


def _second(session: Session, keys: ServerKeys, visit: Visit) -> str | None:
    """Return the new cookie, None for a wrong code, "" when the session is over."""
    signed = visit.arrived
    if not sessions.hold(session, keys, signed.name, now=visit.now):
        return ""
    if not accepted(session, keys, visit, passkey_checks.SIGN_IN):
        return "" if refused(session, keys, visit) else None
    cookie = sessions.promote(session, keys, signed, now=visit.now)
    who = signed.officer.id
    log.record(session, keys, "signed_in", officer=who, now=visit.now)
    return cookie


def _ask(
    visit: Visit, *, following: str, problem: str = "", status: int = 200
) -> Response:
    return with_passkey(
        visit,
        "signing/second.html",
        passkey_checks.SIGN_IN,
        status=status,
        problem=problem,
        following=local_path(following),
    )


def _name(visit: Visit) -> str:
    """Return under what the tries are counted: apart from those of the passphrase."""
    return f"second {visit.arrived.officer.id.hex()}"
