"""``kentongan unit``: groups of officers that own a queue, and the routes to them."""

from typing import Annotated

import typer

from bot.clock import utc_now
from bot.commands.people import officers, routes
from bot.terminal import desk, printing
from bot.terminal.desk import AsJson, ConfigFile, Desk
from bot.terminal.passphrases import Generate, Passphrases
from storage.audit import log, manifests
from storage.people import officers as accounts
from storage.people.officers import NewAccount
from storage.units import memberships, units
from storage.words import Role, UnitKind

app = typer.Typer(name="unit", no_args_is_help=True, help="Units and routes to them.")
app.add_typer(routes.app)
app.command("above")(routes.name_above)


@app.callback()
def unit_commands() -> None:
    """Add units, and say which reports go to them."""


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
            log.record(
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
    """List all units with their members and the reports that go to them."""
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        rows = [
            {
                "name": unit.name,
                "kind": unit.kind,
                "key": unit.public_key is not None,
                "members": [
                    one.login for one in memberships.members(session, seat.keys, unit)
                ],
                "routes": routes.in_words(session, seat, unit),
            }
            for unit in units.everything(session)
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
