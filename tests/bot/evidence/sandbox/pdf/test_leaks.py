"""Wherever a PDF may tell who wrote or sent it, its copy does not."""

import base64
import io
import zlib
from collections.abc import Callable
from typing import Any, Literal

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image, ImageChops

from tests.bot.evidence.sandbox.pdf.test_clean import WORDS, everything
from tests.bot.evidence.sandbox.sandboxes import Made, opened
from tests.bot.evidence.sandbox.test_pictures import MARK, camera, picture
from tests.support.hostile import pdf

SAID = String(WORDS)
CALLED = Name(f"/{WORDS}")


def add(made: Pdf, **more: Any) -> None:
    """Lay an annotation on the page, with a field of the form behind it."""
    mark = Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=[9, 9, 99, 29], **more)
    mark = made.make_indirect(mark)
    made.pages[0].obj.Annots = Array([mark])
    made.Root.AcroForm = Dictionary(Fields=[mark], NeedAppearances=False)


def form(made: Pdf, drawn: bytes = b"1 0 0 rg 0 0 90 20 re f") -> Stream:
    return Stream(
        made, drawn, Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 90, 20]
    )


def draw(made: Pdf, drawn: bytes, **resources: Any) -> None:
    made.pages[0].obj.Contents = Stream(made, drawn)
    made.pages[0].obj.Resources = Dictionary(**resources)


def xmp(made: Pdf) -> Stream:
    told = Stream(made, f"<x:xmpmeta>{WORDS}</x:xmpmeta>".encode())
    told.Type, told.Subtype = Name.Metadata, Name.XML
    return told


def layer(made: Pdf, **usage: Any) -> pikepdf.Object:
    shown = Dictionary(View=Dictionary(ViewState=Name.ON), **usage)
    return made.make_indirect(Dictionary(Type=Name.OCG, Name=SAID, Usage=shown))


def hybrid(made: Pdf) -> None:
    odt = made.make_indirect(Stream(made, b"PK" + WORDS.encode()))
    kind = Name("/application#2fvnd.oasis.opendocument.text")
    made.trailer.AdditionalStreams = Array([kind, odt])


def checked(made: Pdf) -> None:
    made.trailer.DocChecksum = CALLED


def known(made: Pdf) -> None:
    made.trailer.ID = Array([SAID, SAID])


def of_root(made: Pdf) -> None:
    made.Root.Whatever = SAID
    made.Root.Pages.Whatever = SAID


def described(made: Pdf) -> None:
    draw(
        made, b"/OC /M BDC EMC", Properties=Dictionary(M=Dictionary(Metadata=xmp(made)))
    )


def called_so(made: Pdf) -> None:
    draw(made, b"/P /M BDC EMC", Properties=Dictionary(M=Dictionary(Whose=SAID)))


def misplaced(made: Pdf) -> None:
    draw(made, b"", XObject=Dictionary(M=xmp(made)))


def deep(made: Pdf) -> None:
    inner = form(made)
    inner.Whatever = Array([Dictionary(Whatever=Dictionary(Whose=SAID))])
    inner.Name = CALLED
    middle = form(made)
    middle.Resources = Dictionary(XObject=Dictionary(I=inner))
    draw(made, b"/M Do", XObject=Dictionary(M=middle))


def in_a_list(made: Pdf) -> None:
    draw(made, b"", ProcSet=Array([Name.PDF, SAID]))


def in_a_box(made: Pdf) -> None:
    made.pages[0].obj.ArtBox = Array([0, 0, 9, 9, SAID])
    made.pages[0].obj.BleedBox = Dictionary(Whose=SAID)
    add(made, AP=Dictionary(N=form(made)))
    made.pages[0].obj.Annots[0].Rect.append(SAID)


def placed(made: Pdf) -> None:
    drawn = form(made)
    drawn.Ref = Dictionary(F=Dictionary(Type=Name.Filespec, F=SAID), Page=0)
    draw(made, b"/M Do", XObject=Dictionary(M=drawn))


