"""``kentongan keys recover`` and ``replace-recovery``: with a holder's paper, and with new ones."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from bot.clock import utc_now
from bot.operations import recovery_paper
from bot.terminal import desk, passphrases
from bot.terminal.desk import ConfigFile, Desk, Refused
from bot.terminal.passphrases import Generate, Passphrases, hidden
from storage.audit import log, manifests
from storage.crypto import fingerprints
from storage.models import Officer, Unit
from storage.people import officers
from storage.people.officers import NewAccount
from storage.rekeying import case_recovery
from storage.rekeying import recovery as unit_recovery
from storage.units import memberships, recovery_keys, units
from storage.words import Role, UnitKind

_ROLES = {UnitKind.HANDLING: Role.SUPERVISOR, UnitKind.VAULT: Role.CUSTODIAN}


def recover(
    login: Annotated[
        str,
        typer.Argument(
            help="Who is let in: a new account, or one whose holder is here."
        ),
    ],
    config_file: ConfigFile = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(help="Only this unit; else all that the paper opens."),
    ] = None,
    name: Annotated[str, typer.Option(help="The name of a new officer.")] = "",
    *,
    generate: Generate = False,
) -> None:
    """Let somebody in with a recovery paper, when every passphrase of a unit is lost.

    The paper is asked for first (hidden, or its lines on standard input), then the
    officer's passphrase.
    """
    secrets = Passphrases(generate=generate)
    with desk.sit_down(config_file) as seat:
        purpose, secret = _paper()
        with seat.database.reading() as session:
            unit_recovery.check_paper(session, seat.keys, purpose, secret)
            into = _units(session, seat, purpose, unit or [])
            known = officers.find(session, seat.keys, login)
        kind = unit_recovery.KIND[purpose]
        account: NewAccount | None = None
        if known is not None:
            known = passphrases.ask(seat, login, secrets).officer
        else:
            account = officers.prepare_account(
                seat.keys, login, name, _ROLES[kind], secrets.new(login)
            )
        with seat.database.writing() as session:
            officer = known or _added(session, seat, account)
            for one in _not_yet(session, seat, into, officer, kind):
                unit_recovery.let_in(session, seat.keys, purpose, secret, one, officer)
                _record(session, seat, "keys.recovered", officer, one.id.hex())
            manifests.witness(session, seat.keys, now=utc_now())
        opened = ", ".join(one.name for one in into)
        typer.echo(f"{officer.login}: opens {opened} from now on")
        if kind is UnitKind.HANDLING:
            _open_cases(seat, secret, into, officer)
        typer.echo(f"Fingerprint: {fingerprints.words(officer.public_key)}")
        typer.echo(
            "Next: end the accounts whose passphrases are lost, and make new papers "
            "(docs/recovery.md)."
        )
    secrets.show()


def replace_recovery(
    public: Annotated[Path, typer.Option(help="The file of the new public halves.")],
    member: Annotated[
        list[str],
        typer.Option(help="Login of somebody present; one member of every unit."),
    ],
    config_file: ConfigFile = None,
    *,
    leave_lost: Annotated[
        bool,
        typer.Option(help="Give up cases that only the old paper or nobody opens."),
    ] = False,
) -> None:
    """Let new recovery papers open the units, and the old ones no more.

    A member of every unit is present and gives a passphrase, among them a supervisor and
    a custodian: two different people.
    """
    secrets = Passphrases(generate=False)
    publics = recovery_paper.read_public(public.read_text("ascii", "replace"))
    if not publics:
        raise recovery_paper.BadPublic
    with desk.sit_down(config_file) as seat:
        logins = list(dict.fromkeys(map(officers.normal_login, member)))
        here = [passphrases.ask(seat, login, secrets) for login in logins]
        roles = {one.officer.role for one in here}
        if not {Role.SUPERVISOR, Role.CUSTODIAN} <= roles:
            raise Refused(
                "new papers take two people: a supervisor and a custodian, each named "
                "with --member"
            )
        people = [(one.officer, one.secret) for one in here]
        lost = 0
        with seat.database.writing() as session:
            for purpose, key in sorted(publics.items()):
                unit_recovery.replace(session, seat.keys, purpose, key, people)
                if unit_recovery.KIND[purpose] is UnitKind.HANDLING:
                    new = recovery_keys.key_for(session, seat.keys, UnitKind.HANDLING)
                    lost = case_recovery.reseal(
                        session, seat.keys, new, people, leave=leave_lost
                    )
                for one in here:
                    code = "keys.recovery_replaced"
                    _record(session, seat, code, one.officer, purpose)
            manifests.witness(session, seat.keys, now=utc_now())
    for purpose, key in sorted(publics.items()):
        typer.echo(f"{purpose}: {fingerprints.words(key)}")
    if lost:
        typer.echo(f"Cases that no new paper opens: {lost}")
    typer.echo(
        "The old papers open nothing any more, except in old backups: burn them."
    )


def _paper() -> tuple[str, bytes]:
    """Ask for the paper, line by line. Raises BadPaper."""
    if not sys.stdin.isatty():
        lines = [sys.stdin.readline() for _ in range(recovery_paper.LINES)]
        return recovery_paper.read_secret("".join(lines))
    lines = [
        hidden(f"Line {number} of {recovery_paper.LINES} of the paper")
        for number in range(1, recovery_paper.LINES + 1)
    ]
    return recovery_paper.read_secret("\n".join(lines))


def _units(session: Session, seat: Desk, purpose: str, names: list[str]) -> list[Unit]:
    """Return the units to open. Raises Refused, NoSuchUnit."""
    found = unit_recovery.of_kind(session, purpose)
    if not names:
        if not found:
            raise unit_recovery.NothingToRecover
        return found
    wanted = [units.named(session, seat.keys, name) for name in names]
    for unit in wanted:
        if unit.id not in {one.id for one in found}:
            raise Refused(f"a `{purpose}` paper does not open {unit.name}")
    return wanted


def _not_yet(
    session: Session, seat: Desk, into: list[Unit], officer: Officer, kind: UnitKind
) -> list[Unit]:
    """Return the units that an officer does not sit in; all, where nothing else is to do.

    Whoever was let in before may come again for the cases that were left.
    """
    keys = seat.keys
    rest = [
        one for one in into if not memberships.is_member(session, keys, one, officer)
    ]
    due = kind is UnitKind.HANDLING and case_recovery.is_due(
        session, keys, into, officer
    )
    return rest if rest or due else into


def _open_cases(seat: Desk, secret: bytes, into: list[Unit], officer: Officer) -> None:
    """Give an officer the cases that have a key of their own, some in each transaction."""
    opened = left = 0
    after: bytes | None = b""
    while after is not None:
        with seat.database.writing() as session:
            done = case_recovery.let_in(
                session, seat.keys, secret, into, officer, after=after, now=utc_now()
            )
        opened, left, after = opened + done.opened, left + done.left, done.after
    if opened:
        typer.echo(f"Cases with a key of their own: {opened}")
    if left:
        typer.echo(f"Cases that the paper does not open, see `audit verify`: {left}")


def _added(session: Session, seat: Desk, account: NewAccount | None) -> Officer:
    if account is None:
        raise officers.NoSuchOfficer
    officer = officers.add(session, seat.keys, account)
    _record(session, seat, "officer.added", officer, account.role.value)
    return officer


def _record(
    session: Session, seat: Desk, code: str, officer: Officer, detail: str
) -> None:
    log.record(
        session, seat.keys, code, officer=officer.id, detail=detail, now=utc_now()
    )
