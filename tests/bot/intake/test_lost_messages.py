"""The run over Twilio's list on a real store, the list itself told by the test."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import func, select
from typing_extensions import override

from bot.channels import base
from bot.channels.sms import Sms
from bot.channels.twilio_listing import Listed, Listing, Page
from bot.intake import lost_messages
from bot.intake.lost_messages import Reconciler
from storage.jobs import leases
from storage.models import Inbox
from storage.words import Channel
from tests.support.doors import SMS_NUMBER, Doors, doors

STORY = "LAPOR Kepala desa memotong bantuan beras untuk warga"


class Told(Listing):
    """Pages of one message each; files of ``broken`` cannot be listed."""

    def __init__(self, messages: list[Listed], now: datetime) -> None:
        self.messages, self.now = messages, now
        self.broken: set[str] = set()

    @override
    async def first(
        self, to: str, since: datetime, until: datetime | None = None
    ) -> Page:
        assert to == SMS_NUMBER
        end = until or self.now
        found = [one for one in self.messages if since < one.sent < end]
        self.rest = sorted(found, key=lambda one: one.sent, reverse=True)
        return self._next()

    @override
    async def following(self, page: Page, to: str) -> Page:
        assert page.following
        assert to == SMS_NUMBER
        return self._next()

    def _next(self) -> Page:
        page, self.rest = self.rest[:1], self.rest[1:]
        return Page(tuple(page), "more" if self.rest else "", self.now)

    @override
    async def form(self, message: Listed) -> bytes:
        if message.sid in self.broken:
            raise base.Later("twilio.answer")
        return await super().form(message)

    @override
    async def close(self) -> None:
        return


def message(number: int, sent: datetime) -> Listed:
    sid, sender = f"SM{number:032}", f"+62812{number:08}"
    return Listed(sid, sender, SMS_NUMBER, STORY, sent, 0)


def told(opened: Doors, messages: list[Listed]) -> tuple[Told, Reconciler, list[str]]:
    listing, said = Told(messages, opened.clock()), []

    async def tell(_: str, wrong: str) -> None:
        said.append(wrong)

    app = opened.app
    sms = app.channels[Channel.SMS]
    assert isinstance(sms, Sms)
    place = (listing, [sms], app.writer, app.intake, app.office)
    made = Reconciler(*place, tell=tell, clock=opened.clock, holder="me")
    return listing, made, said


def cursor(opened: Doors) -> datetime:
    with opened.app.database.reading() as session:
        found = leases.cursor(session, "twilio.sms")
    return datetime.fromtimestamp(found, UTC)


def taken(opened: Doors) -> int:
    with opened.app.database.reading() as session:
        return int(session.exec(select(func.count()).select_from(Inbox)).one())


async def test_more_than_a_run_holds_in_the_overlap_does_not_stop_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where copies are not erased, what is known already fills the pages."""
    monkeypatch.setattr(lost_messages, "MOST_PAGES", 2)
    async with doors(database_url, tmp_path) as opened:
        now = opened.clock()
        old = [message(n, now - timedelta(minutes=9, seconds=n)) for n in range(20)]
        listing, made, _ = told(opened, old)
        for _ in range(40):
            await made.look()
        before = cursor(opened)
        assert now - before < timedelta(minutes=3), "all was seen"
        opened.clock.shift += timedelta(minutes=1)
        listing.now = opened.clock()
        await made.look()
        assert cursor(opened) > before
        assert taken(opened) == 20


async def test_one_that_cannot_be_read_holds_up_no_other(
    database_url: str, tmp_path: Path
) -> None:
    async with doors(database_url, tmp_path) as opened:
        now = opened.clock()
        all_ = [message(n, now - timedelta(minutes=30 - n)) for n in range(3)]
        listing, made, said = told(opened, all_)
        listing.broken = {all_[0].sid}
        assert await made.look() == 2
        assert said[-1] == "twilio.answer"
        assert cursor(opened) < all_[0].sent, "it is seen again"
        listing.broken = set()
        assert await made.look() == 1
        assert taken(opened) == 3


async def test_who_comes_after_a_killed_process_looks_within_five_minutes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_messages, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(lost_messages, "RENEW_SECONDS", 0.01)
    async with doors(database_url, tmp_path) as opened:
        killed = told(opened, [])[1]
        assert await killed.look() == 0
        lost = message(1, opened.clock() + timedelta(seconds=5))
        listing, after, _ = told(opened, [lost])
        after._holder = "after"  # noqa: SLF001 - another process
        looked = asyncio.Event()

        async def tell(*_: str) -> None:
            looked.set()

        after._tell = tell  # noqa: SLF001 - heard at the end of each look
        assert await after.look() == 0
        assert not looked.is_set(), "somebody else may still be at it"
        running = asyncio.create_task(after.run())
        opened.clock.shift += timedelta(minutes=4, seconds=30)
        listing.now = opened.clock()
        waiting = asyncio.create_task(looked.wait())
        await asyncio.wait([waiting], timeout=10)
        for task in (running, waiting):
            task.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        assert taken(opened) == 1


async def test_who_leads_goes_on_leading_while_it_rests(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_messages, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(lost_messages, "RENEW_SECONDS", 0.01)
    async with doors(database_url, tmp_path) as opened:
        running = asyncio.create_task(told(opened, [])[1].run())
        span = timedelta(seconds=lost_messages.LEASE_SECONDS - 1)

        async def holds() -> None:
            async with asyncio.timeout(10):
                while not await opened.app.writer.run(  # noqa: ASYNC110 - renewed by itself
                    leases.holds, "twilio.sms", "me", now=opened.clock()
                ):
                    await asyncio.sleep(0.01)

        await holds()
        for _ in range(3):
            opened.clock.shift += span
            await holds()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
