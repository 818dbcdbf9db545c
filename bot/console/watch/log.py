"""The log of acts, for auditors: who did what when, and whether the log is whole.

It holds codes, officers and case numbers, never a text from people. An auditor keeps its
head elsewhere; with that a log that was cut or put back shows.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from sqlmodel import Session, col, select
from starlette.responses import Response

from bot.console.visit import Visit
from storage.audit import log as audit
from storage.audit.log import Filters
from storage.crypto.server_key import ServerKeys
from storage.inspection import rows
from storage.models import REAL, AuditLine, Case
from storage.people import officers
from storage.units import above

PAGE = 100
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "reading": ("case.read",),
    "cases": ("case.", "class"),
    "reveals": ("case.reveal", "reveal"),
    "sessions": (
        "signed_",
        "proved",
        "second_factor",
        "recovery_code",
        "passkey",
        "factor",
        "link",
        "unlink",
        "session",
    ),
    "people": ("officer", "unit", "invit", "appl", "member", "route", "list."),
    "keys": ("key", "house."),
    "letters": ("letters.", "aside."),
    "log": ("log.", "digest"),
}
_FIELDS = ("family", "officer", "number", "day")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is shown."""

    seq: int
    at: datetime
    code: str
    who: str
    number: str
    detail: str


def log(visit: Visit) -> Response:
    """Show a page of the log, newest first."""
    return _show(visit)


def verify(visit: Visit) -> Response:
    """Check log and histories now, and a head that was kept elsewhere."""
    typed = visit.form.get("head", "").strip()
    expected = audit.kept(typed)
    if typed and expected is None:
        return _show(visit, problem="head", typed=typed[:120], status=422)
    keys = visit.console.office.keys
    with visit.console.database.reading() as session:
        broken = audit.verify(session, keys, expected=expected)
        since = visit.console.office.day(visit.now) - visit.console.office.backups
        wrong = [] if broken else list(rows.problems(session, keys, since=since))
    return _show(visit, checked=True, broken=broken, wrong=wrong, typed=typed)


def export(visit: Visit) -> Response:
    """Give the log as a table, filtered as the page was; that it was taken is a line of it."""
    wanted = {name: visit.form.get(name, "") for name in _FIELDS}
    keys = visit.console.office.keys
    visit.write(_exported, keys, visit)
    with visit.console.database.reading() as session:
        filters, _ = _filters(visit, session, wanted)
        found = audit.lines(session, filters=filters, limit=1_000_000)
        shown = _lines(session, keys, found)
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(("number", "time", "code", "officer", "case", "detail"))
    for line in shown:
        cells = (line.at.isoformat(), line.code, line.who, line.number, line.detail)
        writer.writerow((line.seq, *map(_plain, cells)))
    name = f"audit-{visit.console.office.day(visit.now)}.csv"
    return Response(
        table.getvalue().encode("utf-8", "replace"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _show(
    visit: Visit,
    *,
    checked: bool = False,
    broken: int | None = None,
    wrong: list[str] | None = None,
    problem: str = "",
    typed: str = "",
    status: int = 200,
) -> Response:
    keys = visit.console.office.keys
    wanted = {name: visit.query.get(name, "") for name in _FIELDS}
    before = visit.query.get("before", "")
    with visit.console.database.reading() as session:
        filters, understood = _filters(visit, session, wanted)
        found = audit.lines(
            session,
            before=int(before) if before.isdecimal() and len(before) < 19 else None,  # noqa: PLR2004 - digits of a 64-bit number
            limit=PAGE + 1,
            filters=filters,
        )
        shown = _lines(session, keys, found[:PAGE])
        people = officers.names(session, keys)
        head = audit.head(session)
    following = ""
    if len(found) > PAGE:
        query = {name: value for name, value in wanted.items() if value}
        following = urlencode({**query, "before": shown[-1].seq})
    return visit.page(
        "watch/log.html",
        status=status,
        lines=shown,
        wanted=wanted,
        understood=understood,
        families=tuple(FAMILIES),
        people=sorted((name, key.hex()) for key, name in people.items()),
        head=audit.written(head),
        count=head[0],
        following=following,
        further=bool(before),
        checked=checked,
        broken=broken,
        wrong=wrong or [],
        problem=problem,
        typed=typed,
    )


def _filters(
    visit: Visit, session: Session, wanted: Mapping[str, str]
) -> tuple[Filters, bool]:
    """Read the form; what is no code is dropped. False where a filter fits nothing."""
    office = visit.console.office
    since = until = report = None
    hidden = above.id_of(session, office.keys)
    if wanted["number"]:
        number = wanted["number"].strip().upper()
        report = session.exec(
            select(Case.report).where(
                REAL, Case.number == number, Case.unit != (hidden or b"")
            )
        ).first()
    try:
        day = date.fromisoformat(wanted["day"]) if wanted["day"] else None
        officer = bytes.fromhex(wanted["officer"]) if wanted["officer"] else None
    except ValueError:
        day = officer = None
    if day is not None and date.min < day < date.max:
        since = datetime.combine(day, time(), office.zone).astimezone(UTC)
        until = since + timedelta(days=1)
    known = report is not None or not wanted["number"]
    return (
        Filters(
            codes=FAMILIES.get(wanted["family"], ()),
            officer=officer,
            report=report if known else bytes(16),
            since=since,
            until=until,
            above=hidden,
        ),
        known,
    )


def _lines(session: Session, keys: ServerKeys, found: list[AuditLine]) -> list[Line]:
    people = officers.names(session, keys)
    reports = list({line.report for line in found if line.report is not None})
    numbers: dict[bytes, str] = {}
    for start in range(0, len(reports), 500):
        query = select(Case.report, Case.number).where(
            REAL, col(Case.report).in_(reports[start : start + 500])
        )
        numbers.update(session.exec(query).all())
    return [
        Line(
            seq=line.seq or 0,
            at=line.at,
            code=line.code,
            who=people.get(line.officer, "?") if line.officer else "",
            number=numbers.get(line.report, "?") if line.report else "",
            detail=line.detail,
        )
        for line in found
    ]


def _exported(session: Session, keys: ServerKeys, visit: Visit) -> None:
    audit.record(session, keys, "log.exported", officer=visit.officer.id, now=visit.now)


def _plain(cell: str) -> str:
    """Let no spreadsheet take a cell for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
