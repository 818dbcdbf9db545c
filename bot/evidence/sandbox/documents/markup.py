"""The XML parts of an office document: what they say, and not who says it, nor where."""

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from lxml import etree

from bot.evidence.sandbox.documents import concealed, fields, sheets, trees
from bot.evidence.sandbox.documents.parts import NO_LINK, TABLE, Part, is_inside, places


def _turned(table: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: code for code, names in table.items() for name in names}


PARTS: Final = _turned(TABLE["parts"])
KEPT: Final = frozenset(TABLE["kept"]["parts"])
_GONE: Final = _turned(TABLE["elements"])
_SILENT: Final = _turned(TABLE["attributes"])
_UNWRAPPED, _REFERRING, _HOLDERS = (
    frozenset(TABLE["shape"][name]) for name in ("unwrapped", "referring", "holders")
)
_SITTING: Final = "rsid"
"""How names of attributes begin or end that number the sittings at which it was written."""
_PLAIN: Final = {
    "application/vnd.ms-word.document.macroEnabled.main+xml": "wordprocessingml.document",
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml": "spreadsheetml.sheet",
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": (
        "presentationml.presentation"
    ),
}
_LINKS: Final = ("/officeDocument/2006/relationships", "/officeDocument/relationships")
_NAMED: Final = frozenset({"cNvPr", "docPr"})
_FILE: Final = re.compile(r"\.\w{3,4}$")
_STEPS: Final = re.compile(r"ppaction://(hlinkshowjump|hlinksldjump|noaction|media)\b")
"""What a click in a presentation may do: turn its pages."""


def cleaned_list(part: Part, data: bytes) -> bytes:
    """Leave out of the list of parts what is not in the copy."""
    root = trees.read(data)
    for line in list(root):
        named = line.get("PartName") or trees.value(line.attrib, "full-path")
        place = named.lstrip("/").lower()
        if place and not place.endswith("/") and place not in part.parts:
            trees.remove(line)
        if plain := _PLAIN.get(str(line.get("ContentType"))):
            form = f"application/vnd.openxmlformats-officedocument.{plain}.main+xml"
            line.set("ContentType", form)
    return trees.written(root)


def cleaned(part: Part, data: bytes) -> bytes:
    """Leave the wording of a part, and its look."""
    root = trees.read(data)
    for remark in list(root.iter(etree.Comment, etree.ProcessingInstruction)):
        trees.remove(remark)
    _free_pictures(part, root)
    if _conceals(part, root):
        part.hidden.add("words")
    for found in list(root.iter()):
        name = trees.local(found)
        if found is not root and _goes(part, found, name):
            _drop(found)
        else:
            if found is not root and name in _UNWRAPPED:
                trees.unwrap(found)
            for told in list(found.attrib):
                _settle(part, found, told)
    part.hidden |= fields.settle(root)  # last: what was deleted may hide what stays
    part.named |= _named(part, root)
    return trees.written(root)


def _conceals(part: Part, root: etree._Element) -> bool:
    """Take out what the part holds and does not show; tell whether there was anything."""
    was_out = concealed.take_out(root, part.styles)
    if trees.local(root) == "sst":
        return sheets.forget(root, part.strings)
    return sheets.empty(root, part.styles, part.strings) or was_out


def _named(part: Part, root: etree._Element) -> set[str]:
    """Return what a cleaned part names: links by their ids, and places."""
    folder, named = posixpath.dirname(part.name), set()
    for one in root.iter(etree.Element):
        for told, value in one.attrib.items():
            space, _, name = told.rpartition("}")
            if name in {"href", "src"}:
                named |= set(places(str(value), folder))
            elif space.endswith(_LINKS) or name == "relid":
                named.add(str(value))
    return named


def _goes(part: Part, found: etree._Element, name: str) -> bool:
    """Tell whether an element is not for readers, or is nothing without a lost part."""
    if name in _GONE:
        if len(found) or found.attrib or found.text:
            part.hidden.add(_GONE[name])
        return True
    if concealed.is_not_shown(found, name):
        part.hidden.add("words")
        return True
    action = found.get("action") or ""
    if action.startswith("ppaction:") and not _STEPS.match(action):
        part.hidden.add("program")
        return True
    if "formula" in trees.value(found.attrib, "condition"):
        return True
    refers = name in _REFERRING or (name == "hyperlink" and "ref" in found.attrib)
    return refers and any(_is_lost(part, found, told) for told in found.attrib)


