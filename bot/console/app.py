"""The officers' console: every address, and where it is answered.

Mounted at ``/console``. Reads use their own connections; everything that changes goes
through ``ConsoleContext.writer``.
"""

from functools import partial
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from typing_extensions import override

from bot.console.cases import (
    acts,
    case,
    classification,
    conflicts,
    data_requests,
    handover,
    holds,
    moves,
    questions,
    queue,
    resealing,
)
from bot.console.context import ConsoleContext
from bot.console.evidence import gallery
from bot.console.gate import nowhere, page
from bot.console.headers import SecurityHeaders
from bot.console.menu import AUDIT, HEALTH, HOLDS, KEEPERS, PEOPLE, VAULT
from bot.console.people import account, join, people
from bot.console.people import acts as people_acts
from bot.console.reveals import asking, deciding, opening
from bot.console.signing import factor, own_passphrase, passkeys, prove, second, sign_in
from bot.console.visit import HOME, SeeOther
from bot.console.watch import figures, health, letters, log, quarantine, readings
from handlers.authority import HANDLING, LETTERS

__all__ = ["ConsoleContext", "routes"]

_STATIC = Path(__file__).parent / "static"
_ANY = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def routes(console: ConsoleContext) -> list[BaseRoute]:
    """Return what ``bot.app`` mounts."""
    work = partial(page, console, roles=HANDLING)
    audits = partial(page, console, roles=AUDIT)
    among = partial(page, console, roles=PEOPLE)
    officer = "/people/officers/{login}"
    guard = partial(page, console, roles=VAULT)
    pages: list[BaseRoute] = [
        page(console, "/", queue.landing),
        page(console, "/sign-in", sign_in.form, public=True),
        page(console, "/sign-in", sign_in.sign_in, post=True, public=True),
        page(console, "/sign-in/second", second.form, first=True),
        page(console, "/sign-in/second", second.check, post=True, first=True),
        page(console, "/sign-out", sign_in.sign_out, post=True, first=True),
        page(console, "/prove", prove.form),
        page(console, "/prove", prove.check, post=True),
        page(console, "/account/factor/set-up", factor.set_up, first=True),
        page(console, "/account/factor/set-up", factor.confirm, post=True, first=True),
        page(console, "/account/passkeys/new", passkeys.form, proved=True),
        page(console, "/account/passkeys", passkeys.add, post=True, proved=True),
        page(
            console, "/account/passkeys/remove", passkeys.remove, post=True, proved=True
        ),
        page(console, "/account/codes", factor.new_codes, post=True, proved=True),
        work("/mine", queue.mine),
        page(console, "/account", account.account),
        page(console, "/account/language", account.choose_language, post=True),
        page(console, "/account/link", account.link, post=True, proved=True),
        page(console, "/account/unlink", account.unlink, post=True, proved=True),
        page(console, "/account/sessions", account.end_sessions, post=True),
        page(console, "/account/sessions/one", account.end_session, post=True),
        page(console, "/account/sessions/others", account.end_others, post=True),
        page(console, "/account/passphrase", own_passphrase.form, proved=True),
        page(
            console,
            "/account/passphrase",
            own_passphrase.change,
            post=True,
            proved=True,
        ),
        work("/cases/{number}", case.case),
        work("/cases/{number}/files/{file}", gallery.working_copy),
        work("/cases/{number}/files/{file}/note", acts.annotate, post=True),
        work("/cases/{number}/files/{file}/preview", gallery.preview),
        work("/cases/{number}/files/{file}/pages/{page}", gallery.page),
        work("/cases/{number}/step", moves.look, post=True),
        work("/cases/{number}/status", moves.change_status, post=True),
        work("/cases/{number}/approve", moves.approve, post=True),
        work("/cases/{number}/take", acts.take, post=True),
        work("/cases/{number}/let-go", acts.let_go, post=True),
        work("/cases/{number}/hand-on", acts.hand_on, post=True),
        work("/cases/{number}/take-over", acts.take_over, post=True),
        work("/cases/{number}/ask", questions.ask, post=True),
        work("/cases/{number}/note", acts.note, post=True),
        work("/cases/{number}/classification", classification.form),
        work("/cases/{number}/classification", classification.correct, post=True),
        work(
            "/cases/{number}/classification/confirm",
            classification.confirm,
            post=True,
        ),
        work("/cases/{number}/classification/drop", classification.drop, post=True),
        work("/cases/{number}/requests/{request}", acts.answer, post=True),
        work("/requests", data_requests.requests),
        page(
            console,
            "/cases/{number}/hold",
            holds.hold,
            post=True,
            roles=KEEPERS,
        ),
        page(
            console,
            "/cases/{number}/release",
            holds.release,
            post=True,
            roles=KEEPERS,
        ),
        page(console, "/holds", holds.holds, roles=HOLDS),
        work("/cases/{number}/reveals", asking.form, proved=True),
        work("/cases/{number}/reveals", asking.ask, post=True, proved=True),
        work("/cases/{number}/reveals/{reveal}", opening.state, proved=True),
        work(
            "/cases/{number}/reveals/{reveal}/open",
            opening.open_it,
            post=True,
            proved=True,
        ),
        work("/cases/{number}/reveals/{reveal}/end", opening.end, post=True),
        page(console, "/letters", letters.letters, roles=LETTERS),
        page(
            console,
            "/letters/retry",
            letters.retry,
            post=True,
            roles=LETTERS,
            proved=True,
        ),
        page(
            console,
            "/letters/drop",
            letters.drop,
            post=True,
            roles=LETTERS,
            proved=True,
        ),
        guard("/vault", deciding.waiting),
        guard("/vault/{reveal}", deciding.request, proved=True),
        guard("/vault/{reveal}/grant", deciding.grant, post=True, proved=True),
        guard("/vault/{reveal}/refuse", deciding.refuse, post=True, proved=True),
        guard("/vault/{reveal}/conflict", deciding.conflict_form, proved=True),
        guard("/vault/{reveal}/conflict", deciding.declare, post=True, proved=True),
        guard("/vault/{reveal}/end", deciding.end, post=True),
        guard("/quarantine", quarantine.messages),
        guard("/quarantine/{name}/read", quarantine.read, post=True, proved=True),
        guard(
            "/quarantine/{name}/release",
            quarantine.release_message,
            post=True,
            proved=True,
        ),
        guard("/quarantine/{name}/drop", quarantine.drop, post=True, proved=True),
        work("/cases/{number}/conflict", conflicts.form, proved=True),
        work("/cases/{number}/conflict", conflicts.declare, post=True, proved=True),
        work("/cases/{number}/hand-over", handover.form, proved=True),
        work("/cases/{number}/hand-over", handover.hand_over, post=True, proved=True),
        work("/find", handover.search),
        work("/new-keys", conflicts.settle_all, post=True),
        work("/resealing", resealing.again, post=True),
        page(console, "/join/{token}", join.form, public=True),
        page(console, "/join/{token}", join.join, post=True, public=True),
        among("/people", people.people),
        among("/people/invite", people_acts.invite_form, proved=True),
        among("/people/invite", people_acts.invite, post=True, proved=True),
        among("/people/withdraw", people_acts.withdraw, post=True, proved=True),
        among(officer, people.person, proved=True),
        among(f"{officer}/admit", people_acts.admit, post=True, proved=True),
        among(f"{officer}/confirm", people_acts.confirm, post=True, proved=True),
        among(f"{officer}/refuse", people_acts.refuse, post=True, proved=True),
        among(f"{officer}/remove", people_acts.remove, post=True, proved=True),
        among(f"{officer}/end", people_acts.end, post=True, proved=True),
        audits("/log", log.log),
        audits("/log/verify", log.verify, post=True),
        audits("/log/export", log.export, post=True, proved=True),
        audits("/reading", readings.reading),
        audits("/figures", figures.figures),
        page(console, "/health", health.health, roles=HEALTH),
        Mount("/static", OwnFiles(directory=_STATIC), name="console-static"),
        Route("/{path:path}", nowhere(console), methods=_ANY),
    ]
    headers = [Middleware(SecurityHeaders, tls=console.is_public)]
    # An app, not a function: a Route answers 405 by itself, outside its middleware.
    home = SecurityHeaders(SeeOther("/"), tls=console.is_public)
    return [
        Route(HOME, home),
        Mount(HOME, Router(pages, redirect_slashes=False), middleware=headers),
    ]


class OwnFiles(StaticFiles):
    """Style and drawings: kept by the browser, but asked for again each time."""

    @override
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
