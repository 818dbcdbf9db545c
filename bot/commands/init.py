"""``kentongan init``: settings, server key, database and the first people, once.

It asks for everything before it makes anything. A second run changes nothing and says
what there is.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import inspect

from bot.clock import utc_now
from bot.operations import founding, recovery_paper
from bot.operations.private_files import FOLDER_MODE, write_private
from bot.settings import loading
from bot.settings.sections import Settings
from bot.terminal import desk
from bot.terminal.desk import ConfigFile, Refused
from bot.terminal.passphrases import Generate, Passphrases
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import COMMAND_WAIT, Database
from storage.people import officers
from storage.people.officers import NewAccount
from storage.words import Role

TEMPLATE = """\
# Kentongan. Every setting is explained in config.example.toml; what is not named here has
# its default. Keep secrets in files of their own: token_file = "/path".

[server]
host = "127.0.0.1"
port = 8080

[database]
url = "sqlite:///kentongan.db"

[files]
path = "files"

[keys]
server_key_file = "server.key"

[agency]
name = {agency}
timezone = {timezone}
"""


NO_WAY_ABOVE = (
    "nobody stands above us: a report on the head of the region or on our own people would "
    "reach our own people; name a unit with `kentongan unit above`"
)


class NoRecovery(Exception):
    """The recovery keys are missing.

    Only they can open the reports when every passphrase is lost.
    """

    def __init__(self) -> None:
        super().__init__(
            "recovery keys are missing: make them with `kentongan keys new-recovery` on an "
            "offline machine, then run `kentongan init --recovery-public FILE`"
        )


@dataclass(frozen=True, slots=True)
class People:
    """Who begins."""

    officer: NewAccount
    custodian: NewAccount
    above: tuple[NewAccount, ...]


def init(  # noqa: PLR0913 - the options of a command
    config_file: ConfigFile = None,
    *,
    agency: Annotated[
        str, typer.Option(help="Who receives the reports, at most 60 letters.")
    ] = "Inspektorat",
    timezone: Annotated[str, typer.Option(help="The agency's zone.")] = "Asia/Jakarta",
    unit: Annotated[
        str, typer.Option(help="Name of the first unit, which gets every report.")
    ] = "Pengaduan",
    vault: Annotated[
        str, typer.Option(help="Name of the custodians' unit, which guards identities.")
    ] = "Penjaga Identitas",
    officer: Annotated[
        str, typer.Option(help="Login of the unit's first officer, a supervisor.")
    ] = "supervisor",
    officer_name: Annotated[str, typer.Option(help="The officer's name.")] = "",
    custodian: Annotated[
        str, typer.Option(help="Login of the vault's first custodian: somebody else.")
    ] = "custodian",
    custodian_name: Annotated[str, typer.Option(help="The custodian's name.")] = "",
    above_unit: Annotated[
        str, typer.Option(help="Name of the unit above us.")
    ] = "Di Atas Kami",
    above: Annotated[
        list[str] | None,
        typer.Option(
            help="Login of somebody who gets the reports on the head of the region and on "
            "our own people, from outside the house if possible. Twice or more."
        ),
    ] = None,
    recovery_public: Annotated[
        list[Path] | None,
        typer.Option(help="File of `keys new-recovery`, with the public halves only."),
    ] = None,
    generate: Generate = False,
) -> None:
    """Set up an installation: settings, keys, database, first unit and people."""
    path = desk.config_path(config_file)
    settings, written = _settings(path, agency, timezone)
    if _is_founded(settings):
        _say_what_is_there(path, settings)
        return
    desk.refuse_half_restored(settings)
    publics = _publics(recovery_public or [])
    keys, new_key = _keys(settings)
    secrets = Passphrases(generate=generate)
    if len(dict.fromkeys(above or [])) == 1:
        raise Refused("the unit above us takes two people or more: give --above twice")
    people = People(
        officers.prepare_account(
            keys, officer, officer_name, Role.SUPERVISOR, secrets.new(officer)
        ),
        officers.prepare_account(
            keys,
            custodian,
            custodian_name,
            Role.CUSTODIAN,
            secrets.new(custodian, share=True),
        ),
        tuple(
            officers.prepare_account(
                keys, login, "", Role.SUPERVISOR, secrets.new(login, share=True)
            )
            for login in above or []
        ),
    )
    everybody = (people.officer, people.custodian, *people.above)
    if len({one.login for one in everybody}) < len(everybody):
        raise Refused(
            "officer, custodian and those above us must be different people with different logins"
        )
    plan = founding.Founding(
        agency=settings.agency.name,
        unit=unit,
        vault=vault,
        officer=people.officer,
        custodian=people.custodian,
        recovery=publics,
        above=above_unit,
        above_people=people.above,
    )
    for line in _make(path, written, settings, keys, plan, new_key=new_key):
        typer.echo(line)
    secrets.show()
    typer.echo("The first sign-in of each sets up a second factor.")
    typer.echo("Next: `kentongan doctor`, then `kentongan serve`.")


def _make(
    path: Path,
    written: str,
    settings: Settings,
    keys: ServerKeys,
    plan: founding.Founding,
    *,
    new_key: bool,
) -> Iterator[str]:
    """Make everything in the order in which a half-way stop harms least."""
    if written:
        write_private(path, written)
    yield f"{path}: {'made' if written else 'there already'}"
    if new_key:
        write_private(settings.keys.server_key_file, keys.to_text())
        yield f"{settings.keys.server_key_file}: made, keep a copy apart from the backups"
    settings.files.path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    yield f"{settings.files.path}: ready for evidence"
    folder = desk.sqlite_file(settings)
    if folder is not None:
        folder.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    with _database(settings) as database:
        schema.upgrade(database)
        with database.writing() as session:
            founding.found(session, keys, plan, now=utc_now())
        yield f"{database.url.render_as_string()}: set up"
    yield f"unit {plan.unit}: {plan.officer.login} is its first officer, every report goes there"
    yield f"unit {plan.vault}: {plan.custodian.login} is its first custodian"
    if plan.above_people:
        logins = ", ".join(one.login for one in plan.above_people)
        yield f"unit {plan.above}: {logins} get the reports on those who stand above"
    else:
        yield f"warning: {NO_WAY_ABOVE}"


def _settings(path: Path, agency: str, timezone: str) -> tuple[Settings, str]:
    """Return the settings as they are or will be, and the text to write if any."""
    if path.exists():
        return loading.load(path, os.environ), ""
    text = TEMPLATE.format(
        agency=json.dumps(agency, ensure_ascii=False), timezone=json.dumps(timezone)
    )
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        write_private(draft, text)
        try:
            return loading.load(draft, os.environ), text
        except loading.BadConfig as error:
            raise loading.BadConfig(str(error).replace(str(draft), str(path))) from None


def _is_founded(settings: Settings) -> bool:
    if not desk.store_exists(settings):
        return False
    with _database(settings) as database:
        if not inspect(database.read_engine).has_table("settings"):
            return False
        with database.reading() as session:
            return founding.is_founded(session)


def _say_what_is_there(path: Path, settings: Settings) -> None:
    keys = desk.server_keys(settings)
    with _database(settings) as database:
        schema.check(database)
        with database.reading() as session:
            name = founding.agency_of(session, keys)
        typer.echo(f"{path}: {'there already' if path.exists() else 'not needed'}")
        typer.echo(f"{database.url.render_as_string()}: there already, of {name}")
    typer.echo("Nothing was changed. Next: `kentongan doctor`.")


def _publics(files: list[Path]) -> Mapping[str, bytes]:
    if not files:
        raise NoRecovery
    text = "\n".join(file.read_text("ascii", "replace") for file in files)
    found = recovery_paper.read_public(text)
    if set(found) != set(recovery_paper.PURPOSES):
        raise NoRecovery
    return found


def _keys(settings: Settings) -> tuple[ServerKeys, bool]:
    """Return the server key, and whether it is a new one that must be written."""
    if settings.keys.server_key or settings.keys.server_key_file.exists():
        return desk.server_keys(settings), False
    return ServerKeys.new(), True


def _database(settings: Settings) -> closing[Database]:
    """Open the store, and make its file if need be."""
    url = settings.database.url.get_secret_value()
    return closing(Database(url, wait=COMMAND_WAIT))
