"""A member leaves: what was theirs to open ends, and nobody else loses anything."""

import threading

import pytest
from sqlmodel import select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.cases import reports
from storage.crypto.sealing import NotAuthentic, open_seal, public_of
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Grant, Unit, UnitGrant
from storage.people import officers
from storage.rekeying import unit_keys
from storage.units import memberships, readiness, rotation, units
from storage.units.grants import _context
from storage.words import Recipient, UnitKind
from tests.storage.audit.test_manifests import copied, restored
from tests.support import desk, founded, thief
from tests.support.desk import Desk
from tests.support.unsealing import unit_secret

PEOPLE = ("officers", "memberships", "unit_grants", "units")


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk.desk(database, keys)


def joined(here: Desk, login: str = "budi") -> founded.Person:
    with here.database.writing() as session:
        new = founded.person(session, here.keys, login)
        boss = here.house.supervisor
        unit = units.verified(session, here.keys, here.house.unit.id)
        memberships.admit(
            session, here.keys, unit, new.officer, boss.officer, boss.secret
        )
    return new


def thrown_out(here: Desk, person: founded.Person) -> int:
    with here.database.writing() as session:
        unit = units.verified(session, here.keys, here.house.unit.id)
        officer = officers.by_id(session, here.keys, person.officer.id)
        assert rotation.leave(session, here.keys, unit, officer)
        return rotation.rotate(session, here.keys, unit)


def resealed(here: Desk, person: founded.Person, limit: int = unit_keys.BATCH) -> int:
    return here.store(
        unit_keys.batch,
        here.house.unit.id,
        person.officer,
        person.secret,
        limit=limit,
    )


def present(here: Desk) -> Unit:
    with here.database.reading() as session:
        return units.verified(session, here.keys, here.house.unit.id)


def opens(here: Desk, person: founded.Person, report: bytes) -> bool:
    with here.database.reading() as session:
        unit = units.verified(session, here.keys, here.house.unit.id)
        try:
            unit_keys.report_secret(
                session, here.keys, report, unit, person.officer, person.secret
            )
        except NotAuthentic:
            return False
        return True


def carried(
    here: Desk, person: founded.Person, *copies: thief.Loot
) -> set[tuple[bool, bytes]]:
    """Return what somebody opens from copies of the database: (in the newest one, report).

    They hold the server key and their own passphrase: every seal that opens gives a
    secret, and every secret is tried on every grant of every copy.
    """
    secrets: set[bytes] = {person.secret}
    opened: set[tuple[bool, bytes]] = set()
    for loot in copies:
        for row in loot.rows["unit_grants"]:
            grant = UnitGrant(**row)
            context = _context(grant, "secret")
            for secret in tuple(secrets):
                try:
                    secrets.add(open_seal(grant.secret, secret, context))
                except NotAuthentic:
                    continue
    for loot in copies:
        for row in loot.rows["grants"]:
            seal = Grant(**row)
            for secret in secrets:
                try:
                    reports.opened(here.keys, seal, secret)
                except NotAuthentic:
                    continue
                opened.add((loot is copies[-1], seal.report))
    return opened


def test_who_was_removed_opens_no_new_case_and_no_resealed_one(here: Desk):
    budi = joined(here)
    old, _ = here.reports("555")
    before = thief.steal(here.database)
    assert thrown_out(here, budi) == 2
    new, _ = here.reports("556")
    assert opens(here, here.house.supervisor, old.report), "by the old generation"
    assert opens(here, here.house.supervisor, new.report)
    assert not opens(here, budi, old.report)

    between = thief.steal(here.database)
    assert carried(here, budi, before, between) == {
        (False, old.report),
        (True, old.report),
    }, "said honestly: what they could read they may have copied"
    assert carried(here, budi, between) == set(), "a new copy alone gives nothing"
    assert resealed(here, here.house.supervisor) == 1
    assert here.store(unit_keys.drop_old, here.house.unit.id) == [1]
    after = thief.steal(here.database)
    assert carried(here, budi, before, after) == {(False, old.report)}
    assert carried(here, budi, after) == set()
    for person in (budi.secret, here.house.unit_secret):
        assert thief.opened_by_secret(person, after) == []
    assert opens(here, here.house.supervisor, old.report)
    assert opens(here, here.house.supervisor, new.report)


