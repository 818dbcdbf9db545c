"""Office documents: the last wording, without authors, comments, macros and old versions.

Which parts may stay is named (``markup.toml``); of these stays what the words lead to.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Collection, Mapping
from typing import Final

from lxml import etree
from PIL import Image

from bot.evidence import frames
from bot.evidence.kinds import HEAD, Kind, recognise
from bot.evidence.refusals import Give, Refused
from bot.evidence.sandbox import pictures
from bot.evidence.sandbox.documents import concealed, markup, parts, trees

MOST_PARTS: Final = 10_000
MOST_UNPACKED: Final = 256 << 20
"""Bytes of all parts together, as they really come out."""
_XML: Final = frozenset({".xml", ".rels", ".rdf"})
_PICTURES: Final = frozenset(
    {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"}
)
_FOLDERS: Final = ("word/", "xl/", "ppt/")
_OF_PICTURES: Final = ("word/media/", "xl/media/", "ppt/media/", "pictures/")
_OF_STYLES: Final = frozenset(
    {"word/styles.xml", "xl/styles.xml", "styles.xml", "content.xml"}
)
_LISTS: Final = frozenset({"[content_types].xml", "meta-inf/manifest.xml"})
_LINKS, _STRINGS = "_rels/.rels", "xl/sharedstrings.xml"
_OPEN: Final = "content.xml"
"""The part that holds the words of an open document."""
_BESIDE: Final = frozenset({"meta.xml", "settings.xml"})
"""Parts of an open document that stand beside each content.xml in it, and tell of authors."""
_OF_NOBODY: Final = (
    *("/websettings.xml", "/viewprops.xml", "/styleswitheffects.xml"),
    *("manifest.rdf", ".vml", ".rels"),
)
"""How parts end that are left out and tell nothing."""


def clean(archive: zipfile.ZipFile, kind: Kind, give: Give) -> dict[str, str]:
    """Give the document as its last reader saw it. Raises Refused."""
    names = [one.filename for one in archive.infolist() if not one.is_dir()]
    found = {_plain(name): name for name in names}
    if len(names) > MOST_PARTS or len(found) != len(names):
        raise Refused("broken")
    made = _Document(archive, {p: name for p, name in found.items() if is_kept(p)})
    hidden = {_what(part) for part in found if not is_kept(part)}
    give(frames.COPY, made.packed(kind))
    told = " ".join(sorted((hidden | made.hidden) - {""}))
    return {"type": kind.type, "copy": kind.copy, "hidden": told}


def is_kept(part: str) -> bool:
    """Tell whether a part, named in small letters, may stay where another leads to it."""
    if part.endswith(".rels") and part != _LINKS:
        return is_kept(parts.owner(part))
    if part.startswith(tuple(markup.PARTS)):
        return False
    name = _unnumbered(part)
    if part.startswith(_FOLDERS) and f"*/{name.partition('/')[2]}" in markup.KEPT:
        return True
    return name in markup.KEPT or part.startswith(_OF_PICTURES)


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _unnumbered(part: str) -> str:
    return re.sub(r"[-_ ]?\d+(?=\.\w+$)", "", part)


def _what(part: str) -> str:
    """Return the word for a part that is left out."""
    for start, code in markup.PARTS.items():
        if part.startswith(start):
            return code
    if posixpath.basename(part) in _BESIDE:
        return "author"
    return "" if part.endswith(_OF_NOBODY) else "files"


class _Document:
    """Makes the copy part by part, as one leads to the next.

    ``named``: names as the archive has them, by names in small letters. ``hidden``: words
    for what was left out.
    """

    def __init__(self, archive: zipfile.ZipFile, named: Mapping[str, str]) -> None:
        self._archive, self._parts, self._room = archive, named, MOST_UNPACKED
        self._ready: dict[str, bytes] = {}
        self._styles: set[str] = set()
        self._strings: set[int] = set()
        self.hidden: set[str] = set()

    def packed(self, kind: Kind) -> bytes:
        """Return the copy as an archive, made from the part that holds the words."""
        for part in self._parts:
            if _unnumbered(part) in _OF_STYLES:
                self._styles |= concealed.hiding_styles(trees.read(self._read(part)))
        todo, last = self._kept(_LINKS, self._links(_LINKS), ()), set[str]()
        todo.append(kind.inside)
        if kind.inside == _OPEN:
            todo.append("styles.xml")
            self._ready["mimetype"] = kind.type.encode()
        while todo:
            part = todo.pop()
            if _unnumbered(part) == _STRINGS:
                last.add(part)  # which of them are shown is known when all else is made
            elif part in self._parts and part not in self._ready:
                todo += self._made(part)
        for part in last & self._parts.keys():
            self._made(part)
        for part in _LISTS & self._parts.keys():
            line = parts.Part(part, {*self._ready, part})
            self._ready[part] = markup.cleaned_list(line, self._read(part))
        return self._zipped()

    def _made(self, name: str) -> list[str]:
        """Make a part and the list of its links; return where these lead to."""
        folder, base = posixpath.split(name)
        links, part = f"{folder}/_rels/{base}.rels".lstrip("/"), self._part(name)
        listed = self._links(links)
        part.links = {str(link.get("Id")) for link in listed}
        self._ready[name] = _cleaned(part, self._read(name))
        return [*part.named, *self._kept(links, listed, part.named)]

    def _links(self, name: str) -> etree._Element:
        """Return the links of a part that lead to parts which may stay."""
        if name not in self._parts:
            return etree.Element("Relationships")
        return parts.cleaned_links(self._part(name), self._read(name))

    def _kept(
        self, name: str, links: etree._Element, named: Collection[str]
    ) -> list[str]:
        """Keep of a list what its part names; return where it leads to."""
        if name in self._parts:
            self._ready[name] = parts.kept_links(links, named)
        return parts.targets(links, name)

    def _zipped(self) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            for part in sorted(self._ready, key=lambda one: one != "mimetype"):
                is_first = part == "mimetype"
                form = zipfile.ZIP_STORED if is_first else zipfile.ZIP_DEFLATED
                line = zipfile.ZipInfo(self._parts[part], (1980, 1, 1, 0, 0, 0))
                made.writestr(line, self._ready[part], form)
        return out.getvalue()

    def _part(self, name: str) -> parts.Part:
        return parts.Part(
            name,
            self._parts,
            hidden=self.hidden,
            styles=self._styles,
            strings=self._strings,
        )

    def _read(self, part: str) -> bytes:
        """Read a part; what it says of its size is not believed. Raises Refused."""
        name = self._parts[part]
        try:
            with self._archive.open(name) as opened:
                data = opened.read(self._room + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError):
            is_locked = self._archive.getinfo(name).flag_bits & 1
            raise Refused("locked" if is_locked else "broken") from None
        self._room -= len(data)
        if self._room < 0:
            raise Refused("large")
        return data


def _cleaned(part: parts.Part, data: bytes) -> bytes:
    suffix = posixpath.splitext(part.name)[1].lower()
    if suffix in _XML:
        return markup.cleaned(part, data)
    kind = recognise(data[:HEAD])
    if suffix in _PICTURES or (kind is not None and kind.cleaner == "pictures"):
        return _picture(data)
    return b""


def _picture(data: bytes) -> bytes:
    """Return a picture without metadata; a blank one for what is none, or too large.

    Its name says little: many a program calls a PNG a JPEG.
    """
    try:
        return pictures.redrawn(data)
    except Exception:  # noqa: BLE001 - a stranger's picture; the words around it matter more
        out = io.BytesIO()
        Image.new("RGB", (1, 1), "white").save(out, "PNG")
        return out.getvalue()