def layered(made: Pdf) -> None:
    maker = Dictionary(Creator=SAID, Subtype=Name.Artwork)
    one = layer(made, CreatorInfo=maker, User=Dictionary(Type=Name.Ind, Name=SAID))
    draw(made, b"/OC /L BDC EMC", Properties=Dictionary(L=one))
    made.Root.OCProperties = Dictionary(
        OCGs=[one], D=Dictionary(Creator=SAID, Name=SAID, Order=[SAID, one])
    )


def remarked(made: Pdf) -> None:
    draw(made, f"q % {WORDS}\nQ".encode())


def told_in_line(made: Pdf) -> None:
    draw(made, f"/Figure <</Alt ({WORDS}) /E <</A ({WORDS})>> >> BDC EMC".encode())


def told_in_a_form(made: Pdf) -> None:
    drawn = form(made, f"% {WORDS}\n/Figure <</Alt ({WORDS})>> BDC EMC".encode())
    draw(made, b"/M Do", XObject=Dictionary(M=drawn))


def told_in_a_letter(made: Pdf) -> None:
    sign = Stream(made, f"600 0 d0 % {WORDS}\n0 0 500 500 re f".encode())
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type3,
        FontBBox=[0, 0, 600, 600],
        FontMatrix=[0.001, 0, 0, 0.001, 0, 0],
        CharProcs=Dictionary(a=sign),
        Encoding=Dictionary(Differences=[97, Name.a]),
        FirstChar=97,
        LastChar=97,
        Widths=[600],
    )
    draw(made, b"BT /F 50 Tf 99 99 Td (a) Tj ET", Font=Dictionary(F=font))


def underwritten(made: Pdf) -> None:
    sign = Dictionary(
        Type=Name.Sig,
        Name=SAID,
        Reason=SAID,
        Location=SAID,
        ContactInfo=SAID,
        Contents=SAID,
    )
    add(made, FT=Name.Sig, T=SAID, V=made.make_indirect(sign), F=132)
    made.pages[0].obj.Annots[0].Rect = Array([0, 0, 0, 0])


def hidden_field(made: Pdf) -> None:
    look = form(made, f"BT ({WORDS}) Tj ET".encode())
    add(made, FT=Name.Tx, V=SAID, F=2, AP=Dictionary(N=look))


def hidden_by_its_parent(made: Pdf) -> None:
    add(made, F=32, AP=Dictionary(N=form(made)))
    one = made.pages[0].obj.Annots[0]
    above = Dictionary(FT=Name.Tx, T=SAID, V=SAID, DV=SAID, TU=SAID, Kids=[one])
    one.Parent = made.make_indirect(above)
    made.Root.AcroForm.Fields = Array([one.Parent])


def filled(made: Pdf) -> None:
    more = {"V": SAID, "DV": SAID, "T": SAID, "TU": SAID, "MK": Dictionary(CA=SAID)}
    add(made, FT=Name.Tx, F=4, AP=Dictionary(N=form(made)), **more)


def unticked(made: Pdf) -> None:
    looks = Dictionary(Off=form(made), Ya=form(made, f"% {WORDS}\n".encode()))
    add(made, FT=Name.Btn, F=4, AS=Name.Off, AP=Dictionary(N=looks, D=looks))


def highlighted(made: Pdf) -> None:
    add(made, T=SAID, Contents=SAID, AP=Dictionary(N=form(made)))
    made.pages[0].obj.Annots[0].Subtype = Name.Highlight


@pytest.mark.parametrize(
    ("plant", "hidden"),
    [
        (hybrid, "files"),
        (checked, ""),
        (known, ""),
        (of_root, ""),
        (described, "author"),
        (called_so, ""),
        (misplaced, ""),
        (deep, ""),
        (in_a_list, ""),
        (in_a_box, ""),
        (placed, "files"),
        (layered, "author"),
        (remarked, "words"),
        (told_in_line, "words"),
        (told_in_a_form, "words"),
        (told_in_a_letter, "words"),
        (underwritten, "author"),
        (hidden_field, "words"),
        (hidden_by_its_parent, "words"),
        (filled, "words"),
        (unticked, ""),
        (highlighted, "author words"),
    ],
)
def test_nothing_is_told_there(plant: Callable[[Pdf], None], hidden: str) -> None:
    original = pdf(plant)
    assert WORDS.encode() in everything(original)
    made = opened(original)
    assert made.copy
    assert WORDS.encode() not in everything(made.copy)
    assert made.facts["hidden"] == hidden


