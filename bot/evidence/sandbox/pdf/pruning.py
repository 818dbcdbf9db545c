"""What may stay of the parts that a PDF's pages need: whatever is not named here goes."""

from collections.abc import Iterable
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream, String

from bot.evidence.sandbox.pdf.drawings import Drawings, strip_photo


def names_of(words: str) -> frozenset[str]:
    """Return names as a PDF writes them."""
    return frozenset(f"/{word}" for word in words.split())


_DRAWN: Final = names_of("Image Form")
_LAYERS: Final = names_of("OCG OCMD")
_OF_LAYER: Final = names_of("Type Intent Usage")
_KEPT: Final = names_of(
    # any of them, and streams
    "Type Subtype Length Filter DecodeParms Predictor Colors Columns EarlyChange K"
    " EndOfLine EncodedByteAlign Rows EndOfBlock BlackIs1 DamagedRowsBeforeError"
    " ColorTransform JBIG2Globals"
    # resources, and what they hold by names of its own
    " XObject Font ExtGState ColorSpace Pattern Shading Properties ProcSet CharProcs"
    # forms, patterns, groups
    " FormType BBox Matrix Resources Group OC PatternType PaintType TilingType XStep YStep"
    " S CS I"
    # pictures
    " Width Height BitsPerComponent ImageMask Mask SMask SMaskInData Decode Interpolate"
    " Intent Matte"
    # fonts
    " BaseFont FirstChar LastChar Widths FontDescriptor Encoding BaseEncoding Differences"
    " ToUnicode DescendantFonts CIDSystemInfo Registry Ordering Supplement DW W DW2 W2"
    " CIDToGIDMap FontBBox FontMatrix FontName FontStretch FontWeight Flags ItalicAngle"
    " Ascent Descent Leading CapHeight XHeight StemV StemH AvgWidth MaxWidth MissingWidth"
    " FontFile FontFile2 FontFile3 Length1 Length2 Length3 CIDSet Style Panose FD"
    " CMapName WMode UseCMap"
    # how lines and colours are laid down
    " LW LC LJ ML D RI OP op OPM BG BG2 UCR UCR2 TR TR2 FL SM SA BM CA ca AIS TK G BC"
    " N Alternate Range WhitePoint BlackPoint Gamma Colorants Process Components"
    # shadings and functions
    " ShadingType Background AntiAlias Coords Domain Function Extend BitsPerCoordinate"
    " BitsPerFlag VerticesPerRow FunctionType Functions Encode Bounds C0 C1 Size"
    " BitsPerSample Order"
    # layers
    " OCGs BaseState ON OFF AS Event Category P VE View ViewState Print PrintState"
    " Export ExportState Usage"
)
_LISTS: Final = names_of(
    "XObject Font ExtGState ColorSpace Pattern Shading Properties CharProcs Colorants"
)
"""Where whoever wrote the file gives the names, and the pages call them by these."""
_LETTERS: Final = names_of("Registry Ordering Panose")
"""The only words a dictionary may say: to which alphabet the signs of a font belong."""


def prune(pdf: pikepdf.Pdf, reached: Iterable[Any], drawings: Drawings) -> None:
    """Go through all that the pages need; in every part keep what is named."""
    todo, done = [(one, "") for one in reached], set()
    while todo:
        found, within = todo.pop()
        if not isinstance(found, Array | Dictionary | Stream):
            continue
        if found.is_indirect:
            if (found.objgen, within) in done:
                continue
            done.add((found.objgen, within))
        if isinstance(found, Array):
            _keep_palette(found)
            todo += [(one, "") for one in found]
        else:
            _redraw(pdf, found, within, drawings)
            todo += _parts(found, within)


def _parts(found: Object, within: str) -> list[tuple[Any, str]]:
    """Keep of a dictionary what is named; return what is in it and in which list."""
    if found.get("/Type") == Name.OCG and isinstance(found, Dictionary):
        keep_only(found, _OF_LAYER)
        found.Name = String("Layer")
        return [(found.get("/Usage"), "")]
    parts = []
    for name, one in list(found.items()):
        if not _is_kept(name, one, within):
            del found[name]
        elif within == "/Properties" and not _is_layer(one):
            found[name] = Dictionary()  # it is still called by its name
        else:
            parts.append((one, _place(name, within)))
    return parts


def _place(name: str, within: str) -> str:
    if within in _LISTS:
        return f"in {within}"
    return name if name in _LISTS else ""


def _redraw(pdf: pikepdf.Pdf, found: Object, within: str, drawings: Drawings) -> None:
    if not isinstance(found, Stream):
        return
    strip_photo(pdf, found)
    is_form = found.get("/Subtype") == Name.Form or found.get("/PatternType") == 1
    if is_form or within == "in /CharProcs":
        drawings.redraw(found)


def _is_kept(name: str, one: Any, within: str) -> bool:  # noqa: ANN401 - a stranger's
    if isinstance(one, String):
        return name in _LETTERS
    if within == "/XObject":
        return isinstance(one, Stream) and str(one.get("/Subtype")) in _DRAWN
    return within in _LISTS or name in _KEPT


def _is_layer(one: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(one, Dictionary) and str(one.get("/Type")) in _LAYERS


def keep_only(found: Object, names: frozenset[str]) -> None:
    """Let nothing stay in a dictionary that has no such name."""
    for name in set(found.keys()) - names:
        del found[name]


def _keep_palette(found: Array) -> None:
    """Let no words stand in a list, but the colours of a picture that has few."""
    is_palette = len(found) > 0 and found[0] in (Name.Indexed, Name.I)
    for number, one in enumerate(found):
        if isinstance(one, String) and not is_palette:
            found[number] = None
