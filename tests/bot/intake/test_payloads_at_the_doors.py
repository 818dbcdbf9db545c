"""Every recorded payload knocks at the real door, on both databases: taken, none in quarantine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import select

from storage.models import OfficerLink
from storage.people import telegram_links
from tests.support import shapes
from tests.support.doors import TO_US, Doors, doors


@pytest.fixture
async def door(database_url: str, tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(database_url, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("channel", shapes.CHANNELS)
async def test_what_providers_send_is_taken(door: Doors, channel: str) -> None:
    for name in shapes.names(channel):
        raw = shapes.payload(channel, name)
        for _ in range(2):
            if channel == "telegram":
                answer = await door.telegram(raw)
            else:
                answer = await door.twilio(channel, raw | TO_US[channel])
            assert (answer.status_code, answer.content) == (
                200 if channel == "telegram" else 204,
                b"",
            ), name
    assert door.rows()["quarantine"] == 0
    assert door.counted(channel, "quarantined") == 0
    assert door.counted(channel, "repeat") > 0


@pytest.mark.parametrize("name", ["controls", "gsm7_extension", "ucs2", "long", "text"])
async def test_a_report_by_sms_is_kept_to_the_letter(door: Doors, name: str) -> None:
    form = shapes.payload("sms", name)
    await door.twilio("sms", form | TO_US["sms"])
    (case,) = door.cases()
    (told,) = door.read(case)
    assert told.text == form["Body"].removeprefix("LAPOR ")


async def test_half_a_character_is_replaced_and_the_rest_kept(door: Doors) -> None:
    await door.telegram(door.update("LAPOR dia minta \ud83d uang \0 terus"))
    (case,) = door.cases()
    (told,) = door.read(case)
    assert told.text == "dia minta \ufffd uang \0 terus"


async def test_the_same_person_with_a_number_and_then_without(door: Doors) -> None:
    number, scoped = (
        shapes.payload("whatsapp", "text") | TO_US["whatsapp"],
        shapes.payload("whatsapp", "scoped_only") | TO_US["whatsapp"],
    )
    await door.twilio("whatsapp", number | {"Body": "LAPOR"})
    assert len(door.letters()) == 1
    rows = door.rows()["conversations"]
    await door.twilio("whatsapp", scoped | {"Body": "1"})
    (letter,) = door.letters()
    assert "Tidak ada saluran" in letter.text
    assert letter.to == "whatsapp:ID.4566000000000001"
    assert door.rows()["conversations"] == rows


async def test_an_officer_s_link_opens_nothing_in_a_group(door: Doors) -> None:
    officer = door.founded.supervisor.officer
    with door.app.database.writing() as session:
        token = telegram_links.issue(session, door.keys, officer.id, now=door.clock())
    raw = shapes.payload("telegram", "group_start_link")
    raw["message"]["text"] = f"/start@kentongan_bot {token}"
    await door.telegram(raw)
    for name in ("group_migrated", "group_came_from"):
        await door.telegram(shapes.payload("telegram", name))
    with door.app.database.reading() as session:
        assert session.exec(select(OfficerLink)).all() == []
    await door.telegram(door.update(f"/start {token}", chat=77))
    with door.app.database.reading() as session:
        place = telegram_links.handle_of(session, door.keys, officer.id)
    assert place is not None
    assert place[1] == "77"


async def test_parts_of_an_album_out_of_order_and_repeated_are_told_once(
    door: Doors,
) -> None:
    for text in ("LAPOR", "1", "1", "1", "1", "1"):
        await door.telegram(door.update(text, chat=7000000001))
    door.letters()
    raw = shapes.payload("telegram", "album_part")
    said = []
    for number in (3, 1, 2):
        part = raw | {"update_id": 990000000 + number}
        part["message"] = raw["message"] | {"message_id": 500 + number}
        await door.telegram(part)
        await door.telegram(part)  # the answer was lost; Telegram sends it again
        said.append(len(door.letters()))
    assert said == [1, 0, 0]
    assert door.rows()["files"] == 3
