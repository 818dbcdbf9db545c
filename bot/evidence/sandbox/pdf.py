"""PDF: pictures of its pages as a reader sees them, and nothing of the file itself.

What stands beside a page, lies under something or has no ink is in no picture of it; nor are
fonts, profiles, remarks and whatever else a file may hold, known to us or not.
"""

import io
import time
from collections.abc import Callable
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from bot.evidence import frames
from bot.evidence.kinds import Kind
from bot.evidence.refusals import Give, Refused

starts_programs: Final = False
Image.init()
SCALE: Final = 2.0
"""144 points to an inch: small print can be read, and a page has some 400 KB."""
MOST_PIXELS: Final = 8_000_000
MOST_SIDE: Final = 10_000
"""A larger page is drawn coarser."""
MOST_PAGES: Final = 300
MOST_BYTES: Final = 96 << 20
MOST_SECONDS: Final = 35.0
"""Where one of these is reached the copy ends, and says so: half of a paper helps too."""
PREVIEW_WIDTH: Final = 480
PAGE_WIDTH: Final = 1400
MOST_HEIGHT: Final = 4
"""A small picture, and a page that is asked for, are at most so many times as high as wide."""
_BLANK: Final = (595.0, 842.0)
"""What stands for a page that is none: an empty sheet of A4."""
_ACTS: Final = (b"/JavaScript", b"/JS", b"/Launch")


def clean(original: bytes, _kind: Kind, give: Give) -> dict[str, str]:
    """Give pictures of the pages as a new PDF, and a small one of the first page."""
    ends = time.monotonic() + MOST_SECONDS
    with _opened(original) as document:
        pages, preview = len(document), b""
        if not pages:
            raise Refused("broken")
        hidden, paper = _beside(document, original), _Paper(give)
        for number in range(min(pages, MOST_PAGES)):
            sheet, size, words = _page(document, number)
            paper.add(_jpeg(sheet, 75), sheet, size)
            hidden |= words
            preview = preview or _small(sheet)
            if paper.at > MOST_BYTES or time.monotonic() > ends:
                break
    paper.end()
    give(frames.PREVIEW, preview)
    facts = {"pages": str(pages), "hidden": " ".join(sorted(hidden))}
    return facts | ({"drawn": str(paper.pages)} if paper.pages < pages else {})


def page(original: bytes, _kind: Kind, give: Give, number: str) -> dict[str, str]:
    """Give one page (from 0) as a picture that can be read."""
    with _opened(original) as document:
        if not 0 <= int(number) < len(document):
            raise Refused("no_page")
        found = document[int(number)]
        wide, high = max(found.get_width(), 1.0), max(found.get_height(), 1.0)
        scale = min(PAGE_WIDTH / wide, PAGE_WIDTH * MOST_HEIGHT / high)
        give(frames.PREVIEW, _jpeg(_picture(found, scale), 85))
    return {}


def _opened(original: bytes) -> Any:  # noqa: ANN401 - it ships no types
    """Open a paper with the form that is filled in there. Raises Refused."""
    try:
        document = pypdfium2.PdfDocument(original)
        document.init_forms()
    except pypdfium2.PdfiumError as error:
        is_locked = error.err_code == pdfium.FPDF_ERR_PASSWORD
        raise Refused("locked" if is_locked else "broken") from None
    return document


def _page(
    document: Any,  # noqa: ANN401 - as above
    number: int,
) -> tuple[Image.Image, tuple[float, float], set[str]]:
    """Return a page's picture, its size in points, and a word for notes that lie on it."""
    try:
        found = document[number]
    except pypdfium2.PdfiumError:
        wide, high = (int(one * SCALE) for one in _BLANK)
        return Image.new("L", (wide, high), "white"), _BLANK, set()
    size = max(found.get_width(), 0.5), max(found.get_height(), 0.5)
    least = min((MOST_PIXELS / (size[0] * size[1])) ** 0.5, MOST_SIDE / max(size))
    words = {"words"} if _has_notes(found) else set()
    sheet = _picture(found, min(SCALE, least))
    found.close()
    return sheet, size, words


def _picture(found: Any, scale: float) -> Image.Image:  # noqa: ANN401 - as above
    bitmap = found.render(scale=scale, may_draw_forms=True)
    try:
        drawn: Image.Image = bitmap.to_pil()
        return drawn.convert("RGB")
    finally:
        bitmap.close()