def _drop(found: etree._Element) -> None:
    """Take an element out, and what may not stand empty around it."""
    parent = found.getparent()
    if trees.local(found) == "table-source" and parent is not None:
        found, parent = parent, parent.getparent()  # a sheet of another file
    if trees.local(found) == "sheet" and parent is not None:
        _forget_order(parent.getparent())
    trees.remove(found)
    while parent is not None and trees.local(parent) in _HOLDERS and not len(parent):
        found, parent = parent, parent.getparent()
        trees.remove(found)


def _forget_order(book: etree._Element | None) -> None:
    """Drop what counts the sheets of a book, when one of them goes."""
    for found in list(book) if book is not None else []:
        if trees.local(found) in {"definedNames", "bookViews"}:
            trees.remove(found)


def _is_lost(part: Part, found: etree._Element, told: str) -> bool:
    """Tell whether an attribute names a link that the part has not."""
    space, _, name = told.rpartition("}")
    is_link = space.endswith(_LINKS) or (space and name == "relid")
    value = found.attrib[told]
    return bool(is_link and value and value not in (part.links or ()))


def _settle(part: Part, found: etree._Element, told: str) -> None:
    """Let one attribute tell of no person, no moment and no other place."""
    if _is_lost(part, found, told):
        del found.attrib[told]
        return
    holder, name, value = (
        trees.local(found),
        told.rpartition("}")[2],
        found.attrib[told],
    )
    verdict = _rule(name)(part, holder, value) or _judge_text(part, holder, value)
    part.hidden.add(verdict.hidden)
    if verdict.value is None:
        del found.attrib[told]
    elif verdict.value != value:
        found.attrib[told] = verdict.value


class _Verdict(NamedTuple):
    """What an attribute says from now on (None: it goes), and a word for what it said."""

    value: str | None
    hidden: str = ""


_Rule: TypeAlias = Callable[[Part, str, str], _Verdict | None]
"""Judges the value of an attribute by its element's name; None: as any other text."""


def _rule(name: str) -> _Rule:
    if name.startswith(_SITTING) or name.endswith(_SITTING):
        return _silence("author")
    return _RULES.get(name, _judge_text)


def _silence(code: str) -> _Rule:
    return lambda _part, _holder, value: _Verdict(None, code if value else "")


def _judge_text(_part: Part, _holder: str, value: str) -> _Verdict:
    return _Verdict("", "author") if fields.PATH.search(value) else _Verdict(value)


def _judge_format(_part: Part, _holder: str, value: str) -> _Verdict:
    """Keep it: its backslashes are no path."""
    return _Verdict(value)


def _judge_formula(_part: Part, holder: str, value: str) -> _Verdict | None:
    return None if holder == "equation" else _Verdict(None, fields.code_of(value))


def _judge_name(_part: Part, holder: str, value: str) -> _Verdict | None:
    if holder in _NAMED:
        return _Verdict("", "author" if _FILE.search(value) else "")
    return _Verdict(None) if holder == "frame" else None


def _judge_display(_part: Part, holder: str, _value: str) -> _Verdict | None:
    return _Verdict(None) if holder == "hyperlink" else None


def _judge_address(part: Part, _holder: str, value: str) -> _Verdict:
    """Let an address lead to a place in the document, or to none."""
    folder = posixpath.dirname(part.name)
    if not value or value.startswith("#") or is_inside(value, folder, part.parts):
        return _Verdict(value)
    return _Verdict(NO_LINK, "author" if fields.PATH.search(value) else "")


def _judge_place(_part: Part, _holder: str, value: str) -> _Verdict | None:
    return _Verdict("") if "://" in value else None


_RULES: Final[Mapping[str, _Rule]] = {
    **{name: _silence(code) for name, code in _SILENT.items()},
    "formula": _judge_formula,
    "name": _judge_name,
    "display": _judge_display,
    "href": _judge_address,
    "src": _judge_address,
    "location": _judge_place,
    "url": _judge_place,
    "formatCode": _judge_format,
    "lvlText": _judge_format,
}
"""What is asked of an attribute of this local name."""


def _free_pictures(part: Part, root: etree._Element) -> None:
    """Leave of an embedded file in a presentation the picture that readers saw of it."""
    for frame in trees.every(root, "graphicFrame"):
        if not trees.every(frame, "oleObj"):
            continue
        part.hidden.add("files")
        for seen in trees.every(frame, "pic")[:1]:
            frame.addprevious(seen)
        trees.remove(frame)
