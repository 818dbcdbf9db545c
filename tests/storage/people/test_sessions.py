from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import LinkToken, Officer, OfficerLink
from storage.models import Session as Row
from storage.people import officers, sessions, telegram_links
from storage.words import Channel, Stage
from tests.support import founded

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def begin(database: Database, keys: ServerKeys) -> tuple[str, founded.Person]:
    with database.writing() as session:
        budi = founded.person(session, keys, "budi")
        cookie = sessions.begin(
            session, keys, budi.officer, budi.secret, stage=Stage.FULL, now=NOW
        )
    return cookie, budi


def resume(
    database: Database, keys: ServerKeys, cookie: str, now: datetime
) -> sessions.SignedIn | None:
    with database.reading() as session:
        return sessions.resume(session, keys, cookie, now=now)


def test_a_session_gives_the_officers_key_back(database: Database, keys: ServerKeys):
    cookie, budi = begin(database, keys)
    signed = resume(database, keys, cookie, NOW + timedelta(seconds=30))
    assert signed is not None
    assert (signed.officer.id, signed.secret) == (budi.officer.id, budi.secret)
    assert signed.began == NOW
    assert not signed.touch_due
    assert "secret=" not in repr(signed)


def test_it_ends_when_idle_and_lives_when_touched(database: Database, keys: ServerKeys):
    cookie, _ = begin(database, keys)
    later = NOW + timedelta(minutes=19)
    signed = resume(database, keys, cookie, later)
    assert signed is not None
    assert signed.touch_due
    with database.writing() as session:
        sessions.touch(session, cookie, now=later)
        sessions.touch(session, "nonsense", now=later)
    assert resume(database, keys, cookie, NOW + timedelta(minutes=38))
    assert resume(database, keys, cookie, NOW + timedelta(minutes=39)) is None
    with database.writing() as session:
        sessions.touch(session, cookie, now=NOW + timedelta(minutes=40))
    assert resume(database, keys, cookie, NOW + timedelta(minutes=41)) is None


def test_it_ends_after_ten_hours(database: Database, keys: ServerKeys):
    cookie, _ = begin(database, keys)
    now = NOW
    while now < NOW + timedelta(hours=9, minutes=50):
        now += timedelta(minutes=10)
        with database.writing() as session:
            sessions.touch(session, cookie, now=now)
    assert resume(database, keys, cookie, now)
    assert resume(database, keys, cookie, NOW + timedelta(hours=10)) is None


def test_what_is_over_is_deleted(database: Database, keys: ServerKeys):
    begin(database, keys)
    with database.writing() as session:
        sessions.purge(session, now=NOW + timedelta(minutes=19))
        assert len(session.exec(select(Row)).all()) == 1
        sessions.purge(session, now=NOW + timedelta(minutes=20))
        assert session.exec(select(Row)).all() == []


def test_signing_out_ends_this_session_or_all(database: Database, keys: ServerKeys):
    first, budi = begin(database, keys)
    with database.writing() as session:
        second = sessions.begin(session, keys, budi.officer, budi.secret, now=NOW)
        third = sessions.begin(session, keys, budi.officer, budi.secret, now=NOW)
        sessions.end(session, first)
        sessions.end(session, "nonsense")
    assert resume(database, keys, first, NOW) is None
    assert resume(database, keys, second, NOW)
    with database.writing() as session:
        sessions.end_all(session, budi.officer.id)
    assert resume(database, keys, third, NOW) is None


def test_the_store_and_the_server_key_do_not_open_it(
    database: Database, keys: ServerKeys
):
    cookie, budi = begin(database, keys)
    with database.reading() as session:
        row = session.exec(select(Row)).one()
    value, finder = cookie.split(".")
    assert budi.secret not in row.secret
    for part in (value, finder):
        assert part.encode() not in row.hash + row.secret
    assert resume(database, keys, f"{finder}.{finder}", NOW) is None
    assert resume(database, ServerKeys.new(), cookie, NOW) is None


@pytest.mark.parametrize(
    "cookie",
    ["", ".", "a.b", "x" * 43, "é" * 43 + "." + "x" * 43, "x" * 43 + "." + "x" * 43],
)
def test_nonsense_is_nobody(database: Database, keys: ServerKeys, cookie: str):
    begin(database, keys)
    assert resume(database, keys, cookie, NOW) is None


