"""The console as officers meet it: browsers on a real store, reports that arrive."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from html.parser import HTMLParser
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
from sqlmodel import Session
from starlette.applications import Starlette
from typing_extensions import override

from bot.assembly.office import lexicon_of
from bot.console.app import ConsoleContext
from bot.console.visit import COOKIE
from handlers.cases import submission
from handlers.office import Office
from handlers.questionnaire.book import load
from handlers.rules.routing import Lead
from handlers.rules.rulebook import Rulebook
from handlers.texts import Texts
from handlers.throttle import Floods, Pace
from handlers.work import Work
from storage.cases import items as report_items
from storage.cases import reports, tags
from storage.cases.items import Content
from storage.crypto.sealing import new_pair
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Case
from storage.notices.subscribers import Subscriber
from storage.people import sessions
from storage.units import memberships, units
from storage.words import Audience, Channel, ItemKind, Role, Stage
from tests.support.founded import House, Person, person

R = TypeVar("R")
STARTED = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
HOST = "pengaduan.example"
ORIGIN = f"https://{HOST}"
ANSWERS = {"Q05": "ANON", "Q06": "COR-09", "Q09": "ADM", "Q16": "SAW"}
STORY = "They asked for money before stamping the permit."


SHOWN = re.compile(
    "(?P<case>/cases/[^/]+)(/(status|approve|take|let-go|hand-on|take-over|ask|hold|release"
    "|requests/.*|files/.*/note))|(?P<own>/cases/[^/]+/(hand-over|conflict|reveals))"
    "|(?P<reveal>/cases/[^/]+/reveals/[^/]+)/(open|end)"
    "|(?P<vault>/vault)/[^/]+/end|(?P<request>/vault/[^/]+)/(grant|refuse|conflict)"
)
"""Forms that say for which version they were made, each on a page that holds the present one."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = STARTED

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)


