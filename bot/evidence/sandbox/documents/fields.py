"""Fields and formulas of office documents: what was worked out stays, nothing works on."""

import re
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from bot.evidence.sandbox.documents import trees

PLAIN: Final = frozenset(
    {"PAGE", "NUMPAGES", "SECTION", "SECTIONPAGES", "TOC", "REF", "PAGEREF", "NOTEREF"}
    | {"DATE", "TIME", "SEQ", "STYLEREF", "LISTNUM", "SYMBOL", "EQ"}
    | {"FORMTEXT", "FORMCHECKBOX", "FORMDROPDOWN"}
)
"""Fields of a text that look at nothing but the text itself, or the clock."""
PATH: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]:[\\/]|^\\\\|\bfile:|/(?:home|Users)/|\\Users\\",
    re.IGNORECASE,
)
"""A place on somebody's machine."""
_INSIDE: Final = re.compile(
    r'HYPERLINK\s+\\l\s+"[^"\\/:]*"(\s+\\[a-z])*', re.IGNORECASE
)
_STARTS: Final = re.compile(
    r"^\W*(MACROBUTTON|GOTOBUTTON|HTMLCONTROL|CONTROL)", re.IGNORECASE
)
_REACHES: Final = re.compile(
    r"\||\b(WEBSERVICE|RTD|CALL|REGISTER|IMAGE|EXEC|DDE\w*|INCLUDE\w*)\b", re.IGNORECASE
)
_REFERENCE: Final = re.compile(r"[\w\s$!':,;.<>=+*^%#-]*")
_FORMULAS: Final = frozenset({"f", "formula", "formula1", "formula2", "definedName"})
_NO_REFERENCE: Final = "#REF!"


@dataclass(slots=True)
class _Field:
    marks: list[etree._Element]
    words: list[str] = field(default_factory=list)
    is_told: bool = False
    """All of its instruction has been seen; what follows is its result."""
    is_built: bool = False
    """Another field writes a piece of its instruction."""

    def is_plain(self) -> bool:
        return not self.is_built and is_plain("".join(self.words))


def is_plain(instruction: str) -> bool:
    """Tell whether a field may stay one."""
    told = instruction.strip()
    if _INSIDE.fullmatch(told):
        return True
    first = told.split(maxsplit=1)[0].upper() if told else ""
    return first in PLAIN and "://" not in told and not PATH.search(told)


def code_of(instruction: str) -> str:
    """Return the word for what a field or formula that goes would have done."""
    if _STARTS.search(instruction) or _REACHES.search(instruction):
        return "program"
    return "author" if PATH.search(instruction) else ""


def settle(root: etree._Element) -> set[str]:
    """Leave the results of fields and formulas; return words for what they would do."""
    found = _simple(root) | _whole(root)
    for one in trees.every(root, *_FORMULAS):
        if trees.local(one) == "f" and trees.local(one.getparent()) == "c":
            found.add(code_of("".join(one.itertext())))
            trees.remove(one)
        elif not one.text:
            continue
        elif not _REFERENCE.fullmatch(one.text) or PATH.search(one.text):
            found.add(code_of(one.text))
            one.text = _NO_REFERENCE
    return found


def _simple(root: etree._Element) -> set[str]:
    found = set()
    for one in trees.every(root, "fldSimple"):
        told = trees.value(one.attrib, "instr")
        if not is_plain(told):
            found.add(code_of(told))
            trees.unwrap(one)
    return found


def _whole(root: etree._Element) -> set[str]:
    """Take apart fields whose instructions are spread over runs, as Word writes them."""
    found: set[str] = set()
    opened: list[_Field] = []
    for one in trees.every(root, "instrText", "delInstrText", "fldChar"):
        if trees.local(one) != "fldChar":
            if not opened:
                opened.append(_Field([]))  # an instruction of no field
                _close(opened, one, found)
                continue
            opened[-1].marks.append(one)
            opened[-1].words.append("".join(one.itertext()))
        else:
            _turn(opened, one, found)
    while opened:
        opened[-1].is_built = True  # it never ends: nobody knows what it does
        _close(opened, None, found)
    return found


def _turn(opened: list[_Field], mark: etree._Element, found: set[str]) -> None:
    kind = trees.value(mark.attrib, "fldCharType")
    if kind == "begin":
        if opened and not opened[-1].is_told:
            opened[-1].is_built = True
        opened.append(_Field([mark]))
    elif not opened:
        trees.remove(mark)
    elif kind == "end":
        _close(opened, mark, found)
    else:
        opened[-1].marks.append(mark)
        opened[-1].is_told = True


def _close(opened: list[_Field], last: etree._Element | None, found: set[str]) -> None:
    done = opened.pop()
    if last is not None:
        done.marks.append(last)
    if done.is_plain():
        return
    told = "".join(done.words) or "".join(
        words for one in done.marks for words in one.itertext()
    )
    found.add(code_of(told))
    for mark in done.marks:
        trees.remove(mark)
