"""What a writer without the key puts into the store gives nothing: tokens, columns, facts."""

import secrets
from datetime import date, timedelta
from hashlib import sha256

import house
import pytest
from conftest import NOW
from desk import Desk, desk, pick
from sqlalchemy import text
from sqlmodel import select

from bot import config
from bot.house import NotFounded, build
from storage import cases, links, quarantine
from storage.database import Database
from storage.keys import Purpose, ServerKeys
from storage.models import Case, LinkToken, OfficerLink, Quarantine
from storage.sealing import Context, NotAuthentic, new_pair, seal
from storage.words import Channel


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


def redeemed(database: Database, keys: ServerKeys, token: str) -> bytes | None:
    with database.writing() as session:
        return links.redeem(session, keys, token, Channel.TELEGRAM, "666", now=NOW)


def test_a_planted_link_token_takes_no_officers_place(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        budi = house.person(session, keys, "budi").officer
        planted = [sha256(b"mine").digest(), keys.look_up(Purpose.OFFICER_LINK, "mine")]
        for name in planted:
            session.add(
                LinkToken(
                    hash=name,
                    officer=budi.id,
                    expires=NOW + timedelta(days=9),
                    tag=secrets.token_bytes(33),
                )
            )
    assert redeemed(database, keys, "mine") is None
    with database.reading() as session:
        assert not links.is_linked(session, budi.id)


@pytest.mark.parametrize("column", ["officer", "expires"])
def test_a_token_turned_to_somebody_else_is_dead(
    database: Database, keys: ServerKeys, column: str
):
    with database.writing() as session:
        budi = house.person(session, keys, "budi").officer
        sari = house.person(session, keys, "sari").officer
        token = links.issue(session, keys, budi.id, now=NOW)
        row = session.exec(select(LinkToken)).one()
        turned = {"officer": sari.id, "expires": NOW + timedelta(days=9)}
        setattr(row, column, turned[column])
        session.add(row)
    assert redeemed(database, keys, token) is None


def test_a_handle_is_its_officers_only_by_the_blob(
    database: Database, keys: ServerKeys
):
    """A row whose handle was copied from another link speaks for nobody."""
    with database.writing() as session:
        for login, handle in (("budi", "77"), ("eve", "666")):
            officer = house.person(session, keys, login).officer
            token = links.issue(session, keys, officer.id, now=NOW)
            links.redeem(session, keys, token, Channel.TELEGRAM, handle, now=NOW)
            assert (
                links.officer_at(session, keys, Channel.TELEGRAM, handle) == officer.id
            )
        first, second = session.exec(select(OfficerLink)).all()
        handles = first.handle, second.handle
        first.handle = secrets.token_bytes(32)
        session.flush()
        second.handle = handles[0]
        session.flush()
        first.handle = handles[1]
        session.flush()
    with database.writing() as session:
        for handle in ("77", "666"):
            assert links.officer_at(session, keys, Channel.TELEGRAM, handle) is None
        row = session.exec(select(OfficerLink)).first()
        row.blob = secrets.token_bytes(60)
        session.add(row)
        session.flush()
        for handle in ("77", "666"):
            assert links.officer_at(session, keys, Channel.TELEGRAM, handle) is None


def test_every_column_of_a_case_is_under_its_tag(here: Desk):
    case, _ = here.reports("555")
    with here.database.writing() as session:
        row = pick(session, Case, report=case.report)
        row.register_year, row.register_number = 2026, 1
        cases.save(session, here.keys, row)
    other = {
        bool: lambda value: not value,
        int: lambda value: value + 1,
        str: lambda value: {"TPK": "NON_TPK", "NON_TPK": "TPK"}.get(value, "KDH"),
        bytes: lambda value: bytes(len(value)),
        date: lambda value: value + timedelta(days=1),
        type(None): lambda _: None,
    }
    special = {
        "status": "CLOSED",
        "category": "ASP",
        "urgency": 0,
        "paused_since": NOW.date(),
        "before": "REVIEW",
        "reason": "C01",
        "officer": b"e" * 16,
        "wanted_status": "CLOSED",
        "wanted_reason": "C01",
        "wanted_by": b"e" * 16,
        "due_rule": "D99",
    }
    columns = set(Case.model_fields) - {"report"}
    for name in sorted(columns):
        with here.database.writing() as session:
            row = pick(session, Case, report=case.report)
            was = getattr(row, name)
            changed = special.get(name, other[type(was)](was))
            assert changed != was, name
            setattr(row, name, changed)
            session.add(row)
        with here.database.writing() as session:
            with pytest.raises(NotAuthentic):
                cases.get(session, here.keys, case.report)
            row = pick(session, Case, report=case.report)
            setattr(row, name, was)
            session.add(row)
    with here.database.reading() as session:
        assert cases.get(session, here.keys, case.report)


def test_only_our_own_rows_are_in_quarantine(database: Database, keys: ServerKeys):
    vault = new_pair()
    with database.writing() as session:
        quarantine.put(
            session, keys, b"strange", "parse", vault=vault.public, day=NOW.date()
        )
        row = secrets.token_bytes(16)
        context = Context("quarantine", row, "blob")
        session.add(
            Quarantine(
                id=row,
                day=NOW.date(),
                reason="forged",
                blob=seal(b"x" * 256, vault.public, context),
                tag=secrets.token_bytes(33),
            )
        )
    with database.writing() as session:
        (ours,) = quarantine.verified(session, keys)
        assert quarantine.opened(ours, vault.secret) == b"strange"
        ours.reason = "other"
        session.add(ours)
        session.flush()
        assert quarantine.verified(session, keys) == []


def test_a_store_that_does_not_say_whether_it_is_a_demo_is_not_served(
    here: Desk, tmp_path
):
    with here.database.writing() as session:
        session.connection().execute(text("DELETE FROM settings WHERE name = 'demo'"))
    environ = {
        "KENTONGAN_AGENCY__NAME": "Contoh",
        "KENTONGAN_DATABASE__URL": here.database.url.render_as_string(
            hide_password=False
        ),
        "KENTONGAN_FILES__PATH": str(tmp_path),
        "KENTONGAN_KEYS__SERVER_KEY": here.keys.to_text(),
    }
    settings = config.load(None, environ)
    for allow in (False, True):
        with pytest.raises(NotFounded):
            build(settings, environ=environ, clock=lambda: NOW, allow_demo=allow)
