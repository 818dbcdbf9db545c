"""Whatever a person wrote or is called shows nowhere: not on disk, in logs or in errors."""

import io
import logging
import re
import sys
import threading
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from PIL import Image

from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.telemetry import log_fields, logs
from storage.crypto.server_key import ServerKeys
from storage.people import officers
from storage.words import Role
from tests.journeys.telling import receipt, until
from tests.support import thief
from tests.support.running import Running, running

STORY = "Kadis-Bermarkah meminta dua ratus juta di gudang Mengwitani"
SMS_STORY = "Lurah-Kertonadi memeras pedagang pasar Sindukerto tiap Senin"
IDENTITY = "Ketut-Namarahasia, surel ketut.namarahasia@contoh.example"
QUESTION = "Siapa-Saksinyatadi yang melihat di gudang itu?"
ANSWER = "Saksinya-Bendaharawati duduk di ruang sebelah"
FILE_NAME = "kuitansi-rahasiaku.jpg"
FILE_TEXT = "isi-kuitansi-tersembunyi-0451"
PASSPHRASE = "sandi-petugas-sangat-panjang-4711"
CARD = "+6281355577799"


@pytest.fixture
def log():
    """Log as at DEBUG, with every logger of every library at DEBUG."""
    known = [
        each
        for each in logging.root.manager.loggerDict.values()
        if isinstance(each, logging.Logger)
    ]
    before = [(each, each.handlers, each.level, each.propagate) for each in known]
    root = logging.getLogger()
    rooted = (root.handlers, root.level)
    hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook)
    stream = io.StringIO()
    logs.configure(form="json", level="debug", stream=stream)
    log_fields.be_strict()
    # pytest listens as well, and would keep every record.
    root.handlers = [
        one for one in root.handlers if type(one).__module__ == "bot.telemetry.logs"
    ]
    for each in known:
        each.setLevel(logging.DEBUG)
    yield stream
    logging.captureWarnings(capture=False)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    root.handlers, level = rooted
    root.setLevel(level)
    for each, handlers, level, propagate in before:
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)


def picture() -> bytes:
    """Return a JPEG with words in its metadata."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = FILE_TEXT
    Image.new("RGB", (64, 64), "teal").save(
        out, "JPEG", exif=exif, comment=FILE_TEXT.encode()
    )
    return out.getvalue()


async def hurry(town: Running) -> None:
    """Let the time of what waits for another try pass, until nothing waits."""

    def quiet() -> bool:
        town.clock.shift += timedelta(seconds=0.5)  # no lease may run out
        town.app.notify()
        found = thief.rows_of(town.app.database, "outbox", "jobs")
        soon = town.clock() + timedelta(minutes=5)
        return not found["outbox"] and all(job["due"] > soon for job in found["jobs"])

    await until(quiet, "nothing waits")


async def on_telegram(town: Running) -> str:
    sari, simulator = town.phone("telegram"), town.simulator
    for fault in ("500", "lost_answer", "429", "reset"):
        await simulator.fault(
            "telegram", fault, "sendMessage", description="chat 6281234501 not found"
        )
    await simulator.fault("telegram", "500", "getFile")
    for words in ("LAPOR", "AMAN", "PAHAM", "SETUJU", "RAHASIA", IDENTITY, "SUAP"):
        await sari.say(words)
    for words in ("LEWATI", "LEWATI", "LEWATI", STORY):
        await sari.say(words)
    await sari.attach((FILE_NAME, "image/jpeg", picture()))
    await sari.attach(("catatan.txt", "text/plain", FILE_TEXT.encode() * 99))
    await sari.share_contact(CARD, "Ketut-Namarahasia", own=True)
    await sari.say("KIRIM")
    await until(lambda: len(town.cases()) == 1, "there is a case")
    await hurry(town)
    return str(await receipt(sari))


async def on_sms(town: Running) -> str:
    budi, simulator = town.phone("sms"), town.simulator
    for fault in ("500", "lost_answer", "429"):
        await simulator.fault("twilio", fault, "create", description="+6285712345678")
    await simulator.fault("webhook", "duplicate")
    await budi.say(f"LAPOR {SMS_STORY}")
    await until(lambda: len(town.cases()) == 2, "there is a second case")
    await hurry(town)
    paper = await receipt(budi)
    (case,) = [one for one in town.cases() if one.number == paper.number]
    await budi.say(f"KABAR NETRAL {paper}")
    await hurry(town)
    await town.ask(case, QUESTION)
    await budi.say(f"BACA {paper}")
    await budi.hears(QUESTION)
    await budi.say(f"JAWAB {paper}")
    await budi.say(ANSWER)
    await until(
        lambda: ANSWER in [one.text for one in town.read(case)], "the answer is there"
    )
    await hurry(town)
    return str(paper)


async def error_pages(town: Running, marks: dict[str, str]) -> str:
    """Knock with every mark in the wrong way; returns all that was answered."""
    said = ""
    everything = "&".join(f"Body={mark}" for mark in marks.values())
    async with httpx.AsyncClient(base_url=town.url, trust_env=False) as client:
        for path in ("sms", "whatsapp", "status"):
            answer = await client.post(
                f"/webhooks/twilio/{path}", content=everything.encode()
            )
            assert answer.status_code == 403
            said += answer.text + str(answer.headers)
        for path in ("/", "/healthz", "/readyz", "/metrics", "/console/", "/webhooks/"):
            answer = await client.request("PUT", path, content=everything.encode())
            said += answer.text + str(answer.headers)
            answer = await client.get(path)
            said += answer.text + str(answer.headers)
        given = {"login": "marked", "passphrase": PASSPHRASE, "password": PASSPHRASE}
        for path in ("/console/sign-in", "/console/cases/0000-0000"):
            answer = await client.post(path, data=given)
            said += answer.text + str(answer.headers)
    return said


def sids(asked: list[dict]) -> dict[str, str]:
    """Return every id of Twilio and of Telegram's files that went over the wire."""
    whole = str(asked)
    found = set(re.findall(r"\b(?:SM|MM)[0-9a-f]{32}\b", whole))
    files = set(re.findall(r"'file_id': '([^']{16,})'", whole))
    assert found
    assert files
    return {f"id {n}": one for n, one in enumerate(sorted(found | files))}


