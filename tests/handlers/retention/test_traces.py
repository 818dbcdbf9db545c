"""What goes by itself goes when its rule says so, and nothing that is still wanted."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text as sql
from sqlmodel import select

from handlers import inbox
from handlers.cases.receipts import Opening
from handlers.conversation import items as sealed
from handlers.conversation.exchange import names
from handlers.errors import DraftGone, NotFound, NotReady
from handlers.inbox import Outcome
from handlers.messages import Proof
from handlers.quarantine import keeping
from handlers.retention import traces
from handlers.talk.turn import Item as Wanted
from handlers.work import Work
from storage import conversations
from storage.cases import items as report_items
from storage.cases import reports
from storage.database import transactions
from storage.jobs import jobs
from storage.letters import sent
from storage.letters.letter import Letter
from storage.models import Conversation, Draft, Item, Job, Quarantine
from storage.words import Channel, ItemKind, JobKind, LetterKind
from tests.support.desk import Desk, desk, text

BEGIN = ("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM", "SUAP")
WORDS = (*BEGIN, "LEWATI", "LEWATI", "LEWATI", "Kepala dinas minta uang")


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def _begins(here: Desk, handle: str = "555") -> bytes:
    for words in WORDS:
        assert here.say(handle, words) is Outcome.TAKEN
    here.delivers()
    with here.database.reading() as session:
        return session.exec(select(Draft.report)).one()


def _memory(here: Desk) -> Any:
    with here.database.reading() as session:
        row = session.exec(select(Conversation)).first()
        return None if row is None else json.loads(conversations.read(here.keys, row))


def _items(here: Desk, report: bytes) -> int:
    with here.database.reading() as session:
        return report_items.count_items(session, report)


def test_a_draft_lives_as_long_as_its_writer_writes(here):
    report = _begins(here)
    before = _items(here, report)
    for day in range(5):
        here.later(hours=20)
        assert here.act(traces.purge) == 0
        here.say("555", f"Tambahan cerita nomor {day} dari saya")
    assert _items(here, report) == before + 5
    assert here.say("555", "KIRIM") is Outcome.TAKEN
    slip = here.receipt("555")
    assert len(here.reads(here.case(slip.number))) >= before + 5


@pytest.mark.both_stores
def test_a_draft_that_no_conversation_names_goes_after_two_days(here):
    report = _begins(here)
    with here.database.writing() as session:
        conversations.forget(session, [conversations.name_of(here.keys, *_who())])
    here.later(hours=30)
    assert here.act(traces.orphans) == []
    here.later(hours=48)
    assert here.act(traces.purge) == 0
    assert here.act(traces.orphans) == [report]
    assert here.act(traces.drop_orphans, [report]) == 1
    assert _items(here, report) == 0


def _who():
    one = text("", handle="555")
    return one.channel, one.handle


@pytest.mark.both_stores
@pytest.mark.parametrize("words", ["KIRIM", "Dan ini bukti kedua saya", "BATAL"])
def test_a_vanished_draft_is_told_and_nothing_is_quarantined(here, words):
    report = _begins(here)
    with here.database.writing() as session:
        assert reports.discard(session, report)
    assert here.say("555", words) is Outcome.TAKEN
    told = here.delivers()
    expired = here.office.texts.say("X06", language="id", channel=told[0].channel)
    assert told[0].text == expired
    with here.database.reading() as session:
        assert session.exec(select(Quarantine)).all() == []
        assert session.exec(select(Item)).all() == []
    memory = _memory(here)
    assert memory is None or not memory["report"]


def test_items_never_reach_a_case_by_way_of_a_draft(here):
    case, _ = here.reports("555")
    item = Wanted("Q10", ItemKind.ANSWER, "Dan lagi")
    more = {"opened": "", "language": "id"}
    with pytest.raises(DraftGone):
        here.act(sealed.keep, text("Dan lagi"), [item], draft=case.report.hex(), **more)
    gone = {"draft": "", "opened": "00" * 16, "language": "id"}
    added = Wanted("Q23", ItemKind.ADDITION, "Dan lagi", to_case=True)
    with pytest.raises(NotFound):
        here.act(sealed.keep, text("Dan lagi"), [added], **gone)


@pytest.mark.parametrize("ends", ["BATAL", "purge", "KIRIM"])
def test_a_conversation_put_back_does_not_touch_the_case_it_became(here, ends):
    _begins(here)
    with here.database.reading() as session:
        old = session.exec(select(Conversation)).one()
        values = old.model_dump()
    here.say("555", "KIRIM")
    case = here.case(here.receipt("555").number)
    before = len(here.reads(case))
    with here.database.writing() as session:
        session.add(Conversation(**values))
    if ends == "purge":
        here.later(hours=26)
        assert here.act(traces.purge) == 0
    else:
        here.say("555", ends)
        here.say("555", "YA")
    assert len(here.reads(here.case(case.number))) == before
    assert _memory(here) is None or not _memory(here)["report"]


@pytest.mark.both_stores
def test_a_purge_waits_for_a_submit_that_is_under_way(here):
    """The message came a moment before the draft's end and is not committed yet."""
    if here.database.is_sqlite:
        return  # one writer: nothing can be under way
    _begins(here)
    late = here.now + timedelta(hours=26)
    incoming = text("KIRIM", handle="555")
    gone: list[int] = []

    def purge() -> None:
        with here.database.writing() as session:
            gone.append(traces.purge(Work(session, here.office, late)))

    other = threading.Thread(target=purge)
    with here.database.writing() as session:
        people = names(here.office, incoming)
        transactions.lock_handles(session.connection(), people)
        other.start()
        waits = sql("SELECT count(*) FROM pg_locks WHERE NOT granted")
        watcher = here.database.read_engine.connect()
        while other.is_alive() and not watcher.execute(waits).scalar():
            watcher.rollback()
        watcher.close()
        opening = Opening(Proof.NONE)
        inbox.receive(here.work(session), incoming, opening)
    other.join()
    assert gone == [0]
    case = here.case(here.receipt("555").number)
    assert here.reads(case)


