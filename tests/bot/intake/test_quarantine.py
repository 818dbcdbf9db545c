"""A message is released from quarantine: by a custodian, once, as if it had just come."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import select
from starlette.applications import Starlette

from bot.console.app import ConsoleContext, routes
from bot.intake.quarantine import Releaser
from handlers import dialogue
from storage import quarantine
from storage.audit import log
from storage.evidence.blobs import FolderStore
from storage.models import Inbox, Quarantine
from storage.words import Role
from tests.support.browsers import ORIGIN, Browser, Clock, Desk
from tests.support.doors import Doors, doors
from tests.support.founded import person

STORY = "LAPOR Kepala dinas meminta uang dua puluh juta untuk izin usaha"


@pytest.fixture
async def door(database_url: str, tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def desk(door: Doors, tmp_path: Path) -> AsyncIterator[Desk]:
    house = door.app
    context = ConsoleContext(
        writer=house.writer,
        database=house.database,
        office=house.office,
        clock=door.clock,
        blob_store=FolderStore(tmp_path / "files"),
        public_url=ORIGIN,
        release=Releaser(
            house.writer,
            house.office,
            house.intake,
            house.channels,
            metrics=house.metrics,
            clock=door.clock,
        ),
    )
    clock = Clock()
    clock.now = door.clock()
    made = Desk(context, Starlette(routes=routes(context)), door.founded, clock)
    yield made
    for client in made.clients:
        await client.aclose()


@pytest.fixture
def custodian(desk: Desk) -> Browser:
    return desk.signed_in(desk.house.custodian)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the dialogue stumble over everything, until the patch is undone."""

    def stumbles(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(dialogue, "advance", stumbles)
    return monkeypatch


def rows(door: Doors) -> list[Quarantine]:
    with door.app.database.reading() as session:
        return quarantine.verified(session, door.keys)


def only(door: Doors) -> str:
    (row,) = rows(door)
    return row.id.hex()


def lines(door: Doors) -> list[tuple[str, str]]:
    with door.app.database.reading() as session:
        found = [(line.code, line.detail) for line in log.lines(session)]
    return [line for line in reversed(found) if line[0].startswith("aside.")]


async def test_a_report_that_was_in_quarantine_becomes_a_case_once(
    door: Doors, custodian: Browser, broken: pytest.MonkeyPatch
):
    form = door.sms(STORY)
    await door.twilio("sms", form)
    (row,) = rows(door)
    assert (row.channel, row.reason) == ("sms", "ZeroDivisionError")
    (sorry,) = door.letters()
    broken.undo()
    await door.twilio("sms", form)
    assert len(rows(door)) == 1, "a late retry is a repeat, before"
    page = await custodian.do(f"/quarantine/{only(door)}/release")
    assert "The message is taken in." in page.text
    assert rows(door) == []
    (case,) = door.cases()
    assert any("dua puluh juta" in one.text for one in door.read(case))
    answers = door.letters()
    assert {one.to for one in answers} == {sorry.to}
    await door.twilio("sms", form)
    assert len(door.cases()) == 1, "and after"
    assert door.letters() == []
    page = await custodian.do(f"/quarantine/{row.id.hex()}/release")
    assert "not here any more" in page.text
    assert lines(door) == [("aside.again", "taken")]


async def test_what_fails_again_stays_with_its_new_reason(
    door: Doors, custodian: Browser, broken: pytest.MonkeyPatch
):
    await door.telegram(door.update(STORY))

    def other(*_: object) -> None:
        raise LookupError

    broken.setattr(dialogue, "advance", other)
    page = await custodian.do(f"/quarantine/{only(door)}/release")
    assert "It failed again: a fault of our program" in page.text
    (row,) = rows(door)
    assert row.reason == "LookupError", "and it is still ours: the tag fits"
    broken.undo()
    page = await custodian.do(f"/quarantine/{only(door)}/release")
    assert "The message is taken in." in page.text
    assert len(door.cases()) == 1
    assert lines(door) == [("aside.again", "failed"), ("aside.again", "taken")]


async def test_a_strange_form_fails_again_until_the_program_knows_it(
    door: Doors, custodian: Browser
):
    update = door.update(STORY)
    update["message"]["chat"]["id"] = "no number"
    await door.telegram(update)
    (row,) = rows(door)
    assert (row.channel, row.reason) == ("telegram", "telegram.number")
    page = await custodian.do(f"/quarantine/{only(door)}/release")
    assert "the form of a Telegram message is unknown" in page.text
    assert [row.reason for row in rows(door)] == ["telegram.number"]


@pytest.mark.parametrize("body", [b"no json at all", b"[1, 2]", b'"a"', b"\xff{"])
async def test_bytes_that_are_no_update_fail_again(
    door: Doors, custodian: Browser, body: bytes
):
    await door.telegram(body)
    name = only(door)
    assert (await custodian.send(f"/quarantine/{name}/read")).status_code == 200
    page = await custodian.do(f"/quarantine/{name}/release")
    assert "It failed again" in page.text
    assert only(door) == name


async def test_what_came_in_another_way_meanwhile_is_a_repeat(
    door: Doors, custodian: Browser, monkeypatch: pytest.MonkeyPatch
):
    """The provider repeats what nobody could read, and by then the program knows it."""
    update = door.update(STORY)
    adapter = type(next(iter(door.app.channels.values())))
    with monkeypatch.context() as patch:

        def stumbles(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        patch.setattr(adapter, "parse", stumbles)
        await door.telegram(update)
    assert len(rows(door)) == 1
    await door.telegram(update)
    assert len(door.cases()) == 1
    page = await custodian.do(f"/quarantine/{only(door)}/release")
    assert "had been taken in already; nothing is doubled" in page.text
    assert len(door.cases()) == 1
    assert rows(door) == []


async def test_two_custodians_at_once_take_it_once(
    door: Doors, desk: Desk, custodian: Browser, broken: pytest.MonkeyPatch
):
    await door.telegram(door.update(STORY))
    broken.undo()
    path = f"/quarantine/{only(door)}/release"
    other = desk.signed_in(desk.house.custodian)
    pages = await asyncio.gather(custodian.do(path), other.do(path))
    said = sorted("is taken in" in page.text for page in pages)
    assert said == [False, True]
    assert len(door.cases()) == 1


async def test_it_is_read_as_text_alone_and_the_reading_is_written_down(
    door: Doors, custodian: Browser, broken: pytest.MonkeyPatch
):
    evil = "LAPOR <img src=x onerror=alert(1)> https://jahat.example \u202egnp \x1b[2J"
    await door.telegram(door.update(evil))
    response = await custodian.send(f"/quarantine/{only(door)}/read")
    assert response.status_code == 200
    assert "&lt;img src=x onerror=alert(1)&gt;" in response.text
    assert "<img src=x" not in response.text
    assert 'href="https://jahat' not in response.text
    assert "\u202e" not in response.text
    assert "\\u202e" in response.text
    assert "\x1b" not in response.text
    assert lines(door) == [("aside.opened", "ZeroDivisionError")]
    assert len(rows(door)) == 1
    broken.undo()


async def test_a_form_is_read_line_by_line(
    door: Doors, custodian: Browser, broken: pytest.MonkeyPatch
):
    await door.twilio("sms", door.sms("Halo & apa kabar"))
    response = await custodian.send(f"/quarantine/{only(door)}/read")
    assert "Body: Halo &amp; apa kabar" in response.text
    broken.undo()


async def test_dropping_wants_a_reason(
    door: Doors, custodian: Browser, broken: pytest.MonkeyPatch
):
    await door.telegram(door.update("x"))
    path = f"/quarantine/{only(door)}/drop"
    assert (await custodian.send(path, reason="BORED")).status_code == 422
    assert len(rows(door)) == 1
    page = await custodian.do(path, reason="SPAM")
    assert "The message is dropped." in page.text
    assert rows(door) == []
    assert lines(door) == [("aside.dropped", "SPAM")]
    broken.undo()


async def test_a_planted_row_is_neither_shown_nor_opened(
    door: Doors, custodian: Browser
):
    await door.telegram({"update_id": 1, "message": {"chat": {}}})
    name = only(door)
    with door.app.database.writing() as session:
        row = session.exec(select(Quarantine)).one()
        row.reason = "planted"
        session.add(row)
    assert "No message is in quarantine." in (await custodian.see("/quarantine")).text
    for act in ("read", "release"):
        answer = await custodian.send(f"/quarantine/{name}/{act}")
        assert answer.status_code == 409, act


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CUSTODIAN])
async def test_it_is_the_custodians_alone(door: Doors, desk: Desk, role: Role):
    await door.telegram({"update_id": 1, "message": {"chat": {}}})
    with door.app.database.writing() as session:
        new = person(session, door.keys, "somebody", role)
    who = desk.signed_in(new)
    assert (await who.get("/quarantine")).status_code == 404
    for act in ("read", "release", "drop"):
        answer = await who.send(f"/quarantine/{only(door)}/{act}", reason="SPAM")
        assert answer.status_code == 404
    assert len(rows(door)) == 1


async def test_a_custodian_whom_no_vault_admitted_reads_nothing(
    door: Doors, desk: Desk
):
    await door.telegram({"update_id": 1, "message": {"chat": {}}})
    with door.app.database.writing() as session:
        new = person(session, door.keys, "somebody", Role.CUSTODIAN)
    who = desk.signed_in(new)
    assert (await who.get("/quarantine")).status_code == 404
    for act in ("read", "release", "drop"):
        answer = await who.send(f"/quarantine/{only(door)}/{act}", reason="SPAM")
        assert answer.status_code == 409
    assert len(rows(door)) == 1
    assert lines(door) == []


async def test_its_mark_goes_with_the_names_after_seven_days(
    door: Doors, broken: pytest.MonkeyPatch
):
    """What remembers that a name was used up is a name like any other."""
    await door.telegram(door.update("x"))
    with door.app.database.reading() as session:
        names = session.exec(select(Inbox)).all()
    assert len(names) == 2
    assert len({len(one.name) for one in names}) == 1
    broken.undo()
