"""The custodians' pages: what waits, one request, and the decision about it.

No page here shows an identity or an original: a custodian opens the vault's seal for the
officer who asked and for nobody else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.responses import Response

from bot.console.reveals import opening
from bot.console.visit import SeeOther, Visit
from handlers import authority
from handlers.cases import conflicts as declarations
from handlers.errors import Changed, NotFound, NotYours, ReasonNeeded
from handlers.reveals import verbs
from handlers.work import Work
from storage.cases import case_version, cases, conflicts, reveals
from storage.crypto import fingerprints
from storage.models import Reveal
from storage.people import officers
from storage.units import memberships, units
from storage.words import RevealState

TELL = "TELL"
DONE = frozenset({"granted", "told", "refused", "ended", "conflict"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A reveal with the case it is about."""

    line: opening.Line
    number: str
    unit: str


def waiting(visit: Visit) -> Response:
    """Show the requests that wait, and what may be read at this moment."""
    return _list(visit)


def _list(visit: Visit, problem: str = "", status: int = 200) -> Response:
    with visit.console.database.reading() as session:
        keys = visit.console.office.keys
        authority.require_custodian(visit.work(session), visit.officer)
        people = officers.names(session, keys)
        names = {unit.id: unit.name for unit in units.everything(session)}
        found = []
        for row in reveals.everything(session, keys):
            if conflicts.is_barred(session, row.report, visit.officer.id):
                continue
            case = cases.get(session, keys, row.report)
            if case is not None and row.ends > visit.now:
                line = opening.line(visit, row, case, people)
                found.append(Entry(line, case.number, names.get(case.unit, "")))
    done = visit.query.get("done", "")
    return visit.page(
        "reveals/vault.html",
        status=status,
        problem=problem,
        asked=[one for one in found if one.line.state is RevealState.ASKED],
        granted=[one for one in found if one.line.state is RevealState.GRANTED],
        done=done if done in DONE else "",
    )


def request(visit: Visit) -> Response:
    """Show one request with its justification, opened in this session."""
    return _show(visit)


def grant(visit: Visit) -> Response:
    """Seal what is asked for to the officer who asked; the reporter is told, or why not."""
    told = visit.form.get("tell", "")
    if told != TELL and told not in visit.console.office.rulebook.reveal.untold:
        return _show(visit, problem="REVEAL_TELL", field="tell", status=422)
    arguments = {"untold": "" if told == TELL else told, "secret": visit.secret}
    return _decide(visit, verbs.grant, arguments, ("told", "granted"))


def refuse(visit: Visit) -> Response:
    """Say no, with a reason."""
    reason = visit.form.get("reason", "")
    try:
        return _decide(visit, verbs.refuse, {"reason": reason}, ("refused", "refused"))
    except ReasonNeeded:
        return _show(visit, problem="REVEAL_REFUSAL", field="reason", status=422)


def end(visit: Visit) -> Response:
    """Take back what was granted."""
    return _decide(visit, verbs.end, {}, ("ended", "ended"))


def conflict_form(visit: Visit) -> Response:
    """Say what a declaration does, and ask once more."""
    return _conflict(visit)


def declare(visit: Visit) -> Response:
    """Bar the custodian from the case; its requests do not exist for them any more."""
    if visit.form.get("sure") != "yes":
        return _conflict(visit, unsure=True, status=422)
    verb = declarations.declare_in_vault
    return _decide(visit, verb, {}, ("conflict", "conflict"))


def _conflict(visit: Visit, *, unsure: bool = False, status: int = 200) -> Response:
    office = visit.console.office
    with visit.console.database.reading() as session:
        row = _row(visit, session)
        case = cases.get(session, office.keys, row.report)
        if case is None:
            raise NotFound
        vault = units.vault(session, office.keys)
        barred = conflicts.who_declared(session, row.report) | {visit.officer.id}
        others = [
            one
            for one in memberships.members(session, office.keys, vault)
            if one.id not in barred
        ]
    return visit.page(
        "reveals/vault_conflict.html",
        status=status,
        case_number=case.number,
        reveal=row.id.hex(),
        version=case_version.of_reveal(row, case),
        others=len(others),
        unsure=unsure,
    )


def _show(
    visit: Visit, *, problem: str = "", field: str = "", status: int = 200
) -> Response:
    office = visit.console.office
    with visit.console.database.reading() as session:
        row = _row(visit, session)
        case = cases.get(session, office.keys, row.report)
        if case is None:
            raise NotFound
        words = verbs.read(
            visit.work(session), row, secret=visit.secret, by=visit.officer
        )
        asker = officers.by_id(session, office.keys, row.officer)
        unit = units.verified(session, office.keys, case.unit)
        still = authority.sits_in(visit.work(session), asker, unit)
    rules = office.rulebook.reveal
    return visit.page(
        "reveals/vault_request.html",
        status=status,
        case_number=case.number,
        has_receipt=case.reporter_key is not None,
        reveal=opening.line(visit, row, case, {row.officer: asker.name}),
        unit=unit,
        still=still,
        fingerprint=fingerprints.words(asker.public_key),
        request=words,
        untold=[(one.code, one.name(visit.language)) for one in rules.untold.values()],
        refusals=[
            (one.code, one.name(visit.language)) for one in rules.refusals.values()
        ],
        typed=visit.form,
        problem=problem,
        field=field,
    )


def _row(visit: Visit, session: Session) -> Reveal:
    """Return a request that waits. Raises NotFound, TwoPeopleNeeded."""
    office = visit.console.office
    wanted = opening.raw_id(visit.request.path_params["reveal"])
    row = reveals.get(session, office.keys, wanted)
    if row is None or row.state != RevealState.ASKED or row.ends <= visit.now:
        raise NotFound
    try:
        authority.require_custodian(visit.work(session), visit.officer, row)
    except NotYours:
        raise NotFound from None
    return row


def _decide(
    visit: Visit,
    verb: Callable[..., Any],
    arguments: dict[str, Any],
    done: tuple[str, str],
) -> Response:
    """Run a verb and go back to the list; ``done`` is for its True and its other values.

    What changed since the page was shown is shown as it is: the request, or the list where
    it waits no more.
    """
    wanted = opening.raw_id(visit.request.path_params["reveal"])
    try:
        result = visit.act(_on_reveal, visit, verb, wanted, arguments)
    except Changed:
        try:
            return _show(visit, problem=opening.CHANGED, status=409)
        except NotFound:
            return _list(visit, opening.CHANGED, 409)
    return SeeOther(f"/vault?done={done[0] if result else done[1]}")


def _on_reveal(
    work: Work,
    visit: Visit,
    verb: Callable[..., Any],
    wanted: bytes,
    arguments: dict[str, Any],
) -> Any:  # noqa: ANN401 - whatever the verb returns
    """Run a verb with the account as it is now; None for a form that was sent before."""
    by = authority.present(work, visit.officer.id)
    if visit.is_repeat(work):
        return None
    opening.refuse_stale(work, wanted, visit.form.get("version", ""))
    return verb(work, wanted, by=by, **arguments)
