"""A fresh proof: passphrase and second factor once more, before the weightiest acts."""

from sqlmodel import Session
from starlette.responses import Response

from bot.console.gate import local_path
from bot.console.signing import passkey_checks, passphrase, second
from bot.console.signing.passphrase import Refused
from bot.console.visit import SeeOther, Visit
from storage.audit import log
from storage.crypto.server_key import ServerKeys
from storage.people import sessions


def form(visit: Visit) -> Response:
    """Ask for both."""
    return _ask(visit, following=visit.query.get("next", ""))


def check(visit: Visit) -> Response:
    """Take both, or a passkey that asked the person; what was wanted opens for minutes."""
    following = visit.form.get("next", "")
    if not second.may_try(visit):
        return _ask(visit, following=following, problem="slow", status=429)
    try:
        if not visit.form.get("answer"):
            words = visit.form.get("passphrase", "")
            passphrase.opened(visit, visit.officer.login, words)
        right = visit.write(_prove, visit.console.office.keys, visit)
    except Refused as refused:
        if refused.reason != "wrong":
            return _ask(
                visit,
                following=following,
                problem=refused.reason,
                status=refused.status,
            )
        right = visit.write(_refuse, visit.console.office.keys, visit)
    if right is None:
        return second.over()
    if not right:
        return _ask(visit, following=following, problem="wrong", status=403)
    second.succeeded(visit)
    return SeeOther(local_path(following))


def _prove(session: Session, keys: ServerKeys, visit: Visit) -> bool | None:
    """Return True, False for a wrong code, None when the session is over."""
    signed = visit.arrived
    if not sessions.hold(session, keys, signed.name, now=visit.now):
        return None
    if not second.accepted(session, keys, visit, passkey_checks.PROVE):
        return _refuse(session, keys, visit)
    sessions.prove(session, keys, signed.name, now=visit.now)
    log.record(session, keys, "proved", officer=visit.officer.id, now=visit.now)
    return True


def _refuse(session: Session, keys: ServerKeys, visit: Visit) -> bool | None:
    if not sessions.hold(session, keys, visit.arrived.name, now=visit.now):
        return None
    return None if second.refused(session, keys, visit) else False


def _ask(
    visit: Visit, *, following: str, problem: str = "", status: int = 200
) -> Response:
    return second.with_passkey(
        visit,
        "signing/prove.html",
        passkey_checks.PROVE,
        status=status,
        problem=problem,
        following=local_path(following),
        minutes=int(sessions.PROOF_LASTS.total_seconds() // 60),
    )
