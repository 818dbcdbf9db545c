"""Who reads how much: what the log tells of readings, for auditors.

Reading is every officer's work, so this only shows where to look: many cases in a day
with which the officer has nothing else to do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.responses import Response

from bot.console.visit import Visit
from storage.audit import log
from storage.audit.log import Filters
from storage.models import AuditLine
from storage.people import officers
from storage.units import above

DAYS = 30
MANY = 10
"""So many cases that are not one's own, read in one day, are worth a question."""
_MOST = 200_000
_READ = "case.read"


@dataclass(frozen=True, slots=True)
class Day:
    """What one officer read in one day: cases, and those they do nothing else with."""

    officer: bytes
    who: str
    day: date
    read: int
    foreign: int

    @property
    def is_much(self) -> bool:
        """Tell whether somebody should ask why."""
        return self.foreign >= MANY


def reading(visit: Visit) -> Response:
    """Show the readings of the last days, by officer and day."""
    office = visit.console.office
    since = visit.now - timedelta(days=DAYS)
    with visit.console.database.reading() as session:
        acts = log.lines(
            session,
            limit=_MOST,
            filters=Filters(
                codes=("case.",), since=since, above=above.id_of(session, office.keys)
            ),
        )
        names = officers.names(session, office.keys)
    days = of_officers(acts, lambda line: office.day(line.at), names)
    return visit.page("watch/readings.html", days=days, many=MANY, span=DAYS)


def of_officers(
    acts: Iterable[AuditLine],
    day_of: Callable[[AuditLine], date],
    names: Mapping[bytes, str],
) -> list[Day]:
    """Count readings by officer and day; the newest day first, then the most foreign."""
    works: set[tuple[bytes | None, bytes | None]] = set()
    read: dict[tuple[date, bytes], set[bytes]] = defaultdict(set)
    for line in acts:
        if line.officer is None or line.report is None:
            continue
        if line.code == _READ:
            read[day_of(line), line.officer].add(line.report)
        else:
            works.add((line.officer, line.report))
    found = [
        Day(
            officer=officer,
            who=names.get(officer, "?"),
            day=day,
            read=len(cases),
            foreign=sum((officer, case) not in works for case in cases),
        )
        for (day, officer), cases in read.items()
    ]
    return sorted(found, key=lambda one: (-one.day.toordinal(), -one.foreign, one.who))
