"""Old rows that are put back count nothing, and rows that are taken away are missed."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text
from sqlmodel import Session, select

from storage.audit import log, manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.database.database import Database
from storage.models import Membership, Officer, Unit
from storage.people import officers, sessions
from storage.units import memberships, readiness, routes, units
from storage.words import UnitKind
from tests.conftest import NOW
from tests.support import founded
from tests.support.unsealing import unit_secret

PEOPLE = ("officers", "memberships", "unit_grants", "units")


def saved(connection: Connection, *tables: str) -> dict[str, list[dict]]:
    """Copy whole tables, as a thief of an old dump has them."""
    return {
        name: [
            dict(row)
            for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()  # noqa: S608 - our own names
        ]
        for name in tables
    }


def put_back(connection: Connection, tables: dict[str, list[dict]]) -> None:
    for name, rows in tables.items():
        connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608 - our own names
        for row in rows:
            columns = ", ".join(row)
            values = ", ".join(f":{column}" for column in row)
            connection.execute(
                text(f"INSERT INTO {name} ({columns}) VALUES ({values})"),  # noqa: S608 - our own names
                row,
            )


def copied(database: Database, *tables: str) -> dict[str, list[dict]]:
    with database.reading() as session:
        return saved(session.connection(), *tables)


def restored(database: Database, tables: dict[str, list[dict]]) -> None:
    with database.writing() as session:
        put_back(session.connection(), tables)


@pytest.fixture
def built(database: Database, keys: ServerKeys) -> founded.House:
    with database.writing() as session:
        return founded.build(session, keys)


def colleague(
    database: Database, keys: ServerKeys, built: founded.House, login: str = "budi"
) -> founded.Person:
    with database.writing() as session:
        person = founded.person(session, keys, login)
        unit = units.verified(session, keys, built.unit.id)
        boss = built.supervisor
        memberships.admit(
            session, keys, unit, person.officer, boss.officer, boss.secret
        )
        return person


def test_a_removed_officer_does_not_come_back(
    database: Database, keys: ServerKeys, built: founded.House
):
    budi = colleague(database, keys, built)
    with database.writing() as session:
        cookie = sessions.begin(session, keys, budi.officer, budi.secret, now=NOW)
    old = copied(database, *PEOPLE, "sessions")
    with database.writing() as session:
        officers.deactivate(session, keys, budi.officer.id)
    restored(database, old)
    with database.reading() as session:
        with pytest.raises(NotAuthentic):
            officers.find(session, keys, "budi")
        assert sessions.resume(session, keys, cookie, now=NOW) is None
        budi_again = session.get_one(Officer, budi.officer.id)
        assert budi_again.active
        assert memberships.units_of(session, keys, budi_again) == []
        unit = units.verified(session, keys, built.unit.id)
        assert not memberships.is_member(session, keys, unit, budi_again)
        assert [one.login for one in memberships.members(session, keys, unit)] == [
            "sari"
        ]
        with pytest.raises(NotAuthentic):
            unit_secret(session, keys, unit, budi_again, budi.secret)
        assert officers.find(session, keys, "sari"), "nobody else is locked out"


def test_an_old_membership_alone_gives_nothing(
    database: Database, keys: ServerKeys, built: founded.House
):
    """The account of somebody who left one unit counts; the membership does not."""
    budi = colleague(database, keys, built)
    with database.writing() as session:
        row = session.exec(
            select(Membership).where(Membership.officer == budi.officer.id)
        ).one()
        out = [officers.membership(row)]
        manifests.change(session, keys, Name.PEOPLE, out=out)
    with database.reading() as session:
        assert officers.find(session, keys, "budi")
        unit = units.verified(session, keys, built.unit.id)
        assert not memberships.is_member(session, keys, unit, budi.officer)
        with pytest.raises(NotAuthentic):
            unit_secret(session, keys, unit, budi.officer, budi.secret)


@pytest.mark.usefixtures("built")
def test_an_old_key_of_a_unit_is_sealed_nothing(database: Database, keys: ServerKeys):
    with database.writing() as session:
        young = units.create(session, keys, "Young", UnitKind.HANDLING)
    old = copied(database, "units")
    with database.writing() as session:
        rina = founded.person(session, keys, "rina").officer
        young = units.verified(session, keys, young.id)
        memberships.admit_first(session, keys, young, rina)
    restored(database, old)
    with database.writing() as session:
        with pytest.raises(NotAuthentic):
            units.verified(session, keys, young.id)
        with pytest.raises(NotAuthentic):
            units.named(session, keys, "Young")
        row = session.get_one(Unit, young.id)
        joko = founded.person(session, keys, "joko").officer
        with pytest.raises(NotAuthentic):
            memberships.admit_first(session, keys, row, joko)


def _lost(session: Session) -> None:
    session.connection().execute(text("DELETE FROM routes WHERE position = 'KDH'"))


def _without_list(session: Session) -> None:
    session.connection().execute(text("DELETE FROM settings WHERE name = 'routes'"))


def _without_both(session: Session) -> None:
    _lost(session)
    _without_list(session)


@pytest.mark.parametrize("harm", [_lost, _without_list, _without_both])
def test_a_route_that_is_taken_away_stops_intake(
    database: Database,
    keys: ServerKeys,
    built: founded.House,
    harm: Callable[[Session], None],
):
    with database.writing() as session:
        routes.add_route(session, keys, built.unit, position="KDH")
        assert len(routes.verified_routes(session, keys)) == 2
    with database.writing() as session:
        harm(session)
    with database.writing() as session:
        with pytest.raises(NotAuthentic):
            routes.verified_routes(session, keys)
        assert readiness.ready(session, keys) == [
            "A route was changed outside the program."
        ]


def test_a_change_never_makes_a_strangers_change_ours(
    database: Database, keys: ServerKeys, built: founded.House
):
    with database.writing() as session:
        routes.add_route(session, keys, built.unit, position="KDH")
        _lost(session)
        routes.add_route(session, keys, built.unit, category="COR")
        with pytest.raises(NotAuthentic):
            routes.verified_routes(session, keys)
        with pytest.raises(NotAuthentic):
            manifests.change(session, keys, Name.ROUTES, out=[b"never there"])


def test_an_old_list_with_its_old_rows_shows_in_the_audit_log(
    database: Database, keys: ServerKeys, built: founded.House
):
    budi = colleague(database, keys, built)
    with database.writing() as session:
        manifests.witness(session, keys, now=NOW)
        manifests.witness(session, keys, now=NOW)
        assert log.head(session)[0] == 2, "one line a list, and none without a change"
    old = copied(database, *PEOPLE, "settings")
    with database.writing() as session:
        officers.deactivate(session, keys, budi.officer.id)
        assert manifests.rolled_back(session, keys) == [], "newer than the log is fine"
        manifests.witness(session, keys, now=NOW)
        assert manifests.rolled_back(session, keys) == []
    restored(database, old)
    with database.writing() as session:
        assert officers.find(session, keys, "budi"), "what only the log shows"
        assert manifests.rolled_back(session, keys) == [Name.PEOPLE]
        session.connection().execute(
            text("UPDATE settings SET value = '9' WHERE name = 'routes'")
        )
        session.expire_all()
        transactions.forget(session)
        assert manifests.rolled_back(session, keys) == [Name.ROUTES, Name.PEOPLE]
