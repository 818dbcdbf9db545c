"""Whoever writes in the reporter's number takes nothing away, and locks nobody out."""

import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlmodel import func, select

from handlers.rules import numbering
from storage.models import Draft
from storage.words import Channel, EventCode, Mark
from tests.handlers.conversation.test_edits_and_albums import TO_STORY
from tests.support.desk import Slip
from tests.support.doors import Doors, doors
from tests.support.founded import House
from tests.support.street import STORY, Street

CHANNELS = [Channel.TELEGRAM, Channel.WHATSAPP, Channel.SMS]
IDS = [channel.value for channel in CHANNELS]
EVERYWHERE = pytest.mark.parametrize("channel", CHANNELS, ids=IDS)
FORGED = {
    "withdraw": ("TARIK", "YA"),
    "withdraw, by its number": ("TARIK", "1"),
    "forget": ("LUPAKAN", "YA"),
    "erase all": ("HAPUS", "1"),
    "erase the name": ("HAPUS", "2", "YA"),
    "rights, forget": ("HAK", "1", "YA"),
    "rights, erase": ("HAK", "2", "1"),
    "rights, restrict": ("HAK", "3"),
    "restrict": ("BATASI",),
    "news with the text": ("KABAR", "2"),
    "news with the text, in words": ("KABAR", "DENGAN ISI"),
    "news in one line": ("KABAR ISI",),
    "no news": ("KABAR", "TANPA KABAR"),
    "with the number": ("TARIK {number}", "YA"),
    "with the number, then a code": ("TARIK {number}", "{wrong}", "YA"),
}
ORDERS = {
    "TARIK": (True, (), ()),
    "withdraw": (True, (), ()),
    "LUPAKAN": (False, (), ()),
    "HAPUS": (False, (), ("erase",)),
    "BATASI": (False, ("neutral",), ("restrict",)),
    "LIHAT": (False, ("neutral",), ("access",)),
    "KABAR ISI": (False, ("full",), ()),
    "KABAR TIDAK": (False, (), ()),
}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(f"sqlite:///{tmp_path / 'k.db'}", tmp_path) as opened:
        yield opened


class Kept(NamedTuple):
    """A house after somebody reported, to be copied."""

    store: bytes
    people: House
    slip: Slip
    at: datetime


_KEPT: dict[Channel, Kept] = {}


async def _kept(channel: Channel, folder: Path) -> Kept:
    """Let somebody report, once for each channel."""
    if channel not in _KEPT:
        path = folder / "reported.db"
        async with doors(f"sqlite:///{path}", folder) as door:
            slip = await Street(door, channel).reports()
            assert door.app.database.scrub()
        _KEPT[channel] = Kept(path.read_bytes(), door.founded, slip, door.clock())
    return _KEPT[channel]


@pytest.fixture
async def reported(
    channel: Channel, tmp_path: Path
) -> AsyncIterator[tuple[Street, Slip]]:
    """Return the street of somebody who reported a moment ago, and their slip."""
    kept, path = await _kept(channel, tmp_path), tmp_path / "k.db"
    path.write_bytes(kept.store)
    path.chmod(0o600)
    async with doors(f"sqlite:///{path}", tmp_path, kept.people) as door:
        door.clock.shift = kept.at - door.clock()
        door.numbers = count(1000)
        yield Street(door, channel), kept.slip


def wrong(slip: Slip) -> str:
    """Return a code that could be right and is not."""
    codes = (numbering.new_code(secrets.randbelow) for _ in range(2))
    return next(code for code in codes if code != slip.code)


@pytest.mark.parametrize("lines", FORGED.values(), ids=FORGED.keys())
@EVERYWHERE
async def test_nothing_is_taken_away_without_number_and_code(
    reported: tuple[Street, Slip], lines: tuple[str, ...]
) -> None:
    here, slip = reported
    before = here.stands(slip)
    await here.say(
        *(one.format(number=slip.number, wrong=wrong(slip)) for one in lines)
    )
    assert here.stands(slip) == before


@pytest.mark.parametrize("word", ["TARIK", "HAPUS", "KABAR", "LUPAKAN"])
@EVERYWHERE
async def test_a_word_sent_before_does_not_turn_a_number_and_code_into_an_order(
    reported: tuple[Street, Slip], word: str
) -> None:
    here, slip = reported
    before = here.stands(slip)
    await here.say(word)
    assert "sudah kami terima" in " ".join(await here.say(str(slip)))
    await here.say(word, slip.number)
    await here.say(slip.code)
    assert here.stands(slip) == before
    await here.say(slip.number)
    await here.say(f"{word} {slip.code}")
    assert here.stands(slip) == before, "the number came from another message"


