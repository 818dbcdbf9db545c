"""The providers' doors on a real store, knocked at without a network; nothing leaves."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from sqlmodel import SQLModel, func, select
from starlette.applications import Starlette

from bot.app import provider_routes
from bot.assembly.server import House, build
from bot.settings import loading
from bot.simulator.twilio.carrier import signature
from bot.watch import health
from storage import outbox
from storage.cases import cases, items
from storage.cases.items import Content
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.letters.letter import Letter
from storage.models import Case
from storage.units import units
from storage.words import Channel, ItemKind
from tests.support import founded as house
from tests.support.running import Clock, found
from tests.support.unsealing import secret_for, unit_secret

PUBLIC = "http://127.0.0.1:9"
SECRET = "the-secret-that-only-telegram-knows"
AUTH_TOKEN = "the-token-that-signs"
SMS_NUMBER, WHATSAPP_NUMBER = "+15005550006", "+15005550007"
OURS = {"AccountSid": f"AC{5:032x}", "From": SMS_NUMBER}
"""What makes a status callback one of ours."""
TO_US = {
    "sms": {"AccountSid": OURS["AccountSid"], "To": SMS_NUMBER},
    "whatsapp": {
        "AccountSid": OURS["AccountSid"],
        "To": f"whatsapp:{WHATSAPP_NUMBER}",
    },
}
"""What makes a message one to us: recorded payloads are to others."""
SENT_AT = 1_767_000_000


@dataclass(repr=False)
class Doors:
    """A house with its doors; ``client`` is who knocks."""

    app: House
    founded: house.House
    keys: ServerKeys
    clock: Clock
    client: httpx.AsyncClient
    numbers: Iterable[int] = field(default_factory=lambda: count(1))

    async def telegram(
        self,
        update: Mapping[str, Any] | bytes,
        secret: str | None = SECRET,
    ) -> httpx.Response:
        """Post an update (or raw bytes) as Telegram does."""
        body = update if isinstance(update, bytes) else json.dumps(update).encode()
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        return await self.client.post(
            "/webhooks/telegram", content=body, headers=headers
        )

    async def twilio(
        self, door: str, form: Mapping[str, str] | bytes, signed: str | None = None
    ) -> httpx.Response:
        """Post a form (or raw bytes) as Twilio does; ``signed`` is another signature."""
        path = f"/webhooks/twilio/{door}"
        body = (
            form
            if isinstance(form, bytes)
            else urlencode(form, errors="replace").encode()
        )
        known = form if not isinstance(form, bytes) else {}
        if signed is None:
            signed = signature(AUTH_TOKEN, f"{PUBLIC}{path}", known)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if signed:
            headers["X-Twilio-Signature"] = signed
        return await self.client.post(path, content=body, headers=headers)

    def next(self) -> int:
        """Return a number that no message had yet."""
        return next(iter(self.numbers))

    def update(self, text: str, chat: int = 5001, **more: Any) -> dict[str, Any]:
        """Return a Telegram update with a text."""
        number = self.next()
        message = {
            "message_id": number,
            "date": SENT_AT,
            "chat": {"id": chat, "type": "private", "first_name": "Sari"},
            "from": {"id": chat, "is_bot": False, "first_name": "Sari"},
            "text": text,
        }
        return {"update_id": number, "message": message | more}

    def sms(self, text: str, sender: str = "+6281200000001", **more: str) -> Any:
        """Return the form of an SMS."""
        return {
            "MessageSid": f"SM{self.next():032x}",
            "AccountSid": f"AC{5:032x}",
            "From": sender,
            "To": SMS_NUMBER,
            "Body": text,
            "NumMedia": "0",
        } | more

    def rows(self) -> dict[str, int]:
        """Count the rows of every table."""
        with self.app.database.reading() as session:
            return {
                name: session.exec(select(func.count()).select_from(table)).one()
                for name, table in SQLModel.metadata.tables.items()
            }

    def letters(self) -> list[Letter]:
        """Take everything that waits to leave, as delivery would, oldest first of each."""
        found: list[Letter] = []
        with self.app.database.writing() as session:
            for channel in Channel:
                while claimed := outbox.claim(
                    session, self.keys, channel, limit=1000, now=self.clock()
                ):
                    found += [one.letter for one in claimed]
                    for one in claimed:
                        outbox.dead(session, one)
        return found

    def cases(self) -> list[Case]:
        """Return the queue."""
        with self.app.database.reading() as session:
            return cases.queue_page(
                session, [self.founded.unit.id], filters=cases.Filters(), limit=1000
            )

    def read(self, case: Case) -> list[Content]:
        """Read a case as its unit does, the choices aside."""
        with self.app.database.reading() as session:
            unit = units.verified(session, self.keys, self.founded.unit.id)
            secret = secret_for(
                session, self.keys, case.report, unit, self.founded.unit_secret
            )
            return [
                item.content
                for item in items.read(session, self.keys, case.report, secret)
                if item.content and item.content.kind is not ItemKind.CHOICES
            ]

    def vault_secret(self) -> bytes:
        """Return the vault's secret, as its custodian opens it."""
        custodian = self.founded.custodian
        with self.app.database.reading() as session:
            vault = units.verified(session, self.keys, self.founded.vault.id)
            return unit_secret(
                session, self.keys, vault, custodian.officer, custodian.secret
            )

    def counted(self, channel: str, outcome: str) -> int:
        """Return a counter of what came in."""
        wanted = f'incoming_total{{channel="{channel}",outcome="{outcome}"}}'
        for line in self.app.metrics.render().decode().splitlines():
            if wanted in line:
                return int(float(line.rpartition(" ")[2]))
        raise AssertionError(f"no counter {wanted}")


