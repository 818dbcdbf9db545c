"""``kentongan breach``: a data breach, who is to be told of it, and until when."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.assembly.office import make_office
from bot.clock import utc_now
from bot.terminal import desk, printing
from bot.terminal.desk import AsJson, ConfigFile, Desk, Refused
from handlers import breaches as verbs
from handlers.breaches import MOST
from handlers.office import Office
from handlers.work import Work
from storage import breaches
from storage.models import Breach

app = typer.Typer(
    name="breach", no_args_is_help=True, help="Data breaches: who is told, until when."
)
_BETWEEN = "---"
Id = Annotated[str, typer.Argument(help="The breach, as `breach list` names it.")]


@app.callback()
def breach_commands() -> None:
    """Record a data breach and tell the authority and the reporters in time."""


@app.command("open")
def open_one(
    known: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
            help="When it became known, in the agency's time: 2026-03-02T09:30.",
        ),
    ],
    config_file: ConfigFile = None,
) -> None:
    """Record that a breach became known, and say until when to tell of it."""
    with desk.sit_down(config_file) as seat:
        office, now = _office(seat), utc_now()
        moment = known.replace(tzinfo=office.zone).astimezone(UTC)
        if moment > now:
            raise Refused("--known lies in the future; give the time in the past")
        with seat.database.writing() as session:
            row = verbs.record(Work(session, office, now), known=moment)
            name, due = row.id.hex(), verbs.due(office, row)
    typer.echo(f"Breach {name} is recorded.")
    typer.echo(
        f"Tell the authority and the reporters until {_shown(due, office.zone)}."
    )


@app.command("list")
def show_list(config_file: ConfigFile = None, *, as_json: AsJson = False) -> None:
    """List breaches, the latest first, and who was told."""
    with desk.sit_down(config_file) as seat, seat.database.reading() as session:
        office = _office(seat)
        rows = [_row(office, row) for row in breaches.everything(session, office.keys)]
    printing.listing(rows, as_json=as_json)


@app.command("tell-authority")
def tell_authority(breach: Id, config_file: ConfigFile = None) -> None:
    """Print the draft of the notice to the authority, and note that it goes out."""
    with desk.sit_down(config_file) as seat:
        office, now = _office(seat), utc_now()
        with seat.database.writing() as session:
            figures = verbs.tell_authority(Work(session, office, now), _id(breach))
            row = breaches.lock(session, office.keys, _id(breach))
            known = _shown(row.known, office.zone) if row is not None else "-"
        agency = seat.settings.agency.name
    typer.echo(_draft(agency, known, figures))


@app.command("tell-reporters")
def tell_reporters(
    breach: Id,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Language of each text, in their order; default: all."),
    ] = None,
    config_file: ConfigFile = None,
) -> None:
    """Write to every reporter who has a code; texts come from stdin, ``---`` between."""
    with desk.sit_down(config_file) as seat:
        office = _office(seat)
        words = _words(language or office.languages, office, sys.stdin.read())
        told, after = 0, b""
        going: bytes | None = after
        while going is not None:
            with seat.database.writing() as session:
                count, going = verbs.tell_reporters(
                    Work(session, office, utc_now()), _id(breach), words, after=going
                )
            told += count
    typer.echo(f"{told} reporters are told now; who was told before is left alone.")


def _office(seat: Desk) -> Office:
    return make_office(seat.settings, seat.keys, now=utc_now())


def _id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Refused("that is no breach; see `breach list`") from None


def _words(languages: Sequence[str], office: Office, text: str) -> dict[str, str]:
    """Read one text a language; every language of the agency needs one."""
    parts = [part.strip() for part in text.split(f"\n{_BETWEEN}\n")]
    if len(parts) != len(languages) or not all(parts):
        raise Refused(
            f"give {len(languages)} texts on stdin ({', '.join(languages)}), with a line "
            f"{_BETWEEN} between them"
        )
    if missing := set(office.languages) - set(languages):
        raise Refused(f"a text is missing in {', '.join(sorted(missing))}")
    if strange := set(languages) - set(office.languages):
        raise Refused(f"this agency does not speak {', '.join(sorted(strange))}")
    if any(len(part) > MOST for part in parts):
        raise Refused(f"a text has at most {MOST} letters; say the rest elsewhere")
    return dict(zip(languages, parts, strict=True))


def _row(office: Office, row: Breach) -> dict[str, str | None]:
    return {
        "id": row.id.hex(),
        "known": row.known.isoformat(),
        "due": verbs.due(office, row).isoformat(),
        "authority": row.told_authority.isoformat() if row.told_authority else None,
        "reporters": row.told_reporters.isoformat() if row.told_reporters else None,
    }


def _shown(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _draft(agency: str, known: str, figures: breaches.Figures) -> str:
    return f"""\
PEMBERITAHUAN KEGAGALAN PELINDUNGAN DATA PRIBADI (UU 27/2022 Pasal 46)

Pengendali: {agency}
Diketahui: {known}

1. Data pribadi yang terungkap
   [jelaskan; paling banyak menyangkut: {figures.cases} laporan, {figures.reporters} pelapor
   dengan kode, {figures.identities} laporan dengan identitas tersegel, {figures.files} berkas]

2. Kapan dan bagaimana data pribadi terungkap
   [jelaskan]

3. Upaya penanganan dan pemulihan
   [jelaskan]

Pelapor diberi tahu melalui nomor dan kodenya: `kentongan breach tell-reporters`."""
