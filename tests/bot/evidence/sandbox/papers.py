"""PDF files that tell and hide, and a look at everything that a PDF holds."""

import io
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from tests.bot.evidence.sandbox.test_pictures import MARK, camera, picture

WORDS = "Siti-penulis-0451"
SAID = String(WORDS)


def draw(made: Pdf, drawn: bytes, **resources: Any) -> None:
    """Write the commands of the first page."""
    made.pages[0].obj.Contents = Stream(made, drawn)
    made.pages[0].obj.Resources = Dictionary(**resources)


def photo(made: Pdf, data: bytes, packing: Name | None, **more: Any) -> Stream:
    """Make a photo of 320 x 200 points."""
    made_of = Stream(made, data, Type=Name.XObject, Subtype=Name.Image, **more)
    made_of.Width, made_of.Height, made_of.BitsPerComponent = 320, 200, 8
    made_of.ColorSpace = Name.DeviceRGB
    if packing is not None:
        made_of.Filter = packing
    return made_of


def lay(made: Pdf, laid: Stream, rest: bytes = b"") -> None:
    """Lay a photo over the whole first page."""
    drawn = b"q 612 0 0 792 0 0 cm /Foto Do Q " + rest
    draw(made, drawn, XObject=Dictionary(Foto=laid))


def scanned(made: Pdf) -> None:
    """Lay a photo on the page, as a scanner or a telephone does."""
    data = picture("JPEG", exif=camera(), comment=MARK)
    lay(made, photo(made, data, Name.DCTDecode))


def signed(made: Pdf) -> None:
    """Write down who made it, in every usual place."""
    with made.open_metadata() as meta:
        meta["dc:creator"] = [WORDS]
    made.docinfo["/Author"] = made.docinfo["/Producer"] = WORDS
    made.Root.PieceInfo = Dictionary(Editor=SAID)
    made.pages[0].obj.PieceInfo = Dictionary(Editor=SAID)
    note = Dictionary(
        Type=Name.Annot, Subtype=Name.Text, Rect=[0, 0, 9, 9], T=SAID, Contents=SAID
    )
    made.pages[0].obj.Annots = Array([made.make_indirect(note)])


def everything(copy: bytes) -> bytes:
    """Unpack every stream of a PDF, so that nothing hides in one."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(copy)) as found:
        own = b"".join(bytes(one) for one in found.trailer.get("/ID", ()))
        found.save(
            out,
            stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            compress_streams=False,
        )
    return out.getvalue() + own
