"""A PDF's copy is pictures of its pages: what nobody sees there is not in it."""

import io
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from PIL import Image, ImageChops, ImageCms

from bot.evidence import converter
from bot.evidence.kinds import kinds
from bot.evidence.sandbox import pdf as cleaner
from tests.bot.evidence.sandbox.papers import (
    SAID,
    WORDS,
    draw,
    everything,
    lay,
    photo,
    scanned,
    signed,
)
from tests.bot.evidence.sandbox.sandboxes import copied, opened
from tests.bot.evidence.sandbox.test_pictures import MARK, brightness, is_bare, picture
from tests.support.hostile import pdf

HELVETICA = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
SAYING = f"BT /F 12 Tf 99 99 Td ({WORDS}) Tj ET".encode()
Plant = Callable[[Pdf], None]


def written(made: Pdf, drawn: bytes, font: Dictionary = HELVETICA) -> None:
    draw(made, drawn, Font=Dictionary(F=font))


def beside_the_page(made: Pdf) -> None:
    written(made, SAYING)
    made.pages[0].obj.CropBox = Array([200, 200, 400, 400])


def without_ink(made: Pdf) -> None:
    written(made, b"3 Tr " + SAYING)


def white_on_white(made: Pdf) -> None:
    written(made, b"1 g " + SAYING)


def under_a_bar(made: Pdf) -> None:
    written(made, SAYING + b" 90 90 300 40 re f")


def under_a_photo(made: Pdf) -> None:
    lay(made, photo(made, picture("JPEG"), Name.DCTDecode))
    page = made.pages[0].obj
    page.Resources.Font = Dictionary(F=HELVETICA)
    page.Contents.write(SAYING + page.Contents.read_bytes())


def in_a_layer_that_is_off(made: Pdf) -> None:
    one = made.make_indirect(Dictionary(Type=Name.OCG, Name=SAID))
    written(made, b"/OC /L BDC " + SAYING + b" EMC")
    made.pages[0].obj.Resources.Properties = Dictionary(L=one)
    made.Root.OCProperties = Dictionary(OCGs=[one], D=Dictionary(OFF=[one]))


def in_the_name_of_a_font(made: Pdf) -> None:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name(f"/{WORDS}"))
    written(made, b"BT /F 12 Tf 99 99 Td () Tj ET", font)


def in_a_profile(made: Pdf) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    icc = Stream(made, profile.replace(b"sRGB", b"rgb ") + WORDS.encode(), N=3)
    laid = photo(made, picture("JPEG"), Name.DCTDecode)
    laid.ColorSpace = Array([Name.ICCBased, made.make_indirect(icc)])
    lay(made, laid)


def in_the_remark_of_a_jpx(made: Pdf) -> None:
    data = picture("JPEG2000", comment=WORDS, no_jp2=True)
    lay(made, photo(made, data, Name.JPXDecode))


def behind_the_pixels(made: Pdf) -> None:
    lay(made, photo(made, bytes(3 * 320 * 200) + WORDS.encode(), None))


def in_a_remark(made: Pdf) -> None:
    draw(made, f"q % {WORDS}\n Q".encode())


def in_the_trailer(made: Pdf) -> None:
    made.trailer.AdditionalStreams = Array([made.make_indirect(Dictionary(A=SAID))])
    made.trailer.ID = Array([SAID, SAID])


UNSEEN: tuple[Plant, ...] = (
    beside_the_page,
    without_ink,
    white_on_white,
    under_a_bar,
    under_a_photo,
    in_a_layer_that_is_off,
    in_the_name_of_a_font,
    in_a_profile,
    in_the_remark_of_a_jpx,
    behind_the_pixels,
    in_a_remark,
    in_the_trailer,
    scanned,
    signed,
)


def laid_out(copy: bytes) -> list[Image.Image]:
    """Take the pages out of a copy, and hold everything in it against what may be."""
    pages = []
    with pikepdf.open(io.BytesIO(copy)) as found:
        assert set(found.trailer.keys()) == {"/Root", "/Size"}
        assert set(found.Root.keys()) == {"/Type", "/Pages"}
        for page in found.pages:
            assert set(page.obj.keys()) == {
                "/Type",
                "/Parent",
                "/MediaBox",
                "/Resources",
                "/Contents",
            }
            wide, high = (f"{float(n):g}" for n in page.obj.MediaBox[2:])
            drawn = page.obj.Contents.read_bytes().decode()
            assert drawn == f"{wide} 0 0 {high} 0 0 cm /P Do"
            assert set(page.obj.Resources.keys()) == {"/XObject"}
            (seen,) = (one for _, one in page.obj.Resources.XObject.items())
            assert set(seen.keys()) == {
                "/Type",
                "/Subtype",
                "/Width",
                "/Height",
                "/BitsPerComponent",
                "/ColorSpace",
                "/Filter",
                "/Length",
            }
            pages.append(is_bare(seen.read_raw_bytes()))
        assert len(found.objects) == 2 + 3 * len(pages)
    return pages


