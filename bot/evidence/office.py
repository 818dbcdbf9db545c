"""Office documents: the last wording, without authors, comments, macros and old versions."""

import io
import posixpath
import zipfile
from collections.abc import Mapping
from typing import Final

from lxml import etree

from bot.evidence import frames, pictures
from bot.evidence.jpegs import bare
from bot.evidence.kinds import Kind
from bot.evidence.refusals import Give, Refused

MOST_PARTS: Final = 10_000
MOST_UNPACKED: Final = 256 << 20
"""Bytes of all parts together, as they really come out."""
DROPPED: Final = (
    *("docProps/", "customXml/", "_xmlsignatures/", "META-INF/documentsignatures.xml"),
    *(
        "word/vba",
        "word/comments",
        "word/people.xml",
        "word/embeddings/",
        "word/glossary/",
    ),
    *("xl/vba", "xl/comments", "xl/threadedComments/", "xl/persons/", "xl/revisions/"),
    *("xl/externalLinks/", "xl/connections.xml", "xl/queryTables/", "xl/embeddings/"),
    *("xl/printerSettings/", "xl/activeX/", "xl/ctrlProps/", "xl/customProperty"),
    *("ppt/vba", "ppt/comments/", "ppt/commentAuthors.xml", "ppt/embeddings/"),
    *("ppt/authors.xml", "ppt/activeX/", "ppt/printerSettings/", "word/activeX/"),
    *("meta.xml", "settings.xml", "Thumbnails/", "Configurations2/", "Basic/"),
    *(
        "Scripts/",
        "Versions/",
        "VersionList.xml",
        "layout-cache",
        "ObjectReplacements/",
    ),
)
"""Parts that are not what a reader sees, by the beginning of their names."""
GONE: Final = frozenset(
    {"del", "moveFrom", "rPrChange", "pPrChange", "sectPrChange", "tblPrChange"}
    | {"tcPrChange", "trPrChange", "tblGridChange", "numberingChange", "rsids"}
    | {"commentReference", "commentRangeStart", "commentRangeEnd", "attachedTemplate"}
    | {"docVars", "mailMerge", "trackRevisions", "legacyDrawing", "oleObjects"}
    | {"controls", "tracked-changes", "annotation", "annotation-end", "scripts"}
    | {"event-listeners", "change", "change-start", "change-end", "object", "control"}
)
"""Elements that go with all that is in them, by their local names."""
UNWRAPPED: Final = frozenset({"ins", "moveTo"})
"""Elements that go, while what is in them stays: it is the last wording."""
SILENT: Final = frozenset(
    {"author", "date", "initials", "creator", "userName", "lastModifiedBy", "userId"}
)
"""Attributes that tell of a person or a moment, by their local names."""
SITTING: Final = "rsid"
"""How names of attributes begin that number the sittings at which it was written."""
_PLAIN: Final = {
    "application/vnd.ms-word.document.macroEnabled.main+xml": "wordprocessingml.document",
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml": "spreadsheetml.sheet",
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": (
        "presentationml.presentation"
    ),
}
_NO_LINK: Final = "about:blank"
_PARSER: Final = {"resolve_entities": False, "no_network": True, "load_dtd": False}


def clean(archive: zipfile.ZipFile, kind: Kind, give: Give) -> dict[str, str]:
    """Give the document as its last reader saw it. Raises Refused."""
    names = [one.filename for one in archive.infolist() if not one.is_dir()]
    if len(names) > MOST_PARTS or len(set(names)) != len(names):
        raise Refused("broken")
    out, room = io.BytesIO(), MOST_UNPACKED
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in sorted(names, key=lambda one: one != "mimetype"):
            if is_dropped(name):
                continue
            data = _read(archive, name, room)
            room -= len(data)
            form = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            part = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            made.writestr(part, _cleaned(name, data), form)
    give(frames.COPY, out.getvalue())
    hidden = sorted({_what(name) for name in names if is_dropped(name)})
    return {"type": kind.type, "copy": kind.copy, "hidden": " ".join(hidden)}


