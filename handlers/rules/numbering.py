"""Case numbers and secret codes: make them, read them, find them in what people type.

A case number is 7 random characters and 1 check character of Crockford's base32, shown
as ``7K3M-9QXB``. The check is linear over GF(32) with a different weight for every place,
so it catches every single wrong character and every exchange of two characters. A code
is 15 random digits and Damm's check digit, shown as ``1234-5678-9012-3456``.

Numbers are only issued in a shape that words and plain figures do not have: each half
holds a digit from 2 to 9 (which no letter is read as), and the whole holds a letter.
That costs about one bit of 35 and keeps ``PENGADAAN``, ``BACA 7K3M`` or the date
``20260317`` from ever being a number. No randomness lives here: callers pass
``secrets.randbelow``.
"""

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from handlers.errors import NumbersExhausted

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 8
CODE_LENGTH = 16
FEW_WORDS = 4
"""A number without a code counts only beside at most so many other words."""

_HALF = NUMBER_LENGTH // 2
_TRIES = 1_000
_LONGEST = 5_000
_WORDS_BETWEEN = 3
_SURE_DIGITS = frozenset("23456789")
_READ_AS = str.maketrans("OIL", "011")
_MINUS = "\N{MINUS SIGN}"
_SEPARATORS = re.compile(r"[\s\-._/,:]+")
_NUMBER = re.compile(
    r"(?<![^\W_])(?<![^\W_]-)"
    r"(?=([0-9A-Z]{4})(\s?-\s?|[\s.]\s?|)([0-9A-Z]{4})(?!-?[^\W_]))"
)
_CODE = re.compile(
    r"(?<![^\W_])(?=((?:[0-9OIL][\s\-._/,]{0,3}){15}[0-9OIL])(?![^\W_]))"
)
_FIGURES = re.compile(r"[0-9OIL]{4}[\s\-._/,]{1,3}[0-9]")
_WORD = re.compile(r"[^\W_]*[^\W\d_][^\W_]*")

# Damm's totally anti-symmetric quasigroup of order 10 (H. M. Damm, 2004).
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A case number and a secret code, canonical; either may be empty, not both."""

    number: str = field(repr=False)
    code: str = field(repr=False)


def new_case_number(randbelow: Callable[[int], int]) -> str:
    """Return a fresh case number; uniqueness is the store's business.

    ``randbelow(n)`` returns a secure random integer below ``n``.
    Raises ``NumbersExhausted`` when the source never yields the wanted shape.
    """
    for _ in range(_TRIES):
        drawn = "".join(
            ALPHABET[randbelow(len(ALPHABET))] for _ in range(NUMBER_LENGTH - 1)
        )
        number = drawn + ALPHABET[_syndrome(drawn + ALPHABET[0])]
        if _has_shape(number):
            return f"{number[:_HALF]}-{number[_HALF:]}"
    raise NumbersExhausted


def parse_case_number(text: str) -> str | None:
    """Return the canonical case number that ``text`` wholly is, or None.

    Lower case, any separators, O for 0 and I or L for 1 are read.
    """
    number = _SEPARATORS.sub("", _plain(text)).translate(_READ_AS)
    return _valid_number(number)


def new_code(randbelow: Callable[[int], int]) -> str:
    """Return a fresh secret code of 16 digits in four groups."""
    digits = "".join(str(randbelow(10)) for _ in range(CODE_LENGTH - 1))
    return _grouped(digits + str(_damm(digits)))


def register_number(year: int, n: int) -> str:
    """Return the internal register number, in order within a year; officers only.

    Numbers below zero are the series of the unit above us: ``2026/A000003``.
    """
    return f"{year:04d}/A{-n:06d}" if n < 0 else f"{year:04d}/{n:06d}"


def read_receipt(
    text: str,
    *,
    number: str = "",
    expects_code: bool = False,
    keywords: Collection[str] = (),
) -> Receipt | None:
    """Find a case number, a code or both in what somebody wrote.

    A number counts when it passes its check and a code follows it, or the text says
    little else (at most ``FEW_WORDS`` words), or one of ``keywords`` (upper case) stands
    just before it. Written as two words it counts without a code only when neither of
    them makes another possible number with its neighbour. Sixteen digits, which may be an identity card's, are a code only after
    such a number, or anywhere when ``expects_code`` (the caller saw a keyword, or asked
    for the code). ``number`` is what the conversation already knows; it completes a
    code that comes alone. Returns None when nothing of this is there.
    """
    plain = _plain(text[:_LONGEST])
    finds = _finds(plain)
    for find in reversed(finds):
        code = _code_after(plain, find.end)
        if code:
            return Receipt(find.number, code)
    code = _first_code(plain)[1] if expects_code else ""
    for find in sorted(finds, key=lambda find: find.loose):
        if _counts(plain, find, keywords, code=code):
            return Receipt(find.number, code)
    return Receipt(number, code) if code else None


@dataclass(frozen=True, slots=True)
class _Find:
    """A number in a text: where, and how it is written.

    ``loose`` is two words beside each other; ``doubtful`` when one of them might as
    well belong to a neighbour, or to the figures of a code.
    """

    number: str
    start: int
    end: int
    loose: bool
    doubtful: bool


def _syndrome(characters: str) -> int:
    """Return the weighted sum over GF(32), 0 for a right number: Horner's rule in 2."""
    total = 0
    for character in characters:
        total <<= 1
        if total & 0b100000:
            total ^= 0b100101  # reduce by the primitive polynomial x^5 + x^2 + 1
        total ^= ALPHABET.index(character)
    return total


