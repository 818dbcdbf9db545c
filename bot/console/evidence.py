"""Evidence: the cleaned working copy of a file, opened piece by piece as it is sent."""

import re
from collections.abc import Iterator
from itertools import chain

from starlette.responses import Response, StreamingResponse

from bot.console import access, contents
from bot.console.visit import Visit
from handlers.errors import NotFound
from storage import files

_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_KNOWN = {"image/jpeg": ".jpg", "image/png": ".png"}
_UNKNOWN = "application/octet-stream"


def working_copy(visit: Visit) -> Response:
    """Send a working copy; only kinds that we made ourselves keep their type."""
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
        kind = files.details(row, secret).get("type", "")
    pieces = files.chunks(files.place(visit.console.files, row.id, "copy"), key)
    media_type = kind if kind in _KNOWN else _UNKNOWN
    name = f"{_PLAIN.sub('', found.number)}-{row.id.hex()[:6]}{_KNOWN.get(kind, '')}"
    return StreamingResponse(
        begun(pieces),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Open the first piece now, so that a missing or changed file is an error page."""
    try:
        first = next(pieces, b"")
    except OSError:
        raise NotFound from None
    return chain((first,), pieces)
