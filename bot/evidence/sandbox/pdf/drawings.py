"""What a PDF draws: its pages' commands without remarks, its photos without their own."""

import re
import zlib
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Page, Stream, Token, TokenFilter
from pikepdf import TokenType as Type
from typing_extensions import override

from bot.evidence.sandbox.jpegs import bare, bare_jp2

_JPEG: Final = frozenset({"/DCTDecode", "/DCT"})
_PHOTOS: Final = _JPEG | {"/JPXDecode"}
_QUICK: Final = 6
"""How hard commands are packed: they wait in memory until the copy is written."""

_MAY_TELL: Final = re.compile(rb"%|<<|BI")
"""Without these there is no remark, description or picture; most maps have none."""
_NONE: Final = Token(Type.space, b" ")


class Drawings:
    """Write commands anew; ``told`` says what stood between them."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self.told: set[str] = set()

    def packed(self, page: Page) -> Stream:
        """Return the commands of a page as one stream."""
        data = zlib.compress(self._bare(page), _QUICK)
        return Stream(self._pdf, data, Filter=Name.FlateDecode)

    def redraw(self, found: Stream) -> None:
        """Write the commands of a part anew in their place."""
        resources = found.get("/Resources", Dictionary())
        alone = Dictionary(Type=Name.Page, Contents=found, Resources=resources)
        drawn = Page(self._pdf.make_indirect(alone))
        data = zlib.compress(self._bare(drawn), _QUICK)
        found.write(data, filter=Name.FlateDecode)
        if len(drawn.obj.Resources) > 0:
            found.Resources = drawn.obj.Resources

    def _bare(self, drawn: Page) -> bytes:
        drawn.contents_coalesce()
        plain = _unpacked(drawn.obj.Contents)
        if not _MAY_TELL.search(plain):
            return plain
        seen = _Seen()
        data = drawn.get_filtered_contents(seen)
        if seen.has_photo:
            drawn.externalize_inline_images()
            data = drawn.get_filtered_contents(_Seen())
        self.told |= {"words"} if seen.has_words else set()
        return data


class _Seen(TokenFilter):
    """Keeps commands and what they draw; drops remarks and descriptions."""

    def __init__(self) -> None:
        super().__init__()
        self.has_words = self.has_photo = False
        self._depth = 0
        self._is_in_picture = False

    @override
    def handle_token(self, token: Token = _NONE) -> Token | None:
        kind, raw = token.type_, token.raw_value
        if kind == Type.comment:
            self.has_words = True
            return None
        if self._is_in_picture:
            self._is_in_picture = kind != Type.inline_image
            self.has_photo |= kind == Type.name_ and raw.decode("latin-1") in _PHOTOS
            return token
        if kind == Type.dict_open:
            self._depth += 1
            return token if self._depth == 1 else None
        if kind == Type.dict_close:
            self._depth = max(self._depth - 1, 0)
            return None if self._depth else token
        if self._depth:
            self.has_words |= raw == b"/Alt"
            return None
        self._is_in_picture = kind == Type.word and raw == b"BI"
        return token


def _unpacked(found: Any) -> bytes:  # noqa: ANN401 - whatever a stranger wrote there
    """Return commands in clear; none where nobody could draw them."""
    try:
        return bytes(found.read_bytes()) if isinstance(found, Stream) else b""
    except pikepdf.PdfError:
        return b""


def strip_photo(pdf: pikepdf.Pdf, found: Stream) -> None:
    """Take place and camera out of a photo inside a PDF, which has its own."""
    names, more = _list(found.get("/Filter")), _list(found.get("/DecodeParms"))
    at = [n for n, one in enumerate(names) if str(one) in _PHOTOS]
    if not at:
        return
    if at != [len(names) - 1]:
        raise ValueError("a photo inside a photo")
    raw = found.read_raw_bytes()
    if outer := names[:-1]:
        wrapped = Stream(pdf, raw)
        wrapped.Filter = Array(outer)
        if more:
            wrapped.DecodeParms = Array(more[: len(outer)])
        raw = wrapped.read_bytes(pikepdf.StreamDecodeLevel.generalized)
    name = Name(str(names[-1]))
    cleaned = bare(raw) if str(name) in _JPEG else bare_jp2(raw)
    last = more[len(names) - 1] if len(more) == len(names) else None
    found.write(
        cleaned,
        filter=name,
        decode_parms=last if isinstance(last, Dictionary) else None,
    )


def _list(found: Any) -> list[Any]:  # noqa: ANN401 - whatever a stranger wrote there
    if found is None:
        return []
    return list(found) if isinstance(found, Array) else [found]
