"""A part of an office document at work, and its links to other parts; none leads out."""

import posixpath
import tomllib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from lxml import etree

from bot.evidence.sandbox.documents import fields, trees

TABLE: Final = tomllib.loads(Path(__file__).with_name("markup.toml").read_text("utf-8"))


_LINK: Final = frozenset({"Id", "Type", "Target", "TargetMode"})
NO_LINK: Final = "about:blank"
_IMPLIED: Final = frozenset(TABLE["kept"]["implied"])


@dataclass(slots=True)
class Part:
    """A part at work. ``links``: the ids that it may name; None: its kind has none."""

    name: str
    parts: Collection[str]
    """Names of all parts of the copy, in small letters."""
    links: Collection[str] | None = None
    hidden: set[str] = field(default_factory=set)
    """Words for what was left out, for the officer."""
    styles: Collection[str] = ()
    """What hides whatever has it (``concealed.hiding_styles``)."""
    strings: set[int] = field(default_factory=set)
    """The shared strings that a cell of any part shows."""
    named: set[str] = field(default_factory=set)
    """Links that the cleaned part names, by their id; in an open document the places."""


def cleaned_links(part: Part, data: bytes) -> etree._Element:
    """Leave links to parts of the copy; no link leads out of it."""
    root = trees.read(data)
    for link in list(root):
        target = str(link.get("Target", ""))
        if link.get("TargetMode") == "External" and not target.startswith("#"):
            part.hidden.add(_bent(link, target))
        elif not target.startswith("#") and not is_inside(
            target, posixpath.dirname(owner(part.name)), part.parts
        ):
            part.hidden.add("author" if fields.PATH.search(target) else "")
            root.remove(link)
        for told in set(link.attrib) - _LINK:
            del link.attrib[told]
    return root


def kept_links(root: etree._Element, named: Collection[str]) -> bytes:
    """Leave the links that a part names, and those of kinds that no part names."""
    for link in list(root):
        kind = posixpath.basename(str(link.get("Type", "")))
        if link.get("Id") not in named and kind not in _IMPLIED:
            root.remove(link)
    return trees.written(root)


def targets(root: etree._Element, name: str) -> list[str]:
    """Return the parts that the links of a part lead to, in small letters."""
    folder = posixpath.dirname(owner(name))
    found = [str(link.get("Target", "")) for link in root]
    return [place for one in found for place in places(one, folder)]


def owner(name: str) -> str:
    """Return the part that a part of links belongs to."""
    folder, base = posixpath.split(name)
    return posixpath.join(posixpath.dirname(folder), base.removesuffix(".rels"))


def _bent(link: etree._Element, target: str) -> str:
    """Turn a link that leads out to nowhere; a reader would miss the words of it."""
    is_word = str(link.get("Type", "")).endswith("/hyperlink")
    if is_word:
        link.set("Target", NO_LINK)
    else:
        trees.remove(link)
    if fields.PATH.search(target):
        return "author"
    return "" if is_word else "program"


def is_inside(target: str, folder: str, parts: Collection[str]) -> bool:
    """Tell whether a target is one of the parts."""
    return any(one in parts for one in places(target, folder))


def places(target: str, folder: str) -> list[str]:
    """Return where a target may lie, in small letters: as it is written, and unquoted."""
    path = target.partition("#")[0].replace("\\", "/")
    places = [posixpath.join("/", folder, one) for one in (path, unquote(path))]
    return [posixpath.normpath(one).lstrip("/").lower() for one in places]
