"""The store is taken away in the middle of things and given back: nothing 2xx is lost."""

import asyncio
import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlmodel import select
from twilio.request_validator import (  # type: ignore[import-untyped] # it ships no types
    RequestValidator,
)

from bot import webhooks
from bot.channels.sms import Sms
from storage.database.database import Database
from storage.models import Quarantine
from tests.journeys.telling import until
from tests.support.running import Running, running

pytestmark = pytest.mark.faults

SECRET = "a-secret-of-the-webhook"
WAVE = 12
LOADED = 40.0
"""Seconds that our patience with the store is here, on however loaded a machine: that it
ends, and when, ``test_twilio_hears_a_5xx_only_after_we_tried`` shows."""
AT_ONCE = 2.5
"""Seconds within which Telegram hears that it must come again, a write's wait included."""


class SqliteStore:
    """An SQLite store that fails on demand."""

    def __init__(self, town: Running) -> None:
        self.town = town
        self.path = Path(town.app.database.url.database or "")
        self.thief = sqlite3.connect(self.path, check_same_thread=False, timeout=30)
        self.thief.isolation_level = None

    def close(self) -> None:
        self.thief.close()

    async def full(self) -> Callable[[], object]:
        def limit(pages: str) -> Callable[..., object]:
            return lambda session: session.connection().exec_driver_sql(
                f"PRAGMA max_page_count={pages}"
            )

        await self.town.app.writer.run(limit("1"))  # SQLite rounds up to what there is
        return lambda: self.town.app.writer.run(limit("1000000000"))

    async def locked(self) -> Callable[[], object]:
        await asyncio.to_thread(self.thief.execute, "BEGIN IMMEDIATE")
        return lambda: self.thief.execute("ROLLBACK")

    async def gone(self) -> Callable[[], object]:
        away = self.path.with_suffix(".away")
        database = self.town.app.database
        self.path.rename(away)
        self.path.mkdir()
        database.write_engine.dispose()
        database.read_engine.dispose()

        def back() -> None:
            self.path.rmdir()
            away.rename(self.path)

        return back


