"""The control API: hands, eyes and mischief for tests and for the page. JSON over HTTP."""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.simulator import wire
from bot.simulator.acts import Acts, Impossible
from bot.simulator.clock import iso
from bot.simulator.phones import CHANNELS, NoSuchLine, NoSuchPhone, Phone
from bot.simulator.rules.faults import BadFault, Fault
from bot.simulator.world import Settings, Template, World

FIXED = frozenset({"base_url", "seed"})
"""Settings that cannot be changed while running."""

Work = Callable[[Request, dict[str, Any]], Awaitable[dict[str, Any]]]


class Control:
    """Endpoints under ``/control``."""

    def __init__(self, world: World, acts: Acts) -> None:
        self.world = world
        self.acts = acts

    def routes(self) -> list[Route]:
        """Where the control API listens."""
        phone = "/control/phones/{phone}"
        table: list[tuple[str, str, Work]] = [
            ("GET", "/control/phones", self.phones),
            ("POST", "/control/phones", self.make_phone),
            ("GET", phone, self.phone),
            ("GET", f"{phone}/wait", self.wait),
            ("GET", f"{phone}/changes", self.phone_changes),
            ("POST", f"{phone}/send", self.send),
            ("POST", f"{phone}/press", self.press),
            ("POST", f"{phone}/edit", self.edit),
            ("POST", f"{phone}/move", self.move),
            ("POST", f"{phone}/block", self.block),
            ("POST", f"{phone}/start", self.start),
            ("POST", f"{phone}/open", self.open),
            ("POST", f"{phone}/group", self.group),
            ("POST", f"{phone}/automatic", self.automatic),
            ("POST", "/control/update", self.update),
            ("GET", "/control/updates", self.updates),
            ("GET", "/control/changes", self.changes),
            ("GET", "/control/requests", self.requests),
            ("GET", "/control/settings", self.settings),
            ("POST", "/control/settings", self.set_settings),
            ("POST", "/control/webhooks", self.webhooks),
            ("POST", "/control/templates", self.template),
            ("POST", "/control/faults", self.fault),
            ("GET", "/control/faults", self.faults),
            ("DELETE", "/control/faults", self.mend),
            ("POST", "/control/clock", self.clock),
            ("POST", "/control/reset", self.reset),
        ]
        return [
            Route(path, self._safe(work), methods=[method])
            for method, path, work in table
        ]

    def _safe(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        """JSON in and out; what went wrong as ``{"error": …}``."""

        async def endpoint(request: Request) -> Response:
            try:
                given = await wire.document(request) if request.method == "POST" else {}
                return wire.Json(await work(request, given))
            except NoSuchPhone as error:
                return wire.Json({"error": str(error.__doc__)}, 404)
            except NoSuchLine as error:
                return wire.Json({"error": str(error.__doc__)}, 404)
            except Impossible as error:
                return wire.Json({"error": str(error)}, 409)
            except (wire.NotReadable, wire.TooLarge, BadFault) as error:
                return wire.Json({"error": str(error.__doc__)}, 400)
            except (KeyError, TypeError, ValueError) as error:
                return wire.Json({"error": f"wrong or missing field: {error}"}, 400)

        return endpoint

    def _phone(self, request: Request) -> Phone:
        return self.world.phones[request.path_params["phone"]]

    async def phones(self, _: Request, __: dict[str, Any]) -> dict[str, Any]:
        """Every phone, without its messages."""
        return {
            "phones": [
                phone.public() | {"messages": None} for phone in self.world.phones
            ],
        }

    async def make_phone(self, _: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Give a further phone: ``name``, ``channel``; ``title``, ``language``, ``hides_number``."""
        if given["channel"] not in CHANNELS:
            raise ValueError("channel")
        phone = self.world.phones.make(**given)
        self.world.ring(phone)
        return phone.public()

    async def phone(self, request: Request, _: dict[str, Any]) -> dict[str, Any]:
        """One phone with its whole thread."""
        return self._phone(request).public()

    async def wait(self, request: Request, _: dict[str, Any]) -> dict[str, Any]:
        """Wait until more than ``after`` messages have arrived, or ``timeout`` seconds."""
        phone = self._phone(request)
        after = int(request.query_params.get("after", 0))
        timeout = wire.patience(request)
        await self.world.until(lambda: len(phone.heard()) > after, timeout)
        heard = phone.heard()
        return {
            "count": len(heard),
            "messages": [line.public() for line in heard[after:]],
        }

    async def phone_changes(
        self, request: Request, _: dict[str, Any]
    ) -> dict[str, Any]:
        """Wait until this phone's version is not ``after``, or ``timeout`` seconds."""
        phone = self._phone(request)
        after = int(request.query_params.get("after", 0))
        timeout = wire.patience(request)
        await self.world.until(lambda: phone.version != after, timeout)
        return {"version": phone.version}

    async def send(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Let the person send something."""
        lines = self.acts.send(self._phone(request), given)
        return {"messages": [line.public() for line in lines]}

    async def press(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Let the person press a button."""
        return self.acts.press(self._phone(request), given)

    async def edit(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Let the person edit a message."""
        return self.acts.edit(self._phone(request), given).public()

    async def move(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Let a live location move to ``latitude`` and ``longitude``, or end there."""
        return self.acts.move(self._phone(request), given).public()

    async def block(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Let the person block the bot (``blocked`` false: lift it)."""
        phone = self._phone(request)
        self.acts.block(phone, blocked=bool(given.get("blocked", True)))
        return {"blocked": phone.blocked}

    async def start(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Let the person start the bot, with ``payload`` as from a deep link."""
        return self.acts.start(
            self._phone(request), str(given.get("payload") or "")
        ).public()

    async def open(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Let the person open a deep ``link``."""
        return self.acts.open(self._phone(request), str(given["link"])).public()

    async def group(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Let the person write ``text`` in a group; its thread is the phone ``group``."""
        return self.acts.say_in_group(self._phone(request), str(given["text"])).public()

    async def automatic(
        self, request: Request, given: dict[str, Any]
    ) -> dict[str, Any]:
        """Let the phone answer everything with ``text`` by itself; empty ends it."""
        text = str(given.get("text") or "")
        self.acts.answer_by_itself(self._phone(request), text)
        return {"text": text}

    async def update(self, _: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Queue a raw Telegram ``update`` (without id), e.g. of an unknown kind."""
        key = str(given.get("key") or "raw")
        return {"update_id": self.acts.telegram.updates.add(key, dict(given["update"]))}

    async def updates(self, request: Request, _: dict[str, Any]) -> dict[str, Any]:
        """Telegram updates that wait, and how pushes went; ``empty=1`` waits for none."""
        updates = self.acts.telegram.updates
        if "empty" in request.query_params:
            timeout = wire.patience(request)
            await self.world.until(lambda: not updates.waiting(), timeout)
        return {
            "pending": [update.body for update in updates.pending],
            "pushes": self.acts.telegram.pusher.pushes,
        }

    async def changes(self, request: Request, _: dict[str, Any]) -> dict[str, Any]:
        """Wait for a change after ``after``; the version of every phone."""
        after = int(request.query_params.get("after", 0))
        timeout = wire.patience(request, 25)

        def newest() -> int:
            return max((phone.version for phone in self.world.phones), default=0)

        await self.world.until(lambda: newest() != after, timeout)
        return {
            "version": newest(),
            "phones": {phone.name: phone.version for phone in self.world.phones},
        }

    async def requests(self, request: Request, _: dict[str, Any]) -> dict[str, Any]:
        """Tell what the bot asked the providers for; filter by ``api``, ``method``, ``after``."""
        query = request.query_params
        after, count = int(query.get("after", 0)), int(query.get("count", 0))
        timeout = wire.patience(request)

        def found() -> list[dict[str, Any]]:
            return [
                entry
                for entry in self.world.requests
                if entry["n"] > after
                and query.get("api", entry["api"]) == entry["api"]
                and query.get("method", entry["method"]).lower()
                == entry["method"].lower()
            ]

        await self.world.until(lambda: len(found()) >= count, timeout)
        return {"requests": found()}

    async def settings(self, _: Request, __: dict[str, Any]) -> dict[str, Any]:
        """Tell what a bot needs to talk to this simulator."""
        return {
            field.name: getattr(self.world.settings, field.name)
            for field in fields(Settings)
        }

    async def set_settings(
        self, request: Request, given: dict[str, Any]
    ) -> dict[str, Any]:
        """Change settings; unknown names are refused."""
        known = {field.name for field in fields(Settings)} - FIXED
        if set(given) - known:
            raise ValueError(", ".join(sorted(set(given) - known)))
        for name, value in given.items():
            kind = type(getattr(self.world.settings, name))
            setattr(self.world.settings, name, kind(value))
        return await self.settings(request, {})

    async def webhooks(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Where inbound messages go: ``sms`` and ``whatsapp``."""
        named = {f"{name}_webhook": value for name, value in given.items()}
        return await self.set_settings(request, named)

    async def template(self, _: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Register a template: ``sid``, ``body``, perhaps ``buttons`` (id, title)."""
        template = Template(**given)
        self.world.templates[template.sid] = template
        return {"sid": template.sid}

    async def fault(self, _: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Plan a fault: see ``faults.Fault``."""
        self.world.faults.plan(Fault(**(given | {"fault": str(given["fault"])})))
        return {"planned": len(self.world.faults.planned)}

    async def faults(self, _: Request, __: dict[str, Any]) -> dict[str, Any]:
        """Faults that have not happened yet."""
        return {"planned": [vars(fault) for fault in self.world.faults.planned]}

    async def mend(self, _: Request, __: dict[str, Any]) -> dict[str, Any]:
        """Forget every fault that is planned."""
        self.world.faults.clear()
        return {"planned": 0}

    async def clock(self, _: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Shift the world's time by ``shift_seconds``, set the ``scale`` of its waits."""
        self.world.clock.shift += float(given.get("shift_seconds") or 0)
        self.world.clock.scale = float(given.get("scale", self.world.clock.scale))
        self.world.ring()
        return {"now": iso(self.world.clock.now()), "scale": self.world.clock.scale}

    async def reset(self, _: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Forget everything but the settings; with ``settings`` true be as just started."""
        if given.get("settings"):
            self.world.restart()
        else:
            self.world.reset()
        return {"version": self.world.version}
