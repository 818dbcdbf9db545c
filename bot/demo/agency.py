"""The demo's folder: settings, key, database and people with known passphrases.

A second run goes on with the same folder. ``serve`` refuses its database.
"""

import base64
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sqlmodel import delete

from bot.operations import founding, recovery_paper
from bot.operations.private_files import FOLDER_MODE, write_private
from bot.settings import loading
from bot.settings.sections import Settings
from storage.audit import manifests
from storage.crypto.sealing import new_pair
from storage.crypto.server_key import ServerKeys
from storage.database import schema
from storage.database.database import COMMAND_WAIT, Database
from storage.models import Conversation, Inbox, Lease
from storage.people import officers, one_time_codes, telegram_links
from storage.people.officers import NewAccount
from storage.units import above, memberships, units
from storage.words import Role

AGENCY, UNIT, VAULT = "Inspektorat Contoh", "Pengaduan", "Penjaga Identitas"
SUPERVISOR, SECOND, CUSTODIAN = "siti", "budi", "wayan"
ABOVE_UNIT, ABOVE = "Di Atas Kami", ("ratna", "yusuf")
"""Who gets the reports on the head of the region and on the others named here."""
NAMES = {
    SUPERVISOR: "Siti Rahma",
    SECOND: "Budi Santoso",
    CUSTODIAN: "Wayan Putra",
    "ratna": "Ratna Dewi",
    "yusuf": "Yusuf Hakim",
}
PASSPHRASES = {login: f"kentongan demo {login}" for login in NAMES}
MARKER = "this-is-a-demo"
_CONFIG = """\
# Written anew at every start of the demo.
[server]
port = {console}
public_url = "http://127.0.0.1:{console}"

[database]
url = "sqlite:///{folder}/kentongan.db"

[files]
path = "{folder}/files"

[retention]
tombstones_file = "{folder}/tombstones.log"

[keys]
server_key_file = "{folder}/server.key"

[logs]
form = "console"
level = "warning"

[agency]
name = "{agency}"
address = "Jl. Contoh 1, Jambi, lantai 2"
hours = "Senin-Jumat 08.00-15.00"
letter = "PO Box 100, Jambi 36000"

[telegram]
{telegram}

[twilio]
account_sid = "{account_sid}"
auth_token = "{auth_token}"
api_base_url = "{simulator}"
sms_number = "{sms_number}"
whatsapp_number = "{whatsapp_number}"

[twilio.templates.id]
news = "HX11111111111111111111111111111111"

[twilio.templates.en]
news = "HX22222222222222222222222222222222"
"""
_TELEGRAM = """\
token = "{telegram_token}"
api_base_url = "{simulator}/bot"
file_base_url = "{simulator}/file/bot\""""


class NoDemoFolder(Exception):
    """The folder holds something else than a demo; name another one with --folder."""


class DemoRuns(Exception):
    """A demo is running in this folder already; stop it, or name another --folder."""


class DemoBroken(Exception):
    """The demo's folder lost its server key; start anew with --fresh."""


@contextmanager
def claimed(folder: Path, *, fresh: bool) -> Iterator[Path]:
    """Make or take the demo's folder for this process alone; ``fresh`` empties it."""
    marker = folder / MARKER
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise NoDemoFolder
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    with marker.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoRuns from None
        if fresh:
            _empty(folder)
        yield folder.resolve()


def write_config(
    folder: Path, provider: Mapping[str, str], *, console: int, live: bool
) -> Path:
    """Write the demo's config.toml; return its path.

    ``provider`` is what the simulator says of itself. ``live``: Telegram's settings come
    from the environment.
    """
    values = {
        **provider,
        "simulator": provider["base_url"],
        "agency": AGENCY,
        "console": console,
        "folder": folder,
    }
    telegram = "" if live else _TELEGRAM.format(**values)
    path = folder / "config.toml"
    path.unlink(missing_ok=True)
    write_private(path, _CONFIG.format(**values, telegram=telegram))
    return path


def phones(folder: Path) -> Path:
    """Return the file with the officers' second factors, made at the first start.

    The simulator shows their codes; it gets the file's name, never the secrets.
    """
    path = folder / "authenticator.json"
    words = json.loads(path.read_text("utf-8")) if path.exists() else {}
    new = {
        login: one_time_codes.text(one_time_codes.new_seed())
        for login in NAMES
        if login not in words
    }
    if new:
        path.unlink(missing_ok=True)
        write_private(path, json.dumps(words | new))
    return path


