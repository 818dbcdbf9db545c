"""Takes in messages that never reached us: a lost webhook of Twilio's leaves no trace here.

Every few minutes one process lists the messages to our numbers at the provider and
hands what is unknown to the same intake. Its lease is short and renewed while it rests, so
that whoever comes after one that was killed looks within minutes. The cursor is the provider's time up to which
all was seen; it moves over nothing else, so whatever fails is seen again.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from bot.channels import base
from bot.channels.sms import START_WORDS, STOP_WORDS, Sms
from bot.channels.twilio_listing import Listed, Listing
from bot.channels.whatsapp import WhatsApp
from bot.intake.intake import Intake
from bot.telemetry import logs
from bot.writer import StoreUnavailable, Writer
from handlers.office import Office
from storage import conversations
from storage.jobs import leases
from storage.words import Channel

NAME = "twilio.reconcile"
EVERY_SECONDS = 300
"""Between two runs; each comes up to a fifth sooner or later."""
FIRST_SECONDS = 15.0
LEASE_SECONDS = 120
RENEW_SECONDS = 20.0
"""Between two renewals of the lease, or tries to get one that somebody else holds."""
AGAIN_SECONDS = 150.0
"""From the first look of who took over to the next: for what was too young at the first."""
YOUNG = timedelta(minutes=2)
"""What is younger may still be on its way to us: Twilio tries for half a minute."""
OVERLAP = timedelta(minutes=10)
FIRST_LOOK = timedelta(hours=24)
MOST_PAGES = 10
"""Pages of one run and number; where there are more, the older half is looked at first.

