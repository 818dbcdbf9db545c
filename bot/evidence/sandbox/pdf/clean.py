"""PDF: written anew with what is seen on its pages; what acts, hides or tells is left out.

What stays is named here; whatever is not named goes, known to us or not.
"""

import io
import warnings
from collections.abc import Iterator
from typing import Any, Final

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Object, Stream, String
from PIL import Image

from bot.evidence import frames
from bot.evidence.kinds import Kind
from bot.evidence.refusals import Give, Refused
from bot.evidence.sandbox.pdf.drawings import Drawings
from bot.evidence.sandbox.pdf.pruning import keep_only, names_of, prune

starts_programs: Final = False
Image.init()
MOST_PAGES: Final = 5000
PREVIEW_WIDTH: Final = 480
PAGE_WIDTH: Final = 1400
MOST_HEIGHT: Final = 4
"""A page is drawn at most so many times as high as it is wide."""
_OF_TRAILER: Final = names_of("Root Size")
_OF_ROOT: Final = names_of("Type Pages OCProperties")
_OF_TREE: Final = names_of("Type Kids Count")
_OF_PAGE: Final = names_of(
    "Type Parent Resources Contents Rotate Group Annots UserUnit"
    " MediaBox CropBox BleedBox TrimBox ArtBox"
)
_INSIDE_PAGE: Final = _OF_PAGE - names_of("Parent Contents Annots")
_MARKS: Final = names_of(
    "Widget FreeText Stamp Ink Square Circle Line Polygon"
    " PolyLine Highlight Underline Squiggly StrikeOut"
)
"""Annotations that are drawn on the page; links, films and attached files are not."""
_UNSEEN: Final = 2 | 32
"""The bits of an annotation that is hidden or not for the screen."""
_TELLS: Final = {
    "author": names_of(
        "Info Metadata PieceInfo CreatorInfo Creator Author User ByteRange"
    ),
    "files": names_of("EF AF RF EmbeddedFiles AdditionalStreams OPI"),
    "program": names_of("JS JavaScript AA OpenAction"),
    "words": names_of("Alt DV TU Popup"),
}


def clean(original: bytes, _kind: Kind, give: Give) -> dict[str, str]:
    """Give the pages as a new PDF, and a picture of the first one."""
    out = io.BytesIO()
    try:
        with warnings.catch_warnings(), pikepdf.open(io.BytesIO(original)) as pdf:
            warnings.simplefilter(
                "ignore"
            )  # to be shown they would have to open a file
            if len(pdf.pages) > MOST_PAGES:
                raise Refused("large")
            facts = {"pages": str(len(pdf.pages))}
            hidden = set(_hidden(pdf)) | _strip(pdf)
            facts["hidden"] = " ".join(sorted(hidden))
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
    for found in _every(pdf):
        names = set(found.keys())
        yield from (code for code, telling in _TELLS.items() if names & telling)
        if isinstance(found, Stream):
            yield from ("files",) if "/Ref" in names else ()
            continue
        if found.get("/Type") == Name.Sig:
            yield "author"
        if found.get("/S") == Name.Launch:
            yield "program"
        if _is_field(found):
            if _is_unseen(found) and ("/V" in names or "/V" in _parent(found)):
                yield "words"
        elif "/Rect" in names:
            yield from ("author",) if "/T" in names else ()
            yield from ("words",) if isinstance(found.get("/Contents"), String) else ()


def _every(pdf: pikepdf.Pdf) -> Iterator[Object]:
    """Go through every dictionary, those inside others too."""
    todo: list[Any] = [pdf.trailer, *pdf.objects]
    while todo:
        found = todo.pop()
        if isinstance(found, Array):
            inner = list(found)
        elif isinstance(found, Dictionary | Stream):
            yield found
            inner = [one for _, one in found.items()]
        else:
            continue
        todo += [one for one in inner if _is_direct(one)]


def _is_direct(one: Any) -> bool:  # noqa: ANN401 - whatever a stranger wrote there
    return isinstance(one, Array | Dictionary | Stream) and not one.is_indirect


def _is_field(found: Object) -> bool:
    return found.get("/Subtype") == Name.Widget or (
        "/T" in found and "/V" in found and "/Kids" not in found
    )


def _is_unseen(mark: Object) -> bool:
    flags: Any = mark.get("/F", 0)
    return "/Rect" not in mark or (isinstance(flags, int) and bool(flags & _UNSEEN))


def _parent(mark: Object) -> Object:
    above = mark.get("/Parent")
    return above if isinstance(above, Dictionary) else Dictionary()


def _strip(pdf: pikepdf.Pdf) -> set[str]:
    """Leave what is named above. Return what the drawings themselves told."""
    pdf.add_blank_page()  # whoever changes the pages gets a tree without branches
    del pdf.pages[-1]
    keep_only(pdf.trailer, _OF_TRAILER)
    keep_only(pdf.Root, _OF_ROOT)
    keep_only(pdf.Root.Pages, _OF_TREE)
    drawings = Drawings(pdf)
    reached: list[Any] = [pdf.Root.get("/OCProperties")]
    for one in pdf.pages:
        keep_only(one.obj, _OF_PAGE)
        marks = list(_marks(pdf, one.obj))
        one.obj.Annots = Array(marks)
        for mark in marks:
            reached += [mark.Rect, mark.AP.N, mark.get("/OC")]
        if "/Contents" in one.obj:
            one.obj.Contents = drawings.packed(one)
        reached += [one.obj.get(name) for name in _INSIDE_PAGE]
    prune(pdf, reached, drawings)
    return drawings.told


def _marks(pdf: pikepdf.Pdf, page_: Object) -> Iterator[Object]:
    """Make anew what is drawn over a page: where it lies and how it looks."""
    found = page_.get("/Annots")
    for mark in found if isinstance(found, Array) else ():
        if not isinstance(mark, Dictionary) or str(mark.get("/Subtype")) not in _MARKS:
            continue
        look = _look(mark)
        if look is None or _is_unseen(mark):
            continue
        made = Dictionary(Type=Name.Annot, Subtype=mark.Subtype, Rect=mark.get("/Rect"))
        if made.Subtype == Name.Widget:
            made.Subtype = Name.Stamp  # some draw no field that stands in no form
        made.AP = Dictionary(N=look)
        if isinstance(mark.get("/F"), int):
            made.F = mark.F
        if isinstance(mark.get("/OC"), Dictionary):
            made.OC = mark.OC
        yield pdf.make_indirect(made)


def _look(mark: Object) -> Stream | None:
    """Find the one drawing of a mark that is seen; a box has one ticked, one not."""
    looks = mark.get("/AP")
    look = looks.get("/N") if isinstance(looks, Dictionary) else None
    if isinstance(look, Dictionary):
        state = mark.get("/AS", mark.get("/V", _parent(mark).get("/V")))
        name = state if isinstance(state, Name) else Name.Off
        look = look.get(name, look.get("/Off"))
    return look if isinstance(look, Stream) else None


def _warm() -> None:
    """Load whatever is loaded late, before no file can be opened any more."""
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.pages[0].obj.Contents = Stream(pdf, b"q Q")
        pdf.save(out)
    clean(out.getvalue(), _NONE, lambda *_: None)


_NONE: Final = Kind("", "", "", "", "")
_warm()
