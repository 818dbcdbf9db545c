"""Builds the ``House`` from the settings: all that one process runs, not yet started."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.assembly.office import make_blob_store, make_office, own_address
from bot.channels import base
from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.delivery.delivery import Delivery
from bot.delivery.outcomes import Written
from bot.evidence.fetching import MediaWorker
from bot.intake.crowd import Gate
from bot.intake.intake import Intake
from bot.jobs.receipts import ReceiptMaker
from bot.jobs.scheduler import Scheduler
from bot.operations import founding
from bot.retention.keeper import Keeper
from bot.settings import loading
from bot.settings.sections import Settings
from bot.telemetry.heartbeats import Beats
from bot.telemetry.metrics import Level, Metrics
from bot.watch import health
from bot.watch.canary import Runner
from bot.watch.canary_channel import Canary
from bot.watch.canary_door import Door
from bot.watch.gauges import Levels
from bot.watch.readiness import Readiness
from bot.watch.watcher import Watching
from bot.writer import StoreUnavailable, Writer
from handlers.office import Office
from storage.audit import installation
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import Database
from storage.evidence.blobs import BlobStore
from storage.jobs import watches
from storage.rekeying import server_key
from storage.words import Channel

Clock = Callable[[], datetime]
STATUS_PATH = "/webhooks/twilio/status"
REPEATS = "rc=3&rp=ct,rt,5xx"
"""Twilio's connection overrides, for Twilio only: neither sent nor signed (docs/setup-twilio.md)."""
_HASHING_THREADS = 2


class NotFounded(Exception):
    """The store holds no house, or its record was taken away; run ``kentongan doctor``."""


class DemoRefused(Exception):
    """The store belongs to a demo, whose passphrases are known; use another one."""


@dataclass(slots=True, repr=False)  # a failure that shows it would show all texts
class House:
    """Everything that runs, so that a test may look at it."""

    settings: Settings
    database: Database
    office: Office
    writer: Writer
    metrics: Metrics
    channels: Mapping[Channel, base.Sender]
    intake: Intake
    delivery: Delivery
    receipts: ReceiptMaker
    media: MediaWorker
    scheduler: Scheduler
    keeper: Keeper
    blob_store: BlobStore
    hashing: ThreadPoolExecutor
    clock: Clock
    holder: str
    gate: Gate
    beats: Beats
    readiness: Readiness
    watching: Watching
    canary: Runner | None = None
    loops: list[asyncio.Task[None]] = field(default_factory=list)

    def notify(self) -> None:
        """Wake everybody who waits for a commit."""
        self.delivery.notify()
        self.receipts.notify()
        self.media.notify()

    async def tell(self, name: str, wrong: str) -> None:
        """Tell the watch that something went well, or the code of what is wrong."""
        with contextlib.suppress(StoreUnavailable):
            if wrong:
                await self.writer.run(watches.bad, name, wrong, now=self.clock())
            else:
                await self.writer.run(watches.good, name, now=self.clock())


