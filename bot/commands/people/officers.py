"""``kentongan officer``: accounts, admission by a member who is present, and leaving."""

import re
from typing import Annotated

import typer
from sqlmodel import Session

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.terminal import desk, passphrases, printing
from bot.terminal.desk import AsJson, ConfigFile, Desk, Refused
from bot.terminal.passphrases import Generate, Passphrases, Present
from handlers.people import joining, leaving
from handlers.work import Work
from storage.audit import log, manifests
from storage.crypto import fingerprints
from storage.crypto.server_key import ServerKeys
from storage.models import Officer, Unit
from storage.people import officers, telegram_links
from storage.units import admissions, memberships, units
from storage.words import Role

app = typer.Typer(name="officer", no_args_is_help=True, help="Accounts of officers.")

Login = Annotated[str, typer.Argument(help="2 to 40 of a to z, 0 to 9 and . - _")]
Member = Annotated[
    str,
    typer.Option(
        "--member",
        help="Login of a member who is present and admits; asked for a passphrase.",
    ),
]
Knowing = Annotated[
    bool,
    typer.Option(
        "--yes", help="Even if a unit is left without a supervisor, or without anybody."
    ),
]
_LANGUAGE = re.compile("[a-z]{2,3}")


@app.callback()
def officer_commands() -> None:
    """Add officers and admit them to units."""


@app.command("add")
def add(
    login: Login,
    config_file: ConfigFile = None,
    name: Annotated[str, typer.Option(help="The officer's name.")] = "",
    role: Annotated[
        Role, typer.Option(case_sensitive=False, help="What the officer may do.")
    ] = Role.HANDLER,
    unit: Annotated[
        str, typer.Option(help="Admit the officer to this unit at once.")
    ] = "",
    member: Member = "",
    language: Annotated[str, typer.Option(help="Language of alerts, as in id.")] = "id",
    *,
    generate: Generate = False,
) -> None:
    """Add an account. Into a unit with members it needs one of them, present.

    Passphrases are asked in this order: the newcomer's, then the member's.
    """
    if not _LANGUAGE.fullmatch(language):
        raise typer.BadParameter("a language is a code such as id or en")
    secrets = Passphrases(generate=generate)
    with desk.sit_down(config_file) as seat:
        _refuse_early(seat, login, unit, member)
        account = officers.prepare_account(
            seat.keys, login, name, role, secrets.new(login), language=language
        )
        by = passphrases.ask(seat, member, secrets) if member else None
        with seat.database.writing() as session:
            newcomer = officers.add(session, seat.keys, account)
            record(session, seat.keys, "officer.added", newcomer, role.value)
            if unit:
                into = units.named(session, seat.keys, unit)
                admit_to(session, seat.keys, into, newcomer, by)
        typer.echo(
            f"{account.login}: added as {role.value}{f', in {unit}' if unit else ''}"
        )
        typer.echo(f"Fingerprint: {fingerprints.words(account.public_key)}")
    secrets.show()


@app.command("admit")
def admit(
    login: Login,
    unit: Annotated[str, typer.Option(help="The unit to admit the officer to.")],
    config_file: ConfigFile = None,
    member: Member = "",
) -> None:
    """Admit an officer to a unit; compare the fingerprint first (`keys fingerprint`)."""
    secrets = Passphrases(generate=False)
    with desk.sit_down(config_file) as seat:
        _refuse_without_member(seat, unit, member)
        by = passphrases.ask(seat, member, secrets) if member else None
        with seat.database.writing() as session:
            into = units.named(session, seat.keys, unit)
            newcomer = officers.verified(session, seat.keys, login)
            admit_to(session, seat.keys, into, newcomer, by)
        typer.echo(f"{newcomer.login}: admitted to {into.name}")


@app.command("invite")
def invite(
    login: Login,
    config_file: ConfigFile = None,
    name: Annotated[str, typer.Option(help="The officer's name.")] = "",
    role: Annotated[
        Role, typer.Option(case_sensitive=False, help="What the officer may do.")
    ] = Role.HANDLER,
    unit: Annotated[str, typer.Option(help="The unit to wait before.")] = "",
    language: Annotated[str, typer.Option(help="Language, as in id.")] = "id",
) -> None:
    """Print a one-time link by which somebody makes their own account, within 7 days."""
    if not _LANGUAGE.fullmatch(language):
        raise typer.BadParameter("a language is a code such as id or en")
    with desk.sit_down(config_file) as seat:
        office = make_office(seat.settings, seat.keys, now=utc_now())
        with seat.database.writing() as session:
            into = units.named(session, seat.keys, unit).id if unit else None
            token = joining.invite(
                Work(session, office, utc_now()),
                login,
                name=name or login,
                role=role,
                language=language,
                unit=into,
                by=None,
            )
        typer.echo(f"{office.console_url}/join/{token}")
        typer.echo("It works once, within 7 days; give it to nobody else.", err=True)
        if into is None:
            says = "The account waits: a supervisor or an admin compares its six words."
            typer.echo(says, err=True)


