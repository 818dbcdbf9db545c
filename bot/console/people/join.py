"""Join by a one-time link: choose a passphrase, see your own six words, and wait.

The token stands in the address of this page alone, works once, and no page of ours
passes an address on.
"""

from dataclasses import replace

from sqlmodel import Session
from starlette.responses import Response

from bot.console.signing import passphrase
from bot.console.signing.passphrase import Hashing, Refused
from bot.console.signing.sign_in import set_cookie
from bot.console.visit import DOOR, Visit
from handlers.errors import NotYours
from handlers.people import joining
from storage.crypto import fingerprints
from storage.crypto.sealing import NotAuthentic
from storage.models import Invitation, Officer
from storage.people import cookies, invitations, officers
from storage.people.officers import NewAccount
from storage.units import admissions, recovery_keys, units
from storage.words import Role


class Unusable(Exception):
    """The passphrase was not taken: too short, or typed differently."""


def form(visit: Visit) -> Response:
    """Show who is invited as what, and ask for a passphrase."""
    found = _invitation(visit)
    return _gone(visit) if found is None else _ask(_spoken(visit, found), found)


def join(visit: Visit) -> Response:
    """Make the account; a passphrase that we made is shown in this answer alone."""
    found = _invitation(visit)
    if found is None:
        return _gone(visit)
    visit = _spoken(visit, found)
    made = officers.new_passphrase() if visit.form.get("make") else ""
    try:
        account = _prepared(visit, found, made or _chosen(visit))
        token = visit.request.path_params["token"]
        officer = visit.act(joining.join, token, account)
    except Refused as refused:
        return _ask(visit, found, problem=refused.reason, status=refused.status)
    except Unusable as unusable:
        return _ask(visit, found, problem=str(unusable), status=422)
    except recovery_keys.RecoveryMissing:
        return _ask(visit, found, problem="recovery", status=409)
    except (joining.NoSuchInvitation, officers.LoginTaken, NotYours, NotAuthentic):
        return _gone(visit)
    return _joined(visit, officer, made)


def _spoken(visit: Visit, found: Invitation) -> Visit:
    """Speak the newcomer's language, as whoever invited them chose it."""
    return replace(visit, language=visit.console.texts.language(found.language))


def _chosen(visit: Visit) -> str:
    """Return the passphrase that was typed twice. Raises Unusable."""
    one, other = (visit.form.get(name, "").strip() for name in ("passphrase", "again"))
    if one != other:
        raise Unusable("differ")
    if not officers.MIN_PASSPHRASE <= len(one) <= passphrase.LONGEST:
        raise Unusable("short")
    return one


def _prepared(visit: Visit, found: Invitation, chosen: str) -> NewAccount:
    with Hashing(visit):
        return officers.prepare_account(
            visit.console.office.keys,
            found.login,
            found.name,
            Role(found.role),
            chosen,
            language=found.language,
        )


def _invitation(visit: Visit) -> Invitation | None:
    keys, token = visit.console.office.keys, visit.request.path_params["token"]
    with visit.console.database.reading() as session:
        return invitations.find(session, keys, token, now=visit.now)


def _ask(
    visit: Visit, found: Invitation, *, problem: str = "", status: int = 200
) -> Response:
    cookie = visit.cookie or cookies.new()
    with visit.console.database.reading() as session:
        unit = _unit_name(visit, session, found)
    response = visit.page(
        "people/join.html",
        status=status,
        invitation=found,
        unit=unit,
        problem=problem,
        least=officers.MIN_PASSPHRASE,
        token=cookies.form_token(cookie),
    )
    if visit.signed is None:
        set_cookie(response, DOOR, cookie)
    return response


def _unit_name(visit: Visit, session: Session, found: Invitation) -> str:
    if found.unit is None:
        return ""
    try:
        return units.verified(session, visit.console.office.keys, found.unit).name
    except (units.NoSuchUnit, NotAuthentic):
        return ""


def _joined(visit: Visit, officer: Officer, made: str) -> Response:
    keys = visit.console.office.keys
    with visit.console.database.reading() as session:
        homes = [one.name for one in admissions.homes(session, keys, officer)]
        waits = admissions.is_unconfirmed(session, keys, officer.id)
    return visit.page(
        "people/joined.html",
        login=officer.login,
        made=made,
        six=fingerprints.words(officer.public_key),
        homes=homes,
        waits=waits,
    )


def _gone(visit: Visit) -> Response:
    return visit.problem("INVITATION", 404)