def test_the_offline_key_follows_every_generation(here: Desk):
    budi = joined(here)
    here.reports("555")
    thrown_out(here, budi)
    with here.database.reading() as session:
        rows = session.exec(
            select(UnitGrant)
            .where(
                UnitGrant.recipient_kind == Recipient.RECOVERY.value,
                UnitGrant.unit == here.house.unit.id,
            )
            .order_by(UnitGrant.generation)  # type: ignore[arg-type]  # a column
        ).all()
    assert [row.generation for row in rows] == [1, 2]
    opened = [
        open_seal(row.secret, here.house.recovery_cases, _context(row, "secret"))
        for row in rows
    ]
    assert public_of(opened[-1]) == present(here).public_key
    assert resealed(here, here.house.supervisor) == 1
    here.store(unit_keys.drop_old, here.house.unit.id)
    with here.database.reading() as session:
        kept = session.exec(
            select(UnitGrant).where(UnitGrant.unit == here.house.unit.id)
        ).all()
    assert {row.generation for row in kept} == {2}


def test_a_draft_that_was_open_is_resealed_after_it_was_sent(here: Desk):
    for words in ("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM", "SUAP", "LEWATI"):
        here.say("555", words)
    for words in ("LEWATI", "1", "Kepala dinas minta uang"):
        here.say("555", words)
    budi = joined(here)
    thrown_out(here, budi)
    with here.database.reading() as session:
        assert unit_keys.pending(session, present(here)) == 0, "a draft is nobody's yet"
        assert not unit_keys.is_due(session, present(here))
    assert here.store(unit_keys.drop_old, here.house.unit.id) == [], "it names the old"
    here.say("555", "KIRIM")
    case = here.case(here.receipt("555").number)
    with here.database.reading() as session:
        assert unit_keys.pending(session, present(here)) == 1
    assert opens(here, here.house.supervisor, case.report)
    assert resealed(here, here.house.supervisor) == 1
    assert here.store(unit_keys.drop_old, here.house.unit.id) == [1]
    assert opens(here, here.house.supervisor, case.report)


def test_batches_are_small_and_a_planted_grant_holds_up_nothing(here: Desk):
    cases = [here.reports(handle)[0] for handle in ("555", "556", "557")]
    with here.database.writing() as session:
        rotation.rotate(session, here.keys, here.house.unit)
        session.add(
            Grant(
                id=bytes(16),
                report=bytes(16),
                recipient_kind=Recipient.UNIT.value,
                recipient=here.house.unit.id,
                generation=1,
                secret=b"planted",
                tag=b"\x01planted",
            )
        )
    assert resealed(here, here.house.supervisor, limit=2) == 2
    with here.database.reading() as session:
        assert unit_keys.pending(session, present(here)) == 2
    assert resealed(here, here.house.supervisor, limit=2) == 1
    assert resealed(here, here.house.supervisor) == 0
    assert here.store(unit_keys.drop_old, here.house.unit.id) == []
    assert all(opens(here, here.house.supervisor, case.report) for case in cases)


def test_an_outsider_reseals_nothing(here: Desk):
    here.reports("555")
    here.store(rotation.rotate, here.house.unit)
    for outsider in (
        here.house.custodian,
        founded.Person(here.house.supervisor.officer, here.house.custodian.secret),
    ):
        try:
            assert resealed(here, outsider) == 0
        except NotAuthentic:
            continue
    with here.database.reading() as session:
        assert unit_keys.pending(session, present(here)) == 1


def test_with_nobody_left_reports_go_on_arriving(here: Desk):
    assert thrown_out(here, here.house.supervisor) == 2
    case, _ = here.reports("555")
    with here.database.reading() as session:
        assert readiness.ready(session, here.keys) == []
        assert readiness.warnings(session, here.keys) == [
            "Unit Inspectorate has no member left: only the recovery key opens its cases."
        ]
    assert not opens(here, here.house.supervisor, case.report)


