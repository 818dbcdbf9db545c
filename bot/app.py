"""The server process: builds the ASGI application, starts and stops every loop.

Nothing waits for a provider: the HTTP server answers before Telegram or Twilio do.

Long because everything that a server runs is put together and taken down in one place.
"""

import asyncio
import contextlib
import functools
import gc
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from bot import webhooks
from bot.assembly import connections, hardening
from bot.assembly.office import local_url
from bot.assembly.server import STATUS_PATH, Clock, House, build
from bot.channels.sms import Sms
from bot.channels.telegram import Telegram
from bot.channels.twilio_listing import Listing
from bot.channels.whatsapp import WhatsApp
from bot.clock import utc_now
from bot.console.app import routes as console_routes
from bot.console.context import ConsoleContext
from bot.console.headers import SecurityHeaders
from bot.front.front import Front
from bot.intake.lost_messages import Reconciler
from bot.intake.poller import Poller
from bot.intake.quarantine import Releaser
from bot.intake.registration import Registration
from bot.settings.sections import Settings
from bot.telemetry import logs
from bot.watch import health
from bot.writer import StoreUnavailable
from storage.words import Channel

_REST = 2.0


def create(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    clock: Clock = utc_now,
    allow_demo: bool = False,
) -> Starlette:
    """Return the application; its lifespan starts and stops every loop."""
    house = build(settings, environ=environ, clock=clock, allow_demo=allow_demo)
    app = Starlette(
        routes=[
            *provider_routes(house),
            *health.routes(house.readiness, house.metrics, settings),
        ],
        lifespan=lambda _: living(house),
        middleware=[Middleware(SecurityHeaders, tls=_has_tls(settings))],
    )
    # A redirect would lead to whatever host the caller wrote into its request.
    app.router.redirect_slashes = False
    front = Front(settings, house.office, lambda: _bot_url(house))
    app.router.routes.extend([*front.routes(), *_console(house)])
    app.state.house = house
    return app


def provider_routes(house: House) -> list[BaseRoute]:
    """Return the webhooks of the providers that are set up."""
    found: list[BaseRoute] = []
    settings = house.settings
    telegram = house.channels.get(Channel.TELEGRAM)
    if isinstance(telegram, Telegram) and settings.telegram.mode == "webhook":
        secret = settings.telegram.webhook_secret.get_secret_value()
        door = webhooks.TelegramDoor(
            telegram, house.intake, secret=secret, metrics=house.metrics
        )
        endpoint = house.gate.at_once(door.endpoint)
        found.append(webhooks.route("/webhooks/telegram", endpoint))
    if settings.twilio.account_sid:
        found += _twilio_routes(house)
    if house.canary is not None:
        found.append(house.canary.door.route())
    return found


def _twilio_routes(house: House) -> Iterator[BaseRoute]:
    """Yield Twilio's doors, each with the fields by which a call is ours."""
    settings, gate = house.settings, house.gate
    door = webhooks.TwilioDoor(
        house.intake,
        public_url=settings.server.public_url,
        tokens=(
            settings.twilio.auth_token.get_secret_value(),
            settings.twilio.previous_auth_token.get_secret_value(),
        ),
        metrics=house.metrics,
    )
    channels = _twilio_channels(house)
    account = {"AccountSid": {settings.twilio.account_sid}}
    for channel in channels:
        endpoint = door.message(channel, {**account, "To": {channel.sender}})
        path = f"/webhooks/twilio/{channel.name}"
        yield webhooks.route(path, gate.patiently(endpoint))
    ours = {**account, "From": {channel.sender for channel in channels}}
    status = door.status(house.writer, house.office, house.clock, ours)
    yield webhooks.route(STATUS_PATH, gate.patiently(status))


def _twilio_channels(house: House) -> list[Sms | WhatsApp]:
    channels = house.channels.values()
    return [one for one in channels if isinstance(one, Sms | WhatsApp)]


@contextlib.asynccontextmanager
async def living(house: House) -> AsyncIterator[None]:
    """Run every loop while the application serves; stop them in the reverse order."""
    logs.watch(asyncio.get_running_loop())
    house.writer.start()
    await house.scheduler.start()
    await house.keeper.replay_at_start(house.clock())
    for channel in house.channels.values():
        await channel.start()
    for name, loop in _loops(house).items():
        kept = _kept_alive(name, loop)
        house.loops.append(asyncio.create_task(kept, name=name))
    try:
        yield
    finally:
        house.delivery.stop()
        for task in house.loops:
            if task.get_name() != "delivery":
                task.cancel()
        await asyncio.gather(*house.loops, return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):
            await house.scheduler.stop()
        await asyncio.to_thread(house.writer.stop)
        for channel in house.channels.values():
            await channel.stop()
        house.hashing.shutdown()
        house.database.close()