def is_dropped(name: str) -> bool:
    """Tell whether a part is left out."""
    return name.startswith(DROPPED) or name.endswith((".bin", ".vml"))


def _what(name: str) -> str:
    macro = "vba" in name.lower() or name.startswith(("Basic/", "Scripts/"))
    if macro:
        return "program"
    return "files" if "embeddings/" in name else "author"


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


def _cleaned(name: str, data: bytes) -> bytes:
    suffix = posixpath.splitext(name)[1].lower()
    if suffix in {".xml", ".rels", ".rdf"}:
        return _xml(name, data)
    if suffix in {".jpg", ".jpeg"}:
        return bare(data)
    if suffix in {".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"}:
        return pictures.redrawn(data)
    return (
        data if name == "mimetype" or suffix in {".ttf", ".odttf", ".fntdata"} else b""
    )


def _xml(name: str, data: bytes) -> bytes:
    try:
        root = etree.fromstring(data, etree.XMLParser(**_PARSER))
    except etree.XMLSyntaxError:
        raise Refused("broken") from None
    if root.getroottree().docinfo.doctype:
        raise Refused("broken")
    if name.endswith(".rels"):
        _strip_links(name, root)
    elif name in {"[Content_Types].xml", "META-INF/manifest.xml"}:
        _strip_list(root)
    else:
        _strip_words(root)
    told = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return bytes(told)


def _strip_links(name: str, root: etree._Element) -> None:
    """Leave out links to parts that are gone; no link leads out of the document."""
    base = posixpath.dirname(posixpath.dirname(name))
    for link in list(root):
        target = str(link.get("Target", ""))
        if link.get("TargetMode") == "External":
            if str(link.get("Type", "")).endswith("/hyperlink"):
                link.set("Target", _NO_LINK)
            else:
                root.remove(link)
            continue
        place = posixpath.normpath(posixpath.join("/", base, target)).lstrip("/")
        if is_dropped(place):
            root.remove(link)


def _strip_list(root: etree._Element) -> None:
    for line in list(root):
        named = line.get("PartName") or _local(line.attrib, "full-path")
        if named and is_dropped(named.lstrip("/")):
            root.remove(line)
        if plain := _PLAIN.get(str(line.get("ContentType"))):
            form = f"application/vnd.openxmlformats-officedocument.{plain}.main+xml"
            line.set("ContentType", form)


def _strip_words(root: etree._Element) -> None:
    for found in list(root.iter()):
        if not isinstance(found.tag, str):  # a comment, or an instruction to a program
            _remove(found)
            continue
        name = etree.QName(found).localname
        if name in GONE and found is not root:
            _remove(found)
        elif name in UNWRAPPED and found is not root:
            _unwrap(found)
        for told in list(found.attrib):
            called = etree.QName(told).localname
            if called in SILENT or called.startswith(SITTING):
                del found.attrib[told]
            elif called == "href":
                _bend(found, told)


def _bend(found: etree._Element, told: str) -> None:
    """Let no address lead out of the document."""
    if "://" in found.attrib[told] or found.attrib[told].startswith(("//", "mailto:")):
        found.attrib[told] = _NO_LINK


def _remove(found: etree._Element) -> None:
    """Take an element out; the words behind it stay where they are."""
    parent = found.getparent()
    if parent is None:
        return
    _join(parent, found, found.tail or "")
    parent.remove(found)


def _unwrap(found: etree._Element) -> None:
    parent = found.getparent()
    if parent is None:
        return
    at = parent.index(found)
    for child in reversed(list(found)):
        parent.insert(at, child)
    _remove(found)


def _join(parent: etree._Element, found: etree._Element, words: str) -> None:
    before = found.getprevious()
    found.tail = None
    if before is not None:
        before.tail = (before.tail or "") + words
    else:
        parent.text = (parent.text or "") + words


def _local(attributes: Mapping[str, str], name: str) -> str:
    found = (
        value for key, value in attributes.items() if etree.QName(key).localname == name
    )
    return next(found, "")
