"""Changing inputs: bits, cuts, splices, fields, depth, huge numbers, lone surrogates."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hypothesis import strategies as st

from tests.support.places import PAYLOADS
from tests.support.shapes import paths
from tests.tools.fuzzing.target import Shape

HOSTILE: list[str] = json.loads((PAYLOADS / "hostile.json").read_text("utf-8"))
DEEP = 3_000
DIGITS = "9" * 5_000
"""More than Python turns into a number."""
TEXTS = (
    *("", " ", "\0", "a\0b", "\ud800", "\udfff\ud83d", "\u202e", "²", "-0", "NaN"),
    *("1e999", "-1", "٣", "%", "&=;", "\r\n", "../..", DIGITS, "x" * 5_000, "i" * 300),
    *("9999-12-31T23:59:59-23:59", "Mon, 01 Jan 0001 00:00:00 +2359", "[" * DEEP),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, float("inf"), float("nan"), 2**31, 2**63, 10**400),
    *([], {}, [[]], [{}], {"": ""}, {"id": 1}, [None], "", *TEXTS),
)
CHUNKS = (
    b"",
    b"\0",
    b"\xff",
    b"\xff" * 8,
    b"\0" * 8,
    b"\x80",
    b"\xed\xa0\x80",
    b"\n",
    b"=",
)

Dice = Any
"""A ``random.Random`` that hypothesis draws and shrinks."""
Change = Callable[[Dice, bytes, Sequence[bytes]], bytes]


def bits(dice: Dice, raw: bytes, _: Sequence[bytes]) -> bytes:
    """Flip one bit."""
    if not raw:
        return b"\x01"
    at = dice.randrange(len(raw))
    return raw[:at] + bytes((raw[at] ^ (1 << dice.randrange(8)),)) + raw[at + 1 :]


def cut(dice: Dice, raw: bytes, _: Sequence[bytes]) -> bytes:
    """Cut it off, at either end or in the middle."""
    begin, end = sorted((dice.randrange(len(raw) + 1), dice.randrange(len(raw) + 1)))
    rest = (raw[:begin], raw[end:], raw[begin:end], raw[:begin] + raw[end:])
    left: bytes = dice.choice(rest)
    return left


def doubled(dice: Dice, raw: bytes, _: Sequence[bytes]) -> bytes:
    """Say a part twice."""
    begin, end = sorted((dice.randrange(len(raw) + 1), dice.randrange(len(raw) + 1)))
    return raw[:end] + raw[begin:end] + raw[end:]


def spliced(dice: Dice, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Go on with another input."""
    other: bytes = dice.choice(others)
    at, behind = dice.randrange(len(raw) + 1), dice.randrange(len(other) + 1)
    return raw[:at] + other[behind:]


def put_in(dice: Dice, raw: bytes, _: Sequence[bytes]) -> bytes:
    """Put something strange in, or in the place of something."""
    at = dice.randrange(len(raw) + 1)
    chunk: bytes = dice.choice((*CHUNKS, _bytes(dice.choice((*TEXTS, *HOSTILE)))))
    return raw[:at] + chunk + raw[at + dice.choice((0, len(chunk))) :]