@app.command("remove")
def remove(
    login: Login,
    unit: Annotated[str, typer.Option(help="The unit to take the officer out of.")],
    config_file: ConfigFile = None,
    *,
    yes: Knowing = False,
) -> None:
    """Take an officer out of a unit: access ends now, and the unit gets a new key."""
    with desk.sit_down(config_file) as seat:
        office = make_office(seat.settings, seat.keys, now=utc_now())
        with seat.database.writing() as session:
            officer = officers.verified(session, seat.keys, login)
            out_of = units.named(session, seat.keys, unit)
            if not memberships.is_member(session, seat.keys, out_of, officer):
                raise Refused(f"{officer.login} is no member of {out_of.name}")
            work = Work(session, office, utc_now())
            _refuse_emptying(work, [out_of], officer, yes=yes)
            generation = leaving.remove(
                work,
                out_of.id,
                officer.id,
                by=None,
                knowing=True,
            )
        typer.echo(f"{login}: no member of {unit} any more; its key is {generation}")


@app.command("end")
def end(
    login: Login,
    config_file: ConfigFile = None,
    *,
    yes: Knowing = False,
) -> None:
    """End an account: no sign-in, no unit, no key; it cannot be undone."""
    with desk.sit_down(config_file) as seat:
        office = make_office(seat.settings, seat.keys, now=utc_now())
        with seat.database.writing() as session:
            officer = officers.verified(session, seat.keys, login)
            homes = memberships.units_of(session, seat.keys, officer)
            work = Work(session, office, utc_now())
            _refuse_emptying(work, homes, officer, yes=yes)
            leaving.end(work, officer.id, by=None, knowing=True)
        typer.echo(f"{login}: the account has ended")


@app.command("list")
def show_list(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """List all accounts."""
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        rows = [
            {
                "login": officer.login,
                "name": officer.name,
                "role": officer.role,
                "active": officer.active,
                "units": [
                    unit.name
                    for unit in memberships.units_of(session, seat.keys, officer)
                ],
                "waiting": _waiting(session, seat.keys, officer),
                "telegram": telegram_links.is_linked(session, officer.id),
            }
            for officer in officers.everyone(session)
        ]
    printing.listing(rows, as_json=as_json)


def admit_to(
    session: Session,
    keys: ServerKeys,
    unit: Unit,
    newcomer: Officer,
    by: Present | None,
) -> None:
    """Admit the first member of a unit, or another one by a member who is present."""
    if unit.public_key is None:
        memberships.admit_first(session, keys, unit, newcomer)
        record(session, keys, "unit.first", newcomer, unit.id.hex())
        return
    if by is None:
        raise memberships.HasMembers
    if not memberships.is_member(session, keys, unit, by.officer):
        raise Refused(f"{by.officer.login} is no member of {unit.name}")
    memberships.admit(session, keys, unit, newcomer, by.officer, by.secret)
    record(session, keys, "unit.admitted", by.officer, newcomer.id.hex())


def record(
    session: Session, keys: ServerKeys, code: str, officer: Officer, detail: str = ""
) -> None:
    """Write an act, and the lists that it changed, into the audit log."""
    now = utc_now()
    log.record(session, keys, code, officer=officer.id, detail=detail, now=now)
    manifests.witness(session, keys, now=now)


def _waiting(session: Session, keys: ServerKeys, officer: Officer) -> list[str]:
    """Return the units that an officer waits for, and whether to be confirmed."""
    unconfirmed = admissions.is_unconfirmed(session, keys, officer.id)
    doors = [unit.name for unit in admissions.homes(session, keys, officer)]
    return [*doors, *(["confirmation"] if unconfirmed else [])]


def _refuse_emptying(
    work: Work, homes: list[Unit], officer: Officer, *, yes: bool
) -> None:
    for unit in homes:
        if not yes and leaving.is_last(work, unit, officer):
            raise Refused(
                f"{unit.name} would be left without a supervisor, or without anybody; "
                "give --yes if you know that"
            )


def _refuse_early(seat: Desk, login: str, unit: str, member: str) -> None:
    """Refuse what cannot succeed before anybody types a passphrase."""
    with seat.database.reading() as session:
        if officers.find(session, seat.keys, login) is not None:
            raise officers.LoginTaken
    if unit:
        _refuse_without_member(seat, unit, member)
    elif member:
        raise typer.BadParameter("--member needs --unit: the unit to admit to")


def _refuse_without_member(seat: Desk, name: str, member: str) -> None:
    with seat.database.reading() as session:
        unit = units.named(session, seat.keys, name)
        if unit.public_key is not None and not member:
            logins = [
                one.login for one in memberships.members(session, seat.keys, unit)
            ]
            raise Refused(
                f"{unit.name} has members: one of them must be present, give "
                f"--member LOGIN ({', '.join(logins) or 'nobody is left'})"
            )
