"""A draft is a draft or it is a case; what is meant for the one never hits the other."""

import secrets

import pytest
from sqlmodel import Session, select

from storage import conversations
from storage.cases import items as report_items
from storage.cases import reports
from storage.cases.items import Content
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Draft, Grant, Item
from storage.words import Audience, Channel, ItemKind
from tests.support import founded


@pytest.fixture
def draft(database: Database, keys: ServerKeys, now) -> tuple[founded.House, bytes]:
    with database.writing() as session:
        built = founded.build(session, keys)
        begun = reports.start(session, keys, [built.unit], day=now.date())
        report_items.add_item(
            session,
            keys,
            begun.report,
            Content(ItemKind.ANSWER, "Kepala dinas meminta uang"),
            audience=Audience.CASE,
            public=begun.public_key,
            day=now.date(),
        )
        return built, begun.report


def _kept(session: Session, report: bytes) -> int:
    items = session.exec(select(Item).where(Item.report == report)).all()
    grants = session.exec(select(Grant).where(Grant.report == report)).all()
    return len(items) + len(grants)


def test_what_was_sent_can_not_be_discarded(database, keys, draft):
    built, report = draft
    with database.writing() as session:
        assert reports.is_draft(session, report)
        reports.release(session, keys, report, built.unit.id)
        assert not reports.is_draft(session, report)
        assert reports.draft_key(session, keys, report) is None
        assert not reports.discard(session, report)
        assert _kept(session, report) == 2


def test_a_draft_is_discarded_with_everything_in_it_once(database, keys, draft):
    _, report = draft
    with database.writing() as session:
        assert reports.draft_key(session, keys, report) is not None
        assert reports.discard(session, report)
        assert not reports.discard(session, report)
        assert _kept(session, report) == 0
        assert session.exec(select(Draft)).all() == []


def test_a_draft_is_released_once(database, keys, draft):
    built, report = draft
    with database.writing() as session:
        reports.release(session, keys, report, built.unit.id)
    with database.writing() as session, pytest.raises(NotAuthentic):
        reports.release(session, keys, report, built.unit.id)
    with database.writing() as session, pytest.raises(NotAuthentic):
        reports.release(session, keys, secrets.token_bytes(16), built.unit.id)


def test_a_planted_key_of_a_draft_is_refused(database, keys, draft):
    _, report = draft
    with database.writing() as session:
        row = session.get(Draft, report)
        assert row is not None
        row.public_key = row.public_key[::-1]
        session.add(row)
    with database.reading() as session, pytest.raises(NotAuthentic):
        reports.draft_key(session, keys, report)


def test_a_held_conversation_is_read_as_it_stands_by_then(database, keys, now):
    names = [conversations.name_of(keys, Channel.SMS, who) for who in ("1", "2", "3")]
    with database.writing() as session:
        for name in names:
            conversations.save(session, keys, [name], b"old", expires=now)
    with database.writing() as purge:
        seen = list(conversations.everyone(purge))
        if not database.is_sqlite:  # there a writer is alone
            with database.writing() as other:
                conversations.save(other, keys, [names[0]], b"new", expires=now)
                conversations.forget(other, [names[1]])
        known = [conversations.names_in(row) for row in seen]
        held = {row.handle: row for row in conversations.hold(purge, known)}
        if database.is_sqlite:
            assert set(held) == set(names)
        else:
            assert set(held) == {names[0], names[2]}
            assert conversations.read(keys, held[names[0]]) == b"new"
