"""One request of one officer, as a page sees it; and ``render``, which fills a template.

Pages are plain functions and run in a thread. ``write`` runs a verb through the writer
on the event loop and waits for the commit.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.console import menu, words
from bot.console.context import ConsoleContext
from bot.evidence import unseen
from bot.settings.values import is_loopback
from bot.writer import StoreUnavailable
from handlers.work import Work
from storage import conversations
from storage.database.transactions import Store
from storage.models import Officer
from storage.people import devices, sessions
from storage.people.sessions import SignedIn
from storage.words import Stage

HOME = "/console"
COOKIE = "__Host-kentongan"
DOOR = "__Host-kentongan-door"
"""A cookie without a session: it ties the sign-in form to the browser that asked for it."""
DEVICE = "__Host-kentongan-device"
"""A cookie that outlives the session: officers signed in here before (``devices``)."""
_PATIENCE = 30.0

P = ParamSpec("P")
R = TypeVar("R")


class EvidenceAway(StoreUnavailable):
    """A file cannot be read or drawn now; nothing is lost, try again in a moment."""


class SeeOther(RedirectResponse):
    """After a form: go and look at a page of ours."""

    def __init__(self, path: str) -> None:
        super().__init__(HOME + path, status_code=303)


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with its officer (None before sign-in), form, clock and language.

    ``waits``: nobody has compared this officer's words yet; the account opens nothing.
    """

    console: ConsoleContext
    request: Request
    loop: asyncio.AbstractEventLoop
    now: datetime
    language: str
    cookie: str = field(default="", repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    signed: SignedIn | None = field(default=None, repr=False)
    waits: bool = False

    @property
    def arrived(self) -> SignedIn:
        """Return the session, however far the sign-in has come."""
        if self.signed is None:
            raise PermissionError
        return self.signed

    @property
    def is_half_way(self) -> bool:
        """Tell whether somebody has shown the passphrase, and no second factor yet."""
        return self.signed is not None and self.signed.stage is not Stage.FULL

    @property
    def officer(self) -> Officer:
        """Return who is signed in; the gate lets nobody else reach an officer's page."""
        return self._full.officer

    @property
    def secret(self) -> bytes:
        """Return the officer's secret key."""
        return self._full.secret

    @property
    def _full(self) -> SignedIn:
        if self.is_half_way:
            raise PermissionError
        return self.arrived

    @property
    def query(self) -> Mapping[str, str]:
        """Return the parameters of the address."""
        return self.request.query_params

    @property
    def address(self) -> str:
        """Return where the request came from.

        Behind a proxy on this machine it is what the proxy appended last; what a
        stranger wrote into the header stands before that.
        """
        peer = self.request.client.host if self.request.client else ""
        told = self.request.headers.get("x-forwarded-for", "").rpartition(",")[2]
        return told.strip() if told and is_loopback(peer) else peer

    def device(self, login: str) -> bytes:
        """Return this browser's name with an account that signed in here before, else b""."""
        keys, cookie = self.console.office.keys, self.request.cookies.get(DEVICE, "")
        return devices.known(keys, cookie, login, now=self.now)

    def write(
        self,
        verb: Callable[Concatenate[Session, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run one verb through the writer; raises what it raises, or StoreUnavailable."""
        return self.wait_for(self.console.writer.run(verb, *args, **kwargs))

    def act(
        self,
        verb: Callable[Concatenate[Work, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run one verb of ``handlers`` through the writer; raises as ``write``."""
        office, writer = self.console.office, self.console.writer
        return self.wait_for(writer.act(office, self.now, verb, *args, **kwargs))

    def is_repeat(self, work: Work) -> bool:
        """Tell whether this form was sent before; asked within the verb's transaction."""
        once = self.form.get("once", "")
        return bool(once) and not conversations.first_time(
            work.store, work.keys, once, day=work.day
        )

    def work(self, store: Store) -> Work:
        """Return what a verb works with, over a session that is open already."""
        return Work(store, self.console.office, self.now)

    def wait_for(self, work: Coroutine[Any, Any, R]) -> R:
        """Let the loop do some work; raises what it raises, or StoreUnavailable."""
        running = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return running.result(_PATIENCE)
        except TimeoutError:
            raise StoreUnavailable from None

    def say(self, msgid: str, **params: object) -> str:
        """Return one of the console's own texts."""
        return self.console.texts.say(msgid, self.language, **params)

    def words(self) -> words.Words:
        """Return the names of codes in the officer's language."""
        return words.Words(self.console.office, self.console.texts, self.language)

    def page(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Render a template."""
        officer = self.officer if self.signed and not self.is_half_way else None
        shown = {
            "say": self.say,
            "words": self.words(),
            "language": self.language,
            "languages": self.console.texts.languages,
            "agency": self.console.agency,
            "home": HOME,
            "here": self.request.url.path.removeprefix(HOME),
            "officer": officer,
            "menu": menu.entries(officer.role) if officer and not self.waits else (),
            "alarms": self._alarms(officer),
            "once": secrets.token_urlsafe(12),
            "token": sessions.form_token(self.cookie) if self.cookie else "",
            "now": self.now,
            **values,
        }
        return render(template, shown, status=status)

    def _alarms(self, officer: Officer | None) -> tuple[str, ...]:
        """Return the alarms that this officer is told of on every page."""
        if officer is None or self.waits or officer.role not in menu.ALARMED:
            return ()
        return tuple(self.console.rings())

    def problem(self, code: str, status: int) -> Response:
        """Say what went wrong, in words that tell nothing about anybody."""
        return self.page("error.html", status=status, code=code)


_ENVIRONMENT = Environment(
    loader=PackageLoader("bot.console", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.filters["named"] = unseen.named


def render(template: str, values: Mapping[str, Any], *, status: int = 200) -> Response:
    """Render a template into a response; lone surrogates become question marks."""
    text = _ENVIRONMENT.get_template(template).render(values)
    return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)
