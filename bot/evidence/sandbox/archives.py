"""Archives: their lists are read, nothing is ever unpacked. An office document is one too."""

import io
import json
import zipfile
from typing import Final

from bot.evidence.facts import LONGEST_NAME, MOST_NAMED
from bot.evidence.kinds import Kind, kinds
from bot.evidence.refusals import Give, Refused
from bot.evidence.sandbox.documents.clean import clean as clean_document
from bot.evidence.unseen import named, shortened

starts_programs: Final = False


def clean(original: bytes, _kind: Kind, give: Give) -> dict[str, str]:
    """Tell what stands in the list; an office document gets its copy."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(original))
        names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise Refused("broken") from None
    with archive:
        if kind := _document(archive, set(names)):
            return clean_document(archive, kind, give) | {"kind": kind.code}
    return {
        "why": "archive",
        "entries": json.dumps(_listed(names)),
        "count": str(len(names)),
    }


def _document(archive: zipfile.ZipFile, names: set[str]) -> Kind | None:
    """Return which office document this is; None: an archive like any other."""
    told = b""
    if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:  # noqa: PLR2004 - a media type
        told = archive.read("mimetype").strip()
    for kind in kinds().values():
        if not kind.inside or kind.inside not in names:
            continue
        if kind.inside != "content.xml" or kind.type.encode() == told:
            return kind
    return None


def _listed(names: list[str]) -> list[str]:
    return [shortened(named(name), LONGEST_NAME) for name in names[:MOST_NAMED]]
