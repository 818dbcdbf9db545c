"""Forms about people: invite, take back, admit, confirm, refuse, remove, end.

Each asks for a tick where something cannot be undone, and each is one verb.
"""

from collections.abc import Callable, Mapping

from starlette.responses import Response

from bot.console.people import people
from bot.console.visit import HOME, SeeOther, Visit
from handlers import authority
from handlers.errors import (
    LastAdmin,
    LastMember,
    NotFound,
    NotYours,
    SecondOfficerNeeded,
)
from handlers.people import confirming, joining, leaving
from handlers.work import Work
from storage.crypto import fingerprints
from storage.models import Unit
from storage.people import invitations, officers
from storage.units import admissions, memberships, units
from storage.words import Role, UnitKind

_NAME = 80
_PROBLEMS: Mapping[type[Exception], str] = {
    officers.BadLogin: "login",
    officers.LoginTaken: "taken",
    memberships.WrongHouse: "unit",
    units.NoSuchUnit: "unit",
    NotYours: "not_yours",
}


def invite_form(visit: Visit) -> Response:
    """Show the form of an invitation."""
    return _form(visit)


def invite(visit: Visit) -> Response:
    """Make a one-time link and show it, once, in this page alone."""
    role = _role(visit)
    name = visit.form.get("name", "").strip()
    is_name = 0 < len(name) <= _NAME and name.isprintable()
    if role is None or not is_name:
        return _form(visit, problem="name" if role else "role", status=422)
    try:
        token = visit.act(
            joining.invite,
            visit.form.get("login", "")[:_NAME],
            name=name,
            role=role,
            language=visit.console.texts.language(visit.form.get("language", "")),
            unit=_unit_id(visit),
            by=visit.officer.id,
        )
    except tuple(_PROBLEMS) as error:
        return _form(visit, problem=_PROBLEMS[type(error)], status=422)
    return visit.page(
        "people/invited.html",
        address=f"{_origin(visit)}{HOME}/join/{token}",
        name=name,
        days=invitations.LIFE.days,
    )


def withdraw(visit: Visit) -> Response:
    """Take an invitation back."""
    visit.act(joining.withdraw, visit.form.get("login", ""), by=visit.officer.id)
    return SeeOther("/people?done=withdrawn")


def admit(visit: Visit) -> Response:
    """Admit a newcomer whose words were compared by another way."""
    if visit.form.get("compared") != "yes":
        return _again(visit, "compare", 422)
    try:
        _do(visit, _admit)
    except admissions.NotWaiting:
        return _again(visit, "not_waiting", 409)
    except SecondOfficerNeeded:
        return _again(visit, "inviter", 409)
    except memberships.WrongHouse:
        return _again(visit, "wrong_house", 409)
    return SeeOther("/people?done=admitted")


def confirm(visit: Visit) -> Response:
    """Confirm an admin or auditor whose words were compared by another way."""
    if visit.form.get("compared") != "yes":
        return _again(visit, "compare", 422)
    try:
        _do(visit, _confirm)
    except admissions.NotUnconfirmed:
        return _again(visit, "not_waiting", 409)
    except SecondOfficerNeeded:
        return _again(visit, "inviter", 409)
    return SeeOther("/people?done=confirmed")


def refuse(visit: Visit) -> Response:
    """Send a newcomer away."""
    try:
        _do(visit, _refuse)
    except admissions.NotWaiting:
        return _again(visit, "not_waiting", 409)
    return SeeOther("/people?done=refused")


def remove(visit: Visit) -> Response:
    """Take an officer out of a unit; its key changes with it."""
    if visit.form.get("sure") != "yes":
        return _again(visit, "sure", 422)
    try:
        _do(visit, _remove)
    except LastMember:
        return _again(visit, "last", 409)
    return SeeOther("/people?done=removed")


def end(visit: Visit) -> Response:
    """End an account."""
    if visit.form.get("sure") != "yes":
        return _again(visit, "sure_end", 422)
    try:
        _do(visit, _end)
    except LastAdmin:
        return _again(visit, "last_admin", 409)
    except LastMember:
        return _again(visit, "last_end", 409)
    return SeeOther("/people?done=ended")


def _do(visit: Visit, verb: Callable[[Visit, Work], None]) -> None:
    """Run a verb; what is not the officer's to do is no page of theirs."""
    try:
        visit.act(lambda work: verb(visit, work))
    except (NotYours, units.NoSuchUnit):
        raise NotFound from None


def _admit(visit: Visit, work: Work) -> None:
    """Admit whom the words were shown for: another key since then is another person."""
    newcomer = people.find(visit, work.store)
    if fingerprints.words(newcomer.public_key) != visit.form.get("words"):
        raise admissions.NotWaiting
    joining.admit(
        work,
        _unit_id(visit) or b"",
        newcomer.id,
        by=visit.officer.id,
        secret=visit.secret,
    )


def _confirm(visit: Visit, work: Work) -> None:
    """Confirm whom the words were shown for: another key since then is another person."""
    newcomer = people.find(visit, work.store)
    if fingerprints.words(newcomer.public_key) != visit.form.get("words"):
        raise admissions.NotUnconfirmed
    me = visit.officer.id
    confirming.confirm(work, newcomer.id, by=me)


def _refuse(visit: Visit, work: Work) -> None:
    newcomer = people.find(visit, work.store)
    unit, me = _unit_id(visit) or b"", visit.officer.id
    joining.refuse(work, unit, newcomer.id, by=me)


def _remove(visit: Visit, work: Work) -> None:
    leaving.remove(
        work,
        _unit_id(visit) or b"",
        people.find(visit, work.store).id,
        by=visit.officer.id,
    )


def _end(visit: Visit, work: Work) -> None:
    leaving.end(
        work,
        people.find(visit, work.store).id,
        by=visit.officer.id,
    )


def _again(visit: Visit, problem: str, status: int) -> Response:
    place = visit.form.get("unit", "")
    return people.person(visit, problem=problem, place=place, status=status)


def _form(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    with visit.console.database.reading() as session:
        homes = [unit for unit in people.visible(visit, session) if _open(visit, unit)]
    return visit.page(
        "people/invite.html",
        status=status,
        problem=problem,
        typed=visit.form,
        roles=_roles(visit),
        homes=homes,
    )


def _roles(visit: Visit) -> list[Role]:
    if visit.officer.role == Role.ADMIN:
        return list(Role)
    return [role for role in Role if role in authority.HANDLING]


def _open(visit: Visit, unit: Unit) -> bool:
    return visit.officer.role == Role.ADMIN or unit.kind == UnitKind.HANDLING


def _role(visit: Visit) -> Role | None:
    wanted = visit.form.get("role", "")
    return Role(wanted) if wanted in set(Role) else None


def _unit_id(visit: Visit) -> bytes | None:
    """Return the unit that the form names, None for none; NotFound for nonsense."""
    try:
        return bytes.fromhex(visit.form.get("unit", "")) or None
    except ValueError:
        raise NotFound from None


def _origin(visit: Visit) -> str:
    if visit.console.public_url:
        return visit.console.public_url.rstrip("/")
    return f"{visit.request.url.scheme}://{visit.request.url.netloc}"
