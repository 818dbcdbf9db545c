"""What a file is, told by its content alone (``kinds.toml``)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

HEAD: Final = 4096
"""Bytes from the start of a file that are enough to know it."""
_OLD: Final = {"image/jpeg": "jpeg", "image/png": "png"}
"""Kinds of files that were taken before their details said which kind they are."""
_BEGINS: Final = rb"(?:\s|\xef\xbb\xbf)*"
"""What may stand before the first sign, a byte order mark too."""
_NAMING: Final = re.compile(_BEGINS + rb"(?:<|\{\\rtf|BEGIN:V|%!PS)", re.IGNORECASE)
"""How files begin that are no plain words: markup, RTF, contact, calendar, PostScript."""
_LINES: Final = rb"(?:[A-Za-z][A-Za-z-]*:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*)*"
_MAIL: Final = re.compile(
    _BEGINS
    + rb"(?:>?From \S+ +(?:mon|tue|wed|thu|fri|sat|sun) [^\r\n]*\d\d:\d\d|"
    + (_LINES + rb"(?:Received|Return-Path|Delivered-To|Message-ID|MIME-Version|")
    + rb"Content-Type|Content-Transfer-Encoding|DKIM-Signature|Authentication-Results|"
    + rb"In-Reply-To|ARC-[A-Za-z-]+|X-[A-Za-z-]+):|"
    + (rb"(?=" + _LINES + rb"From:(?:[^\r\n]|\r?\n[ \t])*@)")
    + (_LINES + rb"(?:Date|Sent|Subject|To):)"),
    re.IGNORECASE,
)
"""How a mailbox or an e-mail begins: in lines that mail programs hide it names its author."""
_CONTROLS = (frozenset(range(32)) | {0x7F}) - set(b"\t\n\r\f")


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the table. ``copy`` is empty where no copy is made.

    Then ``why`` may say why, and no cleaner is asked.
    """

    code: str
    type: str
    extension: str
    cleaner: str = ""
    shown: str = ""
    copy: str = ""
    why: str = ""
    demuxer: str = ""
    inside: str = ""
    signs: tuple[Mapping[int, bytes], ...] = ()

    def fits(self, head: bytes) -> bool:
        """Tell whether a file that begins so may be of this kind."""
        return any(
            all(head.startswith(bytes_, at) for at, bytes_ in sign.items())
            for sign in self.signs
        )


@cache
def kinds() -> Mapping[str, Kind]:
    """Return every kind by its code, in the order in which they are tried."""
    path = Path(__file__).with_name("kinds.toml")
    table = tomllib.loads(path.read_text("utf-8"))
    return {code: _kind(code, line) for code, line in table.items()}


def recognise(head: bytes) -> Kind | None:
    """Return what a file that begins with ``head`` (``HEAD`` bytes) is; None: not known.

    A ZIP may be an office document: only its list tells (``archives``).
    """
    for kind in kinds().values():
        if kind.fits(head):
            return kind
    if not _is_text(head):
        return None
    return kinds()["mail" if _MAIL.match(head) else "text"]


def kind_of(told: Mapping[str, str]) -> Kind | None:
    """Return what a taken file is, from its details; None: nothing that we show."""
    code = told.get("kind") or _OLD.get(told.get("type", ""), "")
    return kinds().get(code)


def _kind(code: str, line: Mapping[str, Any]) -> Kind:
    signs = tuple(
        {int(at): bytes.fromhex(wanted) for at, wanted in sign.items()}
        for sign in line.get("signs", ())
    )
    return Kind(code=code, **{**line, "signs": signs})


def _is_text(head: bytes) -> bool:
    """Tell whether these are words.

    Markup is none, a browser might run it; nor is what names its author beside its words.
    """
    if not head or _CONTROLS & set(head) or _NAMING.match(head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) == HEAD and error.start > HEAD - 4  # a letter cut in two
    return True
