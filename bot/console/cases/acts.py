"""Forms on a case page; each runs one verb through the writer.

Status, take, let go, question, note and the class of a file; and ``answer``, with which
an officer answers what a reporter asked about their own data.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from bot.console import access
from bot.console.cases import case
from bot.console.visit import SeeOther, Visit
from bot.retention import keeper
from handlers.cases import data_requests, officer
from handlers.errors import KentonganError, NotFound, NotYours
from handlers.evidence import annotate as verb_annotate
from storage.words import Reason, RequestState, Status

MOST_QUESTION = 1000
MOST_NOTE = 4000


def change_status(visit: Visit) -> Response:
    """Take a step; where four eyes are needed, propose it or confirm a proposal."""
    try:
        to = Status(visit.form.get("to", ""))
        reason = Reason(visit.form["reason"]) if visit.form.get("reason") else None
    except ValueError:
        return case.show(visit, problem="CHOOSE", field="to", status=422)
    arguments = {"to": to, "reason": reason}
    return _act(visit, officer.change_status, arguments, "moved", "proposed")


def take(visit: Visit) -> Response:
    """Make the case the officer's own."""
    return _act(visit, officer.take, {}, "taken", "")


def let_go(visit: Visit) -> Response:
    """Give the case back to the queue."""
    return _act(visit, officer.let_go, {}, "let_go")


def ask(visit: Visit) -> Response:
    """Ask the reporter a question."""
    return _write(visit, officer.ask, "question", MOST_QUESTION, "asked")


def note(visit: Visit) -> Response:
    """Keep a note for colleagues."""
    return _write(visit, officer.note, "note", MOST_NOTE, "noted")


def annotate(visit: Visit) -> Response:
    """Say what a file means for its case."""
    file = visit.request.path_params["file"]
    label = visit.form.get("label", "")
    if not label:
        return case.show(visit, problem="CHOOSE", field=f"label-{file}", status=422)
    told = {"file": file, "label": label}
    return _write(visit, verb_annotate, "about", MOST_NOTE, "noted", told, least=0)


def _write(
    visit: Visit,
    verb: Callable[..., Any],
    name: str,
    most: int,
    done: str,
    more: Mapping[str, str] | None = None,
    *,
    least: int = 1,
) -> Response:
    text = visit.form.get(name, "").replace("\r\n", "\n").strip()
    if len(text) < least or len(text) > most:
        problem = "TOO_LONG" if text else "EMPTY"
        return case.show(
            visit, problem=problem, typed=text[:most], field=name, status=422
        )
    told = {"text": text, **(more or {})}
    return _act(visit, verb, told, done, typed=text, field=name)


def _act(
    visit: Visit,
    verb: Callable[..., Any],
    arguments: Mapping[str, Any],
    done: str,
    otherwise: str | None = None,
    *,
    typed: str = "",
    field: str = "",
) -> Response:
    """Run the verb and show what became of it; ``otherwise`` is for a verb's False."""
    try:
        result = visit.act(access.on_case, visit, verb, arguments)
    except NotYours:
        raise
    except NotFound as error:
        if not error.detail:
            raise
        return case.show(visit, problem="NO_RECEIPT", status=409)
    except KentonganError as error:
        problem = type(error).__name__
        return case.show(visit, problem=problem, typed=typed, field=field, status=409)
    if result is False and otherwise is not None:
        done = otherwise
    if not done:
        return case.show(visit, problem="GONE", status=409)
    return SeeOther(f"/cases/{visit.request.path_params['number']}?done={done}")


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
    try:
        result = visit.act(access.on_case, visit, data_requests.answer, arguments)
    except NotYours:
        raise
    except NotFound as error:
        if not error.detail:
            raise
        return _again(visit, "NO_RECEIPT", text, 409)
    except KentonganError as error:
        problem = type(error).__name__
        problem = "EMPTY" if problem == "ReasonNeeded" else problem
        return _again(visit, problem, text, 409)
    if result is not None:  # a form that was sent twice is answered once
        keeper.remove(visit.console.blob_store, result.files)
    proposed = result is not None and not result.settled
    done = "erasure_proposed" if proposed else "answered"
    return SeeOther(f"/cases/{visit.request.path_params['number']}?done={done}")


def _again(visit: Visit, problem: str, text: str, status: int) -> Response:
    return case.show(visit, problem=problem, typed=text, field=NAME, status=status)