class Page(HTMLParser):
    """What a test asks of a page: its token, its links, its plain text."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.forms: dict[str, dict[str, str]] = {}
        """The hidden fields of each form by its address; ``fields``: the first of all."""
        self._form: dict[str, str] = {}
        self.links: list[str] = []
        self.words: list[str] = []
        self.asked = ""
        """What a page with a passkey asks of the browser."""
        self.feed(response.text)
        self.text = " ".join(" ".join(self.words).split())

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = self.forms.setdefault(given.get("action", ""), {})
        if tag == "input" and given.get("type") == "hidden":
            self._form[given["name"]] = given["value"]
            self.fields.setdefault(given["name"], given["value"])
        if "data-asked" in given:
            self.asked = given["data-asked"]
        if tag == "a":
            self.links.append(given.get("href", ""))

    @override
    def handle_data(self, data: str) -> None:
        self.words.append(data)


@dataclass
class Desk:
    """The console over a real store, and the officers in front of it."""

    context: ConsoleContext
    app: Starlette
    house: House
    clock: Clock
    bot: str = "https://t.me/contoh_bot"
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def keys(self) -> ServerKeys:
        return self.context.office.keys

    @property
    def database(self) -> Database:
        return self.context.database

    def browser(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 5000))
        client = httpx.AsyncClient(transport=transport, base_url=ORIGIN)
        self.clients.append(client)
        return client

    def signed_in(self, who: Person) -> "Browser":
        """Begin a full session, proved just now; tests/support/authenticator.py does it by HTTP."""
        with self.database.writing() as session:
            cookie = sessions.begin(
                session,
                self.keys,
                who.officer,
                who.secret,
                stage=Stage.FULL,
                now=self.clock(),
            )
        client = self.browser()
        client.cookies.set(COOKIE, cookie, domain=HOST)
        return Browser(client, cookie)

    def colleague(self, login: str, role: Role = Role.HANDLER) -> Person:
        """Add a second officer of the unit."""
        with self.database.writing() as session:
            new = person(session, self.keys, login, role)
            memberships.admit(
                session,
                self.keys,
                units.verified(session, self.keys, self.house.unit.id),
                new.officer,
                self.house.supervisor.officer,
                self.house.supervisor.secret,
            )
        return new

    def case(self, **options) -> Case:
        """Let somebody's report arrive; it has a receipt."""
        with self.database.writing() as session:
            return arrive(session, self.context.office, now=self.clock(), **options)

    async def act(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        """Run a verb through the writer, as a page would."""
        office, writer = self.context.office, self.context.writer
        return await writer.act(office, self.clock(), verb, *args, **kwargs)

    def again(self, case: Case) -> Case:
        with self.database.reading() as session:
            found = session.get(Case, case.report)
            assert found is not None
            return found


@dataclass
class Browser:
    """One officer's browser."""

    client: httpx.AsyncClient
    cookie: str

    @property
    def token(self) -> str:
        return sessions.form_token(self.cookie)

    async def get(self, path: str, **options) -> httpx.Response:
        return await self.client.get(f"/console{path}", **options)

    async def see(self, path: str) -> Page:
        response = await self.get(path)
        assert response.status_code == 200, (path, response.status_code)
        return Page(response)

    async def send(self, path: str, **form: str) -> httpx.Response:
        token = sessions.form_token(self.cookie)
        act = SHOWN.fullmatch(path)
        if act and not {"version", "judged"} & form.keys():
            page = next(filter(None, act.groupdict().values()))
            file = f"?file={form['file']}" if form.get("file") else ""
            shown = Page(await self.get(page + file))
            fields = shown.forms.get(f"/console{path}", shown.fields)
            form |= {name: fields.get(name, "") for name in ("version", "judged")}
        return await self.client.post(f"/console{path}", data={"token": token, **form})

    async def do(self, path: str, **form: str) -> Page:
        """Send a form and follow it to where it leads."""
        response = await self.send(path, **form)
        assert response.status_code == 303, Page(response).text
        return Page(await self.client.get(response.headers["location"]))


def half_way(desk: Desk, who: Person) -> Browser:
    """Return the browser of somebody who has shown the passphrase only."""
    with desk.database.writing() as session:
        cookie = sessions.begin(
            session, desk.keys, who.officer, who.secret, now=desk.clock()
        )
    client = desk.browser()
    client.cookies.set(COOKIE, cookie, domain=HOST)
    return Browser(client, cookie)


def arrive(
    session: Session,
    office: Office,
    *,
    now: datetime,
    answers: dict[str, str] | None = None,
    items: tuple[Content, ...] = (),
    receipt: bool = True,
    suggested: Mapping[str, str] | None = None,
) -> Case:
    """Write a report the way the inbox does."""
    keys, day = office.keys, office.day(now)
    work = Work(session, office, now)
    draft = reports.start(session, keys, submission.entry_units(work), day=day)
    story = Content(kind=ItemKind.ANSWER, text=STORY, step="Q10", at=now.isoformat())
    for content in items or (story,):
        report_items.add_item(
            session,
            keys,
            draft.report,
            content,
            audience=Audience.CASE,
            public=draft.public_key,
            day=day,
        )
    case = submission.open_case(
        work,
        draft.report,
        answers or ANSWERS,
        lead=Lead(answers or ANSWERS, suggested=suggested or {}),
        reporter=Subscriber(Channel.TELEGRAM, "4711", "en", 0),
        notify=None,
    )
    if receipt:
        case.reporter_key = new_pair().public
        tags.tag_case(keys, case)
        session.add(case)
        session.flush()
    return case


def make_office(keys: ServerKeys) -> Office:
    floods = Floods(joined_from=1_000_000, same_for=timedelta())
    return replace(_office(), keys=keys, pace=Pace(), floods=floods)


@cache
def _office() -> Office:
    rulebook = Rulebook.load()
    context = {"agency": "Inspectorate", "link": "example.org", "emergency": "112"}
    return Office(
        lexicon=partial(lexicon_of, None, "id"),
        keys=ServerKeys.new(),
        texts=Texts(("id", "en"), context),
        questionnaire=load(),
        rulebook=rulebook,
        calendar=rulebook.calendar(range(2025, 2029)),
        zone=ZoneInfo("Asia/Jakarta"),
        languages=("id", "en"),
    )
