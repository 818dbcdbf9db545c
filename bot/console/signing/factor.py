"""Set up an authenticator: a QR code, a first code back, ten recovery codes shown once.

``qr`` draws any address as SVG; the page that links an officer's Telegram uses it too.
"""

import io
from dataclasses import replace

import segno
from markupsafe import Markup
from sqlmodel import Session
from starlette.responses import Response

from bot.console.gate import local_path, to_proof
from bot.console.signing.second import over
from bot.console.signing.sign_in import remember_device, set_cookie, with_next
from bot.console.visit import COOKIE, SeeOther, Visit
from storage.audit import log, manifests
from storage.crypto.server_key import ServerKeys
from storage.people import one_time_codes, recovery_codes, sessions
from storage.words import Stage

_GROUP = 4
ISSUER = "Kentongan"


def set_up(visit: Visit) -> Response:
    """Show the secret of a new authenticator, as a picture and for typing."""
    following = visit.query.get("next", "")
    return _elsewhere(visit, following) or _offer(visit, following=following)


def confirm(visit: Visit) -> Response:
    """Take the first code of the new authenticator; show the recovery codes once."""
    following = visit.form.get("next", "")
    away = _elsewhere(visit, following)
    if away is not None:
        return away
    code = "".join(visit.form.get("code", "").split())[:40]
    step = one_time_codes.matching_step(_seed(visit), code, now=visit.now)
    if not step:
        return _offer(visit, following=following, problem="wrong", status=403)
    codes = recovery_codes.new_codes()
    keys = visit.console.office.keys
    cookie = visit.write(_put, keys, visit, _seed(visit), step, codes)
    if not cookie:
        return over()
    response = _codes(visit, cookie, codes, following=following)
    remember_device(response, visit)
    return response


def new_codes(visit: Visit) -> Response:
    """Replace the recovery codes and show the new ones once."""
    codes = recovery_codes.new_codes()
    visit.write(_replace, visit.console.office.keys, visit, codes)
    return _codes(visit, visit.cookie, codes, following="/account")


def _elsewhere(visit: Visit, following: str) -> Response | None:
    """Return where to go instead: who has a factor shows it before changing it."""
    signed = visit.arrived
    if signed.stage is Stage.FULL:
        return None if signed.is_proved(visit.now) else to_proof(visit)
    with visit.console.database.reading() as session:
        found = one_time_codes.find(
            session, visit.console.office.keys, signed.officer.id
        )
    if found is None:
        return None
    return SeeOther(with_next("/sign-in/second", following))


def _seed(visit: Visit) -> bytes:
    signed = visit.arrived
    with visit.console.database.reading() as session:
        return one_time_codes.proposal(
            session, signed.officer, signed.secret, signed.name
        )


def _put(
    session: Session,
    keys: ServerKeys,
    visit: Visit,
    seed: bytes,
    step: int,
    codes: list[str],
) -> str:
    """Store factor and codes; return the session's cookie, "" when it may not be done."""
    signed = visit.arrived
    who = signed.officer.id
    if not sessions.hold(session, keys, signed.name, now=visit.now):
        return ""
    is_first = signed.stage is Stage.FIRST
    if is_first and one_time_codes.find(session, keys, who) is not None:
        return ""
    one_time_codes.put(session, keys, signed.officer, seed, step=step)
    recovery_codes.replace(session, keys, who, signed.secret, codes)
    cookie = visit.cookie
    if is_first:
        cookie = sessions.promote(session, keys, signed, now=visit.now)
    else:
        sessions.end_all(session, who, but=signed.name)
    log.record(session, keys, "factor_set", officer=who, now=visit.now)
    if is_first:
        log.record(session, keys, "signed_in", officer=who, now=visit.now)
    manifests.witness(session, keys, now=visit.now)
    return cookie


def _replace(
    session: Session, keys: ServerKeys, visit: Visit, codes: list[str]
) -> None:
    who = visit.officer.id
    recovery_codes.replace(session, keys, who, visit.secret, codes)
    log.record(session, keys, "recovery_codes_made", officer=who, now=visit.now)
    manifests.witness(session, keys, now=visit.now)


def _offer(
    visit: Visit, *, following: str, problem: str = "", status: int = 200
) -> Response:
    seed, login = _seed(visit), visit.arrived.officer.login
    text = one_time_codes.text(seed)
    return visit.page(
        "signing/factor.html",
        status=status,
        picture=qr(one_time_codes.address(seed, visit.console.agency or ISSUER, login)),
        groups=[text[at : at + _GROUP] for at in range(0, len(text), _GROUP)],
        is_first=visit.arrived.stage is Stage.FIRST,
        following=local_path(following),
        problem=problem,
    )


def _codes(visit: Visit, cookie: str, codes: list[str], *, following: str) -> Response:
    signed = replace(visit.arrived, stage=Stage.FULL)
    visit = replace(visit, cookie=cookie, signed=signed)
    response = visit.page(
        "signing/recovery_codes.html", codes=codes, following=local_path(following)
    )
    set_cookie(response, COOKIE, cookie)
    return response


def qr(address: str) -> Markup:
    """Draw an address, black on white in any theme: cameras need it so."""
    drawn = io.BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", xmldecl=False, border=4, omitsize=True, light="#fff"
    )
    return Markup(drawn.getvalue().decode())  # noqa: S704 - squares that segno drew