def environment(database_url: str, keys: ServerKeys, folder: Path) -> dict[str, str]:
    """Return settings with every channel, Telegram by webhook, providers that are away."""
    return {
        "KENTONGAN_DATABASE__URL": database_url,
        "KENTONGAN_WATCH__CANARY_MINUTES": "0",
        "KENTONGAN_KEYS__SERVER_KEY": keys.to_text(),
        "KENTONGAN_FILES__PATH": str(folder),
        "KENTONGAN_RETENTION__TOMBSTONES_FILE": str(folder / "tombstones.log"),
        "KENTONGAN_SERVER__PUBLIC_URL": PUBLIC,
        "KENTONGAN_AGENCY__NAME": "Inspektorat Contoh",
        "KENTONGAN_TELEGRAM__TOKEN": "1234567:token-of-the-bot-token-of-the-bot",
        "KENTONGAN_TELEGRAM__MODE": "webhook",
        "KENTONGAN_TELEGRAM__WEBHOOK_SECRET": SECRET,
        "KENTONGAN_TELEGRAM__API_BASE_URL": f"{PUBLIC}/bot",
        "KENTONGAN_TWILIO__ACCOUNT_SID": f"AC{5:032x}",
        "KENTONGAN_TWILIO__AUTH_TOKEN": AUTH_TOKEN,
        "KENTONGAN_TWILIO__API_BASE_URL": PUBLIC,
        "KENTONGAN_TWILIO__SMS_NUMBER": SMS_NUMBER,
        "KENTONGAN_TWILIO__WHATSAPP_NUMBER": WHATSAPP_NUMBER,
    }


@asynccontextmanager
async def doors(
    database_url: str, folder: Path, founded: house.House | None = None, /, **more: str
) -> AsyncIterator[Doors]:
    """Open the doors of a house whose loops do not run: everything stays to be counted.

    ``founded`` is who lives in a store that has its people; ``more`` are further settings
    (``SERVER__METRICS_TOKEN="…"``).
    """
    keys, clock = house.KEYS, Clock()
    if founded is None:
        database = Database(database_url)
        founded = found(database, keys)
        database.close()
    environ = environment(database_url, keys, folder)
    environ |= {f"KENTONGAN_{name}": value for name, value in more.items()}
    settings = loading.load(None, environ)
    app = build(settings, environ=environ, clock=clock)
    app.writer.start()
    web = Starlette(
        routes=[
            *provider_routes(app),
            *health.routes(app.readiness, app.metrics, settings),
        ]
    )
    web.router.redirect_slashes = False
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(web),
            base_url=PUBLIC,
        ) as client:
            yield Doors(app, founded, keys, clock, client)
    finally:
        app.writer.stop()
        app.hashing.shutdown()
        app.database.close()
