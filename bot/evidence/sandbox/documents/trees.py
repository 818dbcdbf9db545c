"""XML of a stranger: read without its entities, and pruned without losing words."""

from collections.abc import Mapping
from typing import Final

from lxml import etree

from bot.evidence.refusals import Refused

_PARSER: Final = {"resolve_entities": False, "no_network": True, "load_dtd": False}


def read(data: bytes) -> etree._Element:
    """Return the root of a part. Raises Refused."""
    try:
        root = etree.fromstring(data, etree.XMLParser(**_PARSER))
    except etree.XMLSyntaxError:
        raise Refused("broken") from None
    if root.getroottree().docinfo.doctype:
        raise Refused("broken")
    return root


def written(root: etree._Element) -> bytes:
    """Return a part as bytes, without anything around its root."""
    return bytes(
        etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    )


def local(found: etree._Element | None) -> str:
    """Return an element's name without its namespace; a remark has none."""
    if found is None or not isinstance(found.tag, str):
        return ""
    return str(found.tag).rpartition("}")[2]


def every(root: etree._Element, *names: str) -> list[etree._Element]:
    """Return all elements of these local names, as they follow each other."""
    return list(root.iter(*(f"{{*}}{name}" for name in names)))


def value(attributes: Mapping[str, str], name: str) -> str:
    """Return the attribute of this local name, or nothing."""
    found = (told for key, told in attributes.items() if key.rpartition("}")[2] == name)
    return next(found, "")


def remove(found: etree._Element) -> None:
    """Take an element out; the words behind it stay where they are."""
    parent = found.getparent()
    if parent is None:
        return
    words, found.tail = found.tail, None
    _add(parent, found.getprevious(), words)
    parent.remove(found)


def unwrap(found: etree._Element) -> None:
    """Take an element out and leave what is in it."""
    parent = found.getparent()
    if parent is None:
        return
    _add(parent, found.getprevious(), found.text)
    for child in list(found):
        found.addprevious(child)
    remove(found)


def _add(
    parent: etree._Element, before: etree._Element | None, words: str | None
) -> None:
    if not words:
        return
    if before is not None:
        before.tail = (before.tail or "") + words
    else:
        parent.text = (parent.text or "") + words
