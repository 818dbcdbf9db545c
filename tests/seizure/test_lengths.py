"""The length of a row tells neither the channel nor the kind of news, nor how far a talk is."""

from collections.abc import Callable

import pytest

from handlers.conversation.memory import Memory
from handlers.talk.state import State
from storage import conversations, outbox
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.jobs import jobs
from storage.letters import sent
from storage.letters.letter import Letter
from storage.notices import subscriptions
from storage.notices.subscribers import Subscriber
from storage.words import Channel, JobKind, LetterKind, Wanted
from tests.support.thief import rows_of

HANDLES = {
    Channel.TELEGRAM: "6281234567",
    Channel.WHATSAPP: "whatsapp:+6281234567890",
    Channel.SMS: "+628123456789012",
}
CASE = "ab" * 16


@pytest.fixture
def blobs(database: Database) -> Callable[..., set[int]]:
    """Return the lengths of a column's values, as a thief sees them."""

    def lengths(table: str, column: str) -> set[int]:
        found = [len(row[column]) for row in rows_of(database)[table]]
        assert len(found) > 1
        return set(found)

    return lengths


def test_a_wish_for_news(database: Database, keys: ServerKeys, blobs):
    with database.writing() as session:
        for number, (channel, handle) in enumerate(HANDLES.items()):
            for kind in Wanted:
                who = Subscriber(channel, handle, "id", 1_772_443_800, kind=kind)
                report = bytes([number, *kind.value.encode()[:15]]).ljust(16)
                subscriptions.add(session, keys, report, who)
    assert len(blobs("subscriptions", "blob")) == 1


def test_work_that_is_owed(database: Database, keys: ServerKeys, now, blobs):
    with database.writing() as session:
        for channel, handle in HANDLES.items():
            owed = {"report": CASE, "channel": channel.value, "handle": handle}
            jobs.put(session, keys, JobKind.RECEIPT, owed, now=now)
            copy = {"channel": channel.value, "id": "SM" + "5" * 32}
            jobs.put(session, keys, JobKind.ERASE, copy, now=now)
    assert len(blobs("jobs", "blob")) == 1


def test_letters_that_wait_and_that_left(database, keys, now, blobs):
    letters = [
        Letter(kind, channel, handle, text, case=case)
        for channel, handle in HANDLES.items()
        for kind, text, case in (
            (LetterKind.REPLY, "Terima kasih.", ""),
            (LetterKind.NOTICE, "Ada kabar untuk nomor 7K3M-9QXB.", CASE),
        )
    ]
    with database.writing() as session:
        for number, letter in enumerate(letters):
            outbox.put(session, keys, letter, now=now)
            sent.put(session, keys, letter, f"SM{number}", now=now)
    assert len(blobs("outbox", "blob")) == 1
    assert len(blobs("departed", "blob")) == 1


def test_a_talk_at_any_of_its_first_steps(database, keys, now, blobs):
    with database.writing() as session:
        for step, (channel, handle) in zip(
            ("Q02", "Q05", "Q10"), HANDLES.items(), strict=True
        ):
            state = State(language="id", step=step, draft="token123")
            memory = Memory(channel, handle, state=state, report=CASE)
            name = conversations.name_of(keys, channel, handle)
            conversations.save(session, keys, (name,), memory.to_bytes(), expires=now)
    assert len(blobs("conversations", "state")) == 1
