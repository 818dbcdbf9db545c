import pytest
from sqlmodel import Session, select

from storage.audit import installation
from storage.crypto.sealing import NotAuthentic, new_pair, open_seal, public_of
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.database.database import Database
from storage.models import Membership, Route, Setting, Unit, UnitGrant
from storage.people import officers
from storage.units import memberships, readiness, recovery_keys, routes, units
from storage.units.grants import _context as grant_context
from storage.words import Recipient, Role, UnitKind
from tests.support import founded
from tests.support.unsealing import unit_secret


def test_the_first_member_brings_the_key_into_being(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        built = founded.build(session, keys)
    with database.reading() as session:
        unit = units.named(session, keys, "Inspectorate")
        secret = unit_secret(
            session, keys, unit, built.supervisor.officer, built.supervisor.secret
        )
        assert units.vault(session, keys).public_key is not None
        assert readiness.ready(session, keys) == []
        assert [o.login for o in memberships.members(session, keys, unit)] == ["sari"]
        assert [u.name for u in units.everything(session)] == ["Inspectorate", "Vault"]
    assert secret == built.unit_secret
    assert public_of(secret) == unit.public_key
    assert unit.generation == 1


def test_the_offline_keys_open_their_own_house_only(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        built = founded.build(session, keys)
        rows = session.exec(
            select(UnitGrant).where(
                UnitGrant.recipient_kind == Recipient.RECOVERY.value
            )
        ).all()
        own = {built.unit.id: built.recovery_cases}
        own[built.vault.id] = built.recovery_identities
        other = {built.unit.id: built.recovery_identities}
        other[built.vault.id] = built.recovery_cases
        for row in rows:
            assert open_seal(row.secret, own[row.unit], grant_context(row, "secret"))
            with pytest.raises(NotAuthentic):
                open_seal(row.secret, other[row.unit], grant_context(row, "secret"))
        assert len(rows) == 2


def test_a_member_admits_a_newcomer(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        budi = founded.person(session, keys, "budi")
        memberships.admit(
            session,
            keys,
            built.unit,
            budi.officer,
            built.supervisor.officer,
            built.supervisor.secret,
        )
        secret = unit_secret(
            session, keys, built.unit, budi.officer, budi.secret, generation=1
        )
        assert secret == built.unit_secret
        assert [u.id for u in memberships.units_of(session, keys, budi.officer)] == [
            built.unit.id
        ]
        with pytest.raises(memberships.HasMembers):
            memberships.admit(
                session, keys, built.unit, budi.officer, budi.officer, budi.secret
            )


def test_who_is_no_member_admits_nobody(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        budi = founded.person(session, keys, "budi")
        adi = founded.person(session, keys, "adi", Role.ADMIN)
        for outsider in (adi, built.custodian):
            with pytest.raises(NotAuthentic):
                memberships.admit(
                    session,
                    keys,
                    built.unit,
                    budi.officer,
                    outsider.officer,
                    outsider.secret,
                )
        with pytest.raises(NotAuthentic):
            unit_secret(session, keys, built.unit, budi.officer, budi.secret)


def test_a_members_wrong_secret_admits_nobody(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        budi = founded.person(session, keys, "budi")
        with pytest.raises(NotAuthentic):
            memberships.admit(
                session,
                keys,
                built.unit,
                budi.officer,
                built.supervisor.officer,
                new_pair().secret,
            )


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        (Role.CUSTODIAN, UnitKind.HANDLING),
        (Role.SUPERVISOR, UnitKind.VAULT),
        (Role.ADMIN, UnitKind.HANDLING),
        (Role.AUDITOR, UnitKind.HANDLING),
    ],
)
def test_nobody_sits_in_the_wrong_house(
    database: Database, keys: ServerKeys, role: Role, kind: UnitKind
):
    with database.writing() as session:
        unit = units.create(session, keys, "Somewhere", kind)
        officer = founded.person(session, keys, "budi", role).officer
        with pytest.raises(memberships.WrongHouse):
            memberships.admit_first(session, keys, unit, officer)


def test_nobody_sits_in_both_houses(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        officer = built.supervisor.officer
        officers._change(session, keys, officer, role=Role.CUSTODIAN.value)  # noqa: SLF001 - a role that was changed by us
        with pytest.raises(memberships.WrongHouse):
            memberships.admit(
                session,
                keys,
                built.vault,
                officer,
                built.custodian.officer,
                built.custodian.secret,
            )


def test_no_key_without_a_recovery_key(database: Database, keys: ServerKeys):
    with database.writing() as session:
        unit = units.create(session, keys, "Somewhere", UnitKind.HANDLING)
        officer = founded.person(session, keys, "budi").officer
        with pytest.raises(recovery_keys.RecoveryMissing):
            memberships.admit_first(session, keys, unit, officer)


def test_a_second_first_member_must_be_admitted(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        budi = founded.person(session, keys, "budi")
        with pytest.raises(memberships.HasMembers):
            memberships.admit_first(session, keys, built.unit, budi.officer)


def test_names_are_unique_and_there_is_one_vault(database: Database, keys: ServerKeys):
    with database.writing() as session:
        founded.build(session, keys)
        with pytest.raises(units.UnitExists):
            units.create(session, keys, "Inspectorate", UnitKind.HANDLING)
        with pytest.raises(units.UnitExists):
            units.create(session, keys, "Second vault", UnitKind.VAULT)


def test_unknown_units_are_named_so(database: Database, keys: ServerKeys):
    with database.reading() as session:
        with pytest.raises(units.NoSuchUnit):
            units.verified(session, keys, bytes(16))
        with pytest.raises(units.NoSuchUnit):
            units.named(session, keys, "Nobody")


@pytest.mark.parametrize(
    ("purpose", "size"), [("cases", 10), ("other", 1216), ("cases", 1216)]
)
def test_a_wrong_or_second_recovery_key_is_refused(
    database: Database, keys: ServerKeys, purpose: str, size: int
):
    with database.writing() as session:
        recovery_keys.add_recovery(session, keys, "cases", new_pair().public)
        with pytest.raises(recovery_keys.RecoveryRefused):
            recovery_keys.add_recovery(session, keys, purpose, bytes(size))


def test_a_planted_unit_key_is_never_sealed_to(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        built.unit.public_key = new_pair().public
        session.add(built.unit)
        session.flush()
        with pytest.raises(NotAuthentic):
            units.verified(session, keys, built.unit.id)
        assert readiness.ready(session, keys) == [
            "A unit's row was changed outside the program."
        ]


def test_a_planted_recovery_key_is_never_sealed_to(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        row = recovery_keys.add_recovery(session, keys, "cases", new_pair().public)
        row.public_key = new_pair().public
        session.add(row)
        unit = units.create(session, keys, "Somewhere", UnitKind.HANDLING)
        officer = founded.person(session, keys, "budi").officer
        with pytest.raises(NotAuthentic):
            memberships.admit_first(session, keys, unit, officer)


def test_a_planted_membership_or_grant_gives_nothing(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        built = founded.build(session, keys)
        mallory = founded.person(session, keys, "mallory")
        session.add(
            Membership(unit=built.unit.id, officer=mallory.officer.id, tag=b"\x01x")
        )
        real = session.exec(
            select(UnitGrant).where(UnitGrant.recipient == built.supervisor.officer.id)
        ).one()
        session.add(
            UnitGrant(
                id=bytes(16),
                unit=built.unit.id,
                recipient_kind=real.recipient_kind,
                recipient=mallory.officer.id,
                generation=1,
                secret=real.secret,
                tag=real.tag,
            )
        )
        session.flush()
        assert memberships.units_of(session, keys, mallory.officer) == []
        with pytest.raises(NotAuthentic):
            unit_secret(session, keys, built.unit, mallory.officer, mallory.secret)


def test_an_ended_member_is_no_member(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        officers.deactivate(session, keys, built.supervisor.officer.id)
        assert memberships.members(session, keys, built.unit) == []
        with pytest.raises(NotAuthentic):
            unit_secret(
                session,
                keys,
                built.unit,
                built.supervisor.officer,
                built.supervisor.secret,
            )


def test_a_changed_route_stops_intake(database: Database, keys: ServerKeys):
    with database.writing() as session:
        built = founded.build(session, keys)
        routes.add_route(session, keys, built.unit, category="COR", priority=1)
        found = routes.verified_routes(session, keys)
        assert [(r.category, r.priority) for r in found] == [("", 0), ("COR", 1)]
        found[0].province = "31"
        session.add(found[0])
        session.flush()
        transactions.forget(session)
        with pytest.raises(NotAuthentic):
            routes.verified_routes(session, keys)
        assert readiness.ready(session, keys) == [
            "A route was changed outside the program."
        ]


def test_doctor_hears_what_is_missing(database: Database, keys: ServerKeys):
    with database.writing() as session:
        assert readiness.ready(session, keys) == [
            "There is no vault: add one with `kentongan unit add`.",
            "No route leads to a unit: add one with `kentongan unit add`.",
        ]
        vault = units.create(session, keys, "Vault", UnitKind.VAULT)
        unit = units.create(session, keys, "Inspectorate", UnitKind.HANDLING)
        routes.add_route(session, keys, unit)
        session.add(_route_to_nowhere(session, keys))
        session.flush()
        assert readiness.ready(session, keys) == [
            "The vault has no key: enrol its first custodian.",
            "Unit Inspectorate has no key: enrol its first member.",
            "A route leads to a unit that does not exist.",
        ]
        vault.name = "Other"
        session.add(vault)
        session.flush()
        transactions.forget(session)
        assert (
            readiness.ready(session, keys)[0]
            == "The vault's row was changed outside the program."
        )


def _route_to_nowhere(session: Session, keys: ServerKeys) -> Route:
    ghost = Unit(id=bytes(16), name="ghost", kind="handling", tag=b"")
    return routes.add_route(session, keys, ghost, priority=9)


def test_a_setting_is_ours_or_refused(database: Database, keys: ServerKeys):
    with database.writing() as session:
        assert installation.get_setting(session, keys, "demo") == ""
        installation.set_setting(session, keys, "demo", "yes")
        installation.set_setting(session, keys, "demo", "no")
        assert installation.get_setting(session, keys, "demo") == "no"
        row = session.get(Setting, "demo")
        assert row is not None
        row.value = "yes"
        session.add(row)
        session.flush()
        transactions.forget(session)
        with pytest.raises(NotAuthentic):
            installation.get_setting(session, keys, "demo")


def test_a_route_that_was_taken_away_counts_no_more(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        built = founded.build(session, keys)
        routes.add_route(session, keys, built.unit, category="POS")
    with database.writing() as session:
        (route,) = [
            one for one in routes.verified_routes(session, keys) if one.category
        ]
        routes.remove_route(session, keys, route)
    with database.reading() as session:
        assert not any(one.category for one in routes.verified_routes(session, keys))
