"""A notice that is answered by quoting it, from the letter's end to the sealed item."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from sqlmodel import select

from handlers import inbox
from handlers.cases.receipts import Opening
from handlers.conversation import clean_chat
from handlers.messages import Kind, Media, Proof
from handlers.notices import reporters
from handlers.retention import traces
from handlers.work import Work
from storage import outbox
from storage.cases import cases
from storage.cases.items import Content
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Case, Conversation, File, Subscription
from storage.notices import subscriptions
from storage.rekeying import server_key
from storage.words import Channel, ItemKind, LetterKind, Mark
from tests.support.desk import BUTTONS, STORY, Desk, Slip, desk, text, with_keys

SARI, NUMBER, SCOPED = "555", "whatsapp:+6281200000001", "whatsapp:ID.77"


@dataclass
class Wire:
    """Letters leave with an id of the provider's; ``ids`` are those of notices."""

    here: Desk
    channel: Channel = Channel.TELEGRAM
    ids: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    numbers: Callable[[], int] = field(default_factory=lambda: count(9001).__next__)

    def delivers(self) -> None:
        """Let everything leave."""
        self.said.clear()
        with self.here.database.writing() as session:
            found = outbox.claim(
                session, self.here.keys, self.channel, limit=1, now=self.here.now
            )
        while found:
            (one,) = found
            number = self.numbers()
            name = str(number) if self.channel is Channel.TELEGRAM else f"SM{number}"
            self.here.letters.append(one.letter)
            self.said.append(one.letter.text)
            if one.letter.kind is LetterKind.NOTICE:
                self.ids.append(name)
            assert self.here.act(clean_chat.sent, one, provider_id=name, final=True)
            with self.here.database.writing() as session:
                found = outbox.claim(
                    session, self.here.keys, self.channel, limit=1, now=self.here.now
                )


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


def subscribed(
    here: Desk, handle: str = SARI, channel: Channel = Channel.TELEGRAM, **more: Any
) -> tuple[Case, Slip]:
    """Make a case whose reporter wants news."""
    case, slip = here.reports(handle, channel=channel, **more)
    here.later(seconds=5)
    here.say(handle, f"KABAR NETRAL {slip}", channel=channel, **more)
    here.delivers(channel)
    here.later(hours=1)
    return case, slip


def noticed(here: Desk, case: Case, wire: Wire) -> str:
    """Let a notice about a case go out; return its id."""

    def tell(work: Work) -> None:
        row = cases.lock(work.store, work.keys, case.report)
        assert row is not None
        reporters.tell(work, row)

    here.act(tell)
    before = len(wire.ids)
    wire.delivers()
    assert len(wire.ids) == before + 1
    return wire.ids[-1]


def told(here: Desk, case: Case) -> list[Content]:
    return [one.content for one in here.reads(case) if one.content is not None]


def added(here: Desk, case: Case) -> list[tuple[str, tuple[str, ...]]]:
    kinds = {ItemKind.REPLY, ItemKind.EDIT, ItemKind.ADDITION}
    return [(one.text, one.marks) for one in told(here, case) if one.kind in kinds]


QUOTED = (Mark.QUOTED.value,)


@pytest.mark.parametrize(
    ("channel", "handle"), [(Channel.TELEGRAM, SARI), (Channel.WHATSAPP, NUMBER)]
)
def test_a_quoted_notice_needs_no_code(
    here: Desk, channel: Channel, handle: str
) -> None:
    wire = Wire(here, channel)
    case, slip = subscribed(here, handle, channel)
    notice = noticed(here, case, wire)
    here.say(handle, "Selalu setelah makan siang", channel=channel, quotes=notice)
    wire.delivers()
    assert wire.said == [f"Sudah ditambahkan ke laporan {slip.number}."]
    assert added(here, case) == [("Selalu setelah makan siang", QUOTED)]
    assert here.case(slip.number).unread_from_reporter


def test_a_draft_beside_it_stays_as_it_was(here: Desk) -> None:
    wire = Wire(here)
    case, slip = subscribed(here)
    notice = noticed(here, case, wire)
    for words in ("LAPOR", "1", "1", "1", "1", "1"):
        here.later(seconds=2)
        here.say(SARI, words)
    wire.delivers()
    here.say(SARI, "Dinas yang sama", quotes=notice)
    wire.delivers()
    (said,) = wire.said
    assert said.startswith(f"Sudah ditambahkan ke laporan {slip.number}, bukan ke")
    here.say(SARI, "Dinas Perizinan")
    wire.delivers()
    assert "Siapa yang Anda laporkan" in wire.said[-1]
    assert added(here, case) == [("Dinas yang sama", QUOTED)]


