"""Office documents: the last wording, without authors, comments, macros and old versions."""

import io
import posixpath
import zipfile
from typing import Final

from PIL import Image

from bot.evidence import frames
from bot.evidence.kinds import HEAD, Kind, recognise
from bot.evidence.refusals import Give, Refused
from bot.evidence.sandbox import pictures
from bot.evidence.sandbox.documents import markup
from bot.evidence.sandbox.jpegs import bare

MOST_PARTS: Final = 10_000
MOST_UNPACKED: Final = 256 << 20
"""Bytes of all parts together, as they really come out."""
_XML: Final = frozenset({".xml", ".rels", ".rdf"})
_FONTS: Final = frozenset({".ttf", ".odttf", ".fntdata"})
_PICTURES: Final = frozenset(
    {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"}
)
_LISTS: Final = frozenset({"[Content_Types].xml", "META-INF/manifest.xml"})
_BESIDE: Final = frozenset({"meta.xml", "settings.xml"})
"""Parts of an open document that stand beside each content.xml in it."""
_MICROSOFT: Final = ("word/", "xl/", "ppt/")


def clean(archive: zipfile.ZipFile, kind: Kind, give: Give) -> dict[str, str]:
    """Give the document as its last reader saw it. Raises Refused."""
    names = [one.filename for one in archive.infolist() if not one.is_dir()]
    if len(names) > MOST_PARTS or len(set(names)) != len(names):
        raise Refused("broken")
    hidden = {_what(name) for name in names if is_dropped(name)}
    give(
        frames.COPY,
        _made(archive, [one for one in names if not is_dropped(one)], hidden),
    )
    told = " ".join(sorted(hidden - {""}))
    return {"type": kind.type, "copy": kind.copy, "hidden": told}


def is_dropped(name: str) -> bool:
    """Tell whether a part is left out."""
    plain = _plain(name)
    if plain.endswith((".bin", ".vml")) or plain.startswith(tuple(markup.PARTS)):
        return True
    if plain.endswith(".rels") and plain != "_rels/.rels":
        return is_dropped(markup.owner(plain))
    return posixpath.basename(plain) in _BESIDE and not plain.startswith(_MICROSOFT)


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _what(name: str) -> str:
    plain = _plain(name)
    for start, code in markup.PARTS.items():
        if plain.startswith(start):
            return code
    return "" if plain.endswith((".vml", ".rels")) else "author"


def _made(archive: zipfile.ZipFile, names: list[str], hidden: set[str]) -> bytes:
    """Pack the parts of the copy; links first, the parts must name no lost ones."""
    parts, room = {_plain(name) for name in names}, MOST_UNPACKED
    ready: dict[str, bytes] = {}
    links: dict[str, set[str]] = {}
    for name in names:
        if name.endswith(".rels"):
            data = _read(archive, name, room)
            room -= len(data)
            part = markup.Part(name, parts, hidden=hidden)
            ready[name], ids = markup.cleaned_links(part, data)
            links[_plain(markup.owner(name))] = ids
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in sorted(names, key=lambda one: one != "mimetype"):
            data = ready.pop(name, b"")
            if not data:
                data = _read(archive, name, room)
                room -= len(data)
                ids = links.get(_plain(name), set())
                data = _cleaned(markup.Part(name, parts, ids, hidden), data)
            form = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            line = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            made.writestr(line, data, form)
    return out.getvalue()


def _read(archive: zipfile.ZipFile, name: str, room: int) -> bytes:
    """Read a part; what it says of its size is not believed."""
    try:
        with archive.open(name) as part:
            data = part.read(room + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError):
        raise Refused("locked" if _is_locked(archive, name) else "broken") from None
    if len(data) > room:
        raise Refused("large")
    return data


def _is_locked(archive: zipfile.ZipFile, name: str) -> bool:
    return bool(archive.getinfo(name).flag_bits & 1)


def _cleaned(part: markup.Part, data: bytes) -> bytes:
    suffix = posixpath.splitext(part.name)[1].lower()
    if part.name in _LISTS:
        return markup.cleaned_list(part, data)
    if suffix in _XML:
        return markup.cleaned(part, data)
    if part.name == "mimetype" or suffix in _FONTS:
        return data
    kind = recognise(data[:HEAD])
    if suffix in _PICTURES or (kind is not None and kind.cleaner == "pictures"):
        return _picture(data)
    return b""


def _picture(data: bytes) -> bytes:
    """Return a picture without metadata; a blank one for what is none, or too large.

    Its name says little: many a program calls a PNG a JPEG.
    """
    try:
        return bare(data) if data.startswith(b"\xff\xd8") else pictures.redrawn(data)
    except Exception:  # noqa: BLE001 - a stranger's picture; the words around it matter more
        out = io.BytesIO()
        Image.new("RGB", (1, 1), "white").save(out, "PNG")
        return out.getvalue()
