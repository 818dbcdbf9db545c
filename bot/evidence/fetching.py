"""Takes the files that providers hold for us, and erases the providers' copies.

A file is fetched outside the webhook, sealed chunk by chunk as it arrives, and retried by
the error's own policy. What we know gets a working copy without what betrays anybody, made
in a process of its own (``bot/evidence``); the original stays sealed for two.
"""

import asyncio
import contextlib
import functools
import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from typing_extensions import override

from bot.channels import base
from bot.evidence import clamav
from bot.evidence.copying import Opener, Whole
from bot.evidence.kinds import HEAD, recognise
from bot.jobs.worker import Worker
from bot.retention import keeper
from bot.telemetry import logs
from bot.writer import StoreUnavailable, Writer
from handlers import evidence
from handlers.office import Office
from handlers.work import Work
from storage.evidence.blobs import Away, BlobStore
from storage.evidence.files import Taken
from storage.evidence.sealed_files import Sealer
from storage.jobs import jobs, watches
from storage.jobs.jobs import Claimed
from storage.jobs.watches import Watched
from storage.words import Channel, FileState, JobKind

_P = ParamSpec("_P")
_T = TypeVar("_T")
_FIRST_BACKOFF = 5.0
_LONGEST_BACKOFF = 900.0
_DOUBLINGS = 10
_DAILY = timedelta(days=1)
THREADS = 8
FETCH_SECONDS = 600.0
"""The longest that a download may take; its job is held on meanwhile."""
ERASE_SECONDS = 50.0
HOLD_SECONDS = 20.0
"""How often a job under way is held on; three times within its lease."""
LAST_TRY = timedelta(hours=2)
"""How long before its end a file is kept unscanned rather than lost."""


