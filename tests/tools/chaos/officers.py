"""Officers at work beside the servers, as commands are: take, ask, move, and so tell."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from bot.clock import utc_now
from handlers.cases import officer as verbs
from handlers.office import Office
from handlers.work import Work
from storage.database.database import Database
from storage.models import Case
from storage.notices import subscriptions
from storage.words import Status
from tests.support import founded as house
from tests.tools.chaos.dice import Dice

QUESTION = "Kapan terakhir kali Anda melihat kejadian itu?"
NEWS = ("VERIFICATION", "ask", "REVIEW")
"""What is done with a case, in this order; each step is news."""


@dataclass(frozen=True)
class Told:
    """One act that was news: who had to hear of it, between which moments it committed."""

    report: bytes
    what: str
    people: tuple[tuple[str, str], ...]
    """Channel and handle of each."""
    began: float
    ended: float


@dataclass
class Officers:
    """One supervisor who never sleeps; ``told`` is all that was news."""

    database: Database
    office: Office
    house: house.House
    dice: Dice
    pause: float
    told: list[Told] = field(default_factory=list)
    done: dict[bytes, int] = field(default_factory=dict)
    refused: int = 0

    async def work(self) -> None:
        """Work until cancelled; where the store is away, try again."""
        while True:
            with contextlib.suppress(DBAPIError):
                await asyncio.to_thread(self.round)
            await asyncio.sleep(self.pause)

    def round(self) -> None:
        """Do the next step of one case."""
        with self.database.reading() as session:
            query = select(Case.report).where(
                col(Case.receipt_wrap).is_not(None),
                col(Case.canary).is_(False),
            )
            found = [one for one in session.exec(query) if self._steps(one)]
        if not found:
            return
        report = self.dice.pick("case", sorted(found))
        step = NEWS[self.done.get(report, 0)]
        self._act(report, step)
        self.done[report] = self.done.get(report, 0) + 1

    def _steps(self, report: bytes) -> int:
        """Return how many steps are left of those that this case gets: one to three."""
        wanted = Dice(f"{self.dice.seed}/{report.hex()}").below("steps", len(NEWS)) + 1
        return max(0, wanted - self.done.get(report, 0))

    def _act(self, report: bytes, step: str) -> None:
        officer = self.house.supervisor.officer
        began = utc_now()
        try:
            with self.database.writing() as session:
                verbs.take(Work(session, self.office, began), report, by=officer)
                keys = self.office.keys
                listening = subscriptions.of_case(session, keys, report)
                people = tuple((one.channel.value, one.handle) for one in listening)
                self._verb(step, report)(session, began)
        except DBAPIError:
            self.refused += 1
            raise
        ended = utc_now().timestamp()
        self.told.append(Told(report, step, people, began.timestamp(), ended))

    def _verb(self, step: str, report: bytes) -> Callable[[Session, datetime], object]:
        office, by = self.office, self.house.supervisor.officer

        def ask(session: Session, now: datetime) -> object:
            return verbs.ask(Work(session, office, now), report, QUESTION, by=by)

        def move(session: Session, now: datetime) -> object:
            return verbs.change_status(
                Work(session, office, now), report, Status(step), by=by, reason=None
            )

        return ask if step == "ask" else move