def _damm(digits: str) -> int:
    """Return the check digit of ``digits``, 0 for digits that end in their own."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return interim


def _has_shape(number: str) -> bool:
    halves = (number[:_HALF], number[_HALF:])
    return all(_SURE_DIGITS.intersection(half) for half in halves) and any(
        character.isalpha() for character in number
    )


def _valid_number(number: str) -> str | None:
    if len(number) != NUMBER_LENGTH or not set(ALPHABET).issuperset(number):
        return None
    if not _has_shape(number) or _syndrome(number):
        return None
    return f"{number[:_HALF]}-{number[_HALF:]}"


def _valid_code(digits: str) -> str | None:
    read = digits.translate(_READ_AS)
    if len(read) != CODE_LENGTH or not (read.isascii() and read.isdigit()):
        return None
    return None if _damm(read) else _grouped(read)


def _grouped(digits: str) -> str:
    return "-".join(digits[at : at + 4] for at in range(0, CODE_LENGTH, 4))


def _plain(text: str) -> str:
    """Return upper case text with ASCII digits and dashes, without invisible marks."""
    out: list[str] = []
    for character in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(character)
        if category == "Nd":
            out.append(str(unicodedata.digit(character)))
        elif category == "Pd" or character == _MINUS:
            out.append("-")
        elif category not in {"Cf", "Mn", "Me"}:
            out.append(character.upper())
    return "".join(out)


def _finds(plain: str) -> list[_Find]:
    """Return every right number in the text, in its order."""
    shaped = []
    for match in _NUMBER.finditer(plain):
        characters = (match[1] + match[3]).translate(_READ_AS)
        if _has_shape(characters):
            loose = bool(match[2]) and "-" not in match[2]
            shaped.append((characters, match.start(1), match.end(3), loose))
    finds = []
    for characters, start, end, loose in shaped:
        number = _valid_number(characters)
        if number:
            doubtful = any(
                start < other_end and other < end
                for _, other, other_end, _ in shaped
                if other != start
            ) or bool(loose and _FIGURES.match(plain, end - _HALF))
            finds.append(_Find(number, start, end, loose, doubtful))
    return finds


def _code_after(plain: str, end: int) -> str:
    """Return the code that follows, with at most a few words between; else ``""``."""
    start, code = _first_code(plain, end)
    few = len(_WORD.findall(plain[end:start])) <= _WORDS_BETWEEN
    return code if few else ""


def _first_code(plain: str, begin: int = 0) -> tuple[int, str]:
    for match in _CODE.finditer(plain, begin):
        code = _valid_code(_SEPARATORS.sub("", match[1]))
        if code:
            return match.start(), code
    return begin, ""


def _counts(plain: str, find: _Find, keywords: Collection[str], *, code: str) -> bool:
    if find.doubtful:
        return False
    before = _WORD.findall(plain[: find.start])
    if code or (before and before[-1] in keywords):
        return True
    return len(before) + len(_WORD.findall(plain[find.end :])) <= FEW_WORDS
