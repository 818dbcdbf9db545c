"""What is remembered between two messages: read once, written once, in the layout of old."""

import json

import pytest
from sqlmodel import select

from handlers import inbox
from handlers.cases.receipts import Opening
from handlers.conversation.memory import DRAFT_LIFE, Memory
from handlers.messages import Proof
from handlers.talk.state import State
from storage import conversations
from storage.models import Conversation
from storage.words import Channel
from tests.support.desk import Desk, desk, text

BEGIN = ("AMAN", "PAHAM", "SETUJU", "ANONIM", "SUAP")


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count how often a state is read from JSON and written to it."""
    count = {"read": 0, "written": 0}
    reads, writes = State.from_json, State.to_json

    def read(text: str) -> State:
        count["read"] += 1
        return reads(text)

    def written(state: State) -> str:
        count["written"] += 1
        return writes(state)

    monkeypatch.setattr(State, "from_json", read)
    monkeypatch.setattr(State, "to_json", written)
    return count


def kept(here: Desk) -> Memory:
    """Return the one conversation of the store."""
    with here.database.reading() as session:
        (row,) = session.exec(select(Conversation)).all()
        return Memory.from_bytes(conversations.read(here.keys, row))


def receive(here: Desk, words: str) -> None:
    incoming = text(words, received=here.now)
    here.act(inbox.receive, incoming, Opening(Proof.NONE))


def test_a_state_is_read_once_a_message_and_written_once(
    here: Desk, counted: dict[str, int]
) -> None:
    receive(here, "LAPOR")
    assert counted == {"read": 0, "written": 1}
    for words in (
        *BEGIN,
        "lewat",
        "lewat",
        "pekan lalu",
        "camat minta uang",
        "SELESAI",
    ):
        counted |= {"read": 0, "written": 0}
        receive(here, words)
        assert counted == {"read": 1, "written": 1}, words


def test_a_conversation_of_an_older_version_goes_on(here: Desk) -> None:
    """Rows hold the dialogue's state as JSON inside JSON; unknown fields are dropped."""
    receive(here, "LAPOR")
    receive(here, "AMAN")
    with here.database.writing() as session:
        (row,) = session.exec(select(Conversation)).all()
        old = json.loads(conversations.read(here.keys, row))
        assert json.loads(old["state"])["step"] == "Q03"
        old["state"] = json.dumps(json.loads(old["state"]) | {"of_old": 1})
        raw = json.dumps(old | {"of_old": 1}).encode()
        expires = here.now + DRAFT_LIFE
        conversations.save(session, here.keys, [row.handle], raw, expires=expires)
    receive(here, "PAHAM")
    assert kept(here).state.step == "Q04"


@pytest.mark.parametrize("state", ["", "nonsense", "[1]", "{}", None])
def test_a_state_that_says_nothing_is_a_new_one(state: str | None) -> None:
    raw = json.loads(Memory(Channel.SMS, "+62811").to_bytes()) | {"state": state}
    memory = Memory.from_bytes(json.dumps(raw).encode())
    assert memory.state == State()
    assert memory.is_empty()
