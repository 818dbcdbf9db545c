"""``kentongan case``: the queue as an operator may see it, without any content."""

from typing import Annotated, Any

import typer
from sqlmodel import Session

from bot.terminal import desk, printing
from bot.terminal.desk import AsJson, ConfigFile, Desk, Refused
from handlers.rules import numbering
from storage.cases import cases, history, tags
from storage.cases.cases import Filters, Place
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.models import Case
from storage.people import officers
from storage.units import above, units
from storage.words import Status, Urgency

app = typer.Typer(
    name="case", no_args_is_help=True, help="The queue, without contents."
)


@app.callback()
def case_commands() -> None:
    """Look at the queue; what reports say is read in the console only."""


@app.command("list")
def show_list(
    config_file: ConfigFile = None,
    status: Annotated[
        Status | None, typer.Option(case_sensitive=False, help="This status only.")
    ] = None,
    *,
    closed: Annotated[
        bool, typer.Option("--closed", help="Cases that are over instead of open ones.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List cases in the queue's order: urgency, then deadline, then age."""
    is_open = cases.is_open(status) if status is not None else not closed
    filters = Filters(is_open=is_open, status=status.value if status else None)
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        names = _Names(session, seat.keys)
        rows = [_row(seat, case, names) for case in _queue(session, names, filters)]
    printing.listing(rows, as_json=as_json)


@app.command("show")
def show_one(
    number: Annotated[str, typer.Argument(help="The case number, as in 7K3M-9QXB.")],
    config_file: ConfigFile = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show where a case stands and what happened to it; never what it says."""
    found = numbering.parse_case_number(number)
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        names = _Names(session, seat.keys)
        case = cases.by_number(session, seat.keys, found) if found else None
        if case is None or case.unit not in names.units:
            raise Refused(f"there is no case {printing.safe(number)}; see `case list`")
        shown = _row(seat, case, names) | {
            "register": numbering.register_number(
                case.register_year, case.register_number
            )
            if case.register_year and case.register_number
            else None,
            "due_rule": case.due_rule,
            "track": case.track,
            "province": case.province,
            "position": case.position,
            "reason": case.reason,
            "history": [
                f"{event.day} {event.actor_class} {event.code} {event.detail}".strip()
                for event in history.of_case(session, case.report)
            ],
        }
    printing.facts(shown, as_json=as_json)


class _Names:
    """Names of units and logins of officers, looked up once; not the unit above us."""

    def __init__(self, session: Session, keys: ServerKeys) -> None:
        hidden = above.id_of(session, keys)
        self.units = {
            unit.id: unit.name
            for unit in units.everything(session)
            if unit.id != hidden
        }
        self.logins = {one.id: one.login for one in officers.everyone(session)}


def _queue(session: Session, names: _Names, filters: Filters) -> list[Case]:
    found: list[Case] = []
    after: Place | None = None
    while page := cases.queue_page(
        session, list(names.units), filters=filters, after=after
    ):
        found += page
        last = page[-1]
        after = Place(last.urgency, last.due, last.day, last.report)
    return found


def _row(seat: Desk, case: Case, names: _Names) -> dict[str, Any]:
    try:
        tags.check_case(seat.keys, case)
        authentic = True
    except NotAuthentic:
        authentic = False
    return {
        "number": case.number,
        "status": case.status,
        "urgency": Urgency(case.urgency).name,
        "category": case.category,
        "received": case.day.isoformat(),
        "due": case.due.isoformat(),
        "unit": names.units.get(case.unit),
        "officer": names.logins.get(case.officer) if case.officer else None,
        "authentic": authentic,
    }