class MediaWorker(Worker):
    """Call ``notify`` after every commit; ``blob_store`` holds the evidence."""

    kinds = (JobKind.FETCH, JobKind.ERASE)
    at_once = 4
    name = "media"

    def __init__(
        self,
        writer: Writer,
        office: Office,
        channels: Sequence[base.Sender],
        *,
        blob_store: BlobStore,
        clock: Callable[[], datetime],
        scanner: str = "",
    ) -> None:
        super().__init__(writer, office, clock=clock)
        self._channels: Mapping[Channel, base.Sender] = {c.name: c for c in channels}
        self._blob_store = blob_store
        self._threads = ThreadPoolExecutor(THREADS, "media")
        self._opener = Opener(scanner=scanner, clock=clock, in_thread=self._in_thread)

    async def _in_thread(
        self, work: Callable[_P, _T], /, *given: _P.args, **more: _P.kwargs
    ) -> _T:
        """Run what may wait for disk, sandbox or network in threads of our own.

        A store that hangs holds up nobody else's work then.
        """
        call = functools.partial(work, *given, **more)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    @override
    def lane_of(self, job: Claimed) -> Hashable:
        """Keep kinds and channels apart: a provider that hangs holds up only itself."""
        return job.kind, job.details["channel"]

    @override
    def lanes_of(self, kind: JobKind) -> Iterable[Hashable]:
        return [(kind, channel) for channel in self._channels or Channel]

    @override
    async def work(self, job: Claimed) -> bool:
        """Do one job; whatever goes wrong, the job is kept, refused or finished."""
        try:
            if job.kind is JobKind.ERASE:
                await self._erase(job)
            elif job.attempts > 1 and job.expires <= self._clock():
                await self._give_up(job, FileState.LATE)
            else:
                await self._fetch(job)
        except StoreUnavailable:
            raise
        except base.Never as error:
            if job.kind is JobKind.ERASE:  # a refusal is no confirmation
                await self._again(job, None)
            else:
                is_large = error.code == "file.size"
                state = FileState.REFUSED if is_large else FileState.GONE
                await self._give_up(job, state)
        except base.Later as error:
            await self._again(job, error.after)
            return not isinstance(error, base.Away | base.Doubtful)
        except TimeoutError:
            await self._again(job, None)
            return False
        except OSError as error:
            logs.failure("media.failed", error)
            await self._troubled("bucket" if isinstance(error, Away) else "disk")
            await self._again(job, None)
            return False
        except Exception as error:  # noqa: BLE001 - one strange file must not stop the others
            logs.failure("media.failed", error)
            await self._again(job, None)
        return True

    async def _erase(self, job: Claimed) -> None:
        channel = self._channels.get(Channel(job.details["channel"]))
        if channel is None:
            raise base.Later("media.no_channel")
        async with asyncio.timeout(ERASE_SECONDS):
            await channel.erase(job.details["id"])
        await self._writer.run(jobs.done, job)

    async def _fetch(self, job: Claimed) -> None:
        channel = self._channels.get(Channel(job.details["channel"]))
        if channel is None:  # it may be set up again
            raise base.Later("media.no_channel")
        if not await self._in_thread(self._is_wanted, job):
            await self._give_up(job, FileState.GONE)
            return
        file_id = bytes.fromhex(job.details["file"])
        original, copy = (
            self._blob_store.sealer(file_id, which) for which in ("original", "copy")
        )
        holding = asyncio.create_task(self._hold_on(job))
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                taken = await self._arrives(job, channel, original)
            file = await self._opened(job, taken, original, copy)
            await self._in_thread(_publish, file.parts)
            outcome = await self._writer.act(
                self._office, self._clock(), evidence.taken, job, file
            )
        finally:
            holding.cancel()
            await self._in_thread(_drop, (original, copy))
        if outcome is evidence.Outcome.TAKEN:
            await self._in_thread(_tidy, file.parts)
            await self._writer.run(watches.mended, Watched.FILES, now=self._clock())
        await self._ended(outcome, file_id)

    async def _hold_on(self, job: Claimed) -> None:
        """Keep our lease while we work; where it is lost, the end finds that out."""
        while True:
            await asyncio.sleep(HOLD_SECONDS)
            with contextlib.suppress(StoreUnavailable):
                await self._writer.run(jobs.held_on, job, now=self._clock())

    async def _arrives(
        self, job: Claimed, channel: base.Sender, original: Sealer
    ) -> Whole:
        """Seal a file as it arrives; it is never whole in memory."""
        digest, head = hashlib.sha256(), bytearray()
        with original:
            async with channel.fetch(job.details["reference"]) as download:
                async for chunk in download.chunks:
                    digest.update(chunk)
                    head += chunk[: HEAD - len(head)]
                    await self._in_thread(original.write, chunk)
        return Whole(
            digest.hexdigest(),
            recognise(bytes(head)),
            job.details["name"],
            job.details["reference"],
        )

    async def _opened(
        self, job: Claimed, whole: Whole, original: Sealer, copy: Sealer
    ) -> Taken:
        is_last = self._clock() + LAST_TRY >= job.expires
        try:
            return await self._opener.open(whole, original, copy, is_last=is_last)
        except clamav.Silent:
            await self._troubled("scanner")
            raise base.Later("media.scanner") from None

    async def _troubled(self, code: str) -> None:
        """Tell the watch what of our own keeps files from being taken."""
        hour = self._clock().replace(minute=0, second=0, microsecond=0)
        await self._writer.run(watches.bad, Watched.FILES, code, now=hour)

    async def _ended(self, outcome: evidence.Outcome, file_id: bytes) -> None:
        """Delete what is wanted no more; never what another worker may have stored."""
        if outcome is evidence.Outcome.GONE:
            await self._in_thread(keeper.remove, self._blob_store, (file_id,))
        elif outcome is evidence.Outcome.NOT_OURS:
            logs.event("media.not_authentic", level="error")

    def _is_wanted(self, job: Claimed) -> bool:
        with self._writer.database.reading() as session:
            return evidence.still_wanted(
                Work(session, self._office, self._clock()), job
            )

    async def _again(self, job: Claimed, after: float | None) -> None:
        backoff = _FIRST_BACKOFF * 2 ** min(job.attempts, _DOUBLINGS)
        seconds = after or min(_LONGEST_BACKOFF, backoff)
        due = self._clock() + timedelta(seconds=seconds)
        if due >= job.expires:
            await self._give_up(job, FileState.LATE)
            return
        await self._writer.run(jobs.later, job, due=due)

    async def _give_up(self, job: Claimed, state: FileState) -> None:
        """Refuse a file; a copy that could not be erased is tried again every day.

        It is counted and shown by ``doctor`` and ``/metrics`` until its end is confirmed.
        """
        if job.kind is JobKind.ERASE:
            logs.event(
                "media.left", level="warning", channel=Channel(job.details["channel"])
            )
            await self._writer.run(jobs.later, job, due=self._clock() + _DAILY)
            return
        outcome = await self._writer.act(
            self._office, self._clock(), evidence.refused, job, state
        )
        await self._ended(outcome, bytes.fromhex(job.details["file"]))


def _publish(parts: Iterable[Sealer]) -> None:
    for part in parts:
        part.publish()


def _drop(parts: Iterable[Sealer]) -> None:
    """Leave nothing behind that no row names; what is out of reach the sweep removes."""
    for part in parts:
        with contextlib.suppress(Away):
            part.drop()


def _tidy(parts: Iterable[Sealer]) -> None:
    for part in parts:
        with contextlib.suppress(Away):
            part.tidy()
