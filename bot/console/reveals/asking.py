"""Asking for an identity or an original: the form, and the case's seal opened here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session
from starlette.responses import Response

from bot.console import access, changes
from bot.console.evidence import contents
from bot.console.reveals import opening
from bot.console.visit import SeeOther, Visit
from handlers.errors import (
    Changed,
    ConsentNeeded,
    KentonganError,
    NotFound,
    ReasonNeeded,
)
from handlers.reveals import verbs
from handlers.rules.reveals import Ground
from storage.cases import items as report_items
from storage.cases.case_version import Part
from storage.cases.reveals import Request, Wish
from storage.crypto import fingerprints
from storage.models import Case
from storage.words import RevealOf, RevealState

MOST = 2000
_DEPENDS = frozenset({Part.STATUS, Part.UNIT, Part.CODES, Part.REVEALS})


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands in the form while it is filled in."""

    reason: str = ""
    justification: str = field(default="", repr=False)
    consent: str = field(default="", repr=False)


def form(visit: Visit) -> Response:
    """Show the form: for the identity, or with ``?file=`` for an original."""
    return _form(visit, visit.query.get("file", ""))


def ask(visit: Visit) -> Response:
    """Open the case's seal in this session and hand the rest to the custodians."""
    file = visit.form.get("file", "")
    typed = Asked(
        visit.form.get("reason", ""),
        _text(visit, "justification"),
        _text(visit, "consent"),
    )
    for name, text in (
        ("justification", typed.justification),
        ("consent", typed.consent),
    ):
        if len(text) > MOST:
            return _form(visit, file, typed, problem="TOO_LONG", field=name)
    if not typed.justification:
        return _form(visit, file, typed, problem="EMPTY", field="justification")
    wish = _wish(file, typed.reason)
    with visit.console.database.reading() as session:
        found, _ = access.find(visit, session, visit.request.path_params["number"])
        secret = contents.report_secret(visit, session, found)
        language = _language(visit, session, found, secret)
    words = Request(typed.justification, typed.consent, language, ())
    arguments = {"wish": wish, "words": words, "case_secret": secret}
    try:
        made = visit.act(access.on_case, visit, verbs.ask, arguments, _DEPENDS)
    except (ReasonNeeded, ConsentNeeded) as error:
        wrong = "reason" if isinstance(error, ReasonNeeded) else "consent"
        problem = f"REVEAL_{wrong.upper()}"
        return _form(visit, file, typed, problem=problem, field=wrong)
    except KentonganError as error:
        if isinstance(error, NotFound):
            raise
        changed = error.detail.split() if isinstance(error, Changed) else ()
        problem = type(error).__name__
        return _form(visit, file, typed, problem=problem, changed=changed, status=409)
    home = opening.home(visit)
    return SeeOther(f"{home}/reveals/{made.hex()}" if made else home)


def _form(
    visit: Visit,
    file: str,
    typed: Asked | None = None,
    *,
    problem: str = "",
    field: str = "",
    changed: Sequence[str] = (),
    status: int = 422,
) -> Response:
    access.record_reading(visit)
    with visit.console.database.reading() as session:
        case, unit = access.find(visit, session, visit.request.path_params["number"])
        about: Mapping[str, str] | None = None
        if file:
            row = opening.file_of(visit, session, case, file)
            about = opening.about(visit, session, case, row)
        elif not report_items.has_identity(session, case.report):
            raise NotFound
        for_form = changes.for_form(visit, session, case, changed)
    what = RevealOf.ORIGINAL if file else RevealOf.IDENTITY
    reasons = visit.console.office.rulebook.reveal.reasons_for(what)
    return visit.page(
        "reveals/reveal_ask.html",
        status=status if problem else 200,
        case=case,
        unit=unit,
        what=what,
        file=file,
        about=about,
        reasons=[_option(ground, visit.language) for ground in reasons],
        days=_days(visit),
        typed=typed or Asked(),
        problem=problem,
        field=field,
        most=MOST,
        fingerprint=fingerprints.words(visit.officer.public_key),
        **for_form,
    )


def _option(ground: Ground, language: str) -> tuple[str, str, bool]:
    return ground.code, ground.name(language), ground.consent


def _days(visit: Visit) -> int:
    life = visit.console.office.rulebook.reveal.life[RevealState.GRANTED]
    return max(1, life.days)


def _wish(file: str, reason: str) -> Wish:
    if not file:
        return Wish(RevealOf.IDENTITY, reason)
    return Wish(RevealOf.ORIGINAL, reason, opening.raw_id(file))


def _language(visit: Visit, session: Session, case: Case, secret: bytes) -> str:
    """Return the language the reporter wrote in, "" where no answer says it."""
    keys = visit.console.office.keys
    items = report_items.read(session, keys, case.report, secret)
    said = [item.content.language for item in items if item.content is not None]
    return next((language for language in said if language), "")


def _text(visit: Visit, name: str) -> str:
    return visit.form.get(name, "").replace("\r\n", "\n").strip()