def test_two_cases_are_told_apart_and_strangers_quote_in_vain(here: Desk) -> None:
    wire = Wire(here)
    one, _ = subscribed(here)
    other, _ = subscribed(here)
    first, second = noticed(here, one, wire), noticed(here, other, wire)
    here.say(SARI, "untuk yang kedua", quotes=second)
    here.say(SARI, "untuk yang pertama", quotes=first)
    here.say("777", "mencoba menambah isi orang lain", quotes=first)
    here.say(SARI, "mengutip pesan yang tidak ada di sana", quotes="4711")
    assert added(here, one) == [("untuk yang pertama", QUOTED)]
    assert added(here, other) == [("untuk yang kedua", QUOTED)]


def test_the_last_five_notices_may_be_quoted(here: Desk) -> None:
    wire = Wire(here)
    case, _ = subscribed(here)
    sent = [noticed(here, case, wire) for _ in range(7)]
    for number, notice in enumerate(sent):
        here.later(minutes=2)
        here.say(SARI, f"jawaban yang ke {number} untuk laporan ini", quotes=notice)
    numbers = [text.split()[3] for text, _ in added(here, case)]
    assert numbers == ["2", "3", "4", "5", "6"]


def test_the_length_of_a_wish_does_not_tell_how_much_was_said(here: Desk) -> None:
    wire = Wire(here)
    case, _ = subscribed(here)

    def length() -> int:
        with here.database.reading() as session:
            return len(session.exec(select(Subscription)).one().blob)

    lengths = {length()}
    for _ in range(7):
        noticed(here, case, wire)
        lengths.add(length())
    assert len(lengths) == 1


def test_no_id_of_the_provider_stands_in_a_wish_even_opened(here: Desk) -> None:
    wire = Wire(here, Channel.WHATSAPP)
    case, _ = subscribed(here, NUMBER, Channel.WHATSAPP)
    notice = noticed(here, case, wire)
    with here.database.reading() as session:
        (known,) = subscriptions.of_case(session, here.keys, case.report)
    assert notice in known.notices
    assert notice not in str(known.notices.names)
    assert notice not in repr(known)


@pytest.mark.parametrize("ends", ["BERHENTI", "TARIK", "LUPAKAN"])
def test_when_the_wish_ends_so_does_this(here: Desk, ends: str) -> None:
    wire = Wire(here)
    case, slip = subscribed(here)
    notice = noticed(here, case, wire)
    here.orders(SARI, ends, slip) if ends in BUTTONS else here.say(SARI, ends)
    here.later(hours=1)
    here.say(SARI, "tadi saya lupa menyebut satu hal", quotes=notice)
    assert added(here, case) == []
    with here.database.reading() as session:
        assert session.exec(select(Subscription)).all() == []


@pytest.mark.both_stores
def test_a_changed_server_key_loses_no_quote(here: Desk) -> None:
    wire = Wire(here)
    case, _ = subscribed(here)
    notice = noticed(here, case, wire)
    both = here.keys.with_new()
    server_key.run(here.database, both, now=here.now, day=here.now.date())
    only = both.without(min(both.ring))
    later = with_keys(here, only)
    later.say(SARI, "Selalu setelah makan siang", quotes=notice)
    assert added(later, case) == [("Selalu setelah makan siang", QUOTED)]


def test_asking_for_news_again_loses_no_quote(here: Desk) -> None:
    wire = Wire(here)
    case, slip = subscribed(here)
    notice = noticed(here, case, wire)
    here.say(SARI, f"KABAR NETRAL {slip}")
    here.say(SARI, "Selalu setelah makan siang", quotes=notice)
    assert ("Selalu setelah makan siang", QUOTED) in added(here, case)


def test_number_or_scoped_id_are_the_same_person(here: Desk) -> None:
    wire = Wire(here, Channel.WHATSAPP)
    case, _ = subscribed(here, SCOPED, Channel.WHATSAPP, aliases=(NUMBER,))
    notice = noticed(here, case, wire)
    here.say(SCOPED, "dari id saja", channel=Channel.WHATSAPP, quotes=notice)
    here.say(
        "whatsapp:ID.88",
        "id baru, nomor yang lama",
        channel=Channel.WHATSAPP,
        aliases=(SCOPED,),
        quotes=notice,
    )
    assert [text for text, _ in added(here, case)] == [
        "dari id saja",
        "id baru, nomor yang lama",
    ]