def test_an_honest_page_hides_nothing() -> None:
    assert opened(pdf()).facts["hidden"] == ""


def test_a_new_name_is_made_for_every_copy() -> None:
    with pikepdf.open(io.BytesIO(opened(pdf(known)).copy)) as found:
        assert set(found.trailer.keys()) <= {"/Root", "/Size", "/ID", "/Length"} | {
            "/Type",
            "/W",
            "/Index",
            "/Filter",
            "/DecodeParms",
        }


@pytest.mark.parametrize("form_of_it", [2, 3, 4])
def test_a_page_that_needs_no_password_is_copied_without_one(
    form_of_it: Literal[2, 3, 4],
) -> None:
    lock = pikepdf.Encryption(
        owner="a", user="", R=form_of_it, aes=form_of_it >= 4, metadata=form_of_it >= 4
    )
    made = opened(pdf(filled, lock))
    with pikepdf.open(io.BytesIO(made.copy)) as found:
        assert not found.is_encrypted


def shown(made: Made) -> Image.Image:
    return Image.open(io.BytesIO(made.preview)).convert("RGB")


def is_red(picture_: Image.Image) -> bool:
    red, green, _ = picture_.split()
    return any(ImageChops.subtract(red, green).histogram()[150:])


@pytest.mark.parametrize(
    ("plant", "drawn"),
    [
        (filled, True),
        (unticked, True),
        (highlighted, True),
        (hidden_field, False),
        (hidden_by_its_parent, False),
        (deep, True),
    ],
)
def test_what_is_filled_in_is_still_seen(
    plant: Callable[[Pdf], None], *, drawn: bool
) -> None:
    assert is_red(shown(opened(pdf(plant)))) is drawn


@pytest.mark.parametrize("state", ["ON", "OFF"])
@pytest.mark.parametrize("by_usage", [False, True])
def test_a_layer_is_seen_or_not_as_it_was(state: str, *, by_usage: bool) -> None:
    def plant(made: Pdf) -> None:
        one = made.make_indirect(Dictionary(Type=Name.OCG, Name=SAID))
        either = Dictionary(Type=Name.OCMD, OCGs=[one])
        drawn = b"/OC /L BDC /P /M BDC 1 0 0 rg 0 0 90 90 re f EMC 0 0 90 90 re f EMC"
        draw(made, drawn, Properties=Dictionary(L=either, M=Dictionary(Whose=SAID)))
        made.Root.OCProperties = Dictionary(OCGs=[one], D=Dictionary())
        if by_usage:
            one.Usage = Dictionary(View=Dictionary(ViewState=Name(f"/{state}")))
        else:
            made.Root.OCProperties.D[f"/{state}"] = Array([one])

    made = opened(pdf(plant))
    assert is_red(shown(made)) is (state == "ON")
    assert WORDS.encode() not in everything(made.copy)


def wrapped(how: str) -> Callable[[Pdf], None]:
    told = picture("JPEG", exif=camera(), comment=MARK)
    filters, data = {
        "flate": ([Name.FlateDecode], zlib.compress(told)),
        "letters": ([Name.ASCII85Decode], base64.a85encode(told) + b"~>"),
        "twice": (
            [Name.ASCII85Decode, Name.FlateDecode],
            base64.a85encode(zlib.compress(told)) + b"~>",
        ),
        "two": ([], told + told),
    }[how]

    def plant(made: Pdf) -> None:
        photo = Stream(made, data, Type=Name.XObject, Subtype=Name.Image)
        photo.Width, photo.Height, photo.BitsPerComponent = 320, 200, 8
        photo.ColorSpace = Name.DeviceRGB
        photo.Filter = Array([*filters, Name.DCTDecode])
        draw(made, b"q 612 0 0 792 0 0 cm /M Do Q", XObject=Dictionary(M=photo))

    return plant