def build(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    clock: Clock,
    allow_demo: bool = False,
) -> House:
    """Make the house from settings; nothing runs yet.

    Raises BadConfig, BadServerKey, SchemaTooOld, SchemaTooNew, NotFounded, DemoRefused,
    ``rekeying.KeyMissing`` or ``rekeying.RotationUnfinished``.
    """
    key = loading.server_key(settings, environ)
    keys = ServerKeys.from_text(key.get_secret_value())
    database = Database(
        settings.database.url.get_secret_value(), writers=settings.database.writers
    )
    try:
        schema.check(database)
        _refuse_demo(database, keys, allow=allow_demo)
    except BaseException:
        database.close()
        raise
    office = make_office(settings, keys, now=clock())
    office.lexicon()  # now, not in the first message
    writer = Writer(database)
    blob_store = make_blob_store(settings)
    keeper = Keeper(
        writer,
        office,
        blob_store=blob_store,
        path=settings.retention.tombstones_file,
    )
    metrics = Metrics()
    hashing = ThreadPoolExecutor(_HASHING_THREADS, "hashing")
    channels = make_channels(settings, clock)
    delivery = Delivery(
        writer,
        keys,
        list(channels.values()),
        clock=clock,
        ends=Written(office),
        went_out=metrics.went_out,
        stood_still=metrics.stood_still,
        longest_wait=5.0 if database.is_sqlite else 1.0,
    )
    holder = secrets.token_hex(8)
    beats = Beats()
    readiness = Readiness(writer, office, clock, beats)
    levels = Levels(writer, holder, clock, office.day, keys)
    house = House(
        settings=settings,
        database=database,
        office=office,
        writer=writer,
        metrics=metrics,
        channels=channels,
        intake=Intake(writer, office, metrics=metrics, hashing=hashing, clock=clock),
        delivery=delivery,
        receipts=ReceiptMaker(writer, office, hashing=hashing, clock=clock),
        media=MediaWorker(
            writer,
            office,
            list(channels.values()),
            blob_store=blob_store,
            clock=clock,
            scanner=settings.files.clamav,
        ),
        scheduler=Scheduler(
            writer,
            office,
            holder=holder,
            blob_store=blob_store,
            keeper=keeper,
            clock=clock,
        ),
        keeper=keeper,
        blob_store=blob_store,
        hashing=hashing,
        clock=clock,
        holder=holder,
        gate=Gate(writer, refused=metrics.turned_away),
        beats=beats,
        readiness=readiness,
        watching=Watching(
            writer,
            office,
            settings,
            levels=levels.read,
            readiness=readiness,
            holder=holder,
            clock=clock,
            standing=lambda: {
                line.sender.name: line.breaker.cause for line in delivery.lines
            },
        ),
    )
    writer.on_commit = house.notify
    house.media.spoilt = house.receipts.spoilt = metrics.spoilt
    levels.feed(metrics)
    house.watching.feed(metrics)
    house.canary = make_canary(house)
    return house


def make_canary(house: House) -> Runner | None:
    """Return who sends the canary; None where the settings want none."""
    channel, settings = house.channels.get(Channel.CANARY), house.settings
    if not isinstance(channel, Canary):
        return None
    runner = Runner(
        house.writer,
        house.office,
        channel,
        Door(channel, house.intake),
        address=own_address(settings),
        holder=house.holder,
        clock=house.clock,
        heard=lambda: health.call(settings.watch.heartbeat_url),
    )
    house.metrics.watch(Level.CANARY_SECONDS, lambda: runner.seconds)
    return runner


def _refuse_demo(database: Database, keys: ServerKeys, *, allow: bool) -> None:
    with database.reading() as session:
        kind = installation.get_setting(session, keys, founding.DEMO)
        server_key.require(session, keys)
    if kind not in {founding.YES, founding.NO}:
        raise NotFounded
    if kind == founding.YES and not allow:
        raise DemoRefused


def make_channels(settings: Settings, clock: Clock) -> dict[Channel, base.Sender]:
    """Return the channels that the settings name."""
    found: dict[Channel, base.Sender] = {}
    telegram, twilio = settings.telegram, settings.twilio
    if telegram.token:
        found[Channel.TELEGRAM] = Telegram(
            telegram.token.get_secret_value(),
            api_base_url=telegram.api_base_url,
            file_base_url=telegram.file_base_url,
            local_files=telegram.local_files,
        )
    account: dict[str, Any] = {
        "account_sid": twilio.account_sid,
        "auth_token": twilio.auth_token.get_secret_value(),
        "api_base_url": twilio.api_base_url,
        "status_callback": f"{settings.server.public_url}{STATUS_PATH}#{REPEATS}",
    }
    if settings.watch.canary_minutes:
        found[Channel.CANARY] = Canary()
    if twilio.account_sid and twilio.sms_number:
        found[Channel.SMS] = Sms(
            sender=twilio.sms_number, per_second=twilio.sms_per_second, **account
        )
    if twilio.account_sid and twilio.whatsapp_number:
        templates = {
            language: {"news": names.news}
            for language, names in twilio.templates.items()
        }
        found[Channel.WHATSAPP] = WhatsApp(
            clock=clock, templates=templates, sender=twilio.whatsapp_number, **account
        )
    return found