def furnish(folder: Path, settings: Settings, *, now: datetime) -> bool:
    """Set up key, database and people, or get them ready again; True when they are new."""
    path = settings.keys.server_key_file
    is_new = not (folder / "kentongan.db").exists()
    if is_new and not path.exists():
        write_private(path, ServerKeys.new().to_text())
    if not path.exists():
        raise DemoBroken
    keys = _keys(settings)
    settings.files.path.mkdir(mode=FOLDER_MODE, exist_ok=True)
    with _store(settings) as database:
        schema.upgrade(database)
        with database.reading() as session:
            founded = founding.is_founded(session)
        if not founded:
            _found(folder, keys, database, now)
        _admit_second(keys, database, now)
        _name_above(keys, database, now)
        _enrol(keys, database, phones(folder), now)
        _wake(database)
    return not founded


def link_token(settings: Settings, *, now: datetime) -> str:
    """Return a fresh one-time token that links the supervisor's Telegram."""
    keys = _keys(settings)
    with _store(settings) as database, database.writing() as session:
        officer = officers.verified(session, keys, SUPERVISOR)
        return telegram_links.issue(session, keys, officer.id, now=now)


def is_linked(settings: Settings) -> bool:
    """Tell whether the supervisor's Telegram is linked."""
    keys = _keys(settings)
    with _store(settings) as database, database.reading() as session:
        return telegram_links.is_linked(
            session, officers.verified(session, keys, SUPERVISOR).id
        )


def _found(folder: Path, keys: ServerKeys, database: Database, now: datetime) -> None:
    pairs = {purpose: new_pair() for purpose in recovery_paper.PURPOSES}
    for purpose, pair in pairs.items():
        path = folder / f"recovery-{purpose}.secret"
        path.unlink(missing_ok=True)
        write_private(path, recovery_paper.write_secret(purpose, pair.secret))
    plan = founding.Founding(
        agency=AGENCY,
        unit=UNIT,
        vault=VAULT,
        officer=_account(keys, SUPERVISOR, Role.SUPERVISOR),
        custodian=_account(keys, CUSTODIAN, Role.CUSTODIAN),
        recovery={purpose: pair.public for purpose, pair in pairs.items()},
        demo=True,
    )
    with database.writing() as session:
        founding.found(session, keys, plan, now=now)


def _admit_second(keys: ServerKeys, database: Database, now: datetime) -> None:
    """Let the supervisor admit a colleague, for steps that need four eyes."""
    with database.reading() as session:
        if officers.find(session, keys, SECOND) is not None:
            return
        first = officers.verified(session, keys, SUPERVISOR)
    secret = officers.unwrap(keys, first, PASSPHRASES[SUPERVISOR])
    account = _account(keys, SECOND, Role.SUPERVISOR)
    with database.writing() as session:
        unit = units.named(session, keys, UNIT)
        second = officers.add(session, keys, account)
        memberships.admit(session, keys, unit, second, first, secret)
        manifests.witness(session, keys, now=now)


def _name_above(keys: ServerKeys, database: Database, now: datetime) -> None:
    """Name who gets the reports on the head of the region, where the demo has nobody."""
    with database.reading() as session:
        if above.id_of(session, keys) is not None:
            return
    people = [_account(keys, login, Role.SUPERVISOR) for login in ABOVE]
    with database.writing() as session:
        founding.name_above(session, keys, ABOVE_UNIT, people, now=now)
        manifests.witness(session, keys, now=now)


def _enrol(keys: ServerKeys, database: Database, path: Path, now: datetime) -> None:
    """Give every officer the second factor that the simulator shows."""
    words: dict[str, str] = json.loads(path.read_text("utf-8"))
    with database.writing() as session:
        for login, word in words.items():
            officer = officers.verified(session, keys, login)
            if one_time_codes.find(session, keys, officer.id) is None:
                one_time_codes.put(
                    session, keys, officer, base64.b32decode(word), step=0
                )
        manifests.witness(session, keys, now=now)


def _wake(database: Database) -> None:
    """Forget what belongs to the phones of the last run.

    The simulator counts its updates from the beginning again: an offset, a press or a
    message of the last run would make new ones look like old ones. Cases stay.
    """
    with database.writing() as session:
        for table in (Inbox, Conversation, Lease):
            session.exec(delete(table))


def _account(keys: ServerKeys, login: str, role: Role) -> NewAccount:
    return officers.prepare_account(keys, login, NAMES[login], role, PASSPHRASES[login])


def _keys(settings: Settings) -> ServerKeys:
    text = loading.server_key(settings, os.environ)
    return ServerKeys.from_text(text.get_secret_value())


def _store(settings: Settings) -> closing[Database]:
    url = settings.database.url.get_secret_value()
    return closing(Database(url, wait=COMMAND_WAIT))


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARKER:
            path.unlink()