@pytest.mark.parametrize("plant", UNSEEN, ids=lambda plant: plant.__name__)
def test_what_nobody_sees_is_not_in_the_copy(plant: Plant) -> None:
    original = pdf(plant)
    mark = MARK if plant is scanned else WORDS.encode()
    assert mark in everything(original)
    made = copied(original)
    assert mark not in everything(made.copy)
    (page,) = laid_out(made.copy)
    if plant in {without_ink, white_on_white, beside_the_page, in_a_layer_that_is_off}:
        assert page.convert("L").getextrema() == (255, 255)


@pytest.mark.parametrize("plant", [in_the_remark_of_a_jpx, scanned])
def test_what_somebody_sees_is_in_it(plant: Plant) -> None:
    (page,) = laid_out(copied(pdf(plant)).copy)
    assert page.size == (1224, 1584)
    assert brightness(page, (200, 200)) < 200
    assert brightness(page, (1100, 1500)) > 700


def test_a_sandbox_makes_the_same_copy() -> None:
    original = pdf(scanned)
    made = opened(original)
    assert made == copied(original)
    assert made.facts["pages"] == "1"
    shown = Image.open(io.BytesIO(made.preview)).convert("L")
    assert shown.width == 480
    assert shown.getpixel((20, 20)) != shown.getpixel((460, 600))


@pytest.mark.parametrize(
    ("number", "why"), [(0, None), (1, "no_page"), (-1, "no_page")]
)
def test_a_page_is_drawn_when_it_is_asked_for(number: int, why: str | None) -> None:
    drawn, copy = bytearray(), copied(pdf(scanned)).copy
    facts = converter.page(kinds()["pdf"], [copy], number, preview=drawn.extend)
    assert facts.get("why") == why
    if why is None:
        assert Image.open(io.BytesIO(drawn)).width == 1400


def test_earlier_versions_go() -> None:
    """What was changed by adding to the file's end is not in the copy."""
    first, out = pdf(lambda made: written(made, SAYING)), io.BytesIO()
    with pikepdf.open(io.BytesIO(first)) as made:
        made.pages[0].obj.Contents = Stream(made, b"")
        made.save(out)
    (page,) = laid_out(copied(first + out.getvalue()).copy)
    assert page.convert("L").getextrema() == (255, 255)


# What is drawn over a page.


def form(made: Pdf) -> Stream:
    box = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": [0, 0, 90, 20]}
    return Stream(made, b"1 0 0 rg 0 0 90 20 re f", **box)


def add(made: Pdf, **more: Any) -> None:
    """Lay an annotation on the page, with a field of the form behind it."""
    mark = Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=[9, 9, 99, 29], **more)
    mark = made.make_indirect(mark)
    made.pages[0].obj.Annots = Array([mark])
    made.Root.AcroForm = Dictionary(Fields=[mark], NeedAppearances=False)


def filled(made: Pdf) -> None:
    add(made, FT=Name.Tx, F=4, V=SAID, T=SAID, TU=SAID, AP=Dictionary(N=form(made)))


def ticked(made: Pdf) -> None:
    looks = Dictionary(Ya=form(made))
    add(made, FT=Name.Btn, F=4, AS=Name.Ya, V=Name.Ya, T=SAID, AP=Dictionary(N=looks))


def unticked(made: Pdf) -> None:
    ticked(made)
    mark = made.pages[0].obj.Annots[0]
    mark.AS = mark.V = Name.Off


def highlighted(made: Pdf) -> None:
    add(made, T=SAID, Contents=SAID, AP=Dictionary(N=form(made)))
    made.pages[0].obj.Annots[0].Subtype = Name.Highlight


def hidden_field(made: Pdf) -> None:
    add(made, FT=Name.Tx, V=SAID, T=SAID, F=2, AP=Dictionary(N=form(made)))


