import pytest

from storage.crypto.sealing import NotAuthentic, public_of
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.people import officers
from storage.words import Role

PHRASE = "a phrase of sixteen"


def test_a_generated_passphrase_has_six_words_and_is_never_the_same():
    first, second = officers.new_passphrase(), officers.new_passphrase()
    assert len(first.split()) == 6
    assert first != second
    assert len(first) >= officers.MIN_PASSPHRASE


def test_an_account_opens_with_its_passphrase_only(
    database: Database, keys: ServerKeys
):
    account = officers.prepare_account(
        keys, " Budi ", "Budi S.", Role.HANDLER, PHRASE, language="en"
    )
    with database.writing() as session:
        officers.add(session, keys, account)
    with database.reading() as session:
        officer = officers.verified(session, keys, "BUDI")
    assert (officer.login, officer.name, officer.language) == ("budi", "Budi S.", "en")
    assert public_of(officers.unwrap(keys, officer, PHRASE)) == officer.public_key
    with pytest.raises(NotAuthentic):
        officers.unwrap(keys, officer, "a phrase of sixteen, but wrong")
    with pytest.raises(NotAuthentic):
        officers.unwrap(ServerKeys.new(), officer, PHRASE)


def test_an_unknown_login_costs_the_same_and_says_the_same(keys: ServerKeys):
    with pytest.raises(NotAuthentic):
        officers.unwrap(keys, None, PHRASE)


@pytest.mark.parametrize("login", ["", "a", "two words", "x" * 41, "-dash", "naïve"])
def test_a_login_is_plain(keys: ServerKeys, login: str):
    with pytest.raises(officers.BadLogin):
        officers.prepare_account(keys, login, "", Role.ADMIN, PHRASE)


def test_a_short_passphrase_is_refused(keys: ServerKeys):
    with pytest.raises(officers.PassphraseTooShort):
        officers.prepare_account(keys, "budi", "", Role.ADMIN, "fifteen letters ")


def test_a_login_is_taken_once(database: Database, keys: ServerKeys):
    account = officers.prepare_account(keys, "budi", "", Role.HANDLER, PHRASE)
    with database.writing() as session:
        assert officers.add(session, keys, account).name == "budi"
        with pytest.raises(officers.LoginTaken):
            officers.add(session, keys, account)
        assert [o.login for o in officers.everyone(session)] == ["budi"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("role", "supervisor"),
        ("public_key", bytes(1216)),
        ("login", "sari"),
        ("active", False),
        ("name", "Somebody else"),
        ("secret", b"x"),
    ],
)
def test_a_planted_column_is_refused(
    database: Database, keys: ServerKeys, column: str, value: object
):
    account = officers.prepare_account(keys, "budi", "", Role.HANDLER, PHRASE)
    with database.writing() as session:
        officer = officers.add(session, keys, account)
        setattr(officer, column, value)
        session.add(officer)
        session.flush()
        with pytest.raises(NotAuthentic):
            officers.by_id(session, keys, account.id)


def test_nobody_is_found_under_an_unknown_login(database: Database, keys: ServerKeys):
    with database.writing() as session:
        assert officers.find(session, keys, "budi") is None
        with pytest.raises(officers.NoSuchOfficer):
            officers.verified(session, keys, "budi")
        with pytest.raises(officers.NoSuchOfficer):
            officers.by_id(session, keys, bytes(16))
        with pytest.raises(officers.NoSuchOfficer):
            officers.set_language(session, bytes(16), "en")


def test_an_ended_account_is_found_by_id_only(database: Database, keys: ServerKeys):
    account = officers.prepare_account(keys, "budi", "", Role.HANDLER, PHRASE)
    with database.writing() as session:
        officers.add(session, keys, account)
        officers.set_language(session, account.id, "en")
        officers.deactivate(session, keys, account.id)
    with database.reading() as session:
        assert officers.find(session, keys, "budi") is None
        officer = officers.by_id(session, keys, account.id)
    assert not officer.active
    assert officer.language == "en"
