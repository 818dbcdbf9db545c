"""Tables: of hidden rows, hidden columns and covered cells nothing stays but their place."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from typing import Final

from lxml import etree

from bot.evidence.sandbox.documents import trees
from bot.evidence.sandbox.documents.concealed import NO, YES

_PLACE: Final = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")
_MERGED: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})")
_NOTHING: Final = frozenset({"0", "0.0"})
_ALL: Final = (0, 1 << 30)
_FOLDED: Final = frozenset({"collapse", "filter"})
_CELLS: Final = frozenset({"table-cell", "covered-table-cell"})
_KEEPS: Final = frozenset(
    {"r", "s", "style-name", "number-columns-repeated", "number-columns-spanned"}
    | {"number-rows-spanned", "number-rows-repeated"}
)
_MOST: Final = 1 << 14
"""Columns of a sheet; where one says that it repeats more often, these are looked at."""


def empty(root: etree._Element, formats: Collection[str], strings: set[int]) -> bool:
    """Empty the cells that nobody sees; tell whether one held anything.

    ``formats``: numbers of the formats that show nothing. ``strings`` gets the numbers of
    the shared strings that are still shown.
    """
    if trees.local(root) == "worksheet":
        return _empty_sheet(root, formats, strings)
    tables = [table for table in trees.every(root, "table") if _is_open(table)]
    emptied = [_empty_table(table) for table in tables]
    return any(emptied)


def forget(root: etree._Element, strings: Collection[int]) -> bool:
    """Empty the shared strings that no cell shows; tell whether there were any."""
    lost = [one for n, one in enumerate(trees.every(root, "si")) if n not in strings]
    for one in lost:
        for inner in list(one):
            one.remove(inner)
        one.text = None
        etree.SubElement(one, str(one.tag).replace("}si", "}t"))
    return bool(lost)


def _empty_sheet(
    sheet: etree._Element, formats: Collection[str], strings: set[int]
) -> bool:
    columns, emptied = _hidden_columns(sheet), False
    covered = _covered(sheet)
    for number, row in _numbered(sheet):
        is_hidden = row.get("hidden") in YES or row.get("ht") in _NOTHING
        spans = [_ALL] if is_hidden else [*columns, *covered.get(number, ())]
        for at, cell in _placed(row):
            is_out = any(first <= at <= last for first, last in spans)
            if is_out or cell.get("s", "0") in formats:
                emptied |= _empty_cell(cell)
            elif cell.get("t") == "s":
                strings |= {int(v.text or 0) for v in trees.every(cell, "v")}
    if columns:  # a table names its columns, hidden ones too
        for one in trees.every(sheet, "tableParts"):
            trees.remove(one)
    return emptied


def _numbered(sheet: etree._Element) -> Iterator[tuple[int, etree._Element]]:
    """Yield each row with its number; one that says none follows the one before."""
    number = 0
    for row in trees.every(sheet, "row"):
        number = int(row.get("r") or number + 1)
        yield number, row


def _placed(row: etree._Element) -> Iterator[tuple[int, etree._Element]]:
    """Yield each cell with the number of its column."""
    at = 0
    for cell in row:
        if trees.local(cell) == "c":
            place = _PLACE.fullmatch(cell.get("r") or "")
            at = _number(place[1]) if place else at + 1
            yield at, cell


def _hidden_columns(sheet: etree._Element) -> list[tuple[int, int]]:
    """Return the first and last column of each hidden range."""
    return [
        (int(one.get("min") or 0), int(one.get("max") or 0))
        for one in trees.every(sheet, "col")
        if one.get("hidden") in YES or one.get("width") in _NOTHING
    ]


def _covered(sheet: etree._Element) -> dict[int, list[tuple[int, int]]]:
    """Return, for each row, the columns that lie under a merged cell."""
    rows = sorted(number for number, _ in _numbered(sheet))
    covered: dict[int, list[tuple[int, int]]] = {}
    for one in trees.every(sheet, "mergeCell"):
        merged = _MERGED.fullmatch(one.get("ref") or "")
        if merged is None:
            continue
        left, right = _number(merged[1]), _number(merged[3])
        top, below = int(merged[2]), int(merged[4])
        for row in rows[bisect_left(rows, top) : bisect_right(rows, below)]:
            covered.setdefault(row, []).append((left + (row == top), right))
    return covered


def _number(letters: str) -> int:
    """Return the number of a column by its letters, A is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _is_open(table: etree._Element) -> bool:
    return any(
        trees.local(one) in {"table-row", "table-column"} for one in table.iter()
    )


def _empty_table(table: etree._Element) -> bool:
    """Empty what an open document's table hides: folded rows, columns, covered cells."""
    columns: list[bool] = []
    for one in trees.every(table, "table-column"):
        columns += [_is_folded(one)] * min(_repeats(one), _MOST)
    emptied = False
    for row in trees.every(table, "table-row"):
        is_hidden, at = _is_folded(row), 0
        for cell in [one for one in row if trees.local(one) in _CELLS]:
            repeats = _repeats(cell)
            is_out = any(columns[at : at + repeats])
            at += repeats
            if is_hidden or is_out or trees.local(cell) == "covered-table-cell":
                emptied |= _empty_cell(cell)
    return emptied


def _empty_cell(cell: etree._Element) -> bool:
    """Leave of a cell its place and look; tell whether it held anything."""
    held = len(cell) > 0
    for inner in list(cell):
        cell.remove(inner)
    for told in list(cell.attrib):
        if told.rpartition("}")[2] not in _KEEPS:
            del cell.attrib[told]
    return held


def _repeats(found: etree._Element) -> int:
    told = trees.value(found.attrib, "number-columns-repeated")
    return max(int(told), 1) if told.isdecimal() else 1


def _is_folded(found: etree._Element) -> bool:
    """Tell whether a row or column is hidden, or the group that it stands in."""
    if trees.value(found.attrib, "visibility") in _FOLDED:
        return True
    return any(
        trees.local(above) in {"table-row-group", "table-column-group"}
        and trees.value(above.attrib, "display") in NO
        for above in found.iterancestors()
    )
