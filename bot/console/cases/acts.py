"""Forms on a case page; each runs one verb through the writer.

Take, let go, hand on, take over, note and the class of a file; and ``answer``, with which
an officer answers what a reporter asked about their own data. Steps and questions have
modules of their own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from bot.console import access
from bot.console.cases import case
from bot.console.evidence import contents
from bot.console.visit import SeeOther, Visit
from bot.retention import keeper
from handlers.cases import data_requests, officer
from handlers.errors import (
    Changed,
    KentonganError,
    NotFound,
    NotYours,
    ReasonNeeded,
)
from handlers.evidence import annotate as verb_annotate
from storage.cases import case_version, history
from storage.cases.case_version import Part, Version
from storage.words import RequestState

MOST_NOTE = 4000
MOST_WHY = 1000
_OWN = frozenset({Part.OWNER, Part.UNIT, Part.STATUS})
_RIGHTS = frozenset({Part.REQUESTS, Part.HOLD, Part.UNIT})
_JUDGED = frozenset({Part.NOTED, Part.UNIT})
JUDGED = "file"
"""What is said to have changed where a colleague judged the file meanwhile."""


def take(visit: Visit) -> Response:
    """Make the case the officer's own."""
    return _act(visit, officer.take, {}, "taken", "", depends=_OWN)


def let_go(visit: Visit) -> Response:
    """Give the case back to the queue."""
    return _act(visit, officer.let_go, {}, "let_go", depends=_OWN)


def hand_on(visit: Visit) -> Response:
    """Give the case to a colleague."""
    try:
        to = bytes.fromhex(visit.form.get("colleague", ""))
    except ValueError:
        to = b""
    if not to:
        return case.show(visit, problem="CHOOSE", field="colleague", status=422)
    text, told = _why(visit, "colleague"), {"to": to}
    if isinstance(text, Response):
        return text
    arguments = {**told, "text": text}
    return _act(
        visit,
        officer.hand_on,
        arguments,
        "handed_on",
        typed=text,
        field="colleague",
        depends=_OWN,
    )


def take_over(visit: Visit) -> Response:
    """Take the case over from somebody absent."""
    text = _why(visit, "over")
    if isinstance(text, Response):
        return text
    return _act(
        visit,
        officer.take_over,
        {"text": text},
        "taken_over",
        typed=text,
        field="over",
        depends=_OWN,
    )


def _why(visit: Visit, name: str) -> str | Response:
    text = visit.form.get("reason", "").replace("\r\n", "\n").strip()
    if len(text) <= MOST_WHY:
        return text
    return case.show(
        visit, problem="TOO_LONG", typed=text[:MOST_WHY], field=name, status=422
    )


def note(visit: Visit) -> Response:
    """Keep a note for colleagues; it never conflicts with anything."""
    return write(visit, officer.note, "note", MOST_NOTE, "noted")


def annotate(visit: Visit) -> Response:
    """Say what a file means for its case, unless a colleague just did."""
    file = visit.request.path_params["file"]
    label, name = visit.form.get("label", ""), f"label-{file}"
    text = visit.form.get("about", "").replace("\r\n", "\n").strip()
    if not label or len(text) > MOST_NOTE:
        problem, typed = "TOO_LONG" if label else "CHOOSE", text[:MOST_NOTE]
        return case.show(visit, problem=problem, typed=typed, field=name, status=422)
    seen = _judged(visit, file)
    if seen is None:
        return refused(visit, Changed(JUDGED), text, name)
    return _act(
        visit,
        verb_annotate,
        {"file": file, "label": label, "text": text},
        "noted",
        typed=text,
        field=name,
        depends=_JUDGED,
        seen=seen,
    )


def _judged(visit: Visit, file: str) -> Version | None:
    """Return the case as it is while the file is judged as the form shows it, else None.

    Raises NotFound for a file of another case.
    """
    number = visit.request.path_params["number"]
    with visit.console.database.reading() as session:
        found, _ = access.find(visit, session, number)
        seen = case_version.of(found, history.of_case(session, found.report))
        evidence = contents.read(visit, session, found).evidence
    now = next((len(one.notes) for one in evidence if one.id == file), None)
    if now is None:
        raise NotFound
    return seen if visit.form.get("judged") == f"{now}" else None


