"""A clean chat: what goes, in which order, what stays, and what is said of it."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from handlers import inbox
from handlers.cases.receipts import Opening
from handlers.conversation import clean_chat
from handlers.conversation.memory import LONGEST, OPEN, Sweep, Trail
from handlers.messages import Kind, Proof
from handlers.retention import traces
from handlers.work import Work
from storage import conversations, outbox
from storage.database import transactions
from storage.jobs import jobs
from storage.letters.letter import Letter
from storage.models import Conversation, Job
from storage.words import Channel, JobKind, LetterKind
from tests.support.desk import START, STORY, Desk, Slip, desk, text

BEGIN = ("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM", "SUAP")
ME = "555"


@dataclass
class Chat:
    """One Telegram chat as Telegram keeps it: ids count up, deletions take them away."""

    here: Desk
    handle: str = ME
    next_id: int = 7000
    stands: dict[int, str] = field(default_factory=dict)
    asked: list[tuple[int, ...]] = field(default_factory=list)
    refuses: Callable[[tuple[int, ...]], bool] = lambda _: False

    def put(self, words: str) -> int:
        self.next_id += 1
        self.stands[self.next_id] = words
        return self.next_id

    def say(self, *lines: str) -> None:
        for words in lines:
            self.here.later(seconds=2)
            self.here.say(self.handle, words, message_id=self.put(words))
            self.delivers()

    def press(self, data: str) -> None:
        self.here.say(
            self.handle, "", kind=Kind.PRESS, press=data, message_id=self.next_id
        )
        self.delivers()

    def delivers(self, limit: int = 99) -> None:
        """Let letters leave one by one, as delivery does."""
        for _ in range(limit):
            with self.here.database.writing() as session:
                found = outbox.claim(
                    session,
                    self.here.keys,
                    Channel.TELEGRAM,
                    limit=1,
                    now=self.here.now,
                )
            if not found:
                return
            self._take(found[0])

    def _take(self, claimed: outbox.Claimed) -> None:
        letter, provider_id = claimed.letter, ""
        if letter.kind is LetterKind.DELETE:
            self.asked.append(letter.message_ids)
            if self.refuses(letter.message_ids):
                assert self.here.act(clean_chat.dead, claimed)
                return
            for one in letter.message_ids:
                self.stands.pop(one, None)
        else:
            self.here.letters.append(letter)
            provider_id = str(self.put(letter.text))
        assert self.here.act(
            clean_chat.sent, claimed, provider_id=provider_id, final=True
        )

    def receipt(self) -> Slip:
        self.here.makes_receipts()
        self.delivers()
        return self.here.slip(self.handle)

    def says(self) -> list[str]:
        return list(self.stands.values())


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


@pytest.fixture
def chat(here: Desk) -> Chat:
    return Chat(here)


def rows(here: Desk) -> list[dict[str, Any]]:
    """Read every conversation as whoever holds database and server key can."""
    with here.database.reading() as session:
        found = session.exec(select(Conversation)).all()
        return [json.loads(conversations.read(here.keys, row)) for row in found]


def test_after_the_receipt_everything_goes_and_nothing_is_said(chat: Chat):
    chat.say(STORY)
    chat.receipt()
    chat.press("-.Q20.NOTED")
    assert "Hapus percakapan ini?" in chat.says()[-1]
    chat.press("-.CLEAN.YES")
    assert chat.stands == {}
    assert rows(chat.here) == []
    assert chat.here.letters[-1].text == "Baik, percakapan ini sedang dihapus."


def test_the_row_after_a_submit_leads_to_a_chat_and_to_no_report(chat: Chat):
    chat.say(*BEGIN, "Dinas Perizinan Kota Jambi")
    (row,) = rows(chat.here)
    assert row["report"]
    chat.say("LEWATI", "LEWATI", "Kepala dinas minta uang", "KIRIM")
    slip = chat.receipt()
    (row,) = rows(chat.here)
    assert row.pop("handle") == ME
    state = json.loads(str(row.pop("state")))
    assert {name for name, one in state.items() if one} == {"language", "chosen"}
    (lost,), (_, *ids) = row.pop("trail")
    assert (lost, set(ids)) == (0, set(chat.stands))
    assert {one for one in row.values() if one} == {"telegram"}
    report = chat.here.case(slip.number).report
    with chat.here.database.reading() as session:
        raw = conversations.read(
            chat.here.keys, session.exec(select(Conversation)).one()
        )
    assert report.hex().encode() not in raw
    assert slip.number.encode() not in raw


def test_the_row_goes_when_nothing_can_be_deleted_any_more(chat: Chat):
    chat.say(STORY)
    chat.receipt()
    chat.here.later(hours=47)
    chat.here.act(traces.purge)
    assert len(rows(chat.here)) == 1
    chat.here.later(hours=2)
    chat.here.act(traces.purge)
    assert rows(chat.here) == []


@pytest.mark.parametrize("words", ["BERSIHKAN", "clean chat"])
def test_a_talk_that_ended_leaves_its_trail_only(chat: Chat, words: str):
    chat.say("STATUS")
    assert json.loads(str(rows(chat.here)[0]["state"]))["step"] == "Q22"
    chat.here.later(hours=2)
    chat.here.act(traces.purge)
    (row,) = rows(chat.here)
    assert "step" not in json.loads(str(row["state"]))
    assert row["last_inbound"] == 0
    chat.say(words, "YA")
    assert chat.stands == {}


def test_a_hundred_and_more_messages_go_in_batches(chat: Chat):
    chat.say(*BEGIN, "LEWATI", "LEWATI", "LEWATI")
    chat.say(*(f"Cerita bagian {n}" for n in range(99)))
    chat.say("KIRIM")
    chat.receipt()
    before = len(chat.stands)
    chat.say("BERSIHKAN", "YA")
    assert before > 120
    assert [len(ids) for ids in chat.asked[:1]] == [100]
    assert len(chat.asked) == 2
    assert chat.stands == {}


@pytest.mark.both_stores
def test_a_draft_outlives_its_cleaning(chat: Chat):
    chat.say(*BEGIN, "Dinas Perizinan Kota Jambi", "BERSIHKAN")
    assert "masih terbuka" in chat.says()[-1]
    chat.say("YA")
    assert chat.stands == {}
    (row,) = rows(chat.here)
    assert row["report"]
    chat.say("LANJUT")
    assert "Siapa yang Anda laporkan" in chat.says()[-1]


def test_who_says_no_loses_nothing(chat: Chat):
    chat.say("BERSIHKAN", "TIDAK")
    assert "tidak ada yang diubah" in chat.says()[-1]
    assert chat.asked == []


def test_after_a_cancel_the_chat_may_be_cleaned_by_one_button(chat: Chat):
    chat.say(*BEGIN, "BATAL")
    assert chat.here.letters[-1].buttons == (("Bersihkan chat", "-.Q20.CLEAN"),)
    chat.press("-.Q20.CLEAN")
    chat.press("-.CLEAN.YES")
    assert chat.stands == {}
    assert rows(chat.here) == []


def test_stop_forgets_the_trail_too(chat: Chat):
    chat.say(*BEGIN, "STOP")
    assert rows(chat.here) == []


def test_one_message_that_cannot_be_deleted_holds_back_no_other(chat: Chat):
    chat.say(*BEGIN, "LEWATI", "LEWATI", "LEWATI")
    chat.say(*(f"Cerita bagian {n}" for n in range(90)))
    stuck = sorted(chat.stands)[40]
    chat.refuses = lambda ids: stuck in ids
    chat.say("BERSIHKAN", "YA")
    assert set(chat.stands) - {stuck} == {chat.next_id}
    assert chat.says()[-1].startswith("1 pesan tidak bisa kami hapus")
    assert len(chat.asked) < 30
    (row,) = rows(chat.here)
    assert [ids[1:] for ids in row["trail"]] == [[], [chat.next_id]]


def test_a_provider_that_refuses_everything_is_not_asked_for_ever(chat: Chat):
    chat.say(*BEGIN, "LEWATI", "LEWATI", "LEWATI")
    chat.say(*(f"Cerita bagian {n}" for n in range(110)))
    chat.refuses = lambda _: True
    chat.say("BERSIHKAN", "YA")
    assert clean_chat.MOST_REFUSALS < len(chat.asked) < clean_chat.MOST_REFUSALS + 5
    assert chat.says()[-1].startswith(f"{len(chat.stands) - 1} pesan")
    (row,) = rows(chat.here)
    assert [ids[1:] for ids in row["trail"]] == [[], [chat.next_id]]


def test_what_is_older_than_48_hours_is_not_tried_and_is_told(chat: Chat):
    chat.say("LAPOR", "AMAN")
    old = set(chat.stands)
    chat.here.later(hours=20)
    chat.say("PAHAM")
    chat.here.later(hours=20)
    chat.say("SETUJU")
    chat.here.later(hours=9)
    chat.say("BERSIHKAN", "YA")
    assert not old.intersection(one for ids in chat.asked for one in ids)
    assert chat.says()[-1].startswith(f"{len(old)} pesan tidak bisa")
    assert set(chat.stands) == {*old, chat.next_id}


def test_a_receipt_that_comes_while_the_chat_is_cleaned_stays(chat: Chat):
    chat.say(STORY)
    chat.here.say(ME, "BERSIHKAN", message_id=chat.put("BERSIHKAN"))
    chat.delivers()
    chat.here.say(ME, "YA", message_id=chat.put("YA"))
    chat.here.makes_receipts()
    chat.delivers()
    assert len(chat.stands) == 1
    slip = chat.here.slip(ME)
    assert slip.code in chat.says()[0]
    chat.say("BERSIHKAN", "YA")
    assert chat.stands == {}


@pytest.mark.both_stores
def test_what_is_written_while_the_chat_is_cleaned_stays(chat: Chat):
    chat.say("LAPOR", "BERSIHKAN")
    chat.here.say(ME, "YA", message_id=chat.put("YA"))
    chat.delivers(limit=1)
    chat.say("STATUS")
    assert chat.says()[0] == "STATUS"
    assert "nomor laporan" in chat.says()[1]
    assert rows(chat.here)[0]["sweep"] is None


def test_a_deletion_that_never_left_is_told_when_its_time_is_over(chat: Chat):
    chat.say("LAPOR", "BERSIHKAN")
    chat.here.say(ME, "YA", message_id=chat.put("YA"))
    chat.here.later(hours=25)
    chat.here.act(traces.purge)
    assert len(rows(chat.here)) == 1
    chat.here.later(hours=25)
    chat.here.act(traces.purge)
    assert rows(chat.here) == []
    chat.delivers()
    assert "tidak bisa kami hapus" in chat.says()[-1]


def test_another_persons_chat_is_left_alone(here: Desk):
    one, other = Chat(here), Chat(here, "666", next_id=9000)
    for chat in (one, other):
        chat.say(STORY)
        chat.receipt()
    stood = dict(other.stands)
    one.say("BERSIHKAN", "YA")
    assert one.stands == {}
    assert other.stands == stood
    assert len(rows(here)) == 1


@pytest.mark.both_stores
def test_a_lost_lease_still_remembers_what_went_out(chat: Chat):
    chat.here.say(ME, "LAPOR", message_id=chat.put("LAPOR"))
    claim = (outbox.claim, Channel.TELEGRAM)
    with chat.here.database.writing() as session:
        (first,) = outbox.claim(
            session, chat.here.keys, claim[1], limit=1, now=chat.here.now
        )
    chat.here.later(minutes=2)
    chat.delivers()
    late = chat.put("doubled")
    known = {"provider_id": str(late), "final": True}
    assert chat.here.act(clean_chat.sent, first, **known) is False
    chat.say("BERSIHKAN", "YA")
    assert chat.stands == {}


@pytest.mark.parametrize(
    ("channel", "says"),
    [(Channel.SMS, "SMS di HP Anda"), (Channel.WHATSAPP, "Di WhatsApp kami tidak")],
)
def test_where_we_cannot_delete_we_say_so(here: Desk, channel: Channel, says: str):
    here.say("+62811", "BERSIHKAN", channel=channel, message_id=5)
    (letter,) = here.delivers(channel)
    assert letter.text.startswith(says)
    assert letter.buttons == ()
    assert [row["trail"] for row in rows(here)] == [[[0]]]


def test_officers_alerts_and_acknowledgments_touch_no_conversation(chat: Chat):
    chat.say("LAPOR")
    before = rows(chat.here)
    for kind in (LetterKind.ALERT, LetterKind.ACK):
        letter = Letter(kind, Channel.TELEGRAM, ME, "ada", press_id="1")
        chat.here.store(outbox.put, letter, now=chat.here.now)
        chat.delivers()
    assert rows(chat.here) == before


def test_nothing_of_a_case_waits_with_a_deletion(chat: Chat):
    chat.say(STORY)
    chat.receipt()
    chat.here.say(ME, "BERSIHKAN", message_id=chat.put("BERSIHKAN"))
    chat.delivers()
    chat.here.say(ME, "YA", message_id=chat.put("YA"))
    chat.delivers(limit=1)
    with chat.here.database.writing() as session:
        (claimed,) = outbox.claim(
            session, chat.here.keys, Channel.TELEGRAM, limit=9, now=chat.here.now
        )
        kinds = session.exec(select(Job.kind)).all()
    assert claimed.letter.kind is LetterKind.DELETE
    assert (claimed.letter.case, claimed.letter.text) == ("", "")
    assert JobKind.RECEIPT not in kinds
    assert jobs.LIFE


def test_a_trail_comes_back_as_it_was_and_is_bounded():
    trail = Trail()
    for n in range(1, LONGEST + 11):
        trail = trail.with_id(n, START + timedelta(minutes=n), 48)
    assert (len(trail.ids), trail.lost, trail.newest) == (LONGEST, 10, LONGEST + 10)
    assert trail.with_id(50, START, 48) is trail
    assert Trail.from_rows(json.loads(json.dumps(trail.to_rows()))) == trail
    assert Trail.from_rows(()) == Trail()
    assert len(json.dumps(trail.to_rows())) < 4000
    assert trail.first(3, below=OPEN) == (11, 12, 13)
    assert trail.first(3, below=12) == (11,)
    assert Sweep(*Sweep(100, posted=5).to_row()) == Sweep(100, posted=5)


def test_an_id_is_tried_only_while_it_is_surely_young_enough():
    trail = Trail().with_id(1, START, 48)  # 09:30
    assert trail.living(START + timedelta(hours=47, minutes=29))
    assert not trail.living(START + timedelta(hours=47, minutes=31))


@pytest.mark.both_stores
def test_a_letter_s_end_waits_for_a_message_of_the_same_person(chat: Chat):
    """Both lock the person first: whoever comes second waits, and nobody for ever."""
    chat.here.say(ME, "LAPOR", message_id=chat.put("LAPOR"))
    with chat.here.database.writing() as session:
        (claimed,) = outbox.claim(
            session, chat.here.keys, Channel.TELEGRAM, limit=1, now=chat.here.now
        )
    done: list[bool] = []
    known = {"provider_id": str(chat.put("Q02")), "final": True}

    def ends() -> None:
        done.append(chat.here.act(clean_chat.sent, claimed, **known))

    other = threading.Thread(target=ends)
    name = conversations.name_of(chat.here.keys, Channel.TELEGRAM, ME)
    with chat.here.database.writing() as session:
        transactions.lock_handles(session.connection(), [name])
        other.start()
        other.join(0.3)
        assert done == []
        said = text("AMAN", handle=ME, message_id=chat.put("AMAN"))
        inbox.receive(
            Work(session, chat.here.office, chat.here.now), said, Opening(Proof.NONE)
        )
    other.join(10)
    assert done == [True]
    (row,) = rows(chat.here)
    assert [ids[1:] for ids in row["trail"]] == [[], sorted(chat.stands)]