def in_a_layer(made: Pdf) -> None:
    one = made.make_indirect(Dictionary(Type=Name.OCG, Name=SAID))
    resources = {"Properties": Dictionary(L=one)}
    draw(made, b"/OC /L BDC 1 0 0 rg 9 9 90 20 re f EMC", **resources)
    made.Root.OCProperties = Dictionary(OCGs=[one], D=Dictionary(ON=[one]))


def is_red(page: Image.Image) -> bool:
    red, green, _ = page.convert("RGB").split()
    return any(ImageChops.subtract(red, green).histogram()[150:])


@pytest.mark.parametrize(
    ("plant", "is_seen"),
    [
        (filled, True),
        (ticked, True),
        (unticked, False),
        (highlighted, True),
        (hidden_field, False),
        (in_a_layer, True),
    ],
)
def test_what_lies_over_a_page_is_as_a_reader_sees_it(
    plant: Plant, *, is_seen: bool
) -> None:
    made = copied(pdf(plant))
    (page,) = laid_out(made.copy)
    assert is_red(page) is is_seen
    assert WORDS.encode() not in everything(made.copy)


# What is told, and where it ends.


def with_a_file(made: Pdf) -> None:
    made.attachments["a.txt"] = b"isi"


def with_a_program(made: Pdf) -> None:
    act = Dictionary(S=Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
    made.Root.OpenAction = act


@pytest.mark.parametrize(
    ("plant", "hidden"),
    [
        (lambda _: None, ""),
        (with_a_file, "files"),
        (with_a_program, "program"),
        (highlighted, "words"),
        (signed, "author words"),
    ],
)
def test_the_officer_is_told_what_was_found_beside_the_pages(
    plant: Plant, hidden: str
) -> None:
    assert copied(pdf(plant)).facts["hidden"] == hidden


@pytest.mark.parametrize(
    ("limit", "value", "drawn"),
    [("MOST_PAGES", 2, "2"), ("MOST_BYTES", 1, "1"), ("MOST_SECONDS", -1.0, "1")],
)
def test_a_long_paper_is_drawn_as_far_as_it_goes_and_says_so(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: float, drawn: str
) -> None:
    def long(made: Pdf) -> None:
        made.add_blank_page()
        made.add_blank_page()

    monkeypatch.setattr(cleaner, limit, value)
    made = copied(pdf(long))
    assert (made.facts["pages"], made.facts["drawn"]) == ("3", drawn)
    assert len(laid_out(made.copy)) == int(drawn)


def test_a_paper_that_is_drawn_to_its_end_says_nothing_of_it() -> None:
    assert "drawn" not in copied(pdf()).facts


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ([0, 0, 14400, 14400], (2829, 2829)),
        ([0, 0, 14400, 1], (10000, 1)),
        ([0, 0, 100, 50], (200, 100)),
    ],
)
def test_a_page_of_any_size_is_drawn_in_bounds(
    box: list[int], size: tuple[int, int]
) -> None:
    def sized(made: Pdf) -> None:
        made.pages[0].obj.MediaBox = Array(box)

    (page,) = laid_out(copied(pdf(sized)).copy)
    assert page.size == size


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
    contents: Callable[[Pdf], Any],
) -> None:
    def plant(made: Pdf) -> None:
        made.add_blank_page()
        made.pages[0].obj.Contents = Stream(made, b"1 0 0 rg 0 0 9 9 re f")
        made.pages[1].obj.Contents = contents(made)

    first, second = laid_out(copied(pdf(plant)).copy)
    assert is_red(first)
    assert not is_red(second)


def test_a_page_that_is_no_page_is_an_empty_one() -> None:
    def plant(made: Pdf) -> None:
        made.add_blank_page()
        made.Root.Pages.Kids[1] = made.make_indirect(Dictionary(Type=Name.Font))

    assert len(laid_out(copied(pdf(plant)).copy)) == 2


@pytest.mark.parametrize("form_of_it", [2, 3, 4])
def test_a_page_that_needs_no_password_is_copied_without_one(form_of_it: Any) -> None:
    is_new = form_of_it >= 4
    lock = pikepdf.Encryption(
        owner="a", user="", R=form_of_it, aes=is_new, metadata=is_new
    )
    assert is_red(laid_out(copied(pdf(filled, lock)).copy)[0])


def test_a_locked_paper_is_told_from_a_broken_one() -> None:
    lock = pikepdf.Encryption(owner="a", user="b")
    assert copied(pdf(encryption=lock)).facts == {"why": "locked"}
    assert copied(b"%PDF-1.7\n%%EOF").facts == {"why": "broken"}
