"""The gate: who may see a page, and what a form must carry before anything is done.

An endpoint is a plain function ``(Visit) -> Response``, run in a thread; only reading the
body and writing happen on the loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.console.context import ConsoleContext
from bot.console.visit import COOKIE, DOOR, HOME, EvidenceAway, SeeOther, Visit
from bot.telemetry import logs
from bot.writer import StoreUnavailable
from handlers.errors import KentonganError, NotFound
from storage.crypto.sealing import NotAuthentic
from storage.people import sessions
from storage.units import admissions
from storage.words import Role

MOST_BYTES = 64 * 1024
MOST_FIELDS = 20
_NUL = "\0"
"""No browser sends it, and PostgreSQL takes no text that holds it."""
_HERE = frozenset({"", "same-origin", "none"})

Endpoint: TypeAlias = Callable[[Visit], Response]


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may see a page."""

    public: bool = False
    roles: frozenset[Role] = frozenset()
    proved: bool = False
    first: bool = False


class TooMuch(Exception):
    """The form is larger than any form of ours."""


class BadForm(Exception):
    """The form is none that a page of ours sends; go back and send it again."""


def page(
    console: ConsoleContext,
    path: str,
    endpoint: Endpoint,
    *,
    post: bool = False,
    public: bool = False,
    roles: Collection[Role] = (),
    proved: bool = False,
    first: bool = False,
) -> Route:
    """Make a route; ``public`` pages are seen before sign-in.

    ``roles``: for whoever has another one, or waits to be confirmed, the page does not
    exist (empty: for everybody).
    ``proved``: only for somebody who showed passphrase and second factor minutes ago;
    others show them and come back to where they stood (a form's field ``here``, or the
    address above its own). ``first``: open after the passphrase alone.
    """
    rule = Rule(public=public, roles=frozenset(roles), proved=proved, first=first)

    async def answer(request: Request) -> Response:
        visit = _arrival(console, request)
        try:
            form = await _form(request) if post else {}
        except TooMuch:
            return await run_in_threadpool(visit.problem, "TOO_MUCH", 413)
        except (BadForm, ClientDisconnect):
            return await run_in_threadpool(visit.problem, "FORM", 400)
        visit = replace(visit, form=form)
        return await run_in_threadpool(_answer, visit, endpoint, rule)

    return Route(path, answer, methods=["POST"] if post else ["GET"])


def nowhere(console: ConsoleContext) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint for every address that is none of ours."""

    async def answer(request: Request) -> Response:
        visit = _arrival(console, request)
        return await run_in_threadpool(visit.problem, "NOT_FOUND", 404)

    return answer


def local_path(text: str) -> str:
    """Return a path below our home that is safe to go to, else the queue's."""
    path = text.removeprefix(HOME)
    plain = path.startswith("/") and not path.startswith("//")
    if not plain or "\\" in path or not path.isascii() or not path.isprintable():
        return "/"
    return path


def to_proof(visit: Visit) -> Response:
    """Ask for passphrase and second factor, then lead back to where the officer stood."""
    request = visit.request
    path = request.url.path.removeprefix(HOME)
    if request.method == "POST":
        path = visit.form.get("here") or path.rpartition("/")[0]
    elif request.url.query:
        path += f"?{request.url.query}"
    return SeeOther(f"/prove?next={quote(local_path(path), safe='/')}")


def _answer(visit: Visit, endpoint: Endpoint, rule: Rule) -> Response:
    return _guarded(visit, lambda visit: _let_in(visit, endpoint, rule))


def _guarded(visit: Visit, endpoint: Endpoint) -> Response:
    """Turn whatever is raised into a page that tells no details."""
    try:
        return endpoint(visit)
    except NotFound:
        return visit.problem("NOT_FOUND", 404)
    except NotAuthentic:
        return visit.problem("NOT_AUTHENTIC", 409)
    except KentonganError as error:
        return visit.problem(type(error).__name__, 409)
    except StoreUnavailable as error:
        away = isinstance(error, EvidenceAway)
        response = visit.problem("EVIDENCE_AWAY" if away else "STORE", 503)
        response.headers["Retry-After"] = "5"
        return response
    except Exception as error:  # noqa: BLE001 - an error page tells no details
        logs.failure("console.failed", error)
        return visit.problem("FAULT", 500)