async def test_no_mark_shows_anywhere(
    database_url, tmp_path, log, monkeypatch, simulator
):
    for channel in (Telegram, Sms):
        hurried = replace(
            channel.limits, per_second=1000, per_chat_second=1000, chat_burst=1000
        )
        monkeypatch.setattr(channel, "limits", hurried)
    keys = ServerKeys.new()
    async with running(database_url, tmp_path, simulator, keys=keys) as town:
        account = officers.prepare_account(
            keys, "marked", "Petugas", Role.HANDLER, PASSPHRASE
        )
        officer = await town.app.writer.run(officers.add, keys, account)
        assert officers.unwrap(keys, officer, PASSPHRASE)
        await town.link_officer()
        papers = [await on_telegram(town), await on_sms(town)]

        known = simulator.settings
        marks: dict[str, str | int | bytes] = {
            "story": "Kadis-Bermarkah",
            "story's place": "Mengwitani",
            "story by SMS": "Lurah-Kertonadi",
            "name": "Ketut-Namarahasia",
            "card": CARD[1:],
            "address": "namarahasia@contoh",
            "question": "Siapa-Saksinyatadi",
            "answer": "Saksinya-Bendaharawati",
            "file's name": "kuitansi-rahasiaku",
            "file's text": FILE_TEXT,
            "passphrase": PASSPHRASE,
            "chat": 6281234501,
            "officer's chat": 7102938475,
            "profile": "Sari Lestari",
            "number": "6285712345678",
            "number at home": "085712345678",
            "bot's token": known["telegram_token"],
            "Twilio's token": known["auth_token"],
            "server key": keys.to_text().split(":")[1].strip(),
            "server key's bytes": keys.ring[1],
            **sids(await simulator.requests()),
        }
        for paper in papers:
            marks[f"code {paper[:2]}"] = paper.split()[1]
            marks[f"code {paper[:2]} bare"] = paper.split()[1].replace("-", "")
        words = {name: mark for name, mark in marks.items() if isinstance(mark, str)}
        pages = await error_pages(town, words)

        loot = thief.steal(town.app.database, tmp_path / "files")
        assert len(loot.names) >= 3, "both originals and a working copy were taken"
        logs.event("loop.stopped", loop="delivery")
        assert "loop.stopped" in log.getvalue(), "it is listened to"
        loot.files |= {"log": log.getvalue().encode(), "pages": pages.encode()}
        assert loot.finds(marks) == []
        stories = [one.text for case in town.cases() for one in town.read(case)]
        assert STORY in stories, "what is searched for was really written"
    loot.files = {"log": log.getvalue().encode()}
    assert loot.finds(marks) == []


def test_the_search_finds_what_is_there():
    loot = thief.Loot({}, {})
    for form, needle in thief.forms("rahasia-sekali-1234"):
        loot.files = {"somewhere": b"abc" + needle + b"xyz"}
        assert loot.finds({"it": "rahasia-sekali-1234"}), form
