"""Evidence: the cleaned working copy of a file, opened piece by piece as it is sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import chain
from typing import Final

from starlette.responses import Response, StreamingResponse

from bot.console import access
from bot.console.evidence import contents
from bot.console.visit import EvidenceAway, Visit
from bot.evidence import converter
from bot.evidence.kinds import Kind, kind_of, kinds
from handlers.errors import NotFound
from storage.evidence import files
from storage.evidence.blobs import BlobStore

OWN_POLICY: Final = "default-src 'none'; sandbox"
_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_NUMBER: Final = re.compile(r"[1-9]\d{0,4}")
_UNKNOWN: Final = "application/octet-stream"
_TYPES: Final = frozenset(kind.copy for kind in kinds().values() if kind.copy)
_EXTENSIONS: Final = {kind.type: kind.extension for kind in kinds().values()}


@dataclass(frozen=True, slots=True)
class Copy:
    """A working copy in the blob store; ``size`` and ``preview`` in bytes, None: to the end."""

    name: str
    blob_store: BlobStore
    id: bytes
    key: bytes = field(repr=False)
    kind: Kind | None
    type: str
    size: int | None
    preview: int

    def pieces(self, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        """Return plain bytes, the first of them opened now."""
        found = self.blob_store.chunks(
            self.id, "copy", self.key, start=start, size=size
        )
        return begun(found)


def working_copy(visit: Visit) -> Response:
    """Send a working copy or a part of it; only kinds that we made keep their type."""
    copy = _found(visit)
    headers = {
        "Content-Disposition": f'attachment; filename="{copy.name}"',
        "Content-Security-Policy": OWN_POLICY,
        "Accept-Ranges": "none" if copy.size is None else "bytes",
    }
    asked = _asked(visit.request.headers.get("range", ""), copy.size)
    if asked is None:
        if copy.size is not None:
            headers["Content-Length"] = str(copy.size)
        whole = copy.pieces(size=copy.size)
        return StreamingResponse(whole, media_type=copy.type, headers=headers)
    start, stop = asked
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{copy.size}"
    if start >= stop:
        headers["Content-Range"] = f"bytes */{copy.size}"
        return Response(
            status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers
        )
    headers["Content-Length"] = str(stop - start)
    return StreamingResponse(
        copy.pieces(start, stop - start),
        status_code=HTTPStatus.PARTIAL_CONTENT,
        media_type=copy.type,
        headers=headers,
    )


def preview(visit: Visit) -> Response:
    """Send the small picture that lies behind a working copy."""
    copy = _found(visit)
    if copy.size is None or not copy.preview:
        raise NotFound
    return _picture(copy.pieces(copy.size, copy.preview))


def page(visit: Visit) -> Response:
    """Let a sandbox draw one page of a PDF (from 1); nothing of it is kept.

    Raises EvidenceAway while no sandbox is free.
    """
    copy, number = _found(visit), visit.request.path_params["page"]
    is_paper = copy.kind is not None and copy.kind.shown == "pages"
    if copy.kind is None or not is_paper or not _NUMBER.fullmatch(number):
        raise NotFound
    drawn, pieces = bytearray(), copy.pieces(size=copy.size)
    try:
        facts = converter.page(copy.kind, pieces, int(number) - 1, preview=drawn.extend)
    except converter.Busy:
        raise EvidenceAway from None
    if facts.get("why") or not drawn:
        raise NotFound
    return _picture(iter((bytes(drawn),)))


def _picture(pieces: Iterator[bytes]) -> Response:
    headers = {"Content-Security-Policy": OWN_POLICY}
    return StreamingResponse(pieces, media_type="image/jpeg", headers=headers)


def _found(visit: Visit) -> Copy:
    """Find a working copy of this case and open its key. Raises NotFound."""
    access.record_reading(visit)
    number = visit.request.path_params["number"]
    wanted = visit.request.path_params["file"]
    with visit.console.database.reading() as session:
        found, _ = access.find(visit, session, number)
        secret = contents.report_secret(visit, session, found)
        rows = files.of_report(session, visit.console.office.keys, found.report)
        row = next((row for row in rows if row.id.hex() == wanted), None)
        key = files.copy_key(row, secret) if row is not None else None
        if row is None or key is None:
            raise NotFound
        told = files.details(row, secret)
    kind = kind_of(told)
    media_type = (told.get("copy") or kind.copy) if kind else _UNKNOWN
    extension = _EXTENSIONS.get(media_type, "")
    name = f"{_PLAIN.sub('', found.number)}-{row.id.hex()[:6]}"
    return Copy(
        name=f"{name}.{extension}" if extension else name,
        blob_store=visit.console.blob_store,
        id=row.id,
        key=key,
        kind=kind,
        type=media_type if media_type in _TYPES else _UNKNOWN,
        size=int(told["copy_size"]) if "copy_size" in told else None,
        preview=int(told.get("preview_size", 0)),
    )


def _asked(header: str, size: int | None) -> tuple[int, int] | None:
    """Return which bytes are asked for, from and before; None: all of them (RFC 9110 14)."""
    match = _RANGE.fullmatch(header.strip())
    if size is None or match is None or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    stop = min(size, int(last) + 1) if last else size
    return int(first), stop


def begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Open the first piece now, so that a missing or changed file is an error page."""
    try:
        first = next(pieces, b"")
    except FileNotFoundError:
        raise NotFound from None
    except OSError:
        raise EvidenceAway from None
    return chain((first,), pieces)
