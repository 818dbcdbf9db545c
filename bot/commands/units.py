"""``kentongan unit``: groups of officers that own a queue, and the routes to them."""

from pathlib import Path
from typing import Annotated

import typer

from bot.clock import utc_now
from bot.commands import desk, officers, present, printing
from bot.commands.desk import AsJson, ConfigFile, Desk, Refused
from bot.commands.passphrases import Generate, Passphrases
from handlers import routing
from handlers.rulebook import Rulebook
from storage import audit, manifests, routes, units
from storage import officers as accounts
from storage.models import Route as Row
from storage.models import Unit
from storage.officers import NewAccount
from storage.words import Group, PositionClass, Role, UnitKind

app = typer.Typer(name="unit", no_args_is_help=True, help="Units and routes to them.")
route = typer.Typer(name="route", no_args_is_help=True, help="Who gets which reports.")
app.add_typer(route)


@app.callback()
def unit_commands() -> None:
    """Add units, and say which reports go to them."""


@route.callback()
def route_commands() -> None:
    """Say which reports go to which unit."""


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The unit's name, once and for all.")],
    config_file: ConfigFile = None,
    kind: Annotated[
        UnitKind, typer.Option(case_sensitive=False, help="There is one vault only.")
    ] = UnitKind.HANDLING,
    first: Annotated[
        str,
        typer.Option(
            "--first", help="Login of the first member; a new one gets an account."
        ),
    ] = "",
    first_name: Annotated[str, typer.Option(help="The first member's name.")] = "",
    role: Annotated[
        Role | None, typer.Option(case_sensitive=False, help="The first member's role.")
    ] = None,
    *,
    generate: Generate = False,
) -> None:
    """Add a unit. Its key is made for its first member, now or by `officer add --unit`."""
    if not name.strip() or not name.isprintable():
        raise typer.BadParameter("a unit needs a name that can be printed")
    secrets = Passphrases(generate=generate)
    with desk.sit_down(config_file) as seat:
        with seat.database.reading() as session:
            if any(one.name == name.strip() for one in units.everything(session)):
                raise units.UnitExists
        account = _account(seat, first, first_name, role or _role_in(kind), secrets)
        with seat.database.writing() as session:
            unit = units.create(session, seat.keys, name.strip(), kind)
            detail = unit.id.hex()
            audit.record(
                session,
                seat.keys,
                "unit.added",
                officer=None,
                detail=detail,
                now=utc_now(),
            )
            if account is not None:
                accounts.add(session, seat.keys, account)
            if first:
                member = accounts.verified(session, seat.keys, first)
                officers.admit_to(session, seat.keys, unit, member, None)
            manifests.witness(session, seat.keys, now=utc_now())
        typer.echo(f"{unit.name}: added{f', first member {first}' if first else ''}")
    secrets.show()


@app.command("list")
def show_list(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """List all units with their members."""
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        rows = [
            {
                "name": unit.name,
                "kind": unit.kind,
                "key": unit.public_key is not None,
                "members": [
                    one.login for one in units.members(session, seat.keys, unit)
                ],
            }
            for unit in units.everything(session)
        ]
    printing.listing(rows, as_json=as_json)


@route.command("add")
def add_route(
    unit: Annotated[str, typer.Argument(help="The unit that gets the reports.")],
    config_file: ConfigFile = None,
    category: Annotated[
        Group | None, typer.Option(case_sensitive=False, help="Of this group only.")
    ] = None,
    province: Annotated[
        str, typer.Option(help="About this province only, by its two digits.")
    ] = "",
    position: Annotated[
        PositionClass | None,
        typer.Option(case_sensitive=False, help="On people of this class only."),
    ] = None,
    priority: Annotated[
        int, typer.Option(help="Of equally narrow routes the smaller one wins.")
    ] = 0,
    by: Annotated[str, typer.Option(help="Login of a supervisor, present.")] = "",
    second: Annotated[
        str, typer.Option(help="Login of another officer, present.")
    ] = "",
) -> None:
    """Send matching reports to a unit. It takes a supervisor and a second officer.

    Who controls routing controls future reports: both give their passphrase.
    """
    secrets = Passphrases(generate=False)
    with desk.sit_down(config_file) as seat:
        _refuse_strange_province(seat, province)
        into = _ready_unit(seat, unit)
        if not by or not second:
            raise Refused(
                "a route takes two people: give --by LOGIN and --second LOGIN"
            )
        if accounts.normal_login(by) == accounts.normal_login(second):
            raise Refused("a route takes two different people")
        people = [present.ask(seat, login, secrets).officer for login in (by, second)]
        if people[0].role != Role.SUPERVISOR:
            raise Refused(f"{people[0].login} is no supervisor")
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
            routing.entry_units(
                [_way(one) for one in routes.verified_routes(session, seat.keys)]
            )
            for officer in people:
                officers.record(
                    session, seat.keys, "route.added", officer, row.id.hex()
                )
    typer.echo(f"route to {into.name}: added; tell all supervisors")


@route.command("list")
def list_routes(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
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


def _account(
    seat: Desk, login: str, name: str, role: Role, secrets: Passphrases
) -> NewAccount | None:
    """Prepare an account for a first member who has none yet."""
    if not login:
        return None
    with seat.database.reading() as session:
        if accounts.find(session, seat.keys, login) is not None:
            return None
    return accounts.prepare_account(seat.keys, login, name, role, secrets.new(login))


def _role_in(kind: UnitKind) -> Role:
    return Role.CUSTODIAN if kind is UnitKind.VAULT else Role.SUPERVISOR


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


def _way(row: Row) -> routing.Route:
    return routing.Route(
        group=Group(row.category) if row.category else None,
        province=row.province or None,
        position=PositionClass(row.position) if row.position else None,
        unit_id=row.unit.hex(),
        priority=row.priority,
    )