def _let_in(visit: Visit, endpoint: Endpoint, rule: Rule) -> Response:
    """Ask the questions in their order; whoever fails one goes no further."""
    if visit.request.url.hostname not in visit.console.hosts:
        return visit.problem("HOST", 421)
    if any(
        _NUL in text for text in (visit.request.scope["path"], *visit.query.values())
    ):
        raise NotFound
    visit = _signed(visit)
    for question in (_ask_session, _ask_role, _ask_form, _ask_proof):
        turned_away = question(visit, rule)
        if turned_away is not None:
            return turned_away
    if visit.signed is not None and visit.signed.touch_due:
        visit.write(sessions.touch, visit.cookie, now=visit.now)
    return _guarded(visit, endpoint)


def _ask_session(visit: Visit, rule: Rule) -> Response | None:
    """Lead whoever has not come far enough through the sign-in to its next page."""
    if visit.signed is None and not rule.public:
        return _to_sign_in(visit)
    if visit.is_half_way and not (rule.public or rule.first):
        return _and_back("/sign-in/second", visit.request)
    return None


def _ask_role(visit: Visit, rule: Rule) -> None:
    """Let a page not exist for whoever has no part in it."""
    if rule.roles and (visit.waits or Role(visit.officer.role) not in rule.roles):
        raise NotFound


def _ask_form(visit: Visit, _: Rule) -> Response | None:
    """Refuse a form that no page of ours sent."""
    if visit.request.method == "POST" and not _from_our_page(visit):
        return visit.problem("FORM", 403)
    return None


def _ask_proof(visit: Visit, rule: Rule) -> Response | None:
    """Have passphrase and second factor shown again, where minutes count."""
    if rule.proved and not visit.arrived.is_proved(visit.now):
        return to_proof(visit)
    return None


def _signed(visit: Visit) -> Visit:
    """Add the officer, if a session of ours stands behind the cookie."""
    cookie = visit.request.cookies.get(COOKIE, "")
    if cookie:
        with visit.console.database.reading() as session:
            keys = visit.console.office.keys
            signed = sessions.resume(session, keys, cookie, now=visit.now)
            waits = signed is not None and admissions.is_unconfirmed(
                session, keys, signed.officer.id
            )
        if signed is not None:
            language = visit.console.texts.language(signed.officer.language)
            visit = replace(visit, signed=signed, waits=waits)
            return replace(visit, cookie=cookie, language=language)
    return replace(visit, cookie=visit.request.cookies.get(DOOR, ""))


def _to_sign_in(visit: Visit) -> Response:
    """Send a stranger to the door.

    A strict cookie stays away when a link elsewhere (an alert) leads here: then a page of
    ours asks for the same address once more, and the browser brings the cookie.
    """
    came_from = visit.request.headers.get("sec-fetch-site")
    if visit.request.method == "GET" and came_from in {"cross-site", "same-site"}:
        return visit.page("again.html")
    return _and_back("/sign-in", visit.request)


def _and_back(page: str, request: Request) -> Response:
    """Lead to a page of the sign-in, which leads back to the page that was asked for."""
    path = request.url.path.removeprefix(HOME)
    if request.method == "POST" or path in {"", "/"}:
        return SeeOther(page)
    return SeeOther(f"{page}?next={quote(path, safe='/')}")


def _from_our_page(visit: Visit) -> bool:
    request = visit.request
    if request.headers.get("sec-fetch-site", "") not in _HERE:
        return False
    origin = request.headers.get("origin", "null")
    if origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        return False
    return sessions.is_form_token(visit.cookie, visit.form.get("token", ""))


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise TooMuch
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise BadForm from None
    if any(_NUL in text for pair in pairs for text in pair):
        raise BadForm
    return dict(pairs)


def _arrival(console: ConsoleContext, request: Request) -> Visit:
    return Visit(
        console=console,
        request=request,
        loop=asyncio.get_running_loop(),
        now=console.clock(),
        language=_language(console, request),
    )


def _language(console: ConsoleContext, request: Request) -> str:
    wanted = request.query_params.get("language") or request.headers.get(
        "accept-language", ""
    )
    return console.texts.language(wanted)