@pytest.mark.parametrize(("order", "after"), ORDERS.items(), ids=ORDERS.keys())
@pytest.mark.parametrize("channel", CHANNELS[1:], ids=IDS[1:])
async def test_one_message_with_number_and_code_is_final(
    reported: tuple[Street, Slip], order: str, after: tuple[bool, tuple, tuple]
) -> None:
    here, slip = reported
    told = await here.say(f"{order} {slip}")
    now = here.stands(slip)
    assert (now.withdrawn, now.wanted, now.asked) == after
    assert told
    assert "Yakin" not in told[0]


async def test_a_sentence_with_number_and_code_is_no_order(door: Doors) -> None:
    here = Street(door, Channel.SMS)
    slip = await here.reports()
    before = here.stands(slip)
    (told,) = await here.say(f"Hapus nama saya saja dari laporan {slip}")
    assert "LUPAKAN nomor kode" in told
    assert here.stands(slip) == before


async def test_a_button_answers_the_question_about_what_was_proved(door: Doors) -> None:
    here = Street(door, Channel.TELEGRAM)
    slip = await here.reports()
    before = here.stands(slip)
    await here.press("-.Q26.YES")
    (asked,) = await here.say(f"TARIK {slip}")
    assert "Yakin?" in asked
    assert "pilihan di bawah" in (await here.say("YA"))[0]
    assert here.stands(slip) == before
    await here.say("TIDAK")
    await here.press("-.Q26.YES")
    assert here.stands(slip) == before, "the question was closed"
    await here.say(f"HAK {slip}")
    await here.press("-.Q30.FORGET")
    await here.say("YA")
    assert here.stands(slip) == before
    await here.say(f"TARIK {slip}")
    await here.press("-.Q26.YES")
    assert here.stands(slip).withdrawn


@EVERYWHERE
async def test_wrong_codes_lock_neither_the_case_nor_the_contact(
    reported: tuple[Street, Slip],
) -> None:
    here, slip = reported
    for n in range(12):
        (told,) = await here.say(f"TARIK{n} {slip.number} {wrong(slip)}")
        assert "belum cocok" in told
        assert "percobaan" not in told
    assert "sudah kami terima" in " ".join(await here.say(f"STATUS {slip}"))


async def test_what_is_added_by_sms_without_number_and_code_is_marked(
    door: Doors,
) -> None:
    here = Street(door, Channel.SMS)
    slip = await here.reports()
    await here.say("TAMBAH Pelapornya menarik semua tuduhannya", "SELESAI")
    await here.say("Saksinya Bu Ani di loket dua")
    (case,) = door.cases()
    marks = {one.text: one.marks for one in door.read(case) if one.text}
    assert marks["Pelapornya menarik semua tuduhannya"] == (Mark.UNPROVED,)
    assert marks["Saksinya Bu Ani di loket dua"] == (Mark.UNPROVED,)
    assert marks[STORY.removeprefix("LAPOR ")] == ()
    chat = Street(door, Channel.TELEGRAM)
    await chat.say(f"STATUS {slip}", "Di loket tiga juga begitu")
    assert {one.text: one.marks for one in door.read(case)}[
        "Di loket tiga juga begitu"
    ] == ()


@pytest.mark.parametrize("word", ["STOP", "BERHENTI", "SALAH NOMOR", "wrong number"])
@EVERYWHERE
async def test_silence_is_granted_to_anybody_and_comes_back_with_number_and_code(
    reported: tuple[Street, Slip], word: str
) -> None:
    here, slip = reported
    before = here.stands(slip)
    await here.say(word)
    now = here.stands(slip)
    assert now.wanted == ()
    assert now.events == (*before.events, EventCode.NEWS_STOPPED)
    assert (now.status, now.withdrawn) == (before.status, before.withdrawn)
    await here.say(word)
    assert here.stands(slip) == now, "nothing was left to stop"
    await here.say(f"KABAR NETRAL {slip}")
    assert here.stands(slip).wanted == ("neutral",)


@pytest.mark.parametrize(
    ("word", "drafts", "cases"), [("BATAL", 0, 0), ("KIRIM", 0, 1), ("STOP", 0, 0)]
)
async def test_said_honestly_a_forged_word_may_end_or_send_a_draft(
    door: Doors, word: str, drafts: int, cases: int
) -> None:
    here = Street(door, Channel.SMS)
    await here.say(*TO_STORY, STORY.removeprefix("LAPOR "))
    assert _drafts(door) == 1
    await here.say(word)
    assert (_drafts(door), len(door.cases())) == (drafts, cases)


def _drafts(door: Doors) -> int:
    with door.app.database.reading() as session:
        return session.exec(select(func.count()).select_from(Draft)).one()
