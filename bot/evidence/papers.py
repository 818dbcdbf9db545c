"""PDF: written anew with what is seen on its pages; what acts, hides or tells is left out."""

import io
from collections.abc import Iterator
from typing import Any, Final

import pikepdf
import pypdfium2
from pikepdf import Dictionary, Name, Object, Stream
from PIL import Image

from bot.evidence import frames
from bot.evidence.jpegs import bare, bare_jp2
from bot.evidence.kinds import Kind
from bot.evidence.refusals import Give, Refused

converts: Final = False
Image.init()
MOST_PAGES: Final = 5000
PREVIEW_WIDTH: Final = 480
PAGE_WIDTH: Final = 1400
MOST_HEIGHT: Final = 4
"""A page is drawn at most so many times as high as it is wide."""
_OF_ROOT: Final = frozenset({"/Type", "/Pages", "/OCProperties", "/AcroForm"})
_OF_PAGE: Final = frozenset(
    {"/Type", "/Parent", "/Resources", "/Contents", "/Rotate", "/Group", "/Annots"}
    | {"/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/UserUnit"}
)
_MARKS: Final = frozenset(
    {
        "/Widget",
        "/FreeText",
        "/Stamp",
        "/Ink",
        "/Square",
        "/Circle",
        "/Line",
        "/Polygon",
    }
    | {"/PolyLine", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut"}
)
"""Annotations that are drawn on the page; links, films and attached files are not."""
_OF_MARK: Final = frozenset(
    {"/Type", "/Subtype", "/Rect", "/AP", "/AS", "/F", "/FT", "/Ff", "/V", "/DA", "/MK"}
    | {"/Parent", "/Kids", "/Opt", "/Q"}
)
_OF_FORM: Final = frozenset({"/Fields", "/DR", "/DA", "/NeedAppearances", "/Q"})
_NOWHERE: Final = (
    "/Metadata",
    "/PieceInfo",
    "/LastModified",
    "/AA",
    "/A",
    "/JS",
    "/AF",
)
_NOWHERE_EITHER: Final = ("/EF", "/RF", "/Thumb", "/Alternates", "/OPI", "/TM", "/TU")


def clean(original: bytes, _kind: Kind, give: Give) -> dict[str, str]:
    """Give the pages as a new PDF, and a picture of the first one."""
    out = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(original)) as pdf:
            facts = {"pages": str(len(pdf.pages)), "hidden": " ".join(_hidden(pdf))}
            if len(pdf.pages) > MOST_PAGES:
                raise Refused("large")
            _strip(pdf)
            pdf.save(out, deterministic_id=True, fix_metadata_version=False)
    except pikepdf.PasswordError:
        raise Refused("locked") from None
    except pikepdf.PdfError:
        raise Refused("broken") from None
    copy = out.getvalue()
    preview = _picture(copy, 0, PREVIEW_WIDTH)
    give(frames.COPY, copy)
    give(frames.PREVIEW, preview)
    return facts


def page(original: bytes, _kind: Kind, give: Give, number: str) -> dict[str, str]:
    """Give one page (from 0) as a picture that can be read."""
    give(frames.PREVIEW, _picture(original, int(number), PAGE_WIDTH))
    return {}


def _picture(pdf: bytes, number: int, width: int) -> bytes:
    document = pypdfium2.PdfDocument(pdf)
    if not 0 <= number < len(document):
        raise Refused("no_page")
    found = document[number]
    wide, high = max(found.get_width(), 1.0), max(found.get_height(), 1.0)
    scale = min(width / wide, width * MOST_HEIGHT / high)
    drawn = found.render(scale=scale, may_draw_forms=True).to_pil()
    out = io.BytesIO()
    drawn.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def _hidden(pdf: pikepdf.Pdf) -> Iterator[str]:
    """Name what the original holds beside its pages."""
    root = pdf.Root
    if "/Info" in pdf.trailer or "/Metadata" in root:
        yield "author"
    if "/EmbeddedFiles" in root.get("/Names", Dictionary()) or "/AF" in root:
        yield "files"
    if {"/OpenAction", "/AA"} & set(root.keys()) or "/JavaScript" in root.get(
        "/Names", Dictionary()
    ):
        yield "program"


def _strip(pdf: pikepdf.Pdf) -> None:
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    _keep_only(pdf.Root, _OF_ROOT)
    if "/AcroForm" in pdf.Root:
        _keep_only(pdf.Root.AcroForm, _OF_FORM)
    for one in pdf.pages:
        _keep_only(one.obj, _OF_PAGE)
        _strip_marks(one.obj)
    for found in pdf.objects:
        _strip_object(found)


def _strip_marks(page_: Object) -> None:
    marks = page_.get("/Annots")
    if marks is None:
        return
    drawn = [one for one in marks if _is_drawn(one)]
    for one in drawn:
        _keep_only(one, _OF_MARK)
    page_.Annots = pikepdf.Array(drawn)


def _is_drawn(mark: Any) -> bool:  # noqa: ANN401 - whatever a stranger wrote there
    return (
        isinstance(mark, Dictionary)
        and str(mark.get("/Subtype")) in _MARKS
        and "/AP" in mark
    )


def _strip_object(found: Any) -> None:  # noqa: ANN401 - as above
    """Strip an object wherever it stands, pictures inside too."""
    if not isinstance(found, Dictionary | Stream):
        return
    for name in (*_NOWHERE, *_NOWHERE_EITHER):
        if name in found:
            del found[name]
    if isinstance(found, Stream) and found.get("/Subtype") == Name.Image:
        _strip_picture(found)


def _strip_picture(found: Stream) -> None:
    """Take place and camera out of a photo inside a PDF, which has its own."""
    filters = found.get("/Filter")
    name = (
        filters[0]
        if isinstance(filters, pikepdf.Array) and len(filters) == 1
        else filters
    )
    cleaned = {Name.DCTDecode: bare, Name.JPXDecode: bare_jp2}
    if isinstance(name, Name) and name in cleaned:
        raw = cleaned[name](found.read_raw_bytes())
        parameters: Any = found.get("/DecodeParms")
        found.write(raw, filter=name, decode_parms=parameters)


def _keep_only(found: Object, names: frozenset[str]) -> None:
    for name in set(found.keys()) - names:
        del found[name]


def _warm() -> None:
    """Load whatever is loaded late, before no file can be opened any more."""
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(out)
    clean(out.getvalue(), _NONE, lambda *_: None)


_NONE: Final = Kind("", "", "", "", "")
_warm()
