"""DEBUG everywhere, and every function that is handed a secret fails: one search at the end."""

import ast
import asyncio
import contextlib
import io
import json
import logging
import re
import secrets
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner

from bot import app as program
from bot import cli
from bot.console.visit import COOKIE
from bot.delivery import outcomes
from bot.settings import loading
from bot.simulator.twilio.carrier import signature
from bot.telemetry import log_fields, logs
from storage import outbox
from storage.crypto import server_key
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.letters.letter import Letter
from storage.people import officers, sessions
from storage.units import memberships, units
from storage.words import Channel, LetterKind, Role, Stage
from tests.support import authenticator, doors, leaking, running, thief
from tests.support.browsers import ORIGIN, Browser, Clock, Page
from tests.support.desk import Desk
from tests.support.hashing import quick
from tests.support.leaking import Spilling
from tests.support.places import ROOT
from tests.support.unsealing import secret_for

pytestmark = pytest.mark.faults

HOST = ORIGIN.removeprefix("https://")
PASSPHRASE = "sandi-lama-sangat-rahasia-0471"
NEW_PASSPHRASE = "sandi-baru-sangat-rahasia-0472"
STORY = "Kadis-Tersembunyi meminta uang dua puluh juta untuk izin"
SECRETS = {
    *("passphrase", "passphrases", "phrase", "secret", "token", "cookie", "seed"),
    *("handle", "paper"),
}
"""Names of parameters that carry a secret."""
NAMED = re.compile(rf"(\b({'|'.join(SECRETS)})|_secret)\b")
"""What the text of a module with such a parameter holds: the others need not be parsed."""
ELSEWHERE = {
    "bot.terminal.passphrases": "fails in what it calls, bot.commands.passphrases",
    "bot.commands.keys.recovery": "the drill: tests/journeys/test_recovery.py",
    "storage.rekeying.recovery": "the drill: tests/journeys/test_recovery.py",
    "storage.rekeying.case_recovery": "the drill: tests/journeys/test_recovery.py",
    "bot.demo.demo": "made-up people",
    "bot.telemetry.metrics": "the token of /metrics: tests/bot/telemetry/test_metrics.py",
    "handlers.cases.conflicts": "an officer's key, as in storage.rekeying.case_keys",
    "handlers.cases.handover": "an officer's key, as in storage.rekeying.case_keys",
    "handlers.reading.phrases": "its tokens are words of the rules",
    "handlers.people.resealing": "an officer's key, as in storage.rekeying.unit_keys",
    "storage.evidence.bucket": "Away has no words: tests/storage/evidence/test_blobs.py",
    "storage.letters.sent": "after a letter left: tests/seizure/test_marks.py",
    "storage.evidence.files": "after a file came: tests/seizure/test_marks.py",
    "storage.people.telegram_links": "an officer's Telegram: tests/seizure/test_marks.py",
}
"""Modules in which nothing fails here, each with why."""
MARKS: dict[str, str] = {
    "story": "Kadis-Tersembunyi",
    "name": "Ketut-Dirahasiakan",
    "reply": "Saksi-Dijawabkan",
    "question": "Tanya-Petugasnya",
    "note": "Catatan-Petugasnya",
    "why": "Alasan-Pembukaannya",
    "passphrase": PASSPHRASE,
    "new passphrase": NEW_PASSPHRASE,
    "newcomer's passphrase": "sandi-pendatang-sangat-rahasia",
    "typed passphrase": "sandi-terketik-sangat-rahasia",
    "wrong passphrase": "sandi-keliru-sangat-rahasia",
    "chat": "6281234577701",
    "number": "6285712345677",
    "WhatsApp": "6285712345688",
    "bot's token": "token-of-the-bot-token-of-the-bot",
    "file": "file-id-yang-Rahasia",
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Log everything that any library says, at DEBUG."""
    root, known = logging.getLogger(), list(logging.root.manager.loggerDict.values())
    loggers = [root, *(one for one in known if isinstance(one, logging.Logger))]
    before = [(one, one.handlers, one.level, one.propagate) for one in loggers]
    hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook)
    stream = io.StringIO()
    logs.configure(form="json", level="debug", stream=stream)
    # pytest listens as well, and would keep every record.
    root.handlers = [
        one for one in root.handlers if type(one).__module__ == "bot.telemetry.logs"
    ]
    for one in loggers:
        one.setLevel(logging.DEBUG)
    yield stream
    log_fields.be_strict(strict=False)
    logging.captureWarnings(capture=False)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    for one, handlers, level, propagate in before:
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


@dataclass
class Town:
    """The whole application in this process, and all that it answered."""

    desk: Desk
    client: httpx.AsyncClient
    spilling: Spilling
    house: Any
    environ: dict[str, str]
    phone: authenticator.Authenticator
    said: list[str] = field(default_factory=list)
    count: int = 0

    async def settled(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Do something again and again, until nothing fails any more."""
        for _ in range(300):
            before, result = len(self.spilling.raised), None
            try:
                result = await act()
            except (Exception, AssertionError) as error:
                logs.failure("loop.failed", error, loop="delivery")
                if len(self.spilling.raised) == before:
                    raise
            if len(self.spilling.raised) == before:
                return result
        raise AssertionError("it never ends")

    async def post(self, path: str, body: bytes, **headers: str) -> None:
        await self.client.post(path, content=body, headers=headers)

    async def telegram(self, text: str, **more: Any) -> None:
        """Post an update, a new one each time."""

        async def once() -> None:
            self.count += 1
            who = {"id": int(MARKS["chat"]), "first_name": MARKS["name"]}
            message = {
                "message_id": self.count,
                "date": int(self.desk.now.timestamp()),
                "chat": {**who, "type": "private"},
                "from": {**who, "is_bot": False},
                **({"text": text} if text else {}),
                **more,
            }
            body = json.dumps({"update_id": self.count, "message": message}).encode()
            await self.post(
                "/webhooks/telegram",
                body,
                **{"X-Telegram-Bot-Api-Secret-Token": doors.SECRET},
            )

        await self.settled(once)

    async def twilio(self, door: str, text: str, sender: str) -> None:
        """Post a form, a new one each time."""

        async def once() -> None:
            self.count += 1
            to = doors.SMS_NUMBER if door == "sms" else doors.WHATSAPP_NUMBER
            sign = "" if door == "sms" else "whatsapp:"
            form = {
                "MessageSid": f"SM{self.count:032x}",
                "AccountSid": f"AC{5:032x}",
                "From": f"{sign}+{sender}",
                "To": f"{sign}{to}",
                "Body": text,
                "NumMedia": "0",
            }
            path = f"/webhooks/twilio/{door}"
            signed = signature(doors.AUTH_TOKEN, f"{ORIGIN}{path}", form)
            await self.post(
                path,
                urlencode(form).encode(),
                **{
                    "X-Twilio-Signature": signed,
                    "Content-Type": "application/x-www-form-urlencoded",
                },
            )

        await self.settled(once)

    async def receipt(self, handle: str) -> str:
        """Make the receipts that are due and read the newest."""

        async def once() -> None:
            self.desk.later(minutes=2)  # what failed is held for a minute
            self.desk.makes_receipts()
            for channel in Channel:
                self.desk.delivers(channel)

        await self.settled(once)
        slip = self.desk.slip(handle)
        self.spilling.marks |= {f"code {slip.number}": slip.code}
        return str(slip)


def served(app: Starlette) -> Callable[..., Awaitable[None]]:
    """Return the application as uvicorn runs it: what it raises is logged with its trace."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except BaseException:
            logger = logging.getLogger("uvicorn.error")
            logger.exception("Exception in ASGI application\n")

    return serve


@asynccontextmanager
async def town(url: str, folder: Path, clock: Clock) -> AsyncIterator[Town]:
    keys = ServerKeys.new()
    database = Database(url)
    founded = running.found(database, keys)
    with database.writing() as session:
        account = officers.prepare_account(
            keys, "budi", "Budi", Role.SUPERVISOR, PASSPHRASE
        )
        budi, boss = officers.add(session, keys, account), founded.supervisor
        phone = authenticator.enrol(session, keys, budi)
        unit = units.verified(session, keys, founded.unit.id)
        memberships.admit(session, keys, unit, budi, boss.officer, boss.secret)
    environ = doors.environment(url, keys, folder)
    environ |= {"KENTONGAN_SERVER__PUBLIC_URL": ORIGIN}
    app = program.create(loading.load(None, environ), environ=environ, clock=clock)
    here = app.state.house
    here.writer.start()
    said: list[str] = []

    async def hear(response: httpx.Response) -> None:
        """Keep what is refused; a stale form (409) gives its sender the own words back."""
        await response.aread()
        if not response.is_success and response.status_code not in {303, 409}:
            said.append(f"{response.status_code} {response.headers} {response.text}")

    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(
            app=served(app), raise_app_exceptions=False, client=("127.0.0.1", 5000)
        ),
        base_url=ORIGIN,
        event_hooks={"response": [hear]},
    )
    desk = Desk(database, keys, here.office, founded, now=clock())
    marks: dict[str, str | bytes] = {
        **MARKS,
        "server key": keys.to_text().split(":")[1].strip(),
        "unit's key": founded.unit_secret,
        "custodian's key": founded.custodian.secret,
        "factor": phone.seed,
        "officer's key": officers.unwrap(keys, budi, PASSPHRASE),
    }
    with leaking.spilling(marks) as spill:
        async with client:
            yield Town(desk, client, spill, here, environ, phone, said)
    here.writer.stop()
    here.hashing.shutdown()
    here.database.close()
    database.close()


async def reporters(here: Town) -> tuple[str, str]:
    """Report on every channel, ask, answer, have the chat cleaned; returns two receipts."""
    for words in ("LAPOR", "AMAN", "PAHAM", "SETUJU", "RAHASIA"):
        await here.telegram(words)
    await here.telegram(f"{MARKS['name']}, surel k@contoh.example")
    contact = {"phone_number": MARKS["number"], "first_name": MARKS["name"]}
    await here.telegram("", contact={**contact, "user_id": int(MARKS["chat"])})
    photo = {"file_id": MARKS["file"], "file_unique_id": "u", "file_size": 9}
    await here.telegram("", photo=[{**photo, "width": 9, "height": 9}])
    await here.telegram("BATAL")
    await here.telegram(f"LAPOR {STORY}")
    slip = await here.receipt(MARKS["chat"])
    here.spilling.marks |= {
        "case's key": await here.settled(lambda: _case_key(here.desk))
    }
    await here.telegram(f"STATUS {slip}")
    await here.telegram("", contact={**contact, "user_id": int(MARKS["chat"])})
    for words in (f"KABAR ISI {slip}", f"JAWAB {slip}", MARKS["reply"]):
        await here.telegram(words)
    await nobody_is_there(here)
    await here.twilio("sms", f"LAPOR {STORY}", MARKS["number"])
    other = await here.receipt(f"+{MARKS['number']}")
    await here.twilio("sms", f"BACA {other}", MARKS["number"])
    await here.twilio("whatsapp", f"LAPOR {STORY}", MARKS["WhatsApp"])
    await here.twilio("whatsapp", f"STATUS {slip}", MARKS["WhatsApp"])
    return slip, other


async def nobody_is_there(here: Town) -> None:
    """Let a provider refuse news for good, and say of other news that nobody is there."""
    desk = here.desk
    (row,) = thief.rows_of(desk.database)["cases"]
    news = Letter(
        *(LetterKind.NOTICE, Channel.TELEGRAM, MARKS["chat"], MARKS["question"]),
        case=row["report"].hex(),
        template="news",
    )
    for name in ("failed", "unreachable"):

        async def once(name: str = name) -> None:
            with desk.database.writing() as session:
                outbox.put(session, desk.keys, news, now=desk.now)
                for one in outbox.claim(
                    session, desk.keys, Channel.TELEGRAM, limit=50, now=desk.now
                ):
                    end = getattr(outcomes.Written(desk.office), name)
                    end(session, one, reason="refused", now=desk.now)

        await here.settled(once)


async def _case_key(desk: Desk) -> bytes:
    """Return the secret of the only case."""
    (row,) = thief.rows_of(desk.database)["cases"]
    with desk.database.reading() as session:
        return secret_for(
            session, desk.keys, row["report"], desk.house.unit, desk.house.unit_secret
        )


async def knocks(here: Town, passphrase: str) -> None:
    """Show a passphrase at the door."""
    door = Page(await here.client.get("/console/sign-in"))
    form = {**door.fields, "login": "budi", "passphrase": passphrase}
    await here.client.post("/console/sign-in", data=form)


async def officer(here: Town, slip: str, clock: Clock) -> None:
    """Sign in, work on a case, change the passphrase; every page by HTTP."""
    number = slip.partition(" ")[0]
    await here.settled(lambda: knocks(here, MARKS["wrong passphrase"]))

    async def signs_in() -> None:
        clock.pass_time(minutes=16)  # tries are few
        here.client.cookies.clear()
        arrived = await authenticator.sign_in(
            here.client, "budi", PASSPHRASE, here.phone, now=clock()
        )
        assert arrived.response.status_code == 303

    await here.settled(signs_in)
    cookie = next(iter(here.client.cookies.jar)).value or ""
    value, _, finder = cookie.partition(".")
    here.spilling.marks |= {"cookie": value, "cookie's finder": finder}
    browser = Browser(here.client, cookie)
    await works(here, browser, number)
    await guards(here, browser, f"/cases/{number}", clock)
    await invites(here, browser)
    codes: list[str] = []

    async def new_codes() -> None:
        page = await browser.send("/account/codes")
        codes[:] = authenticator.codes_on(page)
        here.spilling.marks |= {f"recovery {n}": one for n, one in enumerate(codes)}

    await here.settled(new_codes)
    assert codes

    async def signs_in_without_phone() -> None:
        clock.pass_time(minutes=16)
        here.client.cookies.clear()
        await knocks(here, NEW_PASSPHRASE)
        token = sessions.form_token(_cookie(here))
        second = {"token": token, "code": codes[0]}
        await here.client.post("/console/sign-in/second", data=second)

    await here.settled(signs_in_without_phone)


def _cookie(here: Town) -> str:
    return next((one.value or "" for one in here.client.cookies.jar), "")


async def guards(here: Town, asker: Browser, case: str, clock: Clock) -> None:
    """Let a custodian decide about what was asked for, and the officer open it."""
    custodian = here.desk.house.custodian
    with here.desk.database.writing() as session:
        cookie = sessions.begin(
            session,
            here.desk.keys,
            custodian.officer,
            custodian.secret,
            stage=Stage.FULL,
            now=clock(),
        )
    kept = {"cookie": f"{COOKIE}={cookie}"}
    form = {"token": sessions.form_token(cookie), "tell": "TELL"}
    rows = thief.rows_of(here.desk.database)["reveals"]
    assert rows, "something was asked for"
    request = f"/console/vault/{rows[0]['id'].hex()}"
    mine, here.client.cookies = here.client.cookies, httpx.Cookies()
    for path in ("/console/vault", request):
        await here.settled(partial(here.client.get, path, headers=kept))
    await here.settled(
        lambda: here.client.post(f"{request}/grant", data=form, headers=kept)
    )
    await quarantines(here, kept, form)
    here.client.cookies = mine
    place = f"{case}/reveals/{rows[0]['id'].hex()}"
    for act in ("open", "end"):
        await here.settled(partial(asker.send, f"{place}/{act}"))


async def quarantines(here: Town, kept: dict[str, str], form: dict[str, str]) -> None:
    """Let a custodian read what nobody understood, and release it."""
    strange = {"update_id": 1, "message": {"chat": {"id": "?"}, "text": STORY}}
    secret = {"X-Telegram-Bot-Api-Secret-Token": doors.SECRET}
    body = json.dumps(strange).encode()
    await here.settled(lambda: here.post("/webhooks/telegram", body, **secret))
    row, *_ = thief.rows_of(here.desk.database)["quarantine"]
    for act in ("read", "release"):
        path = f"/console/quarantine/{row['id'].hex()}/{act}"
        await here.settled(partial(here.client.post, path, data=form, headers=kept))


async def invites(here: Town, browser: Browser) -> None:
    """Invite somebody, who makes an account with a passphrase of their own."""
    form = {"login": "tono", "name": "Tono", "role": "handler", "language": "id"}
    form["unit"] = here.desk.house.unit.id.hex()
    links: list[str] = []

    async def invite() -> None:
        page = await browser.send("/people/invite", **form)
        links.extend(re.findall(r"/join/([\w-]{43})", page.text))

    await here.settled(invite)
    assert links, "a link was shown"
    here.spilling.marks |= {"invitation": links[-1]}
    path, chosen = f"/console/join/{links[-1]}", MARKS["newcomer's passphrase"]
    asked = await here.settled(lambda: here.client.get(path))
    fields = {**Page(asked).fields, "passphrase": chosen, "again": chosen}
    await here.settled(lambda: here.client.post(path, data=fields))


async def operates(here: Town, environ: dict[str, str]) -> None:
    """Give passphrases to commands, as an operator pipes them in."""
    words = ("officer", "add", "siti", "--unit", "Inspectorate", "--member", "budi")
    typed = f"{MARKS['typed passphrase']}\n{NEW_PASSPHRASE}\n"
    for line in (words, ("keys", "check-recovery"), ("officer", "list")):

        async def run(line: tuple[str, ...] = line) -> None:
            result = await asyncio.to_thread(
                CliRunner().invoke, cli.app, line, input=typed, env=environ
            )
            here.said.append(result.output + result.stderr)

        await here.settled(run)


async def loops(house: Any, clock: Clock) -> None:
    """Let every loop run for a while, with providers that are away."""
    for channel in house.channels.values():
        with contextlib.suppress(Exception):
            await channel.start()
    keep, running_loops = program._kept_alive, program._loops(house)  # noqa: SLF001 - as living() does
    tasks = [
        asyncio.create_task(keep(name, loop)) for name, loop in running_loops.items()
    ]
    for _ in range(30):
        clock.pass_time(minutes=3)
        house.notify()
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def works(here: Town, browser: Browser, number: str) -> None:
    case = f"/cases/{number}"
    why = {"justification": MARKS["why"], "reason": "PROTECT"}
    forms: list[tuple[str, dict[str, str]]] = [
        (f"{case}/ask", {"text": MARKS["question"], "question": MARKS["question"]}),
        (f"{case}/note", {"text": MARKS["note"], "note": MARKS["note"]}),
        (f"{case}/hold", {"why": MARKS["why"]}),
        (f"{case}/reveals", why),
        (
            "/account/passphrase",
            {
                "old": PASSPHRASE,
                "passphrase": NEW_PASSPHRASE,
                "again": NEW_PASSPHRASE,
            },
        ),
    ]
    for page in ("/", case, "/account", f"{case}/reveals", "/account/passphrase"):
        await here.settled(partial(browser.get, page))
    for path, form in forms:
        once = secrets.token_urlsafe(12)
        await here.settled(partial(browser.send, path, once=once, **form))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_whatever_fails_no_secret_is_said(
    database_url: str,
    tmp_path: Path,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(server_key, "Argon2id", quick)
    clock = Clock()
    async with town(database_url, tmp_path / "files", clock) as here:
        slip, _ = await reporters(here)
        await officer(here, slip, clock)
        await loops(here.house, clock)
        metrics = await here.client.get("/metrics", headers={"Host": "127.0.0.1"})
        assert metrics.status_code == 200
        await operates(here, here.environ)  # it logs to the operator's terminal
        marks, raised = here.spilling.marks, here.spilling.raised
        answers = "\n".join(here.said) + metrics.text + str(metrics.headers)
    out, err = capfd.readouterr()
    loot = thief.Loot({}, {"log": log.getvalue().encode(), "answers": answers.encode()})
    loot.files |= {"stdout": out.encode(), "stderr": err.encode()}
    assert loot.finds(marks) == []
    assert log.getvalue().count("Spilled") > 100, "what failed was logged, by its class"
    seen = set().union(*raised.values())
    assert set(MARKS) <= seen, "each of them was in the hands of something that failed"
    assert {"case's key", "officer's key", "factor", "invitation", "cookie"} <= seen
    modules = {name.rpartition(".")[0] for name in raised}
    missed = {
        module
        for module in handed_secrets()
        if not any(f"{one}.".startswith(f"{module}.") for one in modules)
    }
    assert missed <= set(ELSEWHERE), missed - set(ELSEWHERE)
    assert len(raised) > 300


def handed_secrets() -> Iterator[str]:
    """Yield the modules with a function that is handed a secret by name."""
    for part in leaking.OURS:
        for path in sorted((ROOT / part).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            text = path.read_text(encoding="utf-8")
            if module.startswith(leaking.NOT_HERE) or not NAMED.search(text):
                continue
            if any(
                node.arg in SECRETS or node.arg.endswith("_secret")
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.arg)
            ):
                yield module