def write(
    visit: Visit,
    verb: Callable[..., Any],
    name: str,
    most: int,
    done: str,
    depends: frozenset[Part] = frozenset(),
) -> Response:
    """Run a verb with what was typed in one field, at most so long."""
    text = visit.form.get(name, "").replace("\r\n", "\n").strip()
    if not text or len(text) > most:
        problem = "TOO_LONG" if text else "EMPTY"
        return case.show(
            visit, problem=problem, typed=text[:most], field=name, status=422
        )
    told = {"text": text}
    return _act(visit, verb, told, done, typed=text, field=name, depends=depends)


def _act(
    visit: Visit,
    verb: Callable[..., Any],
    arguments: Mapping[str, Any],
    done: str,
    otherwise: str | None = None,
    *,
    typed: str = "",
    field: str = "",
    depends: frozenset[Part] = frozenset(),
    seen: Version | None = None,
) -> Response:
    """Run the verb and show what became of it; ``otherwise`` is for a verb's False."""

    def run() -> Any:  # noqa: ANN401 - whatever the verb returns
        return visit.act(access.on_case, visit, verb, arguments, depends, seen)

    result = attempt(visit, run, typed, field)
    if isinstance(result, Response):
        return result
    if result is False and otherwise is not None:
        done = otherwise
    if not done:
        return case.show(visit, problem="GONE", status=409)
    return SeeOther(f"/cases/{visit.request.path_params['number']}?done={done}")


def attempt(visit: Visit, run: Callable[[], Any], typed: str, field: str) -> Any:  # noqa: ANN401 - whatever it returns
    """Return what ``run`` returns, or the case's page with why it was refused.

    Raises NotYours, and NotFound for a case that is not there for this officer.
    """
    try:
        return run()
    except NotYours:
        raise
    except NotFound as error:
        if not error.detail:
            raise
        return case.show(
            visit, problem="NO_RECEIPT", typed=typed, field=field, status=409
        )
    except KentonganError as error:
        return refused(visit, error, typed, field)


def refused(visit: Visit, error: KentonganError, typed: str, field: str) -> Response:
    """Show the case with what went wrong, or what changed, and what was typed."""
    changed = error.detail.split() if isinstance(error, Changed) else ()
    empty = isinstance(error, ReasonNeeded)
    return case.show(
        visit,
        problem="EMPTY" if empty else type(error).__name__,
        changed=changed,
        typed=typed,
        field=field,
        status=409,
    )


MOST = 1000
NAME = "request"


def answer(visit: Visit) -> Response:
    """Answer one request: done, or limited with the reason in words."""
    text = visit.form.get("text", "").replace("\r\n", "\n").strip()
    try:
        request = bytes.fromhex(visit.request.path_params["request"])
        state = RequestState(visit.form.get("state", ""))
    except ValueError:
        return _again(visit, "CHOOSE_ANSWER", text, 422)
    if len(text) > MOST:
        return _again(visit, "TOO_LONG", text[:MOST], 422)
    arguments = {"request": request, "state": state, "text": text}

    def run() -> Any:  # noqa: ANN401 - whatever the verb returns
        verb = data_requests.answer
        return visit.act(access.on_case, visit, verb, arguments, _RIGHTS)

    result = attempt(visit, run, text, NAME)
    if isinstance(result, Response):
        return result
    if result is not None:  # a form that was sent twice is answered once
        keeper.remove(visit.console.blob_store, result.files)
    proposed = result is not None and not result.settled
    done = "erasure_proposed" if proposed else "answered"
    return SeeOther(f"/cases/{visit.request.path_params['number']}?done={done}")


def _again(visit: Visit, problem: str, text: str, status: int) -> Response:
    return case.show(visit, problem=problem, typed=text, field=NAME, status=status)
