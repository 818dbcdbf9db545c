"""A question to the reporter; whoever asks what a colleague just asked is asked first."""

from datetime import timedelta

from starlette.responses import Response

from bot.console import access
from bot.console.cases import case
from bot.console.cases.acts import attempt
from bot.console.evidence import contents
from bot.console.visit import SeeOther, Visit
from handlers.cases import officer
from handlers.errors import Changed
from storage.cases import case_version, history
from storage.cases.case_version import Part, Version
from storage.people import officers
from storage.words import ItemKind

MOST = 1000
TWINS = timedelta(minutes=1)
"""Within this time two officers are likely to ask the same by mistake."""
_TRIES = 3
_DEPENDS = frozenset({Part.STATUS, Part.UNIT, Part.ASKED})


def ask(visit: Visit) -> Response:
    """Ask the reporter a question."""
    text = visit.form.get("question", "").replace("\r\n", "\n").strip()
    if not text or len(text) > MOST:
        problem = "TOO_LONG" if text else "EMPTY"
        return case.show(
            visit, problem=problem, typed=text[:MOST], field="question", status=422
        )
    answer: Response = attempt(visit, lambda: _ask(visit, text), text, "question")
    return answer


def _ask(visit: Visit, text: str) -> Response:
    """Look for the same question, then ask; look again if somebody asked in between."""
    shown = case_version.read(visit.form.get("version", ""))
    if not shown:
        raise Changed(access.NO_VERSION)
    for tries in range(_TRIES):
        who, seen = _twin(visit, text)
        if who and not visit.form.get("again"):
            return case.show(visit, twin=who, typed=text, field="question", status=409)
        seen = {**shown, Part.ASKED: seen[Part.ASKED]}
        try:
            visit.act(
                access.on_case, visit, officer.ask, {"text": text}, _DEPENDS, seen
            )
        except Changed as error:
            if error.detail != Part.ASKED or tries == _TRIES - 1:
                raise
            continue
        break
    return SeeOther(f"/cases/{visit.request.path_params['number']}?done=asked")


def _twin(visit: Visit, text: str) -> tuple[str, Version]:
    """Return who asked the same a moment ago, "" for nobody, and the version looked at."""
    keys = visit.console.office.keys
    with visit.console.database.reading() as session:
        number = visit.request.path_params["number"]
        found, _ = access.find(visit, session, number)
        seen = case_version.of(found, history.of_case(session, found.report))
        opened = contents.read(visit, session, found)
        people = officers.names(session, keys)
    for one in reversed(opened.letters):
        at = contents.moment(one)
        if at is None or visit.now - at > TWINS or one.kind is not ItemKind.QUESTION:
            continue
        if one.officer != visit.officer.id.hex() and _same(one.text, text):
            return people.get(bytes.fromhex(one.officer), visit.say("case.we")), seen
    return "", seen


def _same(one: str, other: str) -> bool:
    return one.casefold().split() == other.casefold().split()
