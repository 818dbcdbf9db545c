"""The verbs that end a letter: sent, dead, failed, or its person cannot be reached."""

from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from handlers.conversation import clean_chat
from handlers.notices import undelivered
from handlers.office import Office
from handlers.work import Work
from storage.notices import failed as failed_letters
from storage.outbox import Claimed


class Ends(Protocol):
    """The verbs that write what became of a letter; each checks the lease."""

    def sent(
        self,
        session: Session,
        claimed: Claimed,
        *,
        provider_id: str,
        final: bool,
        now: datetime,
    ) -> bool:
        """Finish a letter that the provider took."""
        ...

    def dead(self, session: Session, claimed: Claimed, *, now: datetime) -> bool:
        """Drop a letter that can never be sent."""
        ...

    def failed(
        self, session: Session, claimed: Claimed, *, reason: str, now: datetime
    ) -> bool:
        """Give a letter up by a short code; a person may try it again until it expires."""
        ...

    def unreachable(
        self, session: Session, claimed: Claimed, *, reason: str, now: datetime
    ) -> bool:
        """Record, by a short code, that a person cannot be reached, and drop the letter.

        False when the letter's case is not authentic.
        """
        ...


class Written:
    """The ends as this house writes them."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def sent(
        self,
        session: Session,
        claimed: Claimed,
        *,
        provider_id: str,
        final: bool,
        now: datetime,
    ) -> bool:
        """Finish a letter; its id joins the trail of its conversation."""
        return clean_chat.sent(
            Work(session, self._office, now),
            claimed,
            provider_id=provider_id,
            final=final,
        )

    def dead(self, session: Session, claimed: Claimed, *, now: datetime) -> bool:
        """Drop a letter; a refused deletion goes on in halves, a notice is owed."""
        mine = clean_chat.dead(Work(session, self._office, now), claimed)
        if mine:
            office, letter = self._office, claimed.letter
            undelivered.refused(
                Work(session, office, now), letter, reason=undelivered.EXPIRED
            )
        return mine

    def failed(
        self, session: Session, claimed: Claimed, *, reason: str, now: datetime
    ) -> bool:
        """Keep what somebody waits for; drop the rest."""
        if claimed.letter.kind in failed_letters.KEPT:
            mine = failed_letters.keep(session, claimed, reason, now=now)
            if not mine:
                return False
            office, letter = self._office, claimed.letter
            return undelivered.refused(
                Work(session, office, now), letter, reason=reason
            )
        return clean_chat.dead(Work(session, self._office, now), claimed)

    def unreachable(
        self, session: Session, claimed: Claimed, *, reason: str, now: datetime
    ) -> bool:
        """End the person's notices."""
        return undelivered.unreachable(
            Work(session, self._office, now), claimed, reason=reason
        )
