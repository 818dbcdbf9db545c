"""Checks of the installation itself: server key, store, disk, people, units, rules."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlmodel import Session

from bot.assembly import hardening
from bot.assembly.office import make_office
from bot.doctor import findings
from bot.doctor.findings import NO_LINK, Finding, Patient, ok, warn, wrong
from bot.operations import founding
from bot.settings import loading
from bot.settings.sections import Settings
from bot.settings.values import is_loopback
from bot.terminal import desk, refusals
from handlers.errors import KentonganError
from handlers.office import Office
from handlers.questionnaire import book
from handlers.texts import TextMissing
from storage.audit import installation, manifests
from storage.cases import conflicts
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import BadServerKey, ServerKeys
from storage.database import schema
from storage.database.database import Database
from storage.jobs import backlog
from storage.units import above, admissions, readiness, recovery_keys

_MEBIBYTE = 1 << 20
_LITTLE, _FAR_TOO_LITTLE = 1024, 100
_NOVEMBER = 11
_COPIES_HOURS = 24


def server_key(patient: Patient) -> Iterator[Finding]:
    """Look at the key: there, private and well formed."""
    try:
        ring = _keys(patient)
    except (loading.BadConfig, BadServerKey) as error:
        yield wrong("server key", refusals.line(error))
        return
    where = patient.settings.keys
    place = "the environment" if where.server_key else str(where.server_key_file)
    yield ok("server key", f"{len(ring.ring)} in {place}")


def database(patient: Patient) -> Iterator[Finding]:
    """Look whether the store answers, with our schema, and takes writes."""
    if not desk.store_exists(patient.settings):
        yield wrong("database", "there is none yet; run `kentongan init`")
        return
    with findings.opened(patient) as store:
        try:
            found, wanted = schema.current(store), schema.head()
            if not found:
                yield wrong("database", "it is empty; run `kentongan init`")
                return
            schema.check(store)
            _try_to_write(store)
        except Exception as error:  # noqa: BLE001 - put into words below
            says = refusals.line(error) or f"cannot be used ({type(error).__name__})"
            yield wrong("database", says)
            return
    kind = "SQLite" if store.is_sqlite else "PostgreSQL"
    yield ok("database", f"{kind} answers and takes writes, schema {wanted}")


def disk(patient: Patient) -> Iterator[Finding]:
    """Look for room, and who may look into the folder of the evidence."""
    evidence = patient.settings.files.path
    if not evidence.is_dir():
        yield warn("files", f"{evidence}: no such folder; `kentongan serve` makes it")
    elif evidence.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warn("files", f"others may look into it; run: chmod 700 {evidence}")
    else:
        yield ok("files", f"{evidence} is ours alone")
    file = desk.sqlite_file(patient.settings)
    places = {_existing(evidence), _existing(file.parent) if file else Path()}
    free = min(shutil.disk_usage(place).free for place in places) // _MEBIBYTE
    if free < _FAR_TOO_LITTLE:
        yield wrong("disk", f"{free} MiB are free; make room now")
    elif free < _LITTLE:
        yield warn("disk", f"{free} MiB are free; make room soon")
    else:
        yield ok("disk", f"{free // 1024} GiB are free")


def house(patient: Patient) -> Iterator[Finding]:
    """Look whether the bot would take a report, and who could recover it."""
    try:
        keys = _keys(patient)
    except (loading.BadConfig, BadServerKey):
        return  # told by server_key
    with findings.ready(patient) as store:
        if store is None:
            return  # told by database
        with store.reading() as session:
            yield from _people(session, keys)


def copies(patient: Patient) -> Iterator[Finding]:
    """Look whether providers still keep what they were asked to erase."""
    with findings.ready(patient) as store:
        if store is None:
            return  # told by database
        with store.reading() as session:
            owed = backlog.copies(session, now=patient.now)
    hours = int(owed.age.total_seconds()) // 3600
    if not owed.count:
        yield ok("copies", "no copy waits at Twilio to be erased")
        return
    says = f"{owed.count} wait at Twilio to be erased, the oldest since {hours} hours"
    if hours < _COPIES_HOURS:
        yield ok("copies", says)
    else:
        yield warn("copies", f"{says}; is the token still good? they are tried daily")


def reach(patient: Patient) -> Iterator[Finding]:
    """Look how the world reaches us, and what it may see."""
    server = patient.settings.server
    if not server.public_url:
        yield ok(
            "public_url", "not set: polling only, the console on this machine only"
        )
    elif server.public_url.startswith("https://"):
        yield ok("public_url", f"{server.public_url} is https")
    else:
        yield warn("public_url", "is not https: good for a test on this machine only")
    if not is_loopback(server.host):
        yield warn(
            "host", f"{server.host} listens without TLS; bind 127.0.0.1, use a proxy"
        )
    if not patient.settings.takes_reports:
        yield warn("channels", "none is set up, nobody can report; see docs/running.md")
    yield _link(patient.settings)
    if not patient.settings.agency.address:
        says = "the first page names no place: set agency.address and agency.hours"
        yield warn("without a phone", says)
    token = "with the token" if server.metrics_token else "from this machine only"
    yield ok("metrics", f"can be read {token}")


def memory(_: Patient) -> Iterator[Finding]:
    """Look whether this machine lets us close our memory and overwrite what we free."""
    if not hardening.is_hardened():
        says = "cannot be closed to others here: run it on Linux"
        yield warn("memory", says)
    elif not hardening.overwrites_freed():
        says = "what was said stays in it for hours: run it with the GNU C library"
        yield warn("memory", f"{says}, by the command `kentongan`")
    else:
        yield ok("memory", "closed to others, and overwritten where it is freed")


def rules(patient: Patient) -> Iterator[Finding]:
    """Prove questions and texts in every language; look into the calendar."""
    try:
        office = make_office(patient.settings, ServerKeys.new(), now=patient.now)
        problems = book.check(office.questionnaire, office.texts)
    except (KentonganError, TextMissing) as error:
        yield wrong("rules", f"{refusals.line(error) or error}; see `kentongan check`")
        return
    languages = " and ".join(office.languages)
    if problems:
        yield wrong("rules", f"{len(problems)} to correct; see `kentongan check`")
    else:
        yield ok("rules", f"questions and texts are sound in {languages}")
    yield from _calendar(office, patient)


def _link(settings: Settings) -> Finding:
    """Look where the conversation sends who asks for rights, or for another way."""
    if not settings.link:
        return (wrong if settings.takes_reports else warn)("link", NO_LINK)
    if is_loopback(urlsplit(settings.link).hostname or ""):
        return warn("link", f"{settings.link} opens on this machine only")
    return ok("link", f"the conversation names {settings.link}")


def _people(session: Session, keys: ServerKeys) -> Iterator[Finding]:
    try:
        agency = founding.agency_of(session, keys)
        demo = installation.get_setting(session, keys, founding.DEMO)
    except NotAuthentic as error:
        yield wrong("house", refusals.line(error))
        return
    if not agency:
        yield wrong("house", "nobody is there yet; run `kentongan init`")
        return
    if demo not in {founding.YES, founding.NO}:
        yield wrong("house", "does not say whether it is a demo; `serve` refuses it")
        return
    if demo == founding.YES:
        yield wrong(
            "house", "is a demo whose passphrases are known; `serve` refuses it"
        )
    yield from _units(session, keys)
    unsettled = conflicts.unsettled(session)
    if unsettled:
        says = f"{unsettled} wait for a new key after a conflict of interest"
        yield warn("cases", f"{says}; another member of the unit has to sign in")
    waits = len(admissions.unconfirmed_accounts(session, keys))
    if waits:
        says = f"{waits} without a unit wait until their six words are compared"
        yield warn("accounts", f"{says}; an admin or a supervisor confirms in People")
    for kind, purpose in recovery_keys.PURPOSE.items():
        try:
            recovery_keys.key_for(session, keys, kind)
        except (recovery_keys.RecoveryMissing, NotAuthentic) as error:
            yield wrong(f"recovery {purpose}", refusals.line(error))
        else:
            yield ok(f"recovery {purpose}", "its public half is stored")


def _units(session: Session, keys: ServerKeys) -> Iterator[Finding]:
    if manifests.rolled_back(session, keys):
        says = "officers, units or routes were put back by hand"
        yield wrong("units", f"{says}; run `kentongan audit verify`")
    problems = readiness.ready(session, keys)
    for problem in problems:
        yield wrong("units", problem)
    lacking = above.missing(session, keys)
    for problem in lacking:
        yield wrong("above us", problem)
    if not lacking:
        yield ok("above us", "a unit gets what names those who stand above")
    for warning in readiness.warnings(session, keys):
        yield warn("units", warning)
    if not problems:
        yield ok(
            "units", "every route leads to a unit with a key, and so does the vault"
        )


def _calendar(office: Office, patient: Patient) -> Iterator[Finding]:
    today = office.day(patient.now)
    years = [today.year] + ([today.year + 1] if today.month >= _NOVEMBER else [])
    for year in years:
        if office.calendar.knows_joint_leave(year):
            yield ok("holidays", f"joint leave of {year} is known")
        else:
            yield warn(
                "holidays",
                f"joint leave of {year} is not known: add it to your holidays.toml",
            )


def _try_to_write(store: Database) -> None:
    """Take the right to write, change nothing, give it back."""
    with store.write_engine.connect() as connection:
        connection.execute(text("DELETE FROM counters WHERE 1 = 0"))
        connection.rollback()


def _keys(patient: Patient) -> ServerKeys:
    found = loading.server_key(patient.settings, patient.environ)
    return ServerKeys.from_text(found.get_secret_value())


def _existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that exists."""
    here = path.absolute()
    return next(place for place in (here, *here.parents) if place.exists())


LOOKS = (
    ("server key", server_key),
    ("database", database),
    ("disk", disk),
    ("house", house),
    ("copies", copies),
    ("server", reach),
    ("memory", memory),
    ("rules", rules),
)
"""Every check of this file, by the name under which its failure is told."""
