"""The page with the phones: GET shows it, forms post what a person does."""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.simulator import wire
from bot.simulator.acts import Acts, Impossible
from bot.simulator.page.markup import Markup
from bot.simulator.page.wording import language
from bot.simulator.phones import NoSuchLine, NoSuchPhone
from bot.simulator.world import World

STATIC = Path(__file__).parent.parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
SCRIPT = "x-phones-script"
"""Header of requests that the page's own script makes: they get no redirect."""


class Page:
    """The page, its parts and its forms."""

    def __init__(self, world: World, acts: Acts) -> None:
        self.world = world
        self.acts = acts
        self.static = {
            path.name: (path.read_bytes(), KINDS[path.suffix])
            for path in STATIC.iterdir()
        }

    def routes(self) -> list[Route]:
        """Where the page lies."""
        return [
            Route("/", self.index),
            Route("/parts/{phone}", self.part),
            Route("/authenticator", self.authenticator),
            Route("/static/{name}", self.file),
            Route("/phones/{phone}/{act}", self.act, methods=["POST"]),
        ]

    async def index(self, request: Request) -> Response:
        """Show all phones."""
        markup = self._markup(request.query_params.get("lang", ""))
        problem = request.query_params.get("problem", "")
        return _html(markup.page(list(self.world.phones), problem))

    async def part(self, request: Request) -> Response:
        """Give the lines of one phone, for the script."""
        try:
            phone = self.world.phones[request.path_params["phone"]]
        except NoSuchPhone:
            return Response(status_code=404)
        markup = self._markup(request.query_params.get("lang", ""))
        return _html(markup.thread.lines(phone))

    async def authenticator(self, request: Request) -> Response:
        """Give the codes of this moment, for the script."""
        markup = self._markup(request.query_params.get("lang", ""))
        return _html(markup.codes())

    async def file(self, request: Request) -> Response:
        """Give a file of the page."""
        found = self.static.get(request.path_params["name"])
        if found is None:
            return Response(status_code=404)
        return Response(found[0], media_type=found[1], headers=HEADERS)

    async def act(self, request: Request) -> Response:
        """Do what a form says, then show the page again (the script gets 204 or 409)."""
        if request.headers.get("sec-fetch-site") == "cross-site":
            return Response(status_code=403)
        name = request.path_params["phone"]
        fields: dict[str, str] = {}
        try:
            fields, files = await self._form(request)
            self._do(name, request.path_params["act"], fields, files)
            problem = ""
        except (Impossible, ValueError) as error:
            problem = str(error)
        except (NoSuchPhone, NoSuchLine, wire.NotReadable, wire.TooLarge) as error:
            problem = str(error.__doc__)
        if SCRIPT in request.headers:
            return Response(problem, 409 if problem else 204, media_type="text/plain")
        query = {"lang": language(fields.get("lang", ""))}
        if problem:
            query["problem"] = problem
        return RedirectResponse(f"/?{urlencode(query)}#phone-{name}", 303)

    async def _form(
        self, request: Request
    ) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """Read a form: its fields, and its files as the control API takes them."""
        kind = request.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return dict(await wire.form(request)), []
        fields, files = wire.multipart(kind, await wire.body(request))
        media = [
            {
                "name": stored.name,
                "type": stored.content_type,
                "base64": base64.b64encode(stored.content).decode(),
            }
            for stored in files.values()
        ]
        return dict(fields), media

    def _do(
        self, name: str, act: str, fields: dict[str, str], media: list[dict[str, Any]]
    ) -> None:
        phone = self.world.phones[name]
        text = fields.get("text", "").replace("\r\n", "\n")
        match act:
            case "send":
                self.acts.send(phone, {"text": text, "media": media})
            case "press":
                wanted = {
                    key: fields[key] for key in ("data", "label") if key in fields
                }
                if "data" in wanted:
                    wanted.pop("label", None)
                self.acts.press(
                    phone, wanted | {"message_id": fields.get("message_id")}
                )
            case "open":
                self.acts.open(phone, fields.get("link", ""))
            case _:
                raise Impossible("the page cannot do this")

    def _markup(self, wanted: str) -> Markup:
        return Markup(self.world.settings, language(wanted), self.world.authenticator)


def _html(text: str) -> Response:
    return HTMLResponse(text, headers=HEADERS)
