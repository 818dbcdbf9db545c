"""The canary: every few minutes the server sends itself a report, through everything.

It knocks at the server's own door over HTTP, answers every question of the installation's
own questionnaire, waits for its receipt, asks for its status with it, and has all of it
erased. How it went stands in the watch ``canary``; ``bot/watch/watcher.py`` tells the operators.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus

import httpx

from bot.telemetry import logs
from bot.watch.canary_channel import Canary
from bot.watch.canary_door import HEADER, PATH, Door
from bot.writer import StoreUnavailable, Writer
from handlers.cases import receipts
from handlers.messages import Kind
from handlers.office import Office
from handlers.rules import numbering
from handlers.watch import canary
from handlers.work import Work
from storage.jobs import leases, watches
from storage.jobs.watches import Watched
from storage.letters.letter import Letter
from storage.words import LetterKind

FIRST = 60.0
"""Seconds after the start until the first one."""
PATIENCE = 60.0
"""Seconds that a whole run may take; one takes about a second."""
SILENCE = 20.0
"""Seconds that one answer may take."""
_AGAIN = 0.5


class Failed(Exception):
    """The canary did not come back; ``code`` says where it was lost."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"{self.__doc__} [{code}]")


class Runner:
    """Sends canaries, one at a time; ``address`` is where the server itself listens.

    ``heard`` is called after each good one (the heartbeat), ``holder`` names the process.
    """

    def __init__(
        self,
        writer: Writer,
        office: Office,
        channel: Canary,
        door: Door,
        *,
        address: str,
        holder: str,
        clock: Callable[[], datetime],
        heard: Callable[[], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._office = office
        self._channel = channel
        self.door = door
        self._address = address
        self._holder = holder
        self._clock = clock
        self._heard = heard
        self.seconds = 0.0
        """How long the last good one took."""

    async def run(self, every: timedelta, *, first: float = FIRST) -> None:
        """Send one, then one every so often, until cancelled; only who leads does."""
        await asyncio.sleep(first)
        while True:
            if await asyncio.to_thread(self._leads):
                await self.once()
            await asyncio.sleep(every.total_seconds())

    async def once(self) -> str:
        """Send one and write down how it went; returns what went wrong, "" for nothing."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                flown = await self._fly()
            code = ""
        except Failed as error:
            flown, code = True, error.code
        except TimeoutError:
            flown, code = True, "silent"
        except StoreUnavailable:
            flown, code = True, "store"
        except Exception as error:  # noqa: BLE001 - whatever it is, the canary is not back
            logs.failure("canary.failed", error)
            flown, code = True, "fault"
        if not flown:
            return ""
        if not code:
            self.seconds = time.perf_counter() - began
        await self._record(code)
        if not code:
            await self._heard()
        return code

    async def _record(self, code: str) -> None:
        now = self._clock()
        try:
            if code:
                logs.event("canary.lost", level="warning")
                await self._writer.run(watches.bad, Watched.CANARY, code, now=now)
            else:
                await self._writer.run(watches.good, Watched.CANARY, now=now)
        except StoreUnavailable:
            return  # the watch of the store says so

    async def _fly(self) -> bool:
        """Run once; False when another process does just now."""
        act, office, holder = self._writer.act, self._office, self._holder
        if not await act(office, self._clock(), canary.begin, holder=holder):
            return False
        self._channel.heard = asyncio.Queue()
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as web:
                await _Flight(self, web, self._channel.heard).fly()
        finally:
            self._channel.heard = None
            await act(office, self._clock(), canary.erase, holder=holder)
        return True

    def _leads(self) -> bool:
        try:
            with self._writer.database.reading() as session:
                return leases.holds(
                    session, "scheduler", self._holder, now=self._clock()
                )
        except Exception:  # noqa: BLE001 - the store is away: its own watch says so
            return False

    async def knock(self, web: httpx.AsyncClient, message: dict[str, object]) -> None:
        """Post one message; a store that is away for a moment is asked again."""
        while True:
            try:
                answer = await web.post(
                    self._address + PATH,
                    content=json.dumps(message),
                    headers={HEADER: self.door.secret},
                )
            except httpx.HTTPError:
                raise Failed("door.closed") from None
            if answer.status_code == HTTPStatus.NO_CONTENT:
                return
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise Failed("door.refused")
            await asyncio.sleep(_AGAIN)

    async def look(self, number: str, texts: int) -> str:
        """Look at the case in the store; returns what must be said of its status."""

        def read() -> tuple[str, str]:
            with self._writer.database.reading() as session:
                wrong = canary.counted(
                    Work(session, self._office, self._clock()), number, texts=texts
                )
                language = self._office.languages[0]
                return wrong, canary.standing(
                    Work(session, self._office, self._clock()), number, language
                )

        wrong, standing = await asyncio.to_thread(read)
        if wrong or not standing:
            raise Failed(wrong or "status.missing")
        return standing

    @property
    def office(self) -> Office:
        """What the installation decides with."""
        return self._office


class _Flight:
    """One report from its first word to its status."""

    def __init__(
        self, runner: Runner, web: httpx.AsyncClient, heard: asyncio.Queue[Letter]
    ) -> None:
        self._runner = runner
        self._web = web
        self._heard = heard
        self._sent = 0
        self._buttons: dict[tuple[str, str], str] = {}

    async def fly(self) -> None:
        """Report, read the receipt, ask with it. Raises Failed."""
        office = self._runner.office
        walk = canary.walk(office)
        await self._say(text=canary.word(office, "REPORT"))
        await self._asked(walk)
        while not walk.over:
            say = walk.next()
            if say.kind is Kind.PRESS:
                await self._press(say.step, say.option)
            else:
                await self._say(text=say.text)
            if not walk.over:
                await self._asked(walk)
        found = await self._receipt()
        standing = await self._runner.look(found.number, walk.texts)
        await self._say(
            text=f"{canary.word(office, 'STATUS')} {found.number} {found.code}"
        )
        while standing not in (await self._hear("status.wrong")).text:
            continue

    async def _asked(self, walk: canary.Walk) -> None:
        """Wait for the question that must be open now."""
        while True:
            letter = await self._hear("silent.question")
            for _, data in letter.buttons:
                _, _, rest = data.partition(".")
                step, _, option = rest.partition(".")
                self._buttons[step, option] = data
            steps = {step for step, _ in self._buttons}
            if walk.told or not walk.choices or walk.step.code in steps:
                return

    async def _receipt(self) -> numbering.Receipt:
        while True:
            letter = await self._hear("silent.receipt")
            if letter.kind is LetterKind.RECEIPT:
                break
        words = receipts.keywords(self._runner.office)
        found = numbering.read_receipt(letter.text, expects_code=True, keywords=words)
        if found is None or not (found.number and found.code):
            raise Failed("receipt.unreadable")
        return found

    async def _press(self, step: str, option: str) -> None:
        data = self._buttons.get((step, option))
        if data is None:
            raise Failed("dialogue.wrong")
        await self._say(press=data)

    async def _say(self, *, text: str = "", press: str = "") -> None:
        if self._sent == canary.MOST_MESSAGES:
            raise Failed("dialogue.endless")
        message = {"number": self._sent, "id": canary.message_id(self._sent)}
        self._sent += 1
        words = {"handle": canary.HANDLE, "text": text, "press": press}
        await self._runner.knock(self._web, message | words)

    async def _hear(self, code: str) -> Letter:
        try:
            async with asyncio.timeout(SILENCE):
                return await self._heard.get()
        except TimeoutError:
            raise Failed(code) from None
