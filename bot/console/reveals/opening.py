"""Identities and originals, for the officer who asked: what became of it, open, end."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session
from starlette.responses import Response, StreamingResponse

from bot.console import access
from bot.console.evidence import contents, gallery
from bot.console.visit import SeeOther, Visit
from handlers.errors import Changed, NotFound
from handlers.reveals import verbs
from handlers.work import Work
from storage.cases import case_version, cases, reveals
from storage.cases.case_version import Part
from storage.crypto import fingerprints
from storage.evidence import custody, files
from storage.models import Case, File, Officer, Reveal, Unit
from storage.people import officers
from storage.words import EventCode, RevealOf, RevealState

OWN_POLICY = "default-src 'none'; sandbox"
EVENTS = frozenset(code for code in EventCode if code.startswith("reveal_"))
_ID = re.compile(r"[0-9a-f]{32}")
_NAMED = 3
CHANGED = "RevealChanged"


@dataclass(frozen=True, slots=True)
class Line:
    """One reveal as a list shows it."""

    id: str
    what: RevealOf
    file: str
    state: RevealState
    reason: str
    who: str
    is_mine: bool
    asked: datetime
    ends: datetime
    version: str


def state(visit: Visit) -> Response:
    """Show what became of a request, to whoever asked."""
    return _show(visit)


def _show(visit: Visit, problem: str = "", status: int = 200) -> Response:
    access.record_reading(visit)
    with visit.console.database.reading() as session:
        case, unit, row = _mine(visit, session)
        people = officers.names(session, visit.console.office.keys)
        facts = _details(visit, session, case, row)
    return visit.page(
        "reveals/reveal.html",
        status=status,
        problem=problem,
        case=case,
        unit=unit,
        reveal=line(visit, row, case, people),
        custodian=people.get(row.custodian or b"", ""),
        file=facts,
        fingerprint=fingerprints.words(visit.officer.public_key),
    )


def open_it(visit: Visit) -> Response:
    """Open what was granted: an identity as a page, an original as a file to keep."""
    with visit.console.database.reading() as session:
        case, unit, row = _mine(visit, session)
    shown = visit.form.get("version", "")
    arguments = {"reveal_id": row.id, "secret": visit.secret, "shown": shown}
    try:
        opened = visit.act(access.on_case, visit, _open, arguments)
    except Changed:
        return _show(visit, CHANGED, 409)
    if opened.reveal.what == RevealOf.ORIGINAL:
        return _send(visit, case, opened.reveal, opened.key)
    return visit.page(
        "reveals/reveal_open.html",
        case=case,
        unit=unit,
        reveal=line(visit, opened.reveal, case, {}),
        identity=opened.identity,
        moment=contents.moment,
    )


def end(visit: Visit) -> Response:
    """Delete a request or an answer; what was read stays read."""
    with visit.console.database.reading() as session:
        _, _, row = _mine(visit, session)
    arguments = {"reveal_id": row.id, "shown": visit.form.get("version", "")}
    try:
        visit.act(access.on_case, visit, _end, arguments)
    except Changed:
        return _show(visit, CHANGED, 409)
    return SeeOther(f"{home(visit)}?done=reveal_ended")


def lines(
    visit: Visit, session: Session, case: Case, people: Mapping[bytes, str]
) -> list[Line]:
    """Return a case's reveals that are not over, for its page."""
    rows = reveals.of_report(session, visit.console.office.keys, case.report)
    return [line(visit, row, case, people) for row in rows if row.ends > visit.now]


def line(visit: Visit, row: Reveal, case: Case, people: Mapping[bytes, str]) -> Line:
    """Lay a verified row out for a list."""
    return Line(
        id=row.id.hex(),
        what=RevealOf(row.what),
        file=row.file.hex() if row.file else "",
        state=RevealState(row.state),
        reason=name(visit, row.reason),
        who=people.get(row.officer, ""),
        is_mine=row.officer == visit.officer.id,
        asked=row.asked,
        ends=row.ends,
        version=case_version.of_reveal(row, case),
    )


