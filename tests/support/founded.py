"""Officers and units for tests, made without slow hashing.

A house is founded once in a process, under ``KEYS``; every other store gets its rows.
"""

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select
from sqlmodel import Session, SQLModel

from storage.audit import installation
from storage.crypto.sealing import new_pair
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Officer, Unit
from storage.people import officers
from storage.units import above, memberships, recovery_keys, routes, units
from storage.words import Role, UnitKind
from tests.support.migrated import migrate

KEYS = ServerKeys.new()
"""The server key of the house that is copied; the fixture ``keys``."""


@dataclass(frozen=True, slots=True)
class Person:
    """An officer and the secret key that a signed-in session would hold."""

    officer: Officer
    secret: bytes


@dataclass(frozen=True, slots=True)
class House:
    """One handling unit with a supervisor, the vault with a custodian, both with keys."""

    unit: Unit
    vault: Unit
    supervisor: Person
    custodian: Person
    unit_secret: bytes
    recovery_cases: bytes
    recovery_identities: bytes


def person(
    session: Session, keys: ServerKeys, login: str, role: Role = Role.HANDLER
) -> Person:
    """Add an officer whose passphrase nobody knows."""
    account, secret = prepared(login, role)
    return Person(officers.add(session, keys, account), secret)


def prepared(
    login: str, role: Role = Role.HANDLER
) -> tuple[officers.NewAccount, bytes]:
    """Make an account without slow hashing; returns its secret key too."""
    pair = new_pair()
    account = officers.NewAccount(
        id=secrets.token_bytes(16),
        login=login,
        name=login.title(),
        role=role,
        language="en",
        public_key=pair.public,
        salt=bytes(16),
        secret=b"\x01" + bytes(112),
    )
    return account, pair.secret


def unit_of(
    session: Session, keys: ServerKeys, name: str, *logins: str
) -> tuple[Unit, list[Person]]:
    """Add a handling unit; the first of its members is a supervisor."""
    unit = units.create(session, keys, name, UnitKind.HANDLING)
    first = person(session, keys, logins[0], Role.SUPERVISOR)
    memberships.admit_first(session, keys, unit, first.officer)
    people = [first]
    for login in logins[1:]:
        people.append(person(session, keys, login))
        memberships.admit(
            session, keys, unit, people[-1].officer, first.officer, first.secret
        )
    return unit, people


def build(session: Session, keys: ServerKeys) -> House:
    """Make the smallest house that may take reports; under ``KEYS`` by copying."""
    if keys is not KEYS:
        return _found(session, keys)
    house, rows = _original()
    for table, values in rows:
        session.connection().execute(insert(table), values)
    return _as_it_lies(session, house)


@cache
def _original() -> tuple[House, Sequence[tuple[Table, Sequence[Any]]]]:
    with tempfile.TemporaryDirectory() as folder:
        store = Database(f"sqlite:///{Path(folder) / 'kentongan.db'}")
        migrate(store)
        with store.writing() as session:
            house = _found(session, KEYS)
        with store.reading() as session:
            rows = [
                (
                    table,
                    [
                        dict(row)
                        for row in session.connection()
                        .execute(select(table))
                        .mappings()
                    ],
                )
                for table in SQLModel.metadata.sorted_tables
            ]
        store.close()
    return house, [(table, values) for table, values in rows if values]


def _as_it_lies(session: Session, house: House) -> House:
    """Return a house with rows of its own: tests may change them."""

    def again(one: Person) -> Person:
        return replace(one, officer=session.get_one(Officer, one.officer.id))

    return replace(
        house,
        unit=session.get_one(Unit, house.unit.id),
        vault=session.get_one(Unit, house.vault.id),
        supervisor=again(house.supervisor),
        custodian=again(house.custodian),
    )


@dataclass(frozen=True, repr=False)
class Overseers:
    """The unit above us with its secret, and its two people."""

    unit: Unit
    secret: bytes
    first: Person
    second: Person


def overseen(session: Session, keys: ServerKeys) -> Overseers:
    """Name two people above us in a house that stands."""
    unit = units.create(session, keys, "Above", UnitKind.HANDLING)
    first, second = (
        person(session, keys, login, Role.SUPERVISOR) for login in ("ratna", "yusuf")
    )
    secret = memberships.admit_first(session, keys, unit, first.officer)
    memberships.admit(session, keys, unit, second.officer, first.officer, first.secret)
    above.choose(session, keys, unit)
    return Overseers(unit, secret, first, second)


def _found(session: Session, keys: ServerKeys) -> House:
    installation.set_setting(session, keys, "demo", "no")
    cases, identities = new_pair(), new_pair()
    recovery_keys.add_recovery(session, keys, "cases", cases.public)
    recovery_keys.add_recovery(session, keys, "identities", identities.public)
    unit = units.create(session, keys, "Inspectorate", UnitKind.HANDLING)
    vault = units.create(session, keys, "Vault", UnitKind.VAULT)
    supervisor = person(session, keys, "sari", Role.SUPERVISOR)
    custodian = person(session, keys, "wayan", Role.CUSTODIAN)
    unit_secret = memberships.admit_first(session, keys, unit, supervisor.officer)
    memberships.admit_first(session, keys, vault, custodian.officer)
    routes.add_route(session, keys, unit)
    return House(
        unit,
        vault,
        supervisor,
        custodian,
        unit_secret,
        cases.secret,
        identities.secret,
    )
