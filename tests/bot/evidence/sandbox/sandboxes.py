"""Let a real sandbox open a file, and look at what comes out."""

import io
import json
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from bot.evidence import converter, frames
from bot.evidence.kinds import HEAD, recognise
from bot.evidence.sandbox import __main__, confinement

PIECE = 64 * 1024


class Made(NamedTuple):
    """What a sandbox gave; ``facts["why"]`` stands where it gave no copy."""

    copy: bytes
    preview: bytes
    facts: Mapping[str, str]


def opened(data: bytes, *, here_too: bool = True) -> Made:
    """Open a file as the media worker does.

    ``here_too``: in this process as well, unlocked. The lock must change nothing of what
    an honest file gives: what a cleaner loads late would not be found inside.
    """
    kind = recognise(data[:HEAD])
    if kind is None:
        return Made(b"", b"", {"why": "not_shown"})
    if kind.why:
        return Made(b"", b"", {"why": kind.why})
    copy, preview = bytearray(), bytearray()
    facts = converter.clean(
        kind,
        (data[at : at + PIECE] for at in range(0, len(data), PIECE)),
        copy=copy.extend,
        preview=preview.extend,
    )
    if here_too:
        assert facts == copied(data).facts
    return Made(bytes(copy), bytes(preview), facts)


def copied(data: bytes) -> Made:
    """Run the sandbox's program in this process, not locked in: quicker, and as thorough."""
    kind = recognise(data[:HEAD])
    assert kind is not None
    out = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confinement, "lock", lambda **_: None)
        __main__.run(kind, "clean", [], io.BytesIO(data), out)
    out.seek(0)
    *given, (letter, last) = frames.read(out)
    assert letter == frames.FACTS
    copy, preview = (
        b"".join(piece for what, piece in given if what == which)
        for which in (frames.COPY, frames.PREVIEW)
    )
    return Made(copy, preview, json.loads(last))
