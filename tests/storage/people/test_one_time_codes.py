"""Second factors, recovery codes and passkeys in the store, on both databases."""

import threading
from datetime import UTC, datetime

import pytest
from sqlmodel import col, select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Officer, Passkey, RecoveryCode, SecondFactor
from storage.people import officers, one_time_codes, passkeys, recovery_codes
from tests.support import authenticator, founded

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def people(database: Database, keys: ServerKeys, *logins: str) -> list[founded.Person]:
    with database.writing() as session:
        return [founded.person(session, keys, login) for login in logins]


def at_once(*acts) -> list[object]:
    """Do things at the same time; return what each returned."""
    gate = threading.Barrier(len(acts))
    found: list[object] = [None] * len(acts)

    def do(number: int) -> None:
        gate.wait()
        found[number] = acts[number]()

    threads = [threading.Thread(target=do, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_code_that_comes_twice_at_once_counts_once(
    database: Database, keys: ServerKeys
):
    (budi,) = people(database, keys, "budi")
    with database.writing() as session:
        phone = authenticator.enrol(session, keys, budi.officer)
    code = phone.code(NOW)

    def send() -> bool:
        with database.writing() as session:
            return one_time_codes.accept(
                session, keys, budi.officer.id, budi.secret, code, now=NOW
            )

    assert sorted(at_once(*[send] * 4), key=bool) == [False, False, False, True]


def test_a_recovery_code_that_comes_twice_at_once_counts_once(
    database: Database, keys: ServerKeys
):
    (budi,) = people(database, keys, "budi")
    ten = recovery_codes.new_codes()
    with database.writing() as session:
        recovery_codes.replace(session, keys, budi.officer.id, budi.secret, ten)

    def send() -> bool:
        with database.writing() as session:
            return recovery_codes.use(
                session, keys, budi.officer.id, budi.secret, ten[0]
            )

    assert sorted(at_once(*[send] * 4), key=bool) == [False, False, False, True]
    with database.reading() as session:
        assert recovery_codes.left(session, keys, budi.officer.id) == 9


def test_the_first_two_factors_of_a_house_may_come_at_once(
    database: Database, keys: ServerKeys
):
    both = people(database, keys, "budi", "sari")

    def enrol(who: founded.Person):
        def act() -> None:
            with database.writing() as session:
                officer = officers.by_id(session, keys, who.officer.id)
                authenticator.enrol(session, keys, officer)

        return act

    at_once(*map(enrol, both))
    with database.reading() as session:
        for who in both:
            assert one_time_codes.find(session, keys, who.officer.id) is not None


def test_store_and_server_key_make_no_code(database: Database, keys: ServerKeys):
    (budi, sari) = people(database, keys, "budi", "sari")
    with database.writing() as session:
        phone = authenticator.enrol(session, keys, budi.officer)
        args = (session, keys, budi.officer.id)
        with pytest.raises(NotAuthentic):
            one_time_codes.accept(*args, sari.secret, phone.code(NOW), now=NOW)
        row = session.exec(select(SecondFactor)).one()
        assert phone.seed not in row.secret + row.tag


@pytest.mark.parametrize("change", ["step", "secret", "gone", "unlisted"])
def test_a_factor_that_was_changed_by_hand_is_told(
    database: Database, keys: ServerKeys, change: str
):
    (budi,) = people(database, keys, "budi")
    with database.writing() as session:
        old = authenticator.enrol(session, keys, budi.officer)
        row = session.exec(select(SecondFactor)).one()
        before = row.model_dump()
        officer = session.get(Officer, budi.officer.id)
        assert officer is not None
        if change == "unlisted":
            one_time_codes.put(
                session, keys, officer, one_time_codes.new_seed(), step=0
            )
    with database.writing() as session:
        row = session.exec(select(SecondFactor)).one()
        if change == "step":
            row.last_step = 5
        if change == "secret":
            row.secret = before["secret"][::-1]
        if change == "unlisted":
            row.secret, row.tag, row.last_step = before["secret"], before["tag"], 0
        session.add(row)
        if change == "gone":
            session.delete(row)
    with database.writing() as session:
        args = (session, keys, budi.officer.id)
        with pytest.raises(NotAuthentic):
            one_time_codes.find(*args)
        with pytest.raises(NotAuthentic):
            one_time_codes.accept(*args, budi.secret, old.code(NOW), now=NOW)


def test_a_used_recovery_code_that_is_put_back_does_not_count(
    database: Database, keys: ServerKeys
):
    (budi,) = people(database, keys, "budi")
    ten = recovery_codes.new_codes()
    with database.writing() as session:
        recovery_codes.replace(session, keys, budi.officer.id, budi.secret, ten)
        rows = [row.model_dump() for row in session.exec(select(RecoveryCode))]
        args = (session, keys, budi.officer.id, budi.secret)
        assert recovery_codes.use(*args, ten[0])
    with database.writing() as session:
        left = {row.hash for row in session.exec(select(RecoveryCode))}
        (used,) = [row for row in rows if row["hash"] not in left]
        session.add(RecoveryCode(**used))
    with database.writing() as session:
        args = (session, keys, budi.officer.id, budi.secret)
        with pytest.raises(NotAuthentic):
            recovery_codes.use(*args, ten[0])
        assert recovery_codes.left(session, keys, budi.officer.id) == 9


def test_a_code_is_read_as_people_write_it():
    assert recovery_codes.is_code("o1l5-8 hjkmn".replace("8", "8"))
    assert not recovery_codes.is_code("")
    assert not recovery_codes.is_code("uuuuu-uuuuu")
    assert not recovery_codes.is_code("0" * 11)
    codes = recovery_codes.new_codes()
    assert all(recovery_codes.is_code(code.lower()) for code in codes)


def test_what_an_ended_account_had_is_forgotten(database: Database, keys: ServerKeys):
    (budi, sari) = people(database, keys, "budi", "sari")
    with database.writing() as session:
        for who in (budi, sari):
            officer = who.officer.id
            authenticator.enrol(session, keys, who.officer)
            codes = recovery_codes.new_codes()
            recovery_codes.replace(session, keys, officer, who.secret, codes)
            passkey = passkeys.Passkey(officer, b"key", 0, "grey")
            passkeys.add(session, keys, officer, passkey)
    with database.writing() as session:
        row = session.get(SecondFactor, budi.officer.id)
        assert row is not None
        row.tag = b"changed by hand"
        session.add(row)
        officers.deactivate(session, keys, budi.officer.id)
    with database.reading() as session:
        for column in (SecondFactor.officer, RecoveryCode.officer, Passkey.officer):
            owners = set(session.exec(select(col(column))))
            assert owners == {sari.officer.id}
        assert one_time_codes.find(session, keys, budi.officer.id) is None
        listed = manifests.present(session, keys, Name.FACTORS).rows
        assert len(listed) == 2 + recovery_codes.HOW_MANY + 1


def test_passkeys_are_few_and_each_is_one_persons(database: Database, keys: ServerKeys):
    (budi, sari) = people(database, keys, "budi", "sari")
    with database.writing() as session:
        for number in range(passkeys.MOST):
            new = passkeys.Passkey(bytes((number,)), b"key", 0, f"key {number}")
            passkeys.add(session, keys, budi.officer.id, new)
        more = passkeys.Passkey(b"more", b"key", 0, "more")
        with pytest.raises(passkeys.TooMany):
            passkeys.add(session, keys, budi.officer.id, more)
        taken = passkeys.Passkey(b"\x00", b"key", 0, "taken")
        with pytest.raises(passkeys.KnownAlready):
            passkeys.add(session, keys, sari.officer.id, taken)
        assert passkeys.hold(session, keys, sari.officer.id, b"\x00") is None


def test_a_passkey_outlives_a_new_server_key(database: Database, keys: ServerKeys):
    (budi,) = people(database, keys, "budi")
    new = passkeys.Passkey(b"id", b"key", 3, "grey", ("usb",))
    with database.writing() as session:
        passkeys.add(session, keys, budi.officer.id, new)
    both = ServerKeys({**keys.ring, 2: bytes(32)})
    with database.writing() as session:
        row = session.exec(select(Passkey)).one()
        passkeys.rename(both, row)
        session.add(row)
    with database.reading() as session:
        row = session.exec(select(Passkey)).one()
        assert row.tag[0] == 2
        kept = passkeys._read(both, row)  # noqa: SLF001 - the list is still under the old key
        assert (kept.credential, kept.count, kept.label) == (b"id", 3, "grey")