def test_the_vault_keeps_its_old_keys(here: Desk):
    with here.database.writing() as session:
        vault = units.vault(session, here.keys)
        assert rotation.rotate(session, here.keys, vault) == 2
        assert unit_keys.drop_old(session, here.keys, vault.id) == []
        custodian = here.house.custodian
        for generation in (1, 2):
            assert unit_secret(
                session,
                here.keys,
                vault,
                custodian.officer,
                custodian.secret,
                generation,
            )


def test_a_unit_without_a_key_has_none_to_change(here: Desk):
    with here.database.writing() as session:
        empty = units.create(session, here.keys, "Empty", UnitKind.HANDLING)
        with pytest.raises(rotation.NoKeyYet):
            rotation.rotate(session, here.keys, empty)


def test_a_membership_that_is_put_back_opens_nothing(here: Desk):
    budi = joined(here)
    case, _ = here.reports("555")
    old = copied(here.database, "memberships", "unit_grants")
    thrown_out(here, budi)
    new = copied(here.database, "unit_grants")["unit_grants"]
    old["unit_grants"] += [row for row in new if row["generation"] == 2]
    restored(here.database, old)
    assert not opens(here, budi, case.report)
    with here.database.reading() as session:
        assert [
            one.login for one in memberships.members(session, here.keys, present(here))
        ] == ["sari"]
        with pytest.raises(NotAuthentic):
            unit_secret(session, here.keys, present(here), budi.officer, budi.secret)


@pytest.mark.parametrize("first", ["removal", "admission"])
def test_removal_and_admission_at_once_leave_one_truth(here: Desk, first: str):
    """Whoever comes second sees what the first one did; nobody is a member without a key."""
    budi = joined(here)
    with here.database.writing() as session:
        rini = founded.person(session, here.keys, "rini")
    begun, go = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def removal(*, leads: bool) -> None:
        with here.database.writing() as session:
            manifests.hold(session, Name.PEOPLE)
            if leads:
                begun.set()
                go.wait(0.3)
            unit = units.verified(session, here.keys, here.house.unit.id)
            rotation.leave(session, here.keys, unit, budi.officer)
            rotation.rotate(session, here.keys, unit)

    def admission(*, leads: bool) -> None:
        try:
            with here.database.writing() as session:
                manifests.hold(session, Name.PEOPLE)
                if leads:
                    begun.set()
                    go.wait(0.3)
                unit = units.verified(session, here.keys, here.house.unit.id)
                memberships.admit(
                    session, here.keys, unit, rini.officer, budi.officer, budi.secret
                )
        except NotAuthentic as error:
            failed.append(error)

    order = (removal, admission) if first == "removal" else (admission, removal)
    threads = [
        threading.Thread(target=order[0], kwargs={"leads": True}),
        threading.Thread(target=order[1], kwargs={"leads": False}),
    ]
    threads[0].start()
    begun.wait(5)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert bool(failed) == (first == "removal")
    with here.database.reading() as session:
        unit = units.verified(session, here.keys, here.house.unit.id)
        people = {one.login for one in memberships.members(session, here.keys, unit)}
        assert people == ({"sari"} if failed else {"sari", "rini"})
        secrets = {"sari": here.house.supervisor.secret, "rini": rini.secret}
        for one in memberships.members(session, here.keys, unit):
            assert unit_secret(session, here.keys, unit, one, secrets[one.login])


def test_a_draft_under_way_keeps_its_key_from_being_dropped(here: Desk):
    """Sealed to the old key, not committed yet: dropping that key would lose it."""
    dropped: list[list[int]] = []

    def rotate_and_drop() -> None:
        here.store(rotation.rotate, here.house.unit)
        dropped.append(here.store(unit_keys.drop_old, here.house.unit.id))

    with here.database.writing() as session:
        unit = rotation.held(session, here.keys, here.house.unit.id)
        draft = reports.start(session, here.keys, [unit], day=here.now.date())
        other = threading.Thread(target=rotate_and_drop)
        other.start()
        other.join(0.2)
        assert dropped == []
    other.join()
    assert dropped == [[]]
    with here.database.reading() as session:
        row = session.exec(select(Grant).where(Grant.report == draft.report)).one()
    assert row.generation == 1
