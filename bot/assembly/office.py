"""Builds the ``Office`` and the evidence's place from the settings.

The ``Office`` holds rules, questionnaire, texts and limits; evidence lies in a folder
or a bucket.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.channels import limits
from bot.settings.sections import Settings
from handlers.errors import RulesInvalid
from handlers.office import Office
from handlers.questionnaire.book import Questionnaire
from handlers.questionnaire.book import load as load_questionnaire
from handlers.reading.lexicon import Lexicon
from handlers.rules.rulebook import Rulebook
from handlers.texts import Texts
from handlers.throttle import Floods
from storage.crypto.server_key import ServerKeys
from storage.evidence.blobs import BlobStore, FolderStore
from storage.words import Channel

_MEBIBYTE = 1 << 20
_YEARS_AHEAD = 8
_LIMITS = (
    (Channel.TELEGRAM, limits.TELEGRAM),
    (Channel.SMS, limits.SMS),
    (Channel.WHATSAPP, limits.WHATSAPP),
    (Channel.CANARY, limits.CANARY),
)


def make_office(settings: Settings, keys: ServerKeys, *, now: datetime) -> Office:
    """Load rules and texts; raises RulesInvalid for bad ones."""
    agency = settings.agency
    folder = Path(agency.rules) if agency.rules else None
    rulebook = Rulebook.load(folder, agency.jurisdiction)
    if agency.province and agency.province not in rulebook.provinces.names:
        raise RulesInvalid(f"agency.province: {agency.province} is not in regions.toml")
    return Office(
        keys=keys,
        texts=make_texts(settings),
        questionnaire=make_questionnaire(folder),
        rulebook=rulebook,
        lexicon=partial(lexicon_of, folder, agency.jurisdiction),
        calendar=rulebook.calendar(range(now.year - 1, now.year + _YEARS_AHEAD)),
        zone=ZoneInfo(agency.timezone),
        languages=agency.languages,
        console_url=f"{settings.server.public_url or local_url(settings)}/console",
        erase_copies=settings.twilio.erase_copies,
        province=agency.province,
        floods=Floods(joined_from=agency.reports_an_hour + 1),
        backup_days=settings.retention.backup_days,
        file_limits=_file_limits(settings),
        text_limits={name: most.text for name, most in _LIMITS},
        delete_hours={name: most.delete_hours for name, most in _LIMITS},
        delete_at_once={name: most.delete_at_once for name, most in _LIMITS},
    )


@cache
def lexicon_of(folder: Path | None, jurisdiction: str) -> Lexicon:
    """Read the words late: half a second that no command needs but those that take reports."""
    return Lexicon.load(folder, jurisdiction)


def _file_limits(settings: Settings) -> Mapping[str, int]:
    """Return how large a file may be, in MiB; a Bot API server of our own takes more."""
    found: dict[str, int] = {
        name: most.file_bytes // _MEBIBYTE for name, most in _LIMITS
    }
    if settings.telegram.local_files:
        found[Channel.TELEGRAM] = limits.TELEGRAM_LOCAL.file_bytes // _MEBIBYTE
    return found


def make_questionnaire(folder: Path | None) -> Questionnaire:
    """Load the agency's own questionnaire if it has one, ours otherwise."""
    own = folder / "questionnaire.toml" if folder else None
    return load_questionnaire(own if own and own.is_file() else None)


def make_texts(settings: Settings) -> Texts:
    """Load the catalogues, the agency's own over ours; raises RulesInvalid, TextMissing."""
    agency = settings.agency
    context = {
        "agency": agency.name,
        # Without any page there is at least somewhere else to go.
        "link": settings.link or agency.elsewhere,
        "emergency": " / ".join(agency.emergency_numbers),
        "elsewhere": agency.elsewhere,
    }
    folder = Path(agency.rules) if agency.rules else None
    return Texts(agency.languages, context, folder)


def own_address(settings: Settings) -> str:
    """Return the address by which this process reaches itself, without leaving the machine."""
    host = settings.server.host
    own = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what is listened on, to be called
    return f"http://{f'[{own}]' if ':' in own else own}:{settings.server.port}"


def local_url(settings: Settings) -> str:
    """Return where the server listens."""
    return f"http://{settings.server.host}:{settings.server.port}"


def make_blob_store(settings: Settings) -> BlobStore:
    """Return the blob store, a folder or a bucket; nothing is asked or made yet."""
    path, named = settings.files.path, settings.bucket
    if not named.name:
        return FolderStore(path)
    from storage.evidence import bucket  # noqa: PLC0415 - its library is an extra, [s3]

    objects = bucket.connect(
        named.name,
        endpoint=named.endpoint,
        region=named.region,
        prefix=named.prefix,
        key_id=named.access_key_id,
        secret=named.secret_access_key.get_secret_value(),
    )
    return bucket.BucketStore(objects, path)