def name(visit: Visit, code: str) -> str:
    """Name a reason, a refusal, or why the reporter is not told."""
    rules = visit.console.office.rulebook.reveal
    ground = rules.reasons.get(code) or rules.refusals.get(code)
    if ground is not None:
        return ground.name(visit.language)
    silence = rules.untold.get(code)
    if silence is not None:
        return visit.say("reveal.untold", reason=silence.name(visit.language))
    return visit.words().own(f"reveal.code.{code}")


def detail(visit: Visit, text: str) -> str:
    """Say in words what an event of a reveal tells: what, and why or how."""
    what, *rest = text.split(":")
    said = visit.words().own(f"reveal.what.{what}")
    return f"{said}, {name(visit, rest[0])}" if len(rest) == _NAMED - 1 else said


def raw_id(text: str) -> bytes:
    """Return an id of 16 bytes from an address or a form. Raises NotFound."""
    if not _ID.fullmatch(text):
        raise NotFound
    return bytes.fromhex(text)


def _mine(visit: Visit, session: Session) -> tuple[Case, Unit, Reveal]:
    """Return case, unit and reveal if this officer asked for it and it is not over."""
    case, unit = access.find(visit, session, visit.request.path_params["number"])
    wanted = raw_id(visit.request.path_params["reveal"])
    row = reveals.get(session, visit.console.office.keys, wanted)
    if row is None or (row.report, row.officer) != (case.report, visit.officer.id):
        raise NotFound
    if row.ends <= visit.now:
        raise NotFound
    return case, unit, row


def refuse_stale(work: Work, reveal_id: bytes, shown: str) -> None:
    """Raise Changed for a reveal that is not as a form shows it; one that is gone passes."""
    row = reveals.get(work.store, work.keys, reveal_id)
    case = cases.get(work.store, work.keys, row.report) if row else None
    if row and case and case_version.of_reveal(row, case) != shown:
        raise Changed(Part.REVEALS)


def _open(
    work: Work,
    report: bytes,
    *,
    reveal_id: bytes,
    shown: str,
    secret: bytes,
    by: Officer,
) -> verbs.Opened:
    refuse_stale(work, reveal_id, shown)
    return verbs.open_answer(work, report, reveal_id, secret=secret, by=by)


def _end(
    work: Work, report: bytes, *, reveal_id: bytes, shown: str, by: Officer
) -> bool:
    """End one of this report's reveals, for ``access.on_case``."""
    row = reveals.get(work.store, work.keys, reveal_id)
    if row is not None and row.report == report:
        refuse_stale(work, reveal_id, shown)
        verbs.end(work, reveal_id, by=by)
    return True


def _details(
    visit: Visit, session: Session, case: Case, row: Reveal
) -> Mapping[str, str] | None:
    if row.file is None:
        return None
    return about(visit, session, case, file_of(visit, session, case, row.file.hex()))


def file_of(visit: Visit, session: Session, case: Case, wanted: str) -> File:
    """Return a file of this case that has an original. Raises NotFound."""
    for row in files.of_report(session, visit.console.office.keys, case.report):
        if row.id.hex() == wanted and row.original_key is not None:
            return row
    raise NotFound


def about(visit: Visit, session: Session, case: Case, row: File) -> Mapping[str, str]:
    """Return what the case's key tells of a file: name, type, size, SHA-256, custody."""
    secret = contents.report_secret(visit, session, case)
    told = files.details(row, secret)
    since = custody.committed(session, row.id, told)
    if since is not None:
        held = visit.say("custody.since", day=visit.words().short_day(since))
    elif told.get("salt"):
        held = visit.say("custody.none")
    else:
        held = visit.say("custody.old")
    return {"name": "", "type": "", "size": "", "sha256": "", **told, "custody": held}


def _send(visit: Visit, case: Case, row: Reveal, key: bytes) -> Response:
    """Stream an original as it was sent, under a name and a type that say nothing."""
    wanted = row.file or b""
    return StreamingResponse(
        gallery.begun(visit.console.blob_store.chunks(wanted, "original", key)),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": (
                f'attachment; filename="{case.number}-{wanted.hex()[:6]}-original"'
            ),
            "Content-Security-Policy": OWN_POLICY,
        },
    )


def home(visit: Visit) -> str:
    """Return the address of the case's page."""
    return f"/cases/{visit.request.path_params['number']}"