def _small(sheet: Image.Image) -> bytes:
    shown = sheet.copy()
    shown.thumbnail((PREVIEW_WIDTH, PREVIEW_WIDTH * MOST_HEIGHT))
    return _jpeg(shown, 85)


def _jpeg(sheet: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _beside(document: Any, original: bytes) -> set[str]:  # noqa: ANN401 - as above
    """Name what a look at the file finds beside its pages; all of it goes, found or not."""
    names_author = document.get_metadata_dict(skip_empty=True) or (
        pdfium.FPDF_GetSignatureCount(document) > 0 or b"<x:xmpmeta" in original
    )
    acts = pdfium.FPDFDoc_GetJavaScriptActionCount(document) > 0
    found = {
        "author": names_author,
        "files": document.count_attachments() > 0,
        "program": acts or any(one in original for one in _ACTS),
    }
    return {code for code, is_there in found.items() if is_there}


def _has_notes(found: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether a note of some reader's lies on a page."""
    for number in range(pdfium.FPDFPage_GetAnnotCount(found)):
        note = pdfium.FPDFPage_GetAnnot(found, number)
        if not note:
            continue
        length = pdfium.FPDFAnnot_GetStringValue(note, b"Contents", None, 0)
        pdfium.FPDFPage_CloseAnnot(note)
        if length > 2:  # noqa: PLR2004 - the two bytes of an end
            return True
    return False


class _Paper:
    """Writes a PDF page by page: each is one picture (ISO 32000-1, 7.5 and 8.9)."""

    def __init__(self, give: Give) -> None:
        self._give: Callable[[bytes], None] = lambda data: give(frames.COPY, data)
        self._places: dict[int, int] = {}
        self.pages = 0
        self.at = 0
        self._write(b"%PDF-1.4\n")

    def add(self, jpeg: bytes, sheet: Image.Image, size: tuple[float, float]) -> None:
        """Write a page of this size, in points, and the picture that fills it."""
        number = 3 + 3 * self.pages
        self.pages += 1
        colours = b"DeviceGray" if sheet.mode == "L" else b"DeviceRGB"
        wide, high = b"%g" % size[0], b"%g" % size[1]
        self._object(
            number,
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %b %b]/Contents %d 0 R"
            b"/Resources<</XObject<</P %d 0 R>>>>>>"
            % (wide, high, number + 1, number + 2),
        )
        self._stream(number + 1, b"", b"%b 0 0 %b 0 0 cm /P Do" % (wide, high))
        told = b"/Type/XObject/Subtype/Image/Width %d/Height %d" % sheet.size
        told += b"/BitsPerComponent 8/ColorSpace/%b/Filter/DCTDecode" % colours
        self._stream(number + 2, told, jpeg)

    def end(self) -> None:
        """Write the list of pages, and where everything stands."""
        kids = b" ".join(b"%d 0 R" % (3 + 3 * n) for n in range(self.pages))
        self._object(1, b"<</Type/Catalog/Pages 2 0 R>>")
        told = b"<</Type/Pages/Count %d/Kids[%b]>>" % (self.pages, kids)
        self._object(2, told)
        start, size = self.at, len(self._places) + 1
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
        for number in range(1, size):
            self._write(b"%010d 00000 n \n" % self._places[number])
        self._write(b"trailer\n<</Size %d/Root 1 0 R>>\n" % size)
        self._write(b"startxref\n%d\n%%%%EOF\n" % start)

    def _stream(self, number: int, told: bytes, data: bytes) -> None:
        head = b"<<%b/Length %d>>\nstream\n" % (told, len(data))
        self._object(number, head + data + b"\nendstream")

    def _object(self, number: int, data: bytes) -> None:
        self._places[number] = self.at
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, data))

    def _write(self, data: bytes) -> None:
        self.at += len(data)
        self._give(data)


def _warm() -> None:
    """Load whatever is loaded late, before no file can be opened any more."""
    parts: list[bytes] = []
    blank = Image.new("RGB", (1, 1), "white")
    paper = _Paper(lambda _, data: parts.append(bytes(data)))
    paper.add(_jpeg(blank, 75), blank, (1, 1))
    paper.end()
    clean(b"".join(parts), Kind("", "", "", "", ""), lambda *_: None)


_warm()
