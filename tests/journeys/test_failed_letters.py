"""A provider refuses for good and is mended: a person tries again, and the phone rings once."""

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session

from storage.crypto.server_key import ServerKeys
from storage.notices import failed as failed_letters
from storage.people import sessions
from storage.words import Role, Stage
from tests.conftest import ON_SQLITE
from tests.journeys.telling import receipt, until
from tests.support.founded import person
from tests.support.places import ROOT
from tests.support.running import Running, environment

STORY = "Panitia lelang membocorkan harga kepada satu rekanan"
CREATE = {"api": "twilio", "method": "create"}
CLOSED = {"fault": "400", "code": 21408, **CREATE}
REASON = "twilio.21408"


def failed(town: Running) -> dict[str, int]:
    with town.app.database.reading() as session:
        return failed_letters.counts(session, now=town.clock())


def count_failed(town: Running, number: int) -> bool:
    return sum(failed(town).values()) == number


def _signed_in(session: Session, keys: ServerKeys, login: str, town: Running) -> str:
    admin = person(session, keys, login, Role.ADMIN)
    return sessions.begin(
        session,
        keys,
        admin.officer,
        admin.secret,
        stage=Stage.FULL,
        now=town.clock(),
    )


async def presses(town: Running, login: str, act: str, **form: str) -> httpx.Response:
    """Let an admin sign in and send a form of the page to the server that runs."""
    cookie = await town.app.writer.run(_signed_in, town.keys, login, town)
    headers = {"Cookie": f"__Host-kentongan={cookie}"}
    data = {"token": sessions.form_token(cookie), **form}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        return await client.post(f"{town.url}/console/letters/{act}", data=data)


async def test_a_country_is_opened_and_two_admins_press_at_once(town: Running) -> None:
    budi = town.phone("sms")
    await town.simulator.control("faults", **CLOSED)
    await budi.say("PANDUAN")
    await until(lambda: count_failed(town, 1), "the answer is refused")
    assert failed(town) == {REASON: 1}
    await budi.say("BAHASA")
    await budi.hears("English")
    assert not any("LAPOR STATUS TAMBAH" in text for text in await budi.heard())

    both = await asyncio.gather(
        presses(town, "ani", "retry", reason=REASON, once="one"),
        presses(town, "ayu", "retry", reason=REASON, once="two"),
    )
    went = sorted(one.headers["location"].partition("done=")[2] for one in both)
    assert went == ["gone", "retried&n=1"]
    await budi.hears("LAPOR STATUS TAMBAH")
    await budi.hears_nothing()
    rang = [text for text in await budi.heard() if "LAPOR STATUS TAMBAH" in text]
    assert len(rang) == 1, "it is really sent, and once"
    assert failed(town) == {}


async def test_one_that_is_refused_again_waits_again(hamlet: Running) -> None:
    budi = hamlet.phone("sms")
    await hamlet.simulator.control("faults", times=2, **CLOSED)
    await budi.say("PANDUAN")
    await until(lambda: count_failed(hamlet, 1), "the answer is refused")
    await presses(hamlet, "ani", "retry", reason=REASON)
    requests = await hamlet.simulator.requests("twilio", "create", count=2)
    assert len(requests) == 2
    await until(lambda: count_failed(hamlet, 1), "and refused again")
    await presses(hamlet, "ayu", "retry", reason=REASON)
    await budi.hears("LAPOR STATUS TAMBAH")


@ON_SQLITE
async def test_a_receipt_that_was_refused_comes_by_the_command_line(
    town: Running, database_url: str, tmp_path: Path
) -> None:
    """The command writes beside the server that runs; the server sends."""
    budi = town.phone("sms")
    await town.simulator.control("faults", times=2, **CLOSED)
    await budi.say(f"LAPOR {STORY}")
    await until(lambda: count_failed(town, 2), "answer and receipt are refused")

    environ = environment(database_url, town.keys, tmp_path, town.simulator, 9)
    listed = json.loads(await _command(environ, "list", "--json"))
    assert {one["kind"] for one in listed} == {"reply"}, "a receipt looks like a reply"
    assert {one["reason"] for one in listed} == {REASON}
    said = await _command(environ, "retry", "--reason", REASON)
    assert "2" in said
    await receipt(budi)
    assert len(town.cases()) == 1
    assert failed(town) == {}


async def _command(environ: dict[str, str], *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "letters",
        *words,
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.parametrize("act", ["retry", "drop"])
async def test_without_a_token_nothing_happens(hamlet: Running, act: str) -> None:
    budi = hamlet.phone("sms")
    await hamlet.simulator.control("faults", **CLOSED)
    await budi.say("PANDUAN")
    await until(lambda: count_failed(hamlet, 1), "the answer is refused")
    answer = await presses(hamlet, "ani", act, reason=REASON, token="x")
    assert answer.status_code == 403
    assert count_failed(hamlet, 1)
