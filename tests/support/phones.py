"""Phones to write journeys with: the simulator's process, and hands on its phones.

async with Simulator() as simulator:
    sari = simulator.phone("telegram")
    await sari.say("/start")
    assert "Kentongan" in await sari.hears()
    await sari.press("Ya, lanjut")
"""

import asyncio
import base64
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx

from tests.support.places import ROOT

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Everything is HTTP on loopback: no certificates to load, which takes a while."""
PATIENCE = 30.0
"""Seconds a person waits for the bot."""


class Silence(AssertionError):
    """The bot did not say what the person waited for; the message shows what it said."""


class Refused(AssertionError):
    """The simulator says that a person could not do this."""


class Phone:
    """One phone of the simulator. ``heard`` is what it has listened to so far."""

    def __init__(self, client: httpx.AsyncClient, name: str) -> None:
        self._client = client
        self.name = name
        self.listened = 0
        """How many arrived messages ``hears`` has gone past."""

    async def _post(self, act: str, given: dict[str, Any]) -> dict[str, Any]:
        return await post(self._client, f"/control/phones/{self.name}/{act}", given)

    async def say(self, text: str, **extra: str) -> dict[str, Any]:
        """Type a text and send it; ``extra`` adds raw fields to what the provider sends."""
        given = {"text": text} | ({"extra": extra} if extra else {})
        sent: dict[str, Any] = (await self._post("send", given))["messages"][0]
        return sent

    async def attach(
        self,
        *files: tuple[str, str, bytes],
        text: str = "",
        kind: str = "",
    ) -> list[dict[str, Any]]:
        """Send files as (name, content type, bytes); several on Telegram are an album."""
        media = [
            {"name": name, "type": type_, "base64": base64.b64encode(content).decode()}
            | ({"kind": kind} if kind else {})
            for name, type_, content in files
        ]
        answer = await self._post("send", {"text": text, "media": media})
        sent: list[dict[str, Any]] = answer["messages"]
        return sent

    async def quote(self, line: dict[str, Any], text: str) -> dict[str, Any]:
        """Answer a message (a line that ``gets`` gave) by quoting it."""
        given = {"text": text, "quote": line["message_id"]}
        sent: dict[str, Any] = (await self._post("send", given))["messages"][0]
        return sent

    async def forward(self, text: str, *, often: bool = False) -> None:
        """Forward what somebody else wrote."""
        how = "often" if often else "once"
        await self._post("send", {"text": text, "forwarded": how})

    async def share_location(
        self, latitude: float, longitude: float, *, live: int = 0
    ) -> None:
        """Send a place; one that is ``live`` for so many seconds may move."""
        place = {"latitude": latitude, "longitude": longitude}
        await self._post(
            "send", {"location": place | ({"live_period": live} if live else {})}
        )

    async def move(
        self, latitude: float, longitude: float, *, ended: bool = False
    ) -> None:
        """Let the live location that was shared last move, perhaps for the last time."""
        place = {"latitude": latitude, "longitude": longitude, "ended": ended}
        await self._post("move", place)

    async def share_contact(self, number: str, name: str, *, own: bool = False) -> None:
        """Send a contact card."""
        card = {"phone_number": number, "first_name": name}
        await self._post("send", {"contact": card | ({"own": True} if own else {})})

    async def press(
        self,
        label: str | None = None,
        *,
        data: str | None = None,
        message_id: int | None = None,
    ) -> dict[str, Any]:
        """Press a button by its label or data, on the newest message that has buttons."""
        return await self._post(
            "press", {"label": label, "data": data, "message_id": message_id}
        )

    async def edit(self, text: str, message_id: int | None = None) -> None:
        """Change the latest own message."""
        await self._post("edit", {"text": text, "message_id": message_id})

    async def block(self, *, blocked: bool = True) -> None:
        """Block the bot, or lift it."""
        await self._post("block", {"blocked": blocked})

    async def start(self, payload: str = "") -> None:
        """Open the bot, perhaps by a deep link's payload."""
        await self._post("start", {"payload": payload})

    async def open(self, link: str) -> None:
        """Open a t.me link."""
        await self._post("open", {"link": link})

    async def answers_by_itself(self, text: str) -> None:
        """Answer everything the bot writes with ``text`` (``{n}`` counts); "" ends it."""
        await self._post("automatic", {"text": text})

    async def say_in_group(self, text: str) -> None:
        """Write in the group that the bot is in."""
        await self._post("group", {"text": text})

    async def look(self) -> dict[str, Any]:
        """The phone with its whole thread."""
        return await get(self._client, f"/control/phones/{self.name}")

    async def looks_until(
        self,
        true: Callable[[dict[str, Any]], bool],
        timeout: float = PATIENCE,  # noqa: ASYNC109 - a person's patience
    ) -> dict[str, Any]:
        """Look until the phone is so, e.g. until a message is deleted; return the phone."""
        end = time.monotonic() + timeout
        while not true(seen := await self.look()):
            left = end - time.monotonic()
            if left <= 0:
                raise Silence(
                    f"{self.name} waited in vain, saw {seen['messages'][-3:]}"
                )
            query = f"after={seen['version']}&timeout={left:.3f}"
            await get(self._client, f"/control/phones/{self.name}/changes?{query}")
        return seen

    async def heard(self) -> list[str]:
        """The texts of everything that arrived so far; deleted ones are empty."""
        messages = (await self.look())["messages"]
        return [line["text"] for line in messages if line["direction"] == "in"]

    async def buttons(self) -> list[str]:
        """The labels under the newest message that has some."""
        for line in reversed((await self.look())["messages"]):
            if line["buttons"]:
                return [button["text"] for row in line["buttons"] for button in row]
        return []

    async def hears(self, *wanted: str, timeout: float = PATIENCE) -> str:  # noqa: ASYNC109 - a person's patience
        """Wait for the next message that holds all of ``wanted``; return its text.

        What arrives before it is passed over and counts as listened to.
        """
        return str((await self.gets(*wanted, timeout=timeout))["text"])

    async def gets(self, *wanted: str, timeout: float = PATIENCE) -> dict[str, Any]:  # noqa: ASYNC109 - a person's patience
        """Like ``hears``, but the whole line: text, buttons, segments, message_id."""
        end = time.monotonic() + timeout
        passed: list[str] = []
        while True:
            for line in await self._arrivals(end - time.monotonic()):
                self.listened += 1
                if all(part.casefold() in line["text"].casefold() for part in wanted):
                    return line
                passed.append(line["text"])
            if time.monotonic() >= end:
                raise Silence(f"{self.name} waited for {wanted}, heard {passed}")

    async def _arrivals(self, patience: float) -> list[dict[str, Any]]:
        query = f"after={self.listened}&timeout={max(patience, 0):.3f}"
        found = await get(self._client, f"/control/phones/{self.name}/wait?{query}")
        lines: list[dict[str, Any]] = found["messages"]
        return lines

    async def hears_nothing(self, for_seconds: float = 0.5) -> None:
        """Nothing new arrives for a while."""
        lines = await self._arrivals(for_seconds)
        if lines:
            raise Silence(
                f"{self.name} wanted silence, heard {[line['text'] for line in lines]}"
            )

    async def skips_to_now(self) -> None:
        """Count everything that has arrived as listened to."""
        self.listened = len(await self.heard())


