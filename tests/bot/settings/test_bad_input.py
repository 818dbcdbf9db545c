"""Hostile words, too much, too fast, too big, and stores that cannot be written."""

import asyncio
import json
import logging
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from bot.assembly.server import build
from bot.channels.base import clean
from bot.clock import utc_now
from bot.settings import loading
from bot.terminal import refusals
from handlers.questionnaire import choices
from handlers.questionnaire.keywords import is_blank
from handlers.rules import numbering
from handlers.talk.report import MIN_STORY_WORDS
from handlers.throttle import CALM
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from tests.support.doors import Doors, doors, environment
from tests.support.places import ROOT
from tests.support.running import found

TESTS = ROOT / "tests"
SPECS = Path(os.environ.get("SPECS_DIR", TESTS.parent.parent / "shared" / "specs"))
HOSTILE: list[str] = json.loads((TESTS / "payloads" / "hostile.json").read_text())
LONG = 12
"""Letters from which on a text found in a log cannot be there by chance."""


def published() -> list[str]:
    """Return a quarter, another each time, of the published list of naughty strings.

    None of it, where it does not lie beside the checkout.
    """
    path = SPECS / "naughty-strings.json"
    known = json.loads(path.read_text("utf-8")) if path.is_file() else []
    return known[secrets.randbelow(4) :: 4]


LISTS = {"ours": HOSTILE, "all": [*HOSTILE, *published()]}


@pytest.fixture
async def door(database_url: str, tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(f"sqlite:///{tmp_path / 'k.db'}", tmp_path) as opened:
        yield opened


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy", "asyncio", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    yield caplog
    for name in ("sqlalchemy", "asyncio", "httpx"):
        logging.getLogger(name).setLevel(logging.NOTSET)


async def say(door: Doors, text: str, chat: int = 5001) -> None:
    """Say something on Telegram, not too fast."""
    door.clock.shift += timedelta(seconds=2)
    answer = await door.telegram(door.update(text, chat))
    assert answer.status_code == 200


async def tells(door: Doors, text: str) -> None:
    """Say something until it is taken: where we are slow, Telegram comes again."""
    update = door.update(text)
    while (await door.telegram(update)).status_code != HTTPStatus.OK:  # noqa: ASYNC110 - as told
        await asyncio.sleep(0.2)


async def reach_the_story(door: Doors) -> None:
    """Answer until the question what happened is open."""
    for text in ("LAPOR", "1", "1", "1", "1", "1", "LEWAT", "LEWAT", "7"):
        await say(door, text)
    door.letters()


def is_story(door: Doors, text: str) -> bool:
    """Say whether a text can only be a part of the story, and neither order nor receipt."""
    book = door.app.office.questionnaire
    said, words = clean(text), book.keywords
    ordered = (
        is_blank(said)
        or words.whole(said)
        or choices.exact(book.story, said, words, numbered=True)
        or choices.nearest(book.story, said)
    )
    found = numbering.read_receipt(said, expects_code=words.first(said) is not None)
    return not ordered and not (found and found.code)


def nothing_of_it(said: list[str], logged: str) -> list[str]:
    """Return the texts that stand in a log."""
    return [text for text in said if len(text) >= LONG and clean(text) in logged]


async def test_a_story_is_kept_exactly_as_it_was_told(
    door: Doors, logged: pytest.LogCaptureFixture
) -> None:
    await reach_the_story(door)
    given = LISTS["all" if door.app.database.is_sqlite else "ours"]
    told = [text for text in given if is_story(door, text)]
    assert len(told) > len(given) * 0.8
    for number, text in enumerate(told):
        await say(door, text)
        if number % 20 == 0:
            door.letters()  # what waits is read again at every message
    await say(door, "KIRIM")

    assert door.counted("telegram", "quarantined") == 0
    (case,) = door.cases()
    assert [item.text for item in door.read(case)] == [clean(text) for text in told]
    assert nothing_of_it(given, logged.text) == []


@pytest.mark.parametrize(
    ("state", "said"), [("", "all"), ("LAPOR", "ours"), ("STATUS", "ours")]
)
async def test_hostile_words_are_answered_in_any_state(
    lite: Doors, state: str, said: str, logged: pytest.LogCaptureFixture
) -> None:
    for chat, text in enumerate(LISTS[said], start=6000):
        if state:
            await say(lite, state, chat)
            lite.letters()
        await say(lite, text, chat)
        assert lite.letters(), repr(text)
    assert lite.counted("telegram", "quarantined") == 0
    assert nothing_of_it(LISTS[said], logged.text) == []


async def test_one_sms_of_hostile_words_is_a_report(
    door: Doors, logged: pytest.LogCaptureFixture
) -> None:
    told = []
    for number, text in enumerate(HOSTILE, start=1):
        story = f"ini ceritanya: {text}"
        sender = f"+62813{number:08d}"
        answer = await door.twilio("sms", door.sms(f"LAPOR {story}", sender))
        assert answer.status_code == 204
        # A form cannot carry half a character: the sender's side replaces it.
        sent = story.encode("utf-8", "replace").decode().strip()
        told += [sent] if len(sent.split()) >= MIN_STORY_WORDS else []
    assert door.counted("sms", "quarantined") == 0
    assert len(door.letters()) == len(HOSTILE)
    kept = [item.text for case in door.cases() for item in door.read(case)]
    assert sorted(kept) == sorted(told)
    assert nothing_of_it(HOSTILE, logged.text) == []


async def test_hundreds_of_messages_in_a_minute_are_all_kept(lite: Doors) -> None:
    await reach_the_story(lite)
    lite.clock.shift += timedelta(minutes=2)
    letters_of = str.maketrans("0123456789", "abcdefghij")  # words, not an echo
    told = [f"Hal {number}".translate(letters_of) for number in range(300)]
    for start in range(0, len(told), 100):
        hundred = told[start : start + 100]
        await asyncio.gather(*(tells(lite, text) for text in hundred))
    letters = [letter.text for letter in lite.letters()]
    slow = [text for text in letters if "terlalu cepat" in text]
    assert len(slow) >= 1
    assert len(letters) <= CALM + 2 * len(slow)
    assert len(slow) <= 2

    await say(lite, "KIRIM")
    (case,) = lite.cases()
    assert sorted(item.text for item in lite.read(case)) == sorted(told)


def seen(size: int) -> dict[str, object]:
    """Return a document as Telegram announces it."""
    return {"file_id": "F1", "file_unique_id": "U1", "file_size": size}


@pytest.mark.parametrize(
    ("size", "taken"),
    [(19_900_000, True), (20 << 20, True), ((20 << 20) + 1, False), (1 << 40, False)],
)
async def test_a_file_as_big_as_telegram_gives_away(
    lite: Doors, size: int, *, taken: bool
) -> None:
    await reach_the_story(lite)
    update = lite.update("")
    del update["message"]["text"]
    update["message"]["document"] = seen(size)
    assert (await lite.telegram(update)).status_code == 200
    said = " ".join(letter.text for letter in lite.letters())
    assert ("sudah dicatat" in said, "paling besar 20 MB" in said) == (taken, not taken)
    found = lite.rows()
    assert (found["files"], found["jobs"]) == (1, int(taken)), (
        "it is shown, not fetched"
    )


def line(error: Exception) -> str:
    """Return the one line that a command prints for an error."""
    said = refusals.line(error)
    assert said
    assert "\n" not in said
    return said


def built(url: str, keys: ServerKeys, folder: Path) -> Exception:
    """Build a house that cannot be built; return why."""
    environ = environment(url, keys, folder)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is what is asked
        build(loading.load(None, environ), environ=environ, clock=utc_now)
    return caught.value


def test_a_wrong_key_file_is_told_in_one_line(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'k.db'}"
    keys = ServerKeys.new()
    database = Database(url)
    found(database, keys)
    database.close()
    path = tmp_path / "key"
    path.write_text("this is no key")
    path.chmod(0o600)
    environ = environment(url, keys, tmp_path)
    del environ["KENTONGAN_KEYS__SERVER_KEY"]
    environ["KENTONGAN_KEYS__SERVER_KEY_FILE"] = str(path)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is what is asked
        build(loading.load(None, environ), environ=environ, clock=utc_now)
    assert "the server key" in line(caught.value)
    assert "this is no key" not in line(caught.value)


def test_a_store_without_a_schema_is_told_in_one_line(tmp_path: Path) -> None:
    error = built(f"sqlite:///{tmp_path / 'k.db'}", ServerKeys.new(), tmp_path)
    assert "kentongan migrate" in line(error)


def test_a_file_that_is_no_store_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "k.db").write_bytes(b"not a database, but long enough to be read" * 9)
    error = built(f"sqlite:///{tmp_path / 'k.db'}", ServerKeys.new(), tmp_path)
    assert "no SQLite database" in line(error)


