"""Plain text: words only; what would turn or hide them is made visible."""

from typing import Final

from bot.evidence import frames
from bot.evidence.kinds import Kind
from bot.evidence.refusals import Give, Refused
from bot.evidence.unseen import marked

starts_programs: Final = False


def clean(original: bytes, _kind: Kind, give: Give) -> dict[str, str]:
    """Give the words. Raises Refused where a part of the file is none."""
    try:
        words = original.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("not_shown") from None
    give(frames.COPY, marked(words).encode())
    return {}