@pytest.mark.parametrize("how", ["flate", "letters", "twice", "two"])
def test_a_wrapped_photo_tells_nothing_and_shows_the_same(how: str) -> None:
    original = pdf(wrapped(how))
    assert MARK in everything(original)
    made = opened(original)
    told = everything(made.copy)
    assert MARK not in told
    assert b"Exif" not in told
    with pikepdf.open(io.BytesIO(made.copy)) as found:
        photo = found.pages[0].obj.Resources.XObject.M
        after = Image.open(io.BytesIO(photo.read_raw_bytes()))
        before = Image.open(io.BytesIO(picture("JPEG")))
        assert after.tobytes() == before.tobytes()


def test_a_photo_among_the_commands_tells_nothing() -> None:
    told = picture("JPEG", exif=camera(), comment=MARK)

    def plant(made: Pdf) -> None:
        head = b"BI /W 320 /H 200 /BPC 8 /CS /RGB /F /DCT ID "
        draw(made, b"q 612 0 0 792 0 0 cm " + head + told + b"\nEI Q")

    original = pdf(plant)
    assert MARK in everything(original)
    made = opened(original)
    assert MARK not in everything(made.copy)
    assert shown(made).getextrema() != ((255, 255),) * 3


def test_a_picture_among_the_commands_stays() -> None:
    def plant(made: Pdf) -> None:
        head = b"q 90 0 0 90 0 0 cm BI /W 1 /H 1 /BPC 8 /CS [/I /RGB 0 <FF0000>]"
        draw(made, head + b" /F /Fl /DP <</Predictor 1>> ID " + zlib.compress(b"\0"))
        made.pages[0].obj.Contents.write(
            made.pages[0].obj.Contents.read_bytes() + b"\nEI Q"
        )

    assert is_red(shown(opened(pdf(plant))))


def test_letters_that_are_drawn_stay() -> None:
    def plant(made: Pdf) -> None:
        told_in_a_letter(made)
        made.pages[0].obj.Resources.Font.F.Resources = Dictionary()
        letters = made.pages[0].obj.Contents.read_bytes()
        made.pages[0].obj.Contents.write(b"1 0 0 rg " + letters)

    assert is_red(shown(opened(pdf(plant))))


def test_a_pattern_stays_without_its_remark() -> None:
    def plant(made: Pdf) -> None:
        tile = Stream(made, f"% {WORDS}\n1 0 0 rg 0 0 9 9 re f".encode())
        tile.PatternType = tile.PaintType = tile.TilingType = 1
        tile.BBox, tile.XStep, tile.YStep = Array([0, 0, 9, 9]), 9, 9
        tile.Resources = Dictionary()
        drawn = b"/Pattern cs /T scn 0 0 99 99 re f"
        draw(made, drawn, Pattern=Dictionary(T=tile))

    made = opened(pdf(plant))
    assert is_red(shown(made))
    assert WORDS.encode() not in everything(made.copy)


@pytest.mark.parametrize(
    "contents",
    [
        lambda made: Stream(made, b"no flate", Filter=Name.FlateDecode),
        lambda _: Dictionary(A=1),
        lambda _: Array([3, Dictionary()]),
        lambda _: Array([]),
    ],
    ids=["packed badly", "no commands", "a list of none", "an empty list"],
)
def test_a_page_that_cannot_be_drawn_spoils_no_other(
    contents: Callable[[Pdf], pikepdf.Object],
) -> None:
    def plant(made: Pdf) -> None:
        made.add_blank_page()
        made.pages[0].obj.Contents = Stream(made, b"1 0 0 rg 0 0 9 9 re f")
        made.pages[1].obj.Contents = contents(made)

    made = opened(pdf(plant))
    assert made.facts["pages"] == "2"
    assert is_red(shown(made))


def test_a_palette_stays() -> None:
    def plant(made: Pdf) -> None:
        photo = Stream(made, b"\0", Type=Name.XObject, Subtype=Name.Image)
        photo.Width = photo.Height = 1
        photo.BitsPerComponent = 8
        colours = String(b"\xff\0\0".decode("latin-1"))
        photo.ColorSpace = Array([Name.Indexed, Name.DeviceRGB, 0, colours])
        draw(made, b"q 90 0 0 90 0 0 cm /M Do Q", XObject=Dictionary(M=photo))

    assert is_red(shown(opened(pdf(plant))))