class PostgresStore:
    """A PostgreSQL store that fails on demand, through a connection beside it."""

    def __init__(self, town: Running) -> None:
        url = town.app.database.url
        self.name = url.database
        self.admin = create_engine(
            url.set(database="postgres"), isolation_level="AUTOCOMMIT"
        )
        self.other = create_engine(url)

    def sql(self, *statements: str) -> None:
        with self.admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def close(self) -> None:
        self.admin.dispose()
        self.other.dispose()

    def kick(self) -> None:
        busy = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = :name AND pid <> pg_backend_pid()"
        )
        with self.admin.connect() as connection:
            connection.execute(busy, {"name": self.name})

    async def full(self) -> Callable[[], object]:
        change = f"ALTER DATABASE {self.name} SET default_transaction_read_only = on"
        self.sql(change)
        self.kick()

        def back() -> None:
            again = f"ALTER DATABASE {self.name} RESET default_transaction_read_only"
            self.sql("SET default_transaction_read_only = off", again)
            self.kick()

        return back

    async def locked(self) -> Callable[[], object]:
        holder = self.other.connect()
        await asyncio.to_thread(
            holder.execute, text("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        )
        return lambda: (holder.rollback(), holder.close())

    async def gone(self) -> Callable[[], object]:
        self.sql(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self.kick()
        return lambda: self.sql(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")


@dataclass
class Provider:
    """Two providers that knock as the real ones do, and remember how they were answered."""

    town: Running
    client: httpx.AsyncClient
    answers: list[tuple[str, int, float]] = field(default_factory=list)
    good: set[str] = field(default_factory=set)

    async def telegram(self, story: str, n: int) -> None:
        """Deliver an update again and again until it is taken."""
        message = {
            "message_id": n,
            "date": 1_770_000_000,
            "chat": {"id": 7000 + n, "type": "private", "first_name": "X"},
            "from": {"id": 7000 + n, "is_bot": False, "first_name": "X"},
            "text": f"LAPOR {story}",
        }
        headers = {"x-telegram-bot-api-secret-token": SECRET}
        while story not in self.good:
            begun = time.monotonic()
            answer = await self.client.post(
                "/webhooks/telegram",
                json={"update_id": 9000 + n, "message": message},
                headers=headers,
            )
            self._heard("telegram", story, answer, begun)
            if answer.status_code == 503:
                assert int(answer.headers["retry-after"]) > 0
                await asyncio.sleep(0.2)

    async def twilio(self, story: str, n: int) -> None:
        """Deliver an SMS once: Twilio does not repeat a 5xx."""
        known = self.town.simulator.settings
        form = {
            "MessageSid": f"SM{n:032x}",
            "AccountSid": known["account_sid"],
            "From": f"+62811{n:07d}",
            "To": known["sms_number"],
            "Body": f"LAPOR {story}",
            "NumMedia": "0",
        }
        url = f"{self.town.url}/webhooks/twilio/sms"
        signature = RequestValidator(known["auth_token"]).compute_signature(url, form)
        begun = time.monotonic()
        answer = await self.client.post(
            "/webhooks/twilio/sms",
            content=urlencode(form),
            headers={
                "x-twilio-signature": signature,
                "content-type": "application/x-www-form-urlencoded",
            },
        )
        self._heard("twilio", story, answer, begun)

    def _heard(
        self, who: str, story: str, answer: httpx.Response, begun: float
    ) -> None:
        self.answers.append((who, answer.status_code, time.monotonic() - begun))
        assert answer.status_code in {200, 204, 503}, answer.text
        if answer.is_success:
            self.good.add(story)

    def wave(self, number: int) -> list[asyncio.Task[None]]:
        """Let many people write at the same time."""
        made = []
        for n in range(number * WAVE, (number + 1) * WAVE):
            knock = self.twilio if n % 2 else self.telegram
            made.append(asyncio.create_task(knock(f"cerita ke-{n} tentang pungli", n)))
        return made


@pytest.mark.parametrize("how", ["full", "locked", "gone"])
async def test_what_got_a_2xx_is_there_once(
    database_url, tmp_path, monkeypatch, simulator, how
):
    monkeypatch.setattr(Sms, "limits", replace(Sms.limits, per_second=1000))
    monkeypatch.setattr(webhooks, "PATIENCE", LOADED)
    monkeypatch.setitem(Database.__init__.__kwdefaults__, "wait", 1.0)
    async with (
        contextlib.AsyncExitStack() as stack,
        running(
            database_url,
            tmp_path,
            simulator,
            TELEGRAM__MODE="webhook",
            TELEGRAM__WEBHOOK_SECRET=SECRET,
        ) as town,
        httpx.AsyncClient(base_url=town.url, trust_env=False, timeout=60) as client,
    ):
        kind = SqliteStore if town.app.database.is_sqlite else PostgresStore
        store = stack.enter_context(contextlib.closing(kind(town)))
        provider = Provider(town, client)
        knocks = provider.wave(0)
        await until(lambda: bool(provider.good), "the first message was taken")
        back = await getattr(store, how)()
        taken_at = time.monotonic()
        try:
            knocks += provider.wave(1)
            await heard_503(provider, "telegram")
            waited = time.monotonic() - taken_at
        finally:
            given = back()
            if asyncio.iscoroutine(given):
                await given
        knocks += provider.wave(2)
        await asyncio.gather(*knocks)

        codes = Counter(code for who, code, _ in provider.answers if who == "twilio")
        assert set(codes) == {204}, "Twilio, which does not repeat, heard no 5xx"
        stories = Counter(town.story(case)["Q10"] for case in town.cases())
        assert set(stories.values()) == {1}, "nothing twice"
        assert provider.good == set(stories), "what got a 2xx is there, and only that"
        assert len(provider.good) == 3 * WAVE
        with town.app.database.reading() as session:
            assert session.exec(select(Quarantine)).all() == []
        assert waited < (town.app.database.wait if how == "locked" else 0) + AT_ONCE


async def test_twilio_hears_a_5xx_only_after_we_tried(tmp_path, monkeypatch, simulator):
    monkeypatch.setattr(webhooks, "PATIENCE", 1.5)
    monkeypatch.setitem(Database.__init__.__kwdefaults__, "wait", 0.2)
    url = f"sqlite:///{tmp_path / 'kentongan.db'}"
    async with (
        running(url, tmp_path, simulator) as town,
        httpx.AsyncClient(base_url=town.url, trust_env=False, timeout=60) as client,
    ):
        provider = Provider(town, client)
        with contextlib.closing(SqliteStore(town)) as store:
            back = await store.locked()
            await provider.twilio("cerita yang tidak dapat disimpan", 1)
            back()
            await provider.twilio("cerita yang dapat disimpan", 2)
        (first, second) = provider.answers
        assert first[1] == 503
        assert first[2] >= 1.5
        assert second[1] == 204
        assert [town.story(case)["Q10"] for case in town.cases()] == [
            "cerita yang dapat disimpan"
        ]


async def heard_503(provider: Provider, who: str) -> None:
    """Wait until a provider was told to come again."""
    await until(
        lambda: any(one[:2] == (who, 503) for one in provider.answers), f"{who} waits"
    )
