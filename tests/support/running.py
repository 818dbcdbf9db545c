"""The real server on loopback, on a real store, talking to the real simulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.app import create
from bot.assembly.server import House
from bot.clock import utc_now
from bot.settings import loading
from handlers.cases import officer as verbs
from storage.cases import cases, items
from storage.cases.items import Content, Opened
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Case
from storage.people import telegram_links
from storage.units import units
from tests.support import founded as house
from tests.support.migrated import migrate
from tests.support.phones import Phone, Simulator
from tests.support.serving import free_port, served
from tests.support.unsealing import secret_for


def found(database: Database, keys: ServerKeys) -> house.House:
    """Set up officers, units, routes and the vault."""
    migrate(database)
    with database.writing() as session:
        return house.build(session, keys)


class Clock:
    """The real time, moved by hand."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.shift


@dataclass(repr=False)
class Running:
    """A running server with its people."""

    app: House
    house: house.House
    keys: ServerKeys
    clock: Clock
    url: str
    simulator: Simulator

    def phone(self, name: str) -> Phone:
        """Return one of the simulator's phones."""
        return self.simulator.phone(name)

    def cases(self) -> list[Case]:
        """Return the queue of the only unit."""
        with self.app.database.reading() as session:
            return cases.queue_page(
                session, [self.house.unit.id], filters=cases.Filters(), limit=1000
            )

    def only_case(self) -> Case:
        """Return the only case there is."""
        (case,) = self.cases()
        return case

    def read(self, case: Case) -> list[Content]:
        """Read a case's items as its officer does."""
        return [item.content for item in self.opened(case) if item.content]

    def opened(self, case: Case) -> list[Opened]:
        """Open a case's items with the unit's secret."""
        with self.app.database.reading() as session:
            unit = units.verified(session, self.keys, self.house.unit.id)
            secret = secret_for(
                session, self.keys, case.report, unit, self.house.unit_secret
            )
            return items.read(session, self.keys, case.report, secret)

    def story(self, case: Case) -> dict[str, str]:
        """Return the newest words of each step, joined."""
        said: dict[str, list[str]] = {}
        for content in self.read(case):
            said.setdefault(content.step, []).append(content.text)
        return {step: "\n".join(texts) for step, texts in said.items()}

    async def ask(self, case: Case, text: str) -> None:
        """Ask the reporter something, as the supervisor."""
        officer = self.house.supervisor.officer
        await self.app.writer.act(
            self.app.office, self.clock(), verbs.ask, case.report, text, by=officer
        )

    async def link_officer(self) -> None:
        """Link the supervisor's Telegram by its one-time deep link."""
        token = await self.app.writer.run(
            telegram_links.issue,
            self.app.office.keys,
            self.house.supervisor.officer.id,
            now=self.clock(),
        )
        phone = self.phone("officer")
        await phone.start(token)
        await phone.hears("linked")


def environment(
    database_url: str, keys: ServerKeys, folder: Path, simulator: Simulator, port: int
) -> dict[str, str]:
    """Return the environment that points a server at a simulator."""
    known = simulator.settings
    public = f"http://127.0.0.1:{port}"
    return {
        "KENTONGAN_DATABASE__URL": database_url,
        "KENTONGAN_WATCH__CANARY_MINUTES": "0",
        "KENTONGAN_KEYS__SERVER_KEY": keys.to_text(),
        "KENTONGAN_FILES__PATH": str(folder),
        "KENTONGAN_RETENTION__TOMBSTONES_FILE": str(folder / "tombstones.log"),
        "KENTONGAN_SERVER__PORT": str(port),
        "KENTONGAN_SERVER__PUBLIC_URL": public,
        "KENTONGAN_AGENCY__NAME": "Inspektorat Contoh",
        "KENTONGAN_TELEGRAM__TOKEN": known["telegram_token"],
        "KENTONGAN_TELEGRAM__API_BASE_URL": f"{simulator.url}/bot",
        "KENTONGAN_TELEGRAM__FILE_BASE_URL": f"{simulator.url}/file/bot",
        "KENTONGAN_TWILIO__ACCOUNT_SID": known["account_sid"],
        "KENTONGAN_TWILIO__AUTH_TOKEN": known["auth_token"],
        "KENTONGAN_TWILIO__API_BASE_URL": simulator.url,
        "KENTONGAN_TWILIO__SMS_NUMBER": known["sms_number"],
        "KENTONGAN_TWILIO__WHATSAPP_NUMBER": known["whatsapp_number"],
    }


@asynccontextmanager
async def running(
    database_url: str,
    folder: Path,
    simulator: Simulator,
    *,
    keys: ServerKeys | None = None,
    founded: house.House | None = None,
    **more: str,
) -> AsyncIterator[Running]:
    """Run a server. ``more`` are further settings (``TELEGRAM__MODE="webhook"``)."""
    keys = keys or house.KEYS
    if founded is None:
        database = Database(database_url)
        founded = found(database, keys)
        database.close()
    port = free_port()
    environ = environment(database_url, keys, folder / "files", simulator, port)
    environ |= {f"KENTONGAN_{name}": value for name, value in more.items()}
    clock = Clock()
    app = create(loading.load(None, environ), environ=environ, clock=clock)
    url = f"http://127.0.0.1:{port}"
    await simulator.webhooks(
        sms=f"{url}/webhooks/twilio/sms", whatsapp=f"{url}/webhooks/twilio/whatsapp"
    )
    async with served(app, port):
        yield Running(app.state.house, founded, keys, clock, url, simulator)
