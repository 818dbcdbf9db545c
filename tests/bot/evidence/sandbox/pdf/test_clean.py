"""A PDF's copy shows its pages and tells nothing else."""

import io

import pikepdf
import pytest
from PIL import Image

from bot.evidence import converter
from bot.evidence.kinds import kinds
from tests.bot.evidence.sandbox.sandboxes import opened
from tests.bot.evidence.sandbox.test_pictures import MARK, camera, picture
from tests.support.hostile import pdf

WORDS = "Siti-penulis-0451"
NAMES = pikepdf.Name


def scanned(made: pikepdf.Pdf) -> None:
    """Lay a photo on the page, as a scanner or a telephone does."""
    photo = pikepdf.Stream(made, picture("JPEG", exif=camera(), comment=MARK))
    photo.Type, photo.Subtype = NAMES.XObject, NAMES.Image
    photo.Width, photo.Height, photo.BitsPerComponent = 320, 200, 8
    photo.ColorSpace, photo.Filter = NAMES.DeviceRGB, NAMES.DCTDecode
    page = made.pages[0].obj
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Foto=photo))
    page.Contents = pikepdf.Stream(made, b"q 612 0 0 792 0 0 cm /Foto Do Q")


def signed(made: pikepdf.Pdf) -> None:
    with made.open_metadata() as meta:
        meta["dc:creator"] = [WORDS]
    made.docinfo["/Author"] = made.docinfo["/Producer"] = WORDS
    made.Root.PieceInfo = pikepdf.Dictionary(Editor=pikepdf.String(WORDS))
    made.pages[0].obj.PieceInfo = pikepdf.Dictionary(Editor=pikepdf.String(WORDS))
    note = pikepdf.Dictionary(
        Type=NAMES.Annot,
        Subtype=NAMES.Text,
        Rect=[0, 0, 9, 9],
        T=pikepdf.String(WORDS),
        Contents=pikepdf.String(WORDS),
    )
    made.pages[0].obj.Annots = pikepdf.Array([made.make_indirect(note)])


def everything(copy: bytes) -> bytes:
    """Unpack every stream of a PDF, so that nothing hides in one."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(copy)) as found:
        photos = b"".join(photo_in(found, one) for one in found.objects)
        own = b"".join(bytes(one) for one in found.trailer.get("/ID", ()))
        found.save(
            out,
            stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            compress_streams=False,
        )
    return out.getvalue() + photos + own


def photo_in(made: pikepdf.Pdf, found: pikepdf.Object) -> bytes:
    """Unwrap a photo that other filters are wound around."""
    filters = isinstance(found, pikepdf.Stream) and found.get("/Filter")
    if not isinstance(filters, pikepdf.Array):
        return b""
    wrapped = pikepdf.Stream(made, found.read_raw_bytes())
    wrapped.Filter = pikepdf.Array(list(filters)[:-1])
    return wrapped.read_bytes()


def test_authors_notes_and_tools_go():
    original = pdf(signed)
    assert WORDS.encode() in everything(original)
    made = opened(original)
    told = everything(made.copy)
    for word in (WORDS, "xmpmeta", "PieceInfo", "Author", "/Text"):
        assert word.encode() not in told
    assert "author" in made.facts["hidden"]


def test_earlier_versions_go():
    """What was changed by adding to the file's end is not in the copy."""
    first = pdf(signed)
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(first)) as made:
        del made.trailer["/Info"]
        made.save(out)
    both = first + out.getvalue()
    assert WORDS.encode() not in everything(opened(both).copy)


def test_a_photo_on_a_page_loses_its_place_and_keeps_its_pixels():
    original = pdf(scanned)
    assert MARK in original
    made = opened(original)
    told = everything(made.copy)
    assert MARK not in told
    assert b"Exif" not in told
    with pikepdf.open(io.BytesIO(made.copy)) as found:
        photo = found.pages[0].obj.Resources.XObject.Foto
        before = Image.open(io.BytesIO(picture("JPEG", exif=camera(), comment=MARK)))
        after = Image.open(io.BytesIO(photo.read_raw_bytes()))
        assert after.tobytes() == before.tobytes()


def test_its_first_page_is_its_preview():
    made = opened(pdf(scanned))
    shown = Image.open(io.BytesIO(made.preview)).convert("L")
    assert shown.width == 480
    assert made.facts["pages"] == "1"
    assert shown.getpixel((20, 20)) != shown.getpixel((460, 600))


@pytest.mark.parametrize(
    ("number", "why"), [(0, None), (1, "no_page"), (-1, "no_page")]
)
def test_a_page_is_drawn_when_it_is_asked_for(number, why):
    drawn, copy = bytearray(), opened(pdf(scanned)).copy
    facts = converter.page(kinds()["pdf"], [copy], number, preview=drawn.extend)
    assert facts.get("why") == why
    if why is None:
        assert Image.open(io.BytesIO(drawn)).width == 1400