class Simulator:
    """The simulator as a process of its own; ``options`` as on its command line.

    With ``url`` it uses one that runs already, as if just started, and leaves it running.
    """

    def __init__(self, *, url: str = "", scale: float = 0.01, **options: str) -> None:
        self._options = {"scale": str(scale)} | options
        self._phones: dict[str, Phone] = {}
        self._process: asyncio.subprocess.Process | None = None
        self.url = url

    async def __aenter__(self) -> Self:
        if not self.url:
            self._process = await asyncio.create_subprocess_exec(
                *command(**self._options), cwd=ROOT, stdout=asyncio.subprocess.PIPE
            )
            assert self._process.stdout is not None
            line = await asyncio.wait_for(self._process.stdout.readline(), 30)
            self.url = line.decode().split()[1]
        self.client = httpx.AsyncClient(
            base_url=self.url, timeout=70, trust_env=False, verify=PLAIN
        )
        if self._process is None:
            await self.control("reset", settings=True)
        self.settings = await get(self.client, "/control/settings")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self.client.aclose()

    async def stop(self) -> None:
        """End the process if it is ours and still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await asyncio.wait_for(self._process.wait(), 10)

    @property
    def returncode(self) -> int | None:
        """How the process ended."""
        return self._process.returncode if self._process else None

    def phone(self, name: str) -> Phone:
        """A phone that exists: telegram, whatsapp, sms, officer, or one that was made."""
        return self._phones.setdefault(name, Phone(self.client, name))

    async def new_phone(self, name: str, channel: str, **rest: Any) -> Phone:
        """A further phone with an address of its own."""
        await self.control("phones", name=name, channel=channel, **rest)
        return self.phone(name)

    async def control(self, what: str, **given: Any) -> dict[str, Any]:
        """Post to the control API, e.g. ``control("clock", shift_seconds=90_000)``."""
        return await post(self.client, f"/control/{what}", given)

    async def fault(self, api: str, fault: str, method: str = "", **rest: Any) -> None:
        """Plan a fault: ``fault("twilio", "429", "create", times=2)``."""
        await self.control("faults", api=api, fault=fault, method=method, **rest)

    async def webhooks(self, *, sms: str = "", whatsapp: str = "") -> None:
        """Where inbound messages go."""
        await self.control("webhooks", sms=sms, whatsapp=whatsapp)

    def configuration(self) -> dict[str, dict[str, Any]]:
        """Sections of the bot's config.toml that make it talk to this simulator."""
        known = self.settings
        return {
            "telegram": {
                "token": known["telegram_token"],
                "api_base_url": f"{self.url}/bot",
                "file_base_url": f"{self.url}/file/bot",
            },
            "twilio": {
                "account_sid": known["account_sid"],
                "auth_token": known["auth_token"],
                "api_base_url": self.url,
                "sms_number": known["sms_number"],
                "whatsapp_number": known["whatsapp_number"],
                "templates": {
                    "id": {"news": "HX" + "1" * 32},
                    "en": {"news": "HX" + "2" * 32},
                },
            },
        }

    async def reset(self) -> None:
        """Forget everything but the settings."""
        await self.control("reset")
        self._phones.clear()

    async def requests(
        self, api: str = "", method: str = "", *, after: int = 0, count: int = 0
    ) -> list[dict[str, Any]]:
        """Tell what the bot asked the providers for; with ``count``, wait for so many."""
        query = {"api": api, "method": method, "after": str(after), "count": str(count)}
        kept = {name: value for name, value in query.items() if value}
        answer = await self.client.get("/control/requests", params=kept)
        found: list[dict[str, Any]] = answer.json()["requests"]
        if len(found) < count:
            raise Silence(
                f"waited for {count} requests {api} {method}, saw {len(found)}"
            )
        return found


@contextmanager
def simulated(scale: float = 0.01) -> Iterator[str]:
    """Run a simulator for many tests, one after the other; its address."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        command(scale=str(scale)), stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    yield process.stdout.readline().split()[1]
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()


def command(**options: str) -> list[str]:
    """The command that starts a simulator which ends with this process."""
    given = [part for name, value in options.items() for part in (_option(name), value)]
    return [sys.executable, "-m", "bot.simulator", "--with-parent", *given]


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


async def get(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """A JSON object of the control API."""
    return _read(await client.get(path))


async def post(
    client: httpx.AsyncClient, path: str, given: dict[str, Any]
) -> dict[str, Any]:
    """Post JSON to the control API; lone surrogates survive as escapes."""
    headers = {"content-type": "application/json"}
    return _read(
        await client.post(path, content=json.dumps(given).encode(), headers=headers)
    )


def _read(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    if answer.is_error:
        raise Refused(found["error"])
    return found
