"""An officer's answer to what a reporter asked about their own data."""

from starlette.responses import Response

from bot.console import access
from bot.console.cases import case as case_page
from bot.console.visit import SeeOther, Visit
from bot.retention import keeper
from handlers.cases import data_requests as answering
from handlers.errors import KentonganError, NotFound, NotYours
from storage.words import RequestState

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
        result = visit.write(access.on_case, visit, answering.answer, arguments)
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
        keeper.remove(visit.console.shelf, result.files)
    proposed = result is not None and not result.settled
    done = "erasure_proposed" if proposed else "answered"
    return SeeOther(f"/cases/{visit.request.path_params['number']}?done={done}")


def _again(visit: Visit, problem: str, text: str, status: int) -> Response:
    return case_page.show(visit, problem=problem, typed=text, field=NAME, status=status)
