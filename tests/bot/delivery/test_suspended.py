"""A real process, stopped between claiming and sending, wakes when its lease is over."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

from bot.channels.telegram import Telegram
from bot.clock import utc_now
from storage import outbox
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.letters.letter import Letter
from storage.models import OutboxRow
from storage.words import Channel, LetterKind
from tests.support.places import ROOT
from tests.support.scripted import Answer, provider

pytestmark = pytest.mark.faults

MESSAGE = {"message_id": 7, "date": 0, "chat": {"id": 1, "type": "private"}}
WORKER = """
import asyncio, os, signal, sys
from datetime import timedelta
from bot.channels.telegram import Telegram
from bot.clock import utc_now
from bot.delivery import departures, line
from bot.delivery.delivery import Delivery
from bot.writer import Writer
from storage import outbox
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database

url, keys, api = sys.argv[1:]
outbox.LEASE, departures.START_SECONDS = timedelta(seconds=2), 1.0

class Ends:
    def sent(self, *_, **__): return True
    dead = failed = unreachable = sent

def take(self, held, now):
    os.kill(os.getpid(), signal.SIGSTOP)

line.Line.take = take

async def main():
    writer = Writer(Database(url))
    writer.start()
    sender = Telegram("1:token", api_base_url=api)
    out = Delivery(writer, ServerKeys.from_text(keys), [sender], clock=utc_now,
                   ends=Ends(), went_out=lambda *_: print("counted", flush=True))
    loop = asyncio.create_task(out.run())
    await asyncio.sleep(2.0)
    out.stop()
    await loop
    print("awake", flush=True)
    os._exit(0)

asyncio.run(main())
"""


async def stopped(pid: int) -> None:
    """Wait until a process is stopped."""
    async with asyncio.timeout(60):
        while "State:\tT" not in Path(f"/proc/{pid}/status").read_text():  # noqa: ASYNC110, ASYNC240 - a file of the kernel
            await asyncio.sleep(0.05)


async def test_a_suspended_worker_sends_nothing_twice(tmp_path):
    url, keys = f"sqlite:///{tmp_path / 'k.db'}", ServerKeys.new()
    database = Database(url)
    SQLModel.metadata.create_all(database.write_engine)
    letter = Letter(LetterKind.REPLY, Channel.TELEGRAM, "555", "Halo")
    with database.writing() as session:
        outbox.put(session, keys, letter, now=utc_now())
    async with provider() as telegram:
        telegram.answers = [Answer(200, {"ok": True, "result": MESSAGE})]
        api = f"{telegram.url}/bot"
        arguments = ("-c", WORKER, url, keys.to_text(), api)
        worker = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        try:
            await stopped(worker.pid)
            with database.writing() as session:
                held = outbox.claim(
                    session, keys, Channel.TELEGRAM, limit=1, now=utc_now()
                )
            assert held == [], "it holds the lease"
            await asyncio.sleep(3)
            with database.writing() as session:
                (taken,) = outbox.claim(
                    session, keys, Channel.TELEGRAM, limit=1, now=utc_now()
                )
            assert taken.doubtful, "whoever takes it over asks first"
            here = Telegram("1:token", api_base_url=api)
            await here.send(taken.letter)
            await here.stop()
            with database.writing() as session:
                done = outbox.sent(
                    session, keys, taken, provider_id="7", final=True, now=utc_now()
                )
            assert done
        finally:
            os.kill(worker.pid, signal.SIGCONT)
        said, _ = await asyncio.wait_for(worker.communicate(), 60)
        assert said.split() == [b"awake"], "it woke up and sent nothing"
        sends = [one for one in telegram.asked if one.path.endswith("sendMessage")]
        assert len(sends) == 1
    with database.reading() as session:
        assert session.exec(select(OutboxRow)).all() == []
    database.close()
    assert timedelta(seconds=3) < outbox.LEASE
