"""A message is received once, with all that follows, or not at all."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import delete, select

from handlers import inbox
from handlers.cases import receipts
from handlers.cases.receipts import Opening
from handlers.conversation import items, receipt_lookup
from handlers.inbox import Outcome
from handlers.messages import Incoming, Kind, Media, Proof
from handlers.quarantine import keeping
from handlers.work import Work
from storage.crypto import sealing
from storage.crypto.sealing import Context
from storage.jobs import jobs
from storage.models import Inbox, Job, Quarantine, Route
from storage.words import Channel, JobKind
from tests.support.doors import Doors, doors

pytestmark = pytest.mark.both_stores

NOTHING = Opening(Proof.NONE)
STORY = "LAPOR camat meminta setoran tiap bulan"


@pytest.fixture
async def door(database_url: str, tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(database_url, tmp_path) as opened:
        yield opened


def message(door: Doors, text: str, **more: Any) -> Incoming:
    """Return a message of one person on WhatsApp."""
    fields: dict[str, Any] = {
        "channel": Channel.WHATSAPP,
        "handle": "whatsapp:ID.7",
        "provider_id": f"SM{door.next()}",
        "received": door.clock(),
        "kind": Kind.TEXT,
        "text": text,
        "aliases": ("whatsapp:+628120000007",),
        "erase": "SM-copy",
    }
    return Incoming(**(fields | more))


def receive(door: Doors, incoming: Incoming, opening: Opening = NOTHING) -> Outcome:
    """Receive a message in a transaction of its own."""
    with door.app.database.writing() as session:
        return inbox.receive(
            Work(session, door.app.office, door.clock()), incoming, opening
        )


def test_a_message_counts_once(door: Doors) -> None:
    incoming = message(door, STORY)
    outcomes = [receive(door, incoming) for _ in range(3)]
    assert outcomes == [Outcome.TAKEN, Outcome.REPEAT, Outcome.REPEAT]
    assert (len(door.cases()), len(door.letters())) == (1, 1)


def test_a_person_is_known_by_each_of_their_names(door: Doors) -> None:
    receive(door, message(door, "LAPOR"))
    alone = message(door, "1", handle="whatsapp:+628120000007", aliases=())
    receive(door, alone)
    assert door.rows()["conversations"] == 1
    assert "jujur" in door.letters()[-1].text


@pytest.mark.parametrize(
    ("more", "owed"),
    [
        ({}, 1),
        ({"erase": ""}, 0),
        ({"kind": Kind.MEDIA, "media": (Media("ref", "image/jpeg"),)}, 0),
    ],
    ids=["a text", "nothing to erase", "a file that is not fetched yet"],
)
def test_the_providers_copy_is_owed_an_erasure(
    door: Doors, more: dict[str, Any], owed: int
) -> None:
    receive(door, message(door, "halo", **more))
    with door.app.database.reading() as session:
        kinds = [job.kind for job in session.exec(select(Job)).all()]
    assert kinds.count("erase") == owed


def test_nothing_is_taken_while_no_unit_can_read_it(door: Doors) -> None:
    with door.app.database.writing() as session:
        session.exec(delete(Route))
    receive(door, message(door, STORY))
    assert "Pesan terakhir belum tersimpan" in door.letters()[0].text
    rows = door.rows()
    assert (rows["items"], rows["drafts"], rows["cases"]) == (0, 0, 0)


def test_a_draft_has_room_for_so_many_items(
    door: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "FULL", 2)
    for text in ("LAPOR", "1", "1", "1", "1", "1", "Kantor camat", "Pak camat", "7"):
        receive(door, message(door, text))
    door.letters()
    receive(door, message(door, "Ia meminta setoran."))
    assert "KIRIM" in " ".join(letter.text for letter in door.letters())
    assert door.rows()["items"] == 2


def test_a_group_hears_one_line_a_minute(door: Doors) -> None:
    def spoken() -> int:
        receive(
            door, message(door, "/lapor", kind=Kind.GROUP, handle="-100", aliases=())
        )
        return len(door.letters())

    assert [spoken(), spoken()] == [1, 0]
    door.clock.shift += timedelta(minutes=1)
    assert spoken() == 1
    assert door.rows()["conversations"] == 0


def test_what_made_us_stumble_is_sealed_once_and_said(door: Doors) -> None:
    incoming, raw = message(door, STORY), json.dumps({"Body": STORY}).encode()

    def kept() -> Outcome:
        with door.app.database.writing() as session:
            return keeping.keep_message(
                Work(session, door.app.office, door.clock()),
                incoming,
                raw,
                "ValueError",
            )

    assert [kept(), kept()] == [Outcome.QUARANTINED, Outcome.REPEAT]
    (letter,) = door.letters()
    assert "belum tersimpan" in letter.text
    assert door.rows()["jobs"] == 1
    with door.app.database.reading() as session:
        (row,) = session.exec(select(Quarantine)).all()
    assert STORY.encode() not in row.blob
    vault = door.vault_secret()
    context = Context("quarantine", row.id, "blob")
    assert sealing.unpad(sealing.open_seal(row.blob, vault, context)) == raw


def test_files_of_what_is_in_quarantine_stay_while_it_may_be_released(
    door: Doors,
) -> None:
    """Erased at once, a custodian's second try would find no picture any more."""
    picture = message(door, STORY, kind=Kind.MEDIA, media=(Media("https://x/1", ""),))
    with door.app.database.writing() as session:
        now = door.clock()
        keeping.keep_message(
            Work(session, door.app.office, now), picture, b"", "ValueError"
        )
        keys = door.app.office.keys
        take = partial(jobs.claim, session, keys, JobKind.ERASE, limit=9)
        assert take(now=now + timedelta(days=7, seconds=-1)) == []
        (job,) = take(now=now + timedelta(days=7))
    assert job.expires > now + timedelta(days=7), "its copy is not late before"


@pytest.mark.parametrize("kind", [Kind.GROUP, Kind.BLOCKED, Kind.OPT_OUT])
def test_nobody_is_told_where_nobody_listens(door: Doors, kind: Kind) -> None:
    with door.app.database.writing() as session:
        keeping.keep_message(
            Work(session, door.app.office, door.clock()),
            message(door, "", kind=kind),
            b"raw",
            "ValueError",
        )
    assert door.letters() == []


def look(door: Doors, incoming: Incoming) -> receipts.Question | None:
    """Look for a receipt in a message."""
    with door.app.database.reading() as session:
        return receipt_lookup.look(
            Work(session, door.app.office, door.clock()), incoming
        )


def test_only_private_words_may_hold_a_receipt(door: Doors) -> None:
    receive(door, message(door, STORY))
    (case,) = door.cases()
    text = f"STATUS {case.number} 0000-0000-0000-0000"
    assert look(door, message(door, text)) is not None
    assert look(door, message(door, "12 orang, 3 juta")) is None
    group = message(door, text, kind=Kind.GROUP)
    told = [
        receipt_lookup.may_hold_receipt(one) for one in (group, message(door, "halo"))
    ]
    assert told == [False, False]


def test_the_inbox_remembers_ids_without_a_time(door: Doors) -> None:
    incoming = message(door, "halo")
    receive(door, incoming)
    with door.app.database.reading() as session:
        (row,) = session.exec(select(Inbox)).all()
    assert incoming.provider_id.encode() not in row.name
    assert row.day == door.app.office.day(door.clock())
