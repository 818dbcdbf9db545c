"""What becomes of a file that came whole: the scanner is asked, a sandbox makes its copy."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ParamSpec, Protocol, TypeVar

from bot.evidence import clamav, converter
from bot.evidence.kinds import Kind
from storage.evidence.files import Taken
from storage.evidence.sealed_files import Sealer, chunks

UNKNOWN = "application/octet-stream"
_P = ParamSpec("_P")
_T = TypeVar("_T")


class InThread(Protocol):
    """Runs work in another thread."""

    async def __call__(
        self, work: Callable[_P, _T], /, *given: _P.args, **more: _P.kwargs
    ) -> _T:
        """Return what the work returns, raise what it raises."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that came whole: its SHA-256, and what it is by its content.

    ``name`` and ``reference`` are the provider's.
    """

    sha256: str
    kind: Kind | None
    name: str = field(repr=False)
    reference: str = field(repr=False)


class Opener:
    """Opens files, two at once; ``scanner`` is asked before (``files.clamav``), "": nobody.

    ``in_thread`` runs what waits.
    """

    def __init__(
        self, *, scanner: str, clock: Callable[[], datetime], in_thread: InThread
    ) -> None:
        self._scanner = scanner
        self._clock = clock
        self._in_thread = in_thread
        self._free = asyncio.Semaphore(converter.SANDBOXES)

    async def open(
        self, whole: Whole, original: Sealer, copy: Sealer, *, is_last: bool
    ) -> Taken:
        """Make the working copy where one can be made, and say what there is to know.

        Raises ``clamav.Silent`` while the scanner is silent, except when this try
        ``is_last``: then the file is kept unscanned rather than lost.
        """
        details = {
            "name": whole.name,
            "type": whole.kind.type if whole.kind else UNKNOWN,
            "size": str(original.size),
            "sha256": whole.sha256,
            "at": self._clock().isoformat(),
            "ref": hashlib.sha256(whole.reference.encode()).hexdigest(),
            "salt": secrets.token_hex(16),
            "why": "" if whole.kind else "not_shown",
        }
        async with self._free:  # so that no thread waits for another
            if why := await self._verdict(original, is_last=is_last):
                details["why"] = why
            elif whole.kind is not None:
                details |= await self._copied(whole.kind, original, copy)
        if details["why"]:
            return Taken(original.key, None, details, (original,))
        return Taken(original.key, copy.key, details, (original, copy))

    async def _copied(
        self, kind: Kind, original: Sealer, copy: Sealer
    ) -> dict[str, str]:
        """Make the working copy in a thread; a server that stops does not wait for it."""
        sandbox = converter.Sandbox()
        try:
            return await self._in_thread(made, kind, original, copy, sandbox=sandbox)
        except asyncio.CancelledError:
            sandbox.kill()
            raise

    async def _verdict(self, original: Sealer, *, is_last: bool) -> str:
        """Return why there is to be no copy, "" where there is to be one. Raises Silent."""
        if not self._scanner:
            return ""
        pieces = chunks(original.part, original.key)
        try:
            found = await self._in_thread(clamav.is_infected, self._scanner, pieces)
        except clamav.Silent:
            if not is_last:
                raise
            return "unscanned"
        return "virus" if found else ""


def made(
    kind: Kind,
    original: Sealer,
    copy: Sealer,
    *,
    sandbox: converter.Sandbox | None = None,
) -> dict[str, str]:
    """Seal the working copy and behind it its preview; tell their sizes in bytes.

    Of a kind without a cleaner nothing is made, and ``why`` stands in the answer.
    """
    if kind.why:
        return {"kind": kind.code, "why": kind.why}
    sizes = {"copy_size": 0, "preview_size": 0}

    def into(size: str) -> Callable[[bytes], None]:
        def write(piece: bytes) -> None:
            copy.write(piece)
            sizes[size] += len(piece)

        return write

    with copy:
        facts = converter.clean(
            kind,
            chunks(original.part, original.key),
            copy=into("copy_size"),
            preview=into("preview_size"),
            sandbox=sandbox,
        )
    told = {name: str(size) for name, size in sizes.items()}
    shown = {"kind": kind.code, "shown": kind.shown, "copy": kind.copy, "why": ""}
    return shown | facts | told
