"""Takes the files that providers hold for us, and erases the providers' copies.

A file is fetched outside the webhook, sealed chunk by chunk as it arrives, and retried by
the error's own policy. A picture gets a working copy without metadata; the original stays
sealed for two.
"""

import asyncio
import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from typing_extensions import override

from bot import logs, pictures
from bot.channels import base
from bot.worker import Worker
from bot.writer import StoreUnavailable, Writer
from handlers import taking
from handlers.office import Office
from storage import files, jobs
from storage.files import Sealer, Taken
from storage.jobs import Claimed
from storage.words import Channel, FileState, JobKind

_FIRST_BACKOFF = 5.0
_LONGEST_BACKOFF = 900.0
_DOUBLINGS = 10
_DAILY = timedelta(days=1)
FETCH_SECONDS = 50.0
"""Shorter than the job's lease: download, sealing and working copy end before it does."""


class MediaWorker(Worker):
    """Call ``notify`` after every commit; ``folder`` is where evidence lies."""

    kinds = (JobKind.FETCH, JobKind.ERASE)
    at_once = 4
    name = "media"

    def __init__(
        self,
        writer: Writer,
        office: Office,
        channels: Sequence[base.Sender],
        *,
        folder: Path,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(writer, office, clock=clock)
        self._channels: Mapping[Channel, base.Sender] = {c.name: c for c in channels}
        self._folder = folder

    @override
    def lane_of(self, job: Claimed) -> Hashable:
        """Keep kinds and channels apart: a provider that hangs holds up only itself."""
        return job.kind, job.details["channel"]

    @override
    async def work(self, job: Claimed) -> bool:
        """Do one job; whatever goes wrong, the job is kept, refused or finished."""
        try:
            if job.kind is JobKind.ERASE:
                await self._erase(job)
            elif job.attempts > 1 and job.expires <= self._clock():
                await self._give_up(job, FileState.REFUSED)
            else:
                await self._fetch(job)
        except StoreUnavailable:
            raise
        except base.Never:
            if job.kind is JobKind.ERASE:  # a refusal is no confirmation
                await self._again(job, None)
            else:
                await self._give_up(job, FileState.GONE)
        except base.Later as error:
            await self._again(job, error.after)
            return not isinstance(error, base.Away | base.Doubtful)
        except TimeoutError:
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
        async with asyncio.timeout(FETCH_SECONDS):
            await channel.erase(job.details["id"])
        await self._writer.run(jobs.done, job)

    async def _fetch(self, job: Claimed) -> None:
        channel = self._channels.get(Channel(job.details["channel"]))
        wanted = await asyncio.to_thread(self._is_wanted, job)
        if channel is None or not wanted:
            await self._give_up(job, FileState.GONE)
            return
        file_id = bytes.fromhex(job.details["file"])
        original, copy = (
            Sealer(files.place(self._folder, file_id, which), apart=True)
            for which in ("original", "copy")
        )
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                file = await self._seal(job, channel, original, copy)
            outcome = await self._writer.run(
                taking.taken, self._office, job, file, now=self._clock()
            )
        finally:
            original.drop()
            copy.drop()
        self._ended(outcome, file_id)

    async def _seal(
        self, job: Claimed, channel: base.Sender, original: Sealer, copy: Sealer
    ) -> Taken:
        """Seal a file as it arrives, and a picture's working copy."""
        digest = hashlib.sha256()
        with original:
            async with channel.fetch(job.details["reference"]) as download:
                async for chunk in download.chunks:
                    digest.update(chunk)
                    original.write(chunk)
        copied, kind = await asyncio.to_thread(_copy, original, copy)
        details = {
            "name": job.details["name"],
            "type": kind or download.content_type or job.details["type"],
            "size": str(original.size),
            "sha256": digest.hexdigest(),
            "at": self._clock().isoformat(),
        }
        if not copied:
            return Taken(original.key, None, details, (original,))
        return Taken(original.key, copy.key, details, (original, copy))

    def _ended(self, outcome: taking.Outcome, file_id: bytes) -> None:
        """Delete what is wanted no more; never what another worker may have stored."""
        if outcome is taking.Outcome.GONE:
            files.remove(self._folder, file_id)
        elif outcome is taking.Outcome.NOT_OURS:
            logs.event("media.not_authentic", level="error")

    def _is_wanted(self, job: Claimed) -> bool:
        with self._writer.database.reading() as session:
            return taking.still_wanted(session, self._office, job)

    async def _again(self, job: Claimed, after: float | None) -> None:
        backoff = _FIRST_BACKOFF * 2 ** min(job.attempts, _DOUBLINGS)
        seconds = after or min(_LONGEST_BACKOFF, backoff)
        due = self._clock() + timedelta(seconds=seconds)
        if due >= job.expires:
            await self._give_up(job, FileState.REFUSED)
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
        outcome = await self._writer.run(
            taking.refused, self._office, job, state, text="X04", now=self._clock()
        )
        self._ended(outcome, bytes.fromhex(job.details["file"]))


def _copy(original: Sealer, copy: Sealer) -> tuple[bool, str]:
    """Make a picture's working copy if one can be made; tells the kind of the original."""
    clean, kind = pictures.clean(b"".join(files.chunks(original.part, original.key)))
    if clean is None:
        return False, kind
    with copy:
        copy.write(clean)
    return True, kind