async def test_a_locked_store_gets_no_2xx_and_loses_nothing(
    lite: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.webhooks.PATIENCE", 0.0)
    with lite.app.database.write_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    thief = sqlite3.connect(tmp_path / "k.db", isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")
    update, form = lite.update("LAPOR dia minta uang"), lite.sms("LAPOR dia minta uang")
    answers = [await lite.telegram(update), await lite.twilio("sms", form)]
    assert [one.status_code for one in answers] == [503, 503]
    assert answers[0].headers["Retry-After"] == "2"
    thief.execute("ROLLBACK")
    thief.close()
    answers = [await lite.telegram(update), await lite.twilio("sms", form)]
    assert [one.status_code for one in answers] == [200, 204]
    assert len(lite.cases()) == 2
    assert lite.rows()["quarantine"] == 0


async def test_a_read_only_store_gets_no_2xx(
    lite: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.webhooks.PATIENCE", 0.0)

    def may_write(flag: str) -> None:
        held = lite.app.database.write_engine.raw_connection()
        held.cursor().execute(f"PRAGMA query_only = {flag}")
        held.close()

    may_write("ON")
    update = lite.update("LAPOR dia minta uang")
    assert (await lite.telegram(update)).status_code == 503
    may_write("OFF")
    assert (await lite.telegram(update)).status_code == 200
    assert (len(lite.cases()), lite.rows()["quarantine"]) == (1, 0)


def test_a_read_only_file_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "k.db"
    sqlite3.connect(path).execute(
        "CREATE TABLE counters (name TEXT)"
    ).connection.close()
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.exec_driver_sql("INSERT INTO counters VALUES ('a')")
    engine.dispose()
    assert "read-only" in line(caught.value)
