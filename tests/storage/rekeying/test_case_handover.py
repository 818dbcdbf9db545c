"""After a hand-over the former unit's key opens nothing, and the other unit's all."""

from pathlib import Path

import pytest
from sqlmodel import select

from storage.cases import cases, conflicts, items, reports
from storage.crypto.sealing import NotAuthentic, public_of
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import files
from storage.models import File, Grant, Item, Unit
from storage.rekeying import case_keys, unit_keys
from storage.units import rotation, units
from storage.words import Audience, Recipient
from tests.support import thief
from tests.support.founded import Person
from tests.support.handing import NAME, Handing, handing
from tests.support.unsealing import secret_for, unit_secret


@pytest.fixture
def there(database: Database, keys: ServerKeys, tmp_path: Path) -> Handing:
    return handing(database, keys, tmp_path / "files")


def old_secret(there: Handing) -> bytes:
    house = there.here.house
    with there.here.database.reading() as session:
        return secret_for(
            session, there.keys, there.case.report, house.unit, house.unit_secret
        )


def moved(there: Handing) -> None:
    """Hand over as storage does it, without the verb."""
    secret = old_secret(there)
    with there.here.database.writing() as session:
        case = cases.lock(session, there.keys, there.case.report)
        assert case is not None
        health = units.verified(session, there.keys, there.health.id)
        case_keys.hand_over(session, there.keys, case, secret, health)
        cases.save(session, there.keys, case)


def own_secret(there: Handing, who: Person) -> bytes:
    """Open the case's secret as a member of the unit that has it now."""
    case = there.again()
    with there.here.database.reading() as session:
        unit = units.verified(session, there.keys, case.unit)
        return case_keys.secret_of(
            session, there.keys, case, unit, who.officer, who.secret
        )


def test_the_former_units_key_opens_nothing(there: Handing):
    former = [there.sari.secret, there.here.house.unit_secret, old_secret(there)]
    before = thief.steal(there.here.database)
    was = set(thief.opened_by_secret(former[2], before))
    assert was == {
        *(("items", "blob"), ("files", "copy_key"), ("files", "details")),
        ("files", "original_key"),
    }
    moved(there)
    after = thief.steal(there.here.database)
    for secret in former:
        opened = set(thief.opened_by_secret(secret, after))
        assert opened <= {("unit_grants", "secret")}, opened


def test_a_grant_that_was_kept_opens_no_new_item(there: Handing):
    """Its copy still opens the old secret, which fits nothing: not even put back."""
    moved(there)
    kept, unit_key = Grant(**there.old_grant), there.here.house.unit_secret
    secret = reports.opened(there.keys, kept, unit_key)
    assert public_of(secret) != there.again().public_key
    with there.here.database.writing() as session:
        session.add(kept)
    with there.here.database.reading() as session:
        read = items.read(session, there.keys, there.case.report, secret)
        assert read
        assert [one.content for one in read] == [None] * len(read)
        assert not items.identity_halves(session, there.keys, there.case.report, secret)
        file = session.get_one(File, there.file)
        with pytest.raises(NotAuthentic):
            files.copy_key(file, secret)
        with pytest.raises(NotAuthentic):
            files.open_original(file, secret)


def test_the_other_unit_opens_everything_but_an_identity(there: Handing):
    was = there.here.reads(there.case)
    with there.here.database.reading() as session:
        copy = files.copy_key(session.get_one(File, there.file), old_secret(there))
    moved(there)
    for who in (there.rini, there.tini):
        secret = own_secret(there, who)
        with there.here.database.reading() as session:
            report, house = there.case.report, there.here.house
            assert items.read(session, there.keys, report, secret) == was
            assert all(one.content for one in was)
            file = session.get_one(File, there.file)
            assert files.copy_key(file, secret) == copy
            assert files.details(file, secret)["name"] == "nota.pdf"
            (half,) = items.identity_halves(session, there.keys, report, secret)
            assert NAME.encode() not in half[2]
            with pytest.raises(NotAuthentic):
                items.whole_identity(report, half, secret)
            guard = house.custodian
            inner = unit_secret(
                session, there.keys, house.vault, guard.officer, guard.secret
            )
            assert items.whole_identity(report, half, inner).text == NAME
            sealed = files.open_original(file, secret)
            assert len(files.open_original(file, inner, sealed)) == 32


def test_every_seal_of_the_case_is_another_one(there: Handing):
    def seals() -> dict[bytes, bytes]:
        with there.here.database.reading() as session:
            rows = session.exec(
                select(Item).where(Item.audience != Audience.REPORTER.value)
            )
            file = session.get_one(File, there.file)
            keys = (file.original_key, file.copy_key, file.details)
            return {row.id: row.blob for row in rows} | {
                bytes([number]): blob or b"" for number, blob in enumerate(keys)
            }

    before = seals()
    moved(there)
    after = seals()
    assert before.keys() == after.keys()
    assert len(before) > 4
    assert not [name for name in before if before[name] == after[name]]


def test_with_a_conflict_the_key_goes_to_the_others_one_by_one(there: Handing):
    with there.here.database.writing() as session:
        conflicts.declare(
            session,
            there.keys,
            there.case.report,
            there.tini.officer.id,
            now=there.here.now,
        )
    moved(there)
    with there.here.database.reading() as session:
        rows = session.exec(select(Grant).where(Grant.report == there.case.report))
        held = {(row.recipient_kind, row.recipient) for row in rows}
        health = session.get_one(Unit, there.health.id)
        shared = unit_secret(
            session, there.keys, health, there.tini.officer, there.tini.secret
        )
    assert (Recipient.OFFICER, there.rini.officer.id) in held
    assert {kind for kind, _ in held} == {Recipient.OFFICER, Recipient.RECOVERY}
    assert len(held) == 2
    loot = thief.steal(there.here.database)
    for secret in (there.tini.secret, shared):
        assert set(thief.opened_by_secret(secret, loot)) <= {("unit_grants", "secret")}
    assert own_secret(there, there.rini)


def test_the_other_units_next_key_takes_the_case_along(there: Handing):
    moved(there)
    with there.here.database.writing() as session:
        unit = units.verified(session, there.keys, there.health.id)
        rotation.rotate(session, there.keys, unit)
    who = there.rini
    assert (
        there.here.store(unit_keys.batch, there.health.id, who.officer, who.secret) == 1
    )
    assert there.here.store(unit_keys.drop_old, there.health.id) == [1]
    assert own_secret(there, who)
