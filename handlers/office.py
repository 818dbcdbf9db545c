"""What an installation knows when it decides: its keys, rules, texts and place in time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from handlers.questionnaire.book import Questionnaire
from handlers.reading.lexicon import Lexicon
from handlers.rules.rulebook import Rulebook
from handlers.rules.workdays import Calendar
from handlers.texts import Texts
from handlers.throttle import Echoes, Floods, Pace
from storage.crypto.server_key import ServerKeys
from storage.words import Channel


@dataclass(frozen=True, slots=True)
class Office:
    """Made once at start. ``console_url`` is where officers open a case.

    ``erase_copies``: have the provider's copy of each message deleted after our commit.
    ``file_limits`` are MiB, ``text_limits`` UTF-16 units, per channel. ``delete_hours`` is
    how long messages of both sides can be deleted, ``delete_at_once`` how many in one
    request; 0 or absent where a channel cannot. ``pace``, ``echoes`` and ``floods`` live in
    memory under a random key and remember nobody. ``province`` is the code of the agency's
    own, if it has one. ``lexicon`` gives the words that tell a report's way, read once.
    """

    keys: ServerKeys
    texts: Texts
    questionnaire: Questionnaire
    rulebook: Rulebook
    lexicon: Callable[[], Lexicon]
    calendar: Calendar
    zone: ZoneInfo
    languages: tuple[str, ...]
    console_url: str = ""
    erase_copies: bool = True
    file_limits: Mapping[str, int] = field(default_factory=dict)
    text_limits: Mapping[str, int] = field(default_factory=dict)
    delete_hours: Mapping[str, int] = field(default_factory=dict)
    delete_at_once: Mapping[str, int] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    echoes: Echoes = field(default_factory=Echoes)
    floods: Floods = field(default_factory=Floods)
    backup_days: int = 30
    province: str = ""

    def day(self, now: datetime) -> date:
        """Return the agency's local day."""
        return now.astimezone(self.zone).date()

    def cleans(self, channel: Channel) -> bool:
        """Tell whether messages of this channel can be deleted on both sides."""
        return bool(self.delete_hours.get(channel))

    @property
    def backups(self) -> timedelta:
        """Return how long a backup may be restored: what was erased lives there as long."""
        return timedelta(days=self.backup_days)

    def language(self, wanted: str) -> str:
        """Return a language that we speak, the wanted one if possible."""
        short = wanted[:2].lower()
        return short if short in self.languages else self.languages[0]