def test_a_conversation_goes_on_when_the_number_is_hidden(here: Desk) -> None:
    for words in ("LAPOR", "1", "1", "1", "1", "1"):
        here.later(seconds=2)
        here.say(SCOPED, words, channel=Channel.WHATSAPP, aliases=(NUMBER,))
    here.delivers(Channel.WHATSAPP)
    here.say(SCOPED, "Dinas Perizinan", channel=Channel.WHATSAPP)
    (letter,) = here.delivers(Channel.WHATSAPP)
    assert "Siapa yang Anda laporkan" in letter.text


def photo(name: str) -> tuple[Media, ...]:
    return (Media(name, "image/jpeg", same=name),)


def test_further_parts_of_an_album_that_sent_a_report_reach_its_case(
    here: Desk,
) -> None:
    def part(name: str, words: str = "", group: str = "9") -> None:
        here.say(
            SARI, words, kind=Kind.MEDIA, media=photo(name), group=group, message_id=7
        )

    part("a", STORY)
    here.later(minutes=2)
    part("b")
    part("c", "halaman tiga")
    slip = here.receipt(SARI)
    part("x", group="8")
    here.later(minutes=20)
    part("d")
    case = here.case(slip.number)
    kept = [one for one in told(here, case) if one.file]
    assert [(one.step, one.text) for one in kept] == [
        ("Q15", ""),
        ("Q23", ""),
        ("Q23", "halaman tiga"),
    ]
    said = [letter.text for letter in here.delivers()]
    assert len(said) == 2  # one refusal for each album that came too late
    here.later(hours=1)
    here.act(traces.purge)
    with here.database.reading() as session:
        rows = session.exec(select(Conversation)).all()
    assert case.report.hex() not in str(rows)


@pytest.mark.both_stores
def test_an_album_whose_parts_meet_another_process_each_is_told_once(
    here: Desk,
) -> None:
    for words in ("LAPOR", "1", "1", "1", "1", "1"):
        here.later(seconds=2)
        here.say(SARI, words)
    here.delivers()
    said = []
    for number in range(4):
        here.later(minutes=3)
        process = with_keys(here, here.keys)  # what the one before knew is forgotten
        process.say(
            SARI,
            "",
            kind=Kind.MEDIA,
            media=photo(f"p{number}"),
            group="9",
            message_id=70 + number,
        )
        said.append(len(process.delivers()))
    assert said == [1, 0, 0, 0]
    with here.database.reading() as session:
        assert len(session.exec(select(File)).all()) == 4


def test_a_live_location_wakes_no_draft_and_is_never_answered(here: Desk) -> None:
    for words in ("LAPOR", "1", "1", "1", "1", "1"):
        here.later(seconds=2)
        here.say(SARI, words)
    here.say(
        SARI, "-6.2,106.8", kind=Kind.LOCATION, message_id=77, live=True, order=500
    )
    assert len(here.delivers()) == 7
    for minute in range(100):
        here.later(seconds=15)
        here.say(
            SARI,
            f"-6.{minute},106.8",
            kind=Kind.MOVED,
            message_id=77,
            live=True,
            order=501 + minute,
        )
    assert here.delivers() == []
    here.later(hours=23, minutes=50)
    here.say(SARI, "-6.9,106.8", kind=Kind.MOVED, message_id=77, live=True)
    (letter,) = here.delivers()
    assert letter.text.startswith("Sesi sudah berakhir")


@pytest.mark.both_stores
def test_a_quoted_reply_to_a_purged_case_is_refused(here: Desk) -> None:
    wire = Wire(here)
    case, _ = subscribed(here)
    notice = noticed(here, case, wire)

    def purge(work: Work) -> None:
        row = cases.lock(work.store, work.keys, case.report)
        assert row is not None
        row.purged = work.now.date()
        cases.save(work.store, work.keys, row)

    here.act(purge)
    here.say(SARI, "Selalu setelah makan siang", quotes=notice)
    wire.delivers()
    assert "sudah dihapus" in wire.said[0]


def test_a_repeat_of_a_quoted_reply_adds_nothing(here: Desk) -> None:
    wire = Wire(here)
    case, _ = subscribed(here)
    said = text("sekali saja", handle=SARI, quotes=noticed(here, case, wire))
    for _ in range(3):
        here.act(inbox.receive, said, Opening(Proof.NONE))
    assert added(here, case) == [("sekali saja", QUOTED)]