def test_a_longer_life_or_another_officer_cannot_be_planted(
    database: Database, keys: ServerKeys
):
    cookie, _ = begin(database, keys)
    with database.writing() as session:
        row = session.exec(select(Row)).one()
        row.began = NOW + timedelta(hours=1)
        row.seen = NOW + timedelta(hours=1)
        session.add(row)
    assert resume(database, keys, cookie, NOW + timedelta(hours=1)) is None
    with database.writing() as session:
        sari = founded.person(session, keys, "sari")
        row = session.exec(select(Row)).one()
        row.began, row.officer = NOW, sari.officer.id
        session.add(row)
    assert resume(database, keys, cookie, NOW) is None


def test_an_ended_or_changed_account_is_signed_out(
    database: Database, keys: ServerKeys
):
    cookie, budi = begin(database, keys)
    with database.writing() as session:
        officer = session.get(Officer, budi.officer.id)
        assert officer is not None
        officer.active = False
        officers._sign(keys, officer)  # noqa: SLF001 - ended, but the session row stays
        session.add(officer)
    assert resume(database, keys, cookie, NOW) is None
    with database.writing() as session:
        session.delete(session.get(Officer, budi.officer.id))
    assert resume(database, keys, cookie, NOW) is None


def test_a_changed_account_begins_no_session(database: Database, keys: ServerKeys):
    with database.writing() as session:
        budi = founded.person(session, keys, "budi")
        budi.officer.role = "admin"
        with pytest.raises(NotAuthentic):
            sessions.begin(session, keys, budi.officer, budi.secret, now=NOW)
        budi.officer.role = "handler"


def test_a_form_token_belongs_to_one_session(database: Database, keys: ServerKeys):
    cookie, budi = begin(database, keys)
    with database.writing() as session:
        other = sessions.begin(session, keys, budi.officer, budi.secret, now=NOW)
    token = sessions.form_token(cookie)
    assert sessions.is_form_token(cookie, token)
    assert not sessions.is_form_token(other, token)
    assert not sessions.is_form_token(cookie, "\ud800")
    assert not sessions.is_form_token("nonsense", token)


def test_a_link_is_pressed_once(database: Database, keys: ServerKeys):
    with database.writing() as session:
        budi = founded.person(session, keys, "budi").officer
        lost = telegram_links.issue(session, keys, budi.id, now=NOW)
        token = telegram_links.issue(session, keys, budi.id, now=NOW)
        assert len(token) == 43

        def press(word: str, chat: str) -> bytes | None:
            return telegram_links.redeem(
                session, keys, word, Channel.TELEGRAM, chat, now=NOW
            )

        assert press(lost, "77") is None
        assert press(token, "77") == budi.id
        assert press(token, "78") is None
        assert (
            telegram_links.officer_at(session, keys, Channel.TELEGRAM, "77") == budi.id
        )
        assert telegram_links.officer_at(session, keys, Channel.SMS, "77") is None
        assert telegram_links.handle_of(session, keys, budi.id) == (
            Channel.TELEGRAM,
            "77",
        )
        assert telegram_links.is_linked(session, budi.id)
        row = session.exec(select(OfficerLink)).one()
        assert b"77" not in row.blob
        telegram_links.unlink(session, budi.id)
        assert telegram_links.handle_of(session, keys, budi.id) is None


def test_a_link_dies_after_a_quarter_of_an_hour(database: Database, keys: ServerKeys):
    with database.writing() as session:
        budi = founded.person(session, keys, "budi").officer
        token = telegram_links.issue(session, keys, budi.id, now=NOW)
        late = NOW + telegram_links.LIFE
        assert (
            telegram_links.redeem(
                session, keys, token, Channel.TELEGRAM, "77", now=late
            )
            is None
        )
        telegram_links.issue(session, keys, budi.id, now=NOW)
        telegram_links.purge(session, now=late)
        assert session.exec(select(LinkToken)).all() == []


def test_a_handle_serves_the_officer_who_linked_it_last(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        for login in ("budi", "sari"):
            officer = founded.person(session, keys, login).officer
            token = telegram_links.issue(session, keys, officer.id, now=NOW)
            telegram_links.redeem(session, keys, token, Channel.TELEGRAM, "77", now=NOW)
            assert (
                telegram_links.officer_at(session, keys, Channel.TELEGRAM, "77")
                == officer.id
            )