def parts(dice: Dice, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Change a part of a JSON value: another value, gone, or another input's."""
    try:
        whole, other = json.loads(raw), json.loads(dice.choice(others))
    except (ValueError, RecursionError):
        return put_in(dice, raw, others)
    found, theirs = list(paths(whole)), list(paths(other))
    if not found:
        return _json(dice.choice(VALUES))
    *way, last = dice.choice(found)
    inner: Any = whole
    for name in way:
        inner = inner[name]
    match dice.randrange(6):
        case 0:
            del inner[last]
        case 1:
            inner[last] = _at(other, dice.choice(theirs)) if theirs else other
        case 2:
            inner[last] = [inner[last]] * dice.choice((1, 2, 300))
        case 3 if isinstance(inner, dict):
            inner[dice.choice((*TEXTS[:12], *(str(at[-1]) for at in found)))] = (
                inner.pop(last)
            )
        case 4:
            inner[last] = dice.choice(HOSTILE)
        case _:
            inner[last] = dice.choice(VALUES)
    return _json(whole)


def deep(dice: Dice, raw: bytes, _: Sequence[bytes]) -> bytes:
    """Nest a JSON value deeper than Python follows."""
    pairs = ((b"[", b"]"), (b'{"message":', b"}"))
    left, right = pairs[dice.randrange(2)]
    times: int = dice.choice((3, 900, DEEP))
    return left * times + raw + right * times


def fields(dice: Dice, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Change a form's field: gone, twice, renamed, odd, swapped, another form's."""
    form = parse_qsl(raw.decode("utf-8", "surrogateescape"), keep_blank_values=True)
    other = parse_qsl(
        dice.choice(others).decode("utf-8", "surrogateescape"), keep_blank_values=True
    )
    if not form:
        return put_in(dice, raw, others)
    at = dice.randrange(len(form))
    name, value = form[at]
    match dice.randrange(7):
        case 0:
            del form[at]
        case 1:
            form.insert(0, (name, dice.choice(TEXTS)))
        case 2:
            form[at] = (dice.choice((*TEXTS, dice.choice(form)[0])), value)
        case 3:
            form[at] = (name, dice.choice(form)[1])
        case 4 if other:
            form.append(dice.choice(other))
        case 5:
            form[at] = (name, dice.choice(HOSTILE))
        case _:
            form[at] = (name, dice.choice(TEXTS))
    pairs = [(_bytes(name), _bytes(value)) for name, value in form]
    return urlencode(pairs).encode("ascii")


def lines(dice: Dice, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Change a line of a file: gone, twice, another's, or an odd value behind its ``=``."""
    here, there = raw.split(b"\n"), dice.choice(others).split(b"\n")
    at = dice.randrange(len(here))
    name, mark, _ = here[at].partition(b"=")
    match dice.randrange(6):
        case 0:
            del here[at]
        case 1:
            here.insert(at, dice.choice(here))
        case 2:
            here[at] = dice.choice(there)
        case 3:
            here[at] = name + mark + dice.choice(here).partition(b"=")[2]
        case 4:
            here[at] = dice.choice(TEXTS).encode("utf-8", "surrogatepass") + mark
        case _:
            here[at] = name + mark + _literal(dice.choice(VALUES))
    return b"\n".join(here)


BY_SHAPE: dict[Shape, tuple[Change, ...]] = {
    Shape.BYTES: (),
    Shape.JSON: (parts, parts, parts, parts, deep),
    Shape.FORM: (fields, fields, fields, fields),
    Shape.LINES: (lines, lines, lines, lines),
}
ANY: tuple[Change, ...] = (bits, cut, doubled, spliced, put_in)


@st.composite
def changed(draw: st.DrawFn, shape: Shape, inputs: Sequence[bytes]) -> bytes:
    """Draw an input and change it one to four times."""
    dice = draw(st.randoms(use_true_random=False))
    raw: bytes = dice.choice(inputs)
    own = BY_SHAPE[shape]
    for _ in range(dice.choice((1, 1, 1, 2, 3, 4))):
        few = own if own and dice.randrange(5) else ANY
        with suppress(RecursionError):  # nested deeper than can be changed
            raw = dice.choice(few)(dice, raw, inputs)
    return raw


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _json(value: object) -> bytes:
    text = json.dumps(value).replace(f'"{DIGITS}"', DIGITS)
    return text.encode("ascii")


def _literal(value: object) -> bytes:
    if value == DIGITS:
        return DIGITS.encode()
    if isinstance(value, float):
        return repr(value).encode()
    return json.dumps(value).encode("ascii")


def _at(whole: Any, way: tuple[str | int, ...]) -> Any:
    for name in way:
        whole = whole[name]
    return whole