Those of the overlap do not count: it would never be passed where it fills as many.
"""
_NARROWEST = timedelta(seconds=2)
MOST_BROKEN = 5
"""Messages of one run whose files cannot be listed; after so many the others wait too."""
RECOVERED = "twilio.recovered"
_PROVIDERS_OWN = STOP_WORDS | START_WORDS | {"HELP", "INFO"}
"""Twilio answers these itself and may keep them to itself: no webhook was lost."""
Tell = Callable[[str, str], Awaitable[object]]


class Reconciler:
    """Lists what is at Twilio. ``holder`` is this process's name for the lease.

    ``tell`` takes the watch's name and what is wrong ("" when all is well).
    """

    def __init__(
        self,
        listing: Listing,
        channels: Sequence[Sms | WhatsApp],
        writer: Writer,
        intake: Intake,
        office: Office,
        *,
        tell: Tell,
        clock: Callable[[], datetime],
        holder: str,
    ) -> None:
        self._listing = listing
        self._channels = channels
        self._writer = writer
        self._intake = intake
        self._office = office
        self._tell = tell
        self._clock = clock
        self._holder = holder

    async def run(self) -> None:
        """Look soon after the start, then every few minutes until cancelled."""
        try:
            await asyncio.sleep(FIRST_SECONDS)
            while True:
                await self._lead()
                await asyncio.sleep(RENEW_SECONDS)
        finally:
            await asyncio.shield(self.let_go())

    async def _lead(self) -> None:
        """Look and rest, again and again, for as long as the lease is ours."""
        loop, rest = asyncio.get_running_loop(), AGAIN_SECONDS
        while await self._leads_all():
            await self.look()
            ends = loop.time() + rest
            rest = EVERY_SECONDS * (0.8 + secrets.randbelow(401) / 1000)
            while (left := ends - loop.time()) > RENEW_SECONDS:
                await asyncio.sleep(min(left, RENEW_SECONDS))
                if not await self._leads_all():
                    return
            await asyncio.sleep(max(0.0, left))

    async def _leads_all(self) -> bool:
        with contextlib.suppress(StoreUnavailable):
            return all([await self._leads(one.name) for one in self._channels])
        return False

    async def look(self) -> int:
        """Look once at every number, if this process leads; return what was recovered."""
        recovered, missed, wrong = 0, 0, ""
        for channel in self._channels:
            try:
                if not await self._leads(channel.name):
                    return recovered
                found, lost, broken = await self._one(channel)
                recovered, missed = recovered + found, missed + lost
                wrong = broken or wrong
            except StoreUnavailable:
                return recovered
            except base.SendError as error:
                logs.failure("reconciling.failed", error, channel=channel.name)
                wrong = error.code
            except Exception as error:  # noqa: BLE001 - the next run begins where this one did
                logs.failure("reconciling.failed", error, channel=channel.name)
                wrong = "twilio.reconcile"
        if recovered:
            logs.event("reconciling.recovered", level="warning", count=recovered)
        await self._tell(NAME, wrong or (RECOVERED if missed else ""))
        return recovered

    async def _one(self, channel: Sms | WhatsApp) -> tuple[int, int, str]:
        """Look at one number; return what was recovered, and what a webhook lost of it.

        Also the code of what cannot be read: it is looked at again, the others are taken.
        """
        since = await self._since(channel.name)
        found, horizon = await self._list(channel.sender, since)
        due = [one for one in found if one.sent <= horizon]
        unknown = await asyncio.to_thread(self._unknown, channel.name, due)
        recovered = missed = broken = 0
        wrong = ""
        for one in sorted(unknown, key=lambda message: message.sent):
            try:
                form = await self._listing.form(one)
            except base.Later as error:
                horizon = min(horizon, one.sent - timedelta(seconds=1))
                broken, wrong = broken + 1, error.code
                if broken == MOST_BROKEN:
                    break
                continue
            if await self._intake.recover(channel, form, sent=one.sent):
                recovered += 1
                missed += one.text.strip().upper() not in _PROVIDERS_OWN
        if horizon > since:
            moved = int(horizon.timestamp())
            await self._writer.run(
                leases.move_cursor, _cursor(channel.name), self._holder, moved
            )
        return recovered, missed, wrong

    async def _list(
        self, address: str, since: datetime
    ) -> tuple[list[Listed], datetime]:
        """Return the messages since then, and up to which moment they are all there.

        What came a little before is among them, however many they are.
        """
        until: datetime | None = None
        while True:
            page = await self._listing.first(address, since - OVERLAP, until)
            now = self._clock()  # two clocks must agree before anything is left behind
            told = min(page.told or now, now + OVERLAP)
            end = told - YOUNG if until is None else min(until, told - YOUNG)
            narrow = end - since > _NARROWEST
            found, pages = list(page.messages), 1
            while page.following and (pages < MOST_PAGES or not narrow):
                page = await self._listing.following(page, address)
                found += page.messages
                pages += any(one.sent > since for one in page.messages)
            if not page.following:
                return found, end
            until = since + (end - since) / 2

    async def _since(self, channel: Channel) -> datetime:
        """Return from when on to look: our last success, as long as a repeat is known."""
        now = self._clock()
        cursor = await self._writer.run(leases.cursor, _cursor(channel))
        known = self._office.rulebook.lifetimes.days("inbox") - timedelta(days=1)
        last = datetime.fromtimestamp(cursor, UTC) if cursor else now - FIRST_LOOK
        return max(min(last, now), now - known)

    def _unknown(self, channel: Channel, found: Sequence[Listed]) -> list[Listed]:
        def look(session: Session) -> set[str]:
            sids = [one.sid for one in found]
            return conversations.known(session, self._office.keys, channel, sids)

        with self._writer.database.reading() as session:
            known = look(session)
        unique: Mapping[str, Listed] = {one.sid: one for one in found}
        return [one for sid, one in unique.items() if sid not in known]

    async def _leads(self, channel: Channel) -> bool:
        return await self._writer.run(
            leases.hold,
            _cursor(channel),
            self._holder,
            seconds=LEASE_SECONDS,
            now=self._clock(),
            forgets=False,
        )

    async def let_go(self) -> None:
        """Give the leases back and close connections."""
        with contextlib.suppress(StoreUnavailable):
            for channel in self._channels:
                await self._writer.run(
                    leases.let_go,
                    _cursor(channel.name),
                    self._holder,
                    now=self._clock(),
                )
        await self._listing.close()


def _cursor(channel: Channel) -> str:
    return f"twilio.{channel.value}"
