"""``kentongan unit route``: who gets which reports. A change takes two people, and is told.

Who controls routing controls future reports: a supervisor and a second officer give their
passphrases, and every supervisor hears of it on their linked Telegram.
"""

from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.commands.people import officers
from bot.terminal import desk, passphrases, printing
from bot.terminal.desk import AsJson, ConfigFile, Desk, Refused
from bot.terminal.passphrases import Passphrases
from handlers.notices import officers as notices
from handlers.rules import routing
from handlers.rules.rulebook import Rulebook
from handlers.work import Work
from storage.models import Officer, Route, Unit
from storage.people import officers as accounts
from storage.units import above, routes, units
from storage.words import Group, PositionClass, Role, UnitKind

app = typer.Typer(name="route", no_args_is_help=True, help="Who gets which reports.")

Name = Annotated[str, typer.Argument(help="The unit that gets the reports.")]
Category = Annotated[
    Group | None, typer.Option(case_sensitive=False, help="Of this group only.")
]
Province = Annotated[
    str, typer.Option(help="About this province only, by its two digits.")
]
Position = Annotated[
    PositionClass | None,
    typer.Option(case_sensitive=False, help="On people of this class only."),
]
By = Annotated[str, typer.Option(help="Login of a supervisor, present.")]
Second = Annotated[str, typer.Option(help="Login of another officer, present.")]


@app.callback()
def route_commands() -> None:
    """Say which reports go to which unit."""


@app.command("add")
def add(
    unit: Name,
    config_file: ConfigFile = None,
    category: Category = None,
    province: Province = "",
    position: Position = None,
    priority: Annotated[
        int, typer.Option(help="Of equally narrow routes the smaller one wins.")
    ] = 0,
    by: By = "",
    second: Second = "",
) -> None:
    """Send matching reports to a unit. It takes a supervisor and a second officer."""
    with desk.sit_down(config_file) as seat:
        _refuse_strange_province(seat, province)
        into = _ready_unit(seat, unit)
        people = _two(seat, by, second)
        with seat.database.writing() as session:
            row = routes.add_route(
                session,
                seat.keys,
                into,
                category=category.value if category else "",
                province=province,
                position=position.value if position else "",
                priority=priority,
            )
            told = _tell(session, seat, notices.ROUTE_ADDED, into, row, people)
    typer.echo(f"route to {into.name}: added; {told} supervisors are told")


@app.command("remove")
def remove(
    unit: Name,
    config_file: ConfigFile = None,
    category: Category = None,
    province: Province = "",
    position: Position = None,
    by: By = "",
    second: Second = "",
) -> None:
    """Take away the route with just these conditions. It takes two people as well.

    What else a report could take must stay: the last route without conditions is kept.
    """
    wanted = (
        category.value if category else "",
        province,
        position.value if position else "",
    )
    with desk.sit_down(config_file) as seat:
        with seat.database.reading() as session:
            into = units.named(session, seat.keys, unit)
            _matching(session, seat, into, wanted)
        people = _two(seat, by, second)
        with seat.database.writing() as session:
            row = _matching(session, seat, into, wanted)
            routes.remove_route(session, seat.keys, row)
            told = _tell(session, seat, notices.ROUTE_REMOVED, into, row, people)
    typer.echo(f"route to {into.name}: removed; {told} supervisors are told")


def name_above(
    unit: Annotated[str, typer.Argument(help="The unit that is to be above us.")],
    config_file: ConfigFile = None,
    by: By = "",
    second: Second = "",
) -> None:
    """Send reports on the head of the region and on our own people to a unit above us.

    It needs two members or more, from outside the house if possible. It takes a supervisor
    and a second officer, and every supervisor hears of it.
    """
    with desk.sit_down(config_file) as seat:
        into = _ready_unit(seat, unit)
        people = _two(seat, by, second)
        with seat.database.writing() as session:
            for row in above.choose(session, seat.keys, into):
                _tell(session, seat, notices.ROUTE_ADDED, into, row, people)
            for officer in people:
                officers.record(
                    session, seat.keys, "unit.above", officer, into.id.hex()
                )
    typer.echo(f"{into.name}: is above us, and gets what names those who stand above")


@app.command("list")
def show_list(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """List the routes; the narrowest one that fits a report wins."""
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        names = {one.id: one.name for one in units.everything(session)}
        rows = [
            {
                "unit": names.get(row.unit),
                "category": row.category or None,
                "province": row.province or None,
                "position": row.position or None,
                "priority": row.priority,
            }
            for row in routes.verified_routes(session, seat.keys)
        ]
    printing.listing(rows, as_json=as_json)


def in_words(session: Session, seat: Desk, unit: Unit) -> list[str]:
    """Return the routes to a unit, each as its conditions: ``any``, ``COR 15``."""
    return [
        " ".join(part for part in (row.category, row.province, row.position) if part)
        or "any"
        for row in routes.verified_routes(session, seat.keys)
        if row.unit == unit.id
    ]


def _two(seat: Desk, by: str, second: str) -> tuple[Officer, Officer]:
    """Ask both for their passphrases. Raises Refused."""
    if not by or not second:
        raise Refused("a route takes two people: give --by LOGIN and --second LOGIN")
    if accounts.normal_login(by) == accounts.normal_login(second):
        raise Refused("a route takes two different people")
    secrets = Passphrases(generate=False)
    first, other = (passphrases.ask(seat, one, secrets).officer for one in (by, second))
    if first.role != Role.SUPERVISOR:
        raise Refused(f"{first.login} is no supervisor")
    return first, other


def _tell(
    session: Session,
    seat: Desk,
    text: str,
    unit: Unit,
    row: Route,
    people: tuple[Officer, Officer],
) -> int:
    """Prove that every report finds a unit, tell the supervisors, write who did it."""
    ways = [_way(one) for one in routes.verified_routes(session, seat.keys)]
    routing.entry_units(ways)
    first, second = people
    now = utc_now()
    told = notices.route_changed(
        Work(session, make_office(seat.settings, seat.keys, now=now), now),
        text,
        unit=unit.name,
        by=first.login,
        second=second.login,
    )
    code = "route.added" if text == notices.ROUTE_ADDED else "route.removed"
    for officer in people:
        officers.record(session, seat.keys, code, officer, row.id.hex())
    return told


def _matching(
    session: Session, seat: Desk, unit: Unit, wanted: tuple[str, str, str]
) -> Route:
    for row in routes.verified_routes(session, seat.keys):
        if (row.unit, row.category, row.province, row.position) == (unit.id, *wanted):
            return row
    raise Refused(
        f"no route to {unit.name} has just these conditions; see `kentongan unit route "
        "list`"
    )


def _ready_unit(seat: Desk, name: str) -> Unit:
    with seat.database.reading() as session:
        unit = units.named(session, seat.keys, name)
    if unit.kind == UnitKind.VAULT:
        raise Refused(f"{unit.name} is the vault: it gets no reports")
    if unit.public_key is None:
        raise Refused(
            f"{unit.name} has no key yet: add its first member before a route"
        )
    return unit


def _refuse_strange_province(seat: Desk, code: str) -> None:
    agency = seat.settings.agency
    if not code:
        return
    folder = Path(agency.rules) if agency.rules else None
    if code not in Rulebook.load(folder, agency.jurisdiction).provinces.names:
        raise typer.BadParameter(f"province {code!r} is not in regions.toml")


def _way(row: Route) -> routing.Route:
    return routing.Route(
        group=Group(row.category) if row.category else None,
        province=row.province or None,
        position=PositionClass(row.position) if row.position else None,
        unit_id=row.unit.hex(),
        priority=row.priority,
    )
