"""What an office document holds and does not show: hidden words, sections, shapes, slides."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from lxml import etree

from bot.evidence.sandbox.documents import trees

YES: Final = frozenset({"1", "true", "on"})
NO: Final = frozenset({"0", "false", "off", "none"})
_BLANK: Final = re.compile(r'\s*("")?(;\s*("")?){2,3}')
"""A number format that shows no value, whatever it is."""
_INVISIBLE: Final = re.compile(r"visibility\s*:\s*hidden|display\s*:\s*none")
_KNOWN: Final = frozenset(
    {"wps", "wpg", "wpc", "wpi", "w14", "w15", "a14", "p14", "p15", "c14", "x14", "x15"}
)
"""What an alternative may require that every reader of today has."""
_ANCHORS: Final = frozenset({"twoCellAnchor", "oneCellAnchor", "absoluteAnchor"})
_GROUP: Final = frozenset({"nvGrpSpPr", "grpSpPr"})
"""What must stand first on every slide, an empty one too."""
_FAMILIES: Final = {
    "span": "text",
    "p": "paragraph",
    "h": "paragraph",
    "table": "table",
    "page": "drawing-page",
}
"""The elements of open documents whose style may hide them, and its family."""

Styles: TypeAlias = Collection[str]


def hiding_styles(root: etree._Element) -> set[str]:
    """Return what hides: styles and layers by name, formats of cells by number."""
    styles = {_key(one): one for one in trees.every(root, "style")}
    layers = {
        f"layer/{trees.value(one.attrib, 'name')}"
        for one in trees.every(root, "layer")
        if trees.value(one.attrib, "display") in {"none", "printer"}
    }
    found = {one for one in styles if _does_hide(one, styles)}
    return found | layers | _blank_formats(root)


def _blank_formats(root: etree._Element) -> set[str]:
    blank = {
        one.get("numFmtId")
        for one in trees.every(root, "numFmt")
        if _BLANK.fullmatch(one.get("formatCode") or "")
    }
    formats = [one for cells in trees.every(root, "cellXfs") for one in cells]
    return {str(n) for n, one in enumerate(formats) if one.get("numFmtId") in blank}


def _key(style: etree._Element) -> str:
    """Return what a style is called by: in open documents each family has its own names."""
    name = trees.value(style.attrib, "name")
    told = trees.value(style.attrib, "styleId")
    return told or f"{trees.value(style.attrib, 'family')}/{name}"


def _does_hide(name: str, styles: Mapping[str, etree._Element]) -> bool:
    """Tell whether a style hides, or the nearest one that it is based on and that says."""
    passed: set[str] = set()
    while name in styles and name not in passed:
        passed.add(name)
        style, name = styles[name], ""
        if above := trees.value(style.attrib, "parent-style-name"):
            name = f"{trees.value(style.attrib, 'family')}/{above}"
        for one in style:
            if trees.local(one) == "basedOn":
                name = trees.value(one.attrib, "val")
            told = _says_hidden(one)
            if told is not None:
                return told
    return False


def _says_hidden(properties: etree._Element) -> bool | None:
    """Tell whether properties hide what has them, None: they do not say."""
    for one in properties if trees.local(properties) == "rPr" else ():
        if trees.local(one) in {"vanish", "specVanish"}:
            return trees.value(one.attrib, "val") not in NO
    for told in ("display", "visibility"):
        if shown := trees.value(properties.attrib, told):
            return shown in NO or shown == "hidden"
    return None


def is_not_shown(found: etree._Element, name: str) -> bool:
    """Tell whether a book hides a sheet or a name, or a drawing tells what it is called."""
    if name == "title":
        return "svg" in str(etree.QName(found).namespace)
    if name == "sheet":
        return str(found.get("state")).lower() in {"hidden", "veryhidden"}
    return name == "definedName" and found.get("hidden") in YES


def take_out(root: etree._Element, styles: Styles) -> bool:
    """Take out of a part what no reader sees; tell whether there was anything."""
    doomed = list(_doomed(root, styles))
    for one in doomed:
        trees.remove(one)
    for one in trees.every(root, "AlternateContent"):
        if not any(trees.local(way) == "Choice" for way in one):
            for way in list(one):
                trees.unwrap(way)
            trees.unwrap(one)
    return bool(doomed)


def _doomed(root: etree._Element, styles: Styles) -> Iterator[etree._Element]:
    has_layers = any(one.startswith("layer/") for one in styles)
    for one in root.iter(etree.Element):
        name = trees.local(one)
        if name in _RULES:
            yield from _RULES[name](one, styles)
        hiding = ""
        if name in _FAMILIES:
            hiding = f"{_FAMILIES[name]}/{trees.value(one.attrib, 'style-name')}"
        elif has_layers:
            hiding = f"layer/{trees.value(one.attrib, 'layer')}"
        if hiding in styles or _INVISIBLE.search(one.get("style") or ""):
            yield one


def _other_ways(found: etree._Element, _: Styles) -> Iterator[etree._Element]:
    """Yield the ways that a reader of today does not take."""
    ways = [one for one in found if trees.local(one) == "Choice"]
    other = [one for one in found if trees.local(one) == "Fallback"]
    taken = [one for one in ways if {*one.get("Requires", "").split()} <= _KNOWN]
    taken = taken[:1] or (ways[:1] if not other else [])
    yield from (one for one in ways if one not in taken)
    yield from other if taken else ()


def _shape(mark: etree._Element, _: Styles) -> Iterator[etree._Element]:
    """Yield the whole shape whose mark says that it is hidden."""
    if mark.get("hidden") not in YES:
        return
    around = [mark, *mark.iterancestors()]
    is_anchored = len(around) > 3 and trees.local(around[3]) in _ANCHORS  # noqa: PLR2004 - what holds a shape in a sheet
    yield around[3 if is_anchored else min(2, len(around) - 1)]


def _slide(slide: etree._Element, _: Styles) -> Iterable[etree._Element]:
    """Yield all that stands on a slide that is not shown."""
    found = trees.every(slide, "spTree") if slide.get("show") in NO else []
    return [one for tree in found for one in tree if trees.local(one) not in _GROUP]


def _run(run: etree._Element, styles: Styles) -> Iterable[etree._Element]:
    """Yield words of Word that are hidden: by themselves, their style, paragraph or row."""
    told = next((say for one in run if (say := _says_hidden(one)) is not None), None)
    if told is None:
        named = set(_values(run, "rPr", "rStyle"))
        for above in run.iterancestors():
            named |= set(_values(above, "pPr", "pStyle"))
            told = told or any(True for _ in _values(above, "trPr", "hidden"))
        told = told or not named.isdisjoint(styles)
    return [run] if told else []


def _values(found: etree._Element, properties: str, name: str) -> Iterator[str]:
    """Yield what the properties of an element say of one thing."""
    for inner in found:
        if trees.local(inner) == properties:
            for one in trees.every(inner, name):
                if (value := trees.value(one.attrib, "val")) not in NO:
                    yield value


def _section(found: etree._Element, _: Styles) -> Iterable[etree._Element]:
    shown = trees.value(found.attrib, "display")
    is_met = trees.value(found.attrib, "is-hidden") in YES
    return [found] if shown == "none" or (shown == "condition" and is_met) else []


def _paragraph(mark: etree._Element, _: Styles) -> Iterable[etree._Element]:
    """Yield the paragraph that a mark in it hides."""
    if trees.value(mark.attrib, "is-hidden") not in YES:
        return []
    found = (one for one in mark.iterancestors() if trees.local(one) in {"p", "h"})
    return [next(found, mark)]


_RULES: Final[
    Mapping[str, Callable[[etree._Element, Styles], Iterable[etree._Element]]]
] = {
    "AlternateContent": _other_ways,
    "cNvPr": _shape,
    "docPr": _shape,
    "sld": _slide,
    "r": _run,
    "section": _section,
    "variable-set": _section,
    "hidden-paragraph": _paragraph,
    "hidden-text": lambda found, _: [found],
}
"""What is not seen because of an element of this local name."""