def serve(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    allow_demo: bool = False,
    announce: Callable[[str], None] | None = None,
    listening: socket.socket | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; ``announce`` is told the address once it answers.

    ``listening`` is a socket that holds the address already.
    """
    hardening.harden_process()
    logs.configure(form=settings.logs.form, level=settings.logs.level)
    Path(settings.files.path).mkdir(parents=True, exist_ok=True, mode=0o700)
    app = create(settings, environ=environ, allow_demo=allow_demo)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.server.host,
            port=settings.server.port,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            http=connections.bounded(settings.server),
            loop="asyncio",  # uvloop keeps what it read last, until as much comes again
            ws="none",  # it would take connections out of their bounds
            backlog=connections.BACKLOG,
            timeout_keep_alive=settings.server.idle_seconds,
            timeout_graceful_shutdown=10,
            **logs.UVICORN_OPTIONS,
        )
    )
    gc.collect()
    gc.freeze()  # what stays is not looked through again by ``hardening.forget``
    if announce is not None:
        announce(local_url(settings))
    server.run([listening] if listening else None)


async def _kept_alive(name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a loop; one that breaks is logged and begins again after a moment."""
    while True:
        try:
            await loop()
        except Exception as error:  # noqa: BLE001 - no loop may end while the others go on
            logs.failure("loop.failed", error, loop=name)
            await asyncio.sleep(_REST)
        else:
            return


def _loops(house: House) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    loops: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "forgetting": hardening.forget,
        "delivery": house.delivery.run,
        "receipts": house.receipts.run,
        "media": house.media.run,
        "watching": house.watching.run,
    }
    house.delivery.beat = house.beats.expect("delivery")
    house.receipts.beat = house.beats.expect("receipts")
    house.media.beat = house.beats.expect("media")
    if house.canary is not None:
        every = timedelta(minutes=house.settings.watch.canary_minutes)
        loops["canary"] = functools.partial(house.canary.run, every)
    if reconciler := make_reconciler(house):
        loops["reconciling"] = reconciler.run
    telegram = house.channels.get(Channel.TELEGRAM)
    if not isinstance(telegram, Telegram):
        return loops
    if house.settings.telegram.mode == "polling":
        poller = Poller(
            telegram.bot,
            house.writer,
            lambda update: house.intake.take(
                telegram, update, webhooks.as_bytes(update)
            ),
            give_up=lambda update: house.intake.give_up(
                telegram, update, webhooks.as_bytes(update)
            ),
            tell=house.tell,
            clock=house.clock,
            holder=house.holder,
        )
        poller.beat = house.beats.expect("poller")
        loops["poller"] = poller.run
    else:
        loops["registration"] = Registration(
            telegram.bot,
            house.settings,
            writer=house.writer,
            metrics=house.metrics,
            tell=house.tell,
            clock=house.clock,
            holder=house.holder,
        ).run
    return loops


def make_reconciler(house: House) -> Reconciler | None:
    """Return who takes in what Twilio could not tell us; None without Twilio."""
    ours = _twilio_channels(house)
    if not ours:
        return None
    twilio = house.settings.twilio
    listing = Listing(
        account_sid=twilio.account_sid,
        auth_token=twilio.auth_token.get_secret_value(),
        api_base_url=twilio.api_base_url,
    )
    return Reconciler(
        listing,
        ours,
        house.writer,
        house.intake,
        house.office,
        tell=house.tell,
        clock=house.clock,
        holder=house.holder,
    )


def _has_tls(settings: Settings) -> bool:
    return settings.server.public_url.startswith("https://")


def _console(house: House) -> list[BaseRoute]:
    context = ConsoleContext(
        writer=house.writer,
        database=house.database,
        office=house.office,
        clock=house.clock,
        public_url=house.settings.server.public_url or local_url(house.settings),
        blob_store=house.blob_store,
        bot_url=lambda: _bot_url(house),
        agency=house.settings.agency.name,
        release=Releaser(
            house.writer,
            house.office,
            house.intake,
            house.channels,
            metrics=house.metrics,
            clock=house.clock,
        ),
        rings=lambda: house.watching.rings,
        levels=house.watching.levels,
    )
    return console_routes(context)


def _bot_url(house: House) -> str:
    """Return the bot's address once Telegram told its name."""
    telegram = house.channels.get(Channel.TELEGRAM)
    if not isinstance(telegram, Telegram) or not telegram.me.username:
        return ""
    return f"https://t.me/{telegram.me.username}"
