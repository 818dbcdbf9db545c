"""People: colleagues and their six words, who waits, and for an admin all accounts."""

from dataclasses import dataclass

from sqlmodel import Session
from starlette.responses import Response

from bot.console.visit import Visit
from handlers import authority
from handlers.errors import NotFound
from handlers.people import leaving
from storage.crypto import fingerprints
from storage.crypto.sealing import NotAuthentic
from storage.models import Officer, Unit
from storage.people import invitations, officers
from storage.units import admissions, memberships, units
from storage.words import Role, UnitKind

DONE = frozenset({"admitted", "confirmed", "refused", "removed", "ended", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody as a list shows them: the account, its words, where they sit and wait."""

    officer: Officer
    words: str
    homes: tuple[Unit, ...] = ()
    doors: tuple[Unit, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """A unit as the page shows it: who sits in it, and who waits before it."""

    unit: Unit
    members: tuple[Face, ...]
    waiting: tuple[Face, ...]
    is_mine: bool


def people(visit: Visit) -> Response:
    """Show the people that an officer has to do with."""
    done = visit.query.get("done", "")
    keys, me = visit.console.office.keys, visit.officer
    with visit.console.database.reading() as session:
        rooms = [_room(visit, session, unit) for unit in visible(visit, session)]
        sent = [
            row
            for row in invitations.waiting(session, keys, now=visit.now)
            if authority.may_withdraw(me, row)
        ]
        names = {unit.id: unit.name for unit in units.everything(session)}
        everybody = _everybody(visit, session) if me.role == Role.ADMIN else []
        doors = admissions.homes(session, keys, me)
        unconfirmed = [_face(one) for one in to_confirm(visit, session)]
    return visit.page(
        "people/people.html",
        done=done if done in DONE else "",
        six=fingerprints.words(me.public_key),
        rooms=rooms,
        doors=doors,
        sent=sent,
        names=names,
        everybody=everybody,
        unconfirmed=unconfirmed,
        may_invite=me.role in {Role.ADMIN, Role.SUPERVISOR},
    )


def visible(visit: Visit, session: Session) -> list[Unit]:
    """Return the units whose people an officer sees: their own, for an admin all."""
    keys = visit.console.office.keys
    if visit.officer.role != Role.ADMIN:
        return memberships.units_of(session, keys, visit.officer)
    return [unit for unit in units.everything(session) if _is_sound(visit, unit)]


def to_confirm(visit: Visit, session: Session) -> list[Officer]:
    """Return who waits for an admin or a supervisor to compare words; for others nobody."""
    office = visit.console.office
    if not authority.may_confirm(visit.work(session), visit.officer):
        return []
    return admissions.unconfirmed_accounts(session, office.keys)


def person(
    visit: Visit, *, problem: str = "", place: str = "", status: int = 200
) -> Response:
    """Show one officer, and what may be done about them."""
    with visit.console.database.reading() as session:
        officer = find(visit, session)
        seen = [_room(visit, session, unit) for unit in visible(visit, session)]
        office, me = visit.console.office, visit.officer
        doors = [
            room.unit for room in seen if room.is_mine and _among(officer, room.waiting)
        ]
        seats = [
            (room.unit, leaving.is_last(visit.work(session), room.unit, officer))
            for room in seen
            if _among(officer, room.members)
            and authority.may_remove(visit.work(session), me, room.unit)
        ]
        homes = memberships.units_of(session, office.keys, officer)
        by_me = admissions.is_invited_by(session, office.keys, officer, me)
        last = any(
            leaving.is_last(visit.work(session), unit, officer) for unit in homes
        )
        waits = any(one.id == officer.id for one in to_confirm(visit, session))
    return visit.page(
        "people/person.html",
        status=status,
        who=officer,
        six=fingerprints.words(officer.public_key),
        doors=doors,
        waits=waits,
        by_me=by_me,
        seats=seats,
        homes=homes,
        last=last,
        may_end=me.role == Role.ADMIN and officer.active,
        problem=problem,
        place=place,
    )


def find(visit: Visit, session: Session) -> Officer:
    """Return the officer of this address if the one who asks has to do with them.

    Raises NotFound otherwise: nobody learns which accounts exist.
    """
    keys = visit.console.office.keys
    login = officers.normal_login(visit.request.path_params["login"])
    for officer in officers.everyone(session):
        if officer.login != login:
            continue
        officers.require(session, keys, officer)
        waiting = [Face(one, "") for one in to_confirm(visit, session)]
        if visit.officer.role == Role.ADMIN or _among(officer, waiting):
            return officer
        for unit in visible(visit, session):
            near = memberships.members(session, keys, unit)
            near = [*near, *admissions.waiting(session, keys, unit)]
            if _among(officer, [Face(one, "") for one in near]):
                return officer
    raise NotFound


def _room(visit: Visit, session: Session, unit: Unit) -> Room:
    keys = visit.console.office.keys
    members = memberships.members(session, keys, unit)
    return Room(
        unit=unit,
        members=tuple(map(_face, members)),
        waiting=tuple(map(_face, admissions.waiting(session, keys, unit))),
        is_mine=any(one.id == visit.officer.id for one in members),
    )


def _face(officer: Officer) -> Face:
    return Face(officer, fingerprints.words(officer.public_key))


def _everybody(visit: Visit, session: Session) -> list[Face]:
    keys = visit.console.office.keys
    return [
        Face(
            officer,
            fingerprints.words(officer.public_key),
            tuple(memberships.units_of(session, keys, officer)),
            tuple(admissions.homes(session, keys, officer)),
        )
        for officer in officers.everyone(session)
        if _counts(visit, session, officer)
    ]


def _among(officer: Officer, faces: tuple[Face, ...] | list[Face]) -> bool:
    return any(face.officer.id == officer.id for face in faces)


def _counts(visit: Visit, session: Session, officer: Officer) -> bool:
    try:
        officers.require(session, visit.console.office.keys, officer)
    except NotAuthentic:
        return False
    return True


def _is_sound(visit: Visit, unit: Unit) -> bool:
    try:
        units.check(visit.console.office.keys, unit)
    except NotAuthentic:
        return False
    return unit.kind in set(UnitKind)
