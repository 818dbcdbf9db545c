"""Whether this process can take a message durably now, and what keeps it from that.

Asked of the real thing: a small write through the writer, of more bytes than a message
takes, in the tables' own schema. One look at a time, at most one a second, whoever asks;
a store that hangs costs one waiting call and no more. A provider that is away does not
make us unready: what comes in is stored all the same, and what goes out waits.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from bot.telemetry.heartbeats import Beats
from bot.writer import Writer, WriterFull
from handlers.office import Office
from storage.database import schema
from storage.jobs import watches
from storage.units import readiness

FRESH = 1.0
"""Seconds for which one look serves everybody who asks."""
QUICK = 3.0
"""Seconds that the store may take; longer is too long for a provider."""
PROBE_BYTES = 32 << 10


@dataclass(slots=True)
class Readiness:
    """Looks when asked; ``ask`` returns what is wrong, a word each, nothing when ready."""

    writer: Writer
    office: Office
    clock: Callable[[], datetime]
    beats: Beats
    _head: str = field(default_factory=schema.head)
    _look: asyncio.Task[tuple[str, ...]] | None = None
    _at: float = 0.0
    _probe: asyncio.Task[tuple[str, ...]] | None = None

    async def ask(self) -> tuple[str, ...]:
        """Return what is wrong: store, writer, schema, house, or a loop's name."""
        now = asyncio.get_running_loop().time()
        if self._look is None or (self._look.done() and now - self._at >= FRESH):
            self._at = now
            self._look = asyncio.create_task(self._all())
        return await asyncio.shield(self._look)

    async def _all(self) -> tuple[str, ...]:
        return (*await self._store(), *self.beats.late())

    async def _store(self) -> tuple[str, ...]:
        """Probe the store; a probe that still hangs is not joined by another one."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._write())
        try:
            async with asyncio.timeout(QUICK):
                return await asyncio.shield(self._probe)
        except TimeoutError:
            return ("store",)

    async def _write(self) -> tuple[str, ...]:
        try:
            return await self.writer.run(self._verb)
        except WriterFull:
            return ("writer",)
        except Exception:  # noqa: BLE001 - whatever it is, nothing can be written
            return ("store",)

    def _verb(self, session: Session) -> tuple[str, ...]:
        if schema.revision_of(session.connection()) != self._head:
            return ("schema",)
        watches.probe(session, size=PROBE_BYTES, now=self.clock())
        return ("house",) if readiness.ready(session, self.office.keys) else ()