@pytest.mark.parametrize("minute", [5, 31, 59])
def test_a_case_that_was_opened_is_forgotten_after_fifteen_minutes(here, minute):
    case, slip = here.reports("555")
    here.now = here.now.replace(minute=minute) + timedelta(hours=2)
    here.say("555", f"STATUS {slip}")
    here.later(minutes=14)
    here.act(traces.purge)
    memory = _memory(here)
    assert memory is not None
    assert memory["opened"] == case.report.hex()
    here.later(minutes=2)
    here.act(traces.purge)
    memory = _memory(here)
    assert memory is None or (memory["opened"], memory["opened_until"]) == ("", 0)
    here.later(minutes=90)
    here.act(traces.purge)
    assert _memory(here) is None


def test_an_open_draft_outlives_the_case_that_was_opened_beside_it(here):
    _, slip = here.reports("555")
    _begins(here)
    here.say("555", f"STATUS {slip}")
    assert _memory(here)["opened"]
    here.later(minutes=16)
    here.act(traces.purge)
    memory = _memory(here)
    assert memory["opened"] == ""
    assert memory["report"]
    here.later(hours=23)
    assert here.act(traces.purge) == 0
    assert here.say("555", "KIRIM") is Outcome.TAKEN
    here.receipt("555")


def test_nothing_of_a_conversation_is_left_where_only_the_case_was(here):
    _, slip = here.reports("555")
    here.say("555", f"STATUS {slip}")
    with here.database.writing() as session:
        row = session.exec(select(Conversation)).one()
        memory = json.loads(conversations.read(here.keys, row)) | {"state": ""}
        raw = json.dumps(memory).encode()
        conversations.save(
            session, here.keys, [row.handle], raw, expires=here.now + timedelta(hours=9)
        )
    here.later(minutes=16)
    here.act(traces.purge)
    assert _memory(here) is None


def test_jobs_are_never_let_go_unfinished(here):
    kept = set(JobKind) - {JobKind.FORGET}  # the purge itself is what does that
    for kind in kept:
        here.store(jobs.put, kind, {"channel": "sms"}, now=here.now)
    here.later(days=9)
    here.act(traces.purge)
    with here.database.reading() as session:
        assert len(session.exec(select(Job)).all()) == len(kept)


def test_without_a_key_of_the_vault_nothing_is_quarantined_empty(here):
    with here.database.writing() as session:
        vault = session.merge(here.house.vault)
        vault.public_key = None
        session.add(vault)
    with pytest.raises(NotReady):
        here.act(keeping.keep, b"{}", "test", channel=Channel.SMS)
    with here.database.reading() as session:
        assert session.exec(select(Quarantine)).all() == []


@pytest.mark.both_stores
@pytest.mark.parametrize("of_a_case", [True, False])
def test_a_copy_whose_last_status_never_came_is_erased_all_the_same(here, of_a_case):
    letter = Letter(
        LetterKind.NOTICE if of_a_case else LetterKind.REPLY,
        Channel.SMS,
        "+6281",
        "Ada kabar",
        case="ab" * 16 if of_a_case else "",
    )
    here.store(sent.put, letter, "SM77", now=here.now)
    if of_a_case:
        here.store(sent.leave_to_nobody, Channel.SMS, "+6281")
    here.later(hours=30)
    here.act(traces.purge)
    assert here.store(_owed) == []
    here.later(hours=24)
    here.act(traces.purge)
    assert here.store(_owed) == [{"channel": "sms", "id": "SM77"}]
    here.act(traces.purge)
    assert len(here.store(_owed)) == 1


def _owed(session, keys) -> list[Any]:
    return list(jobs.waiting(session, keys, JobKind.ERASE))


def _talks(here: Desk, count: int) -> None:
    """Let people write who want nothing of ours yet."""
    for number in range(count):
        here.say(f"70{number}", "LAPOR")


def _opened(here: Desk, monkeypatch: pytest.MonkeyPatch, act) -> int:
    """Return how many conversations something opens."""
    real, count = conversations.read, 0

    def counting(keys, row):
        nonlocal count
        count += 1
        return real(keys, row)

    with monkeypatch.context() as patch:
        patch.setattr(conversations, "read", counting)
        here.act(act)
    return count


@pytest.mark.parametrize("act", [traces.purge, traces.warn_of_expiry, traces.orphans])
def test_a_tick_opens_no_conversation_that_is_not_due(here, monkeypatch, act):
    _talks(here, 5)
    assert _opened(here, monkeypatch, act) == 0


def test_a_tick_opens_what_is_due_and_nothing_else(here, monkeypatch):
    _, slip = here.reports("555")
    here.say("555", f"STATUS {slip}")
    here.later(minutes=10)
    _talks(here, 5)
    here.later(minutes=6)
    assert _opened(here, monkeypatch, traces.purge) == 2, (
        "to look at it, and to write it"
    )
    assert _opened(here, monkeypatch, traces.purge) == 0


@pytest.mark.both_stores
def test_a_case_that_is_opened_again_is_remembered_from_then_on(here):
    case, slip = here.reports("555")
    here.say("555", f"STATUS {slip}")
    here.later(minutes=14)
    here.say("555", f"STATUS {slip}")
    here.later(minutes=2)
    here.act(traces.purge)
    assert _memory(here)["opened"] == case.report.hex(), "two minutes, not sixteen"
    here.later(minutes=14)
    here.act(traces.purge)
    memory = _memory(here)
    assert memory is None or not memory["opened"]
