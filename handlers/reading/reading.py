"""What a reporter's own words lead to: codes, never words.

``read`` takes the text of one message or of a whole report. ``stricter`` joins what several
answers said, words and buttons alike.
"""

from dataclasses import dataclass

from handlers.reading.accused import weigh
from handlers.reading.entries import Conflict
from handlers.reading.lexicon import Lexicon
from handlers.reading.subjects import subject
from storage.words import Track

_STRICTEST: tuple[Conflict, ...] = ("INS", "KDH")


@dataclass(frozen=True, slots=True)
class Reading:
    """Codes that were read; ``""``, None and nothing where the words do not say.

    ``position`` is a code of ``positions.toml`` or ``INS``, ``category`` one of
    ``categories.toml``, ``signs`` are those of ``subjects.toml``.
    """

    position: str = ""
    conflicts: frozenset[Conflict] = frozenset()
    category: str = ""
    track: Track | None = None
    signs: frozenset[str] = frozenset()

    @property
    def conflict(self) -> Conflict | None:
        """Return the strictest class that is accused: of our own people, then of a head."""
        return next((code for code in _STRICTEST if code in self.conflicts), None)

    @property
    def urgent(self) -> bool:
        """Say whether the words make the report urgent."""
        return bool(self.signs)


def read(text: str, lexicon: Lexicon) -> Reading:
    """Read one text: any text gives a reading. Its first 48,000 letters are read."""
    words = lexicon.speller.words(text)
    accused = weigh(words, lexicon)
    about = subject(words, lexicon.about)
    return Reading(
        accused.position, accused.conflicts, about.category, about.track, about.signs
    )


def stricter(one: Reading, other: Reading) -> Reading:
    """Join two readings of one report, in either order of strictness.

    Every accused class, every sign and corruption count wherever they were read. Of
    positions that of an accused class goes before any other; else, as of categories, the
    first that is known: put first what the reporter chose with a button.
    """
    return Reading(
        position=_position(one, other),
        conflicts=one.conflicts | other.conflicts,
        category=one.category or other.category,
        track=_track(one.track, other.track),
        signs=one.signs | other.signs,
    )


def _position(one: Reading, other: Reading) -> str:
    known = [reading for reading in (one, other) if reading.position]
    accused = [reading for reading in known if reading.conflicts]
    return next((reading.position for reading in (*accused, *known)), "")


def _track(one: Track | None, other: Track | None) -> Track | None:
    return Track.TPK if Track.TPK in {one, other} else one or other
