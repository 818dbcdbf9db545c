"""An invitation is one link for one login, until it is used, ends or is taken back."""

from datetime import datetime

import pytest

from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.people import invitations
from storage.words import Role


@pytest.fixture
def tokens(database: Database, keys: ServerKeys, now: datetime) -> dict[str, str]:
    """Invite two people; their tokens by login."""
    with database.writing() as session:
        return {
            login: invitations.issue(
                session,
                keys,
                login,
                name="",
                role=Role.HANDLER,
                language="id",
                unit=None,
                by=None,
                now=now,
            )
            for login in ("rina", "budi")
        }


def test_the_second_who_comes_with_a_token_finds_nothing(database, keys, now, tokens):
    with database.writing() as session:
        taken = invitations.take(session, keys, tokens["rina"], now=now)
        assert taken is not None
        assert taken.login == "rina"
    with database.writing() as session:
        assert invitations.take(session, keys, tokens["rina"], now=now) is None
        left = invitations.waiting(session, keys, now=now)
        assert [one.login for one in left] == ["budi"]


def test_one_that_is_taken_back_leaves_the_others(database, keys, now, tokens):
    with database.writing() as session:
        invitations.withdraw(session, " Rina ")
        invitations.withdraw(session, "nobody")
    with database.reading() as session:
        assert invitations.find(session, keys, tokens["rina"], now=now) is None
        assert invitations.find(session, keys, tokens["budi"], now=now) is not None


def test_a_week_later_it_is_over(database, keys, now, tokens):
    over = now + invitations.LIFE
    with database.writing() as session:
        assert invitations.find(session, keys, tokens["rina"], now=over) is None
        invitations.purge(session, now=over)
        assert invitations.waiting(session, keys, now=now) == []
