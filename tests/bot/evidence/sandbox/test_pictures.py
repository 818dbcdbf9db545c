"""A working copy holds the pixels, upright, and nothing else."""

import io
import sys
from collections import Counter

import pillow_heif
import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

from bot.evidence.kinds import kinds
from bot.evidence.sandbox import pictures
from tests.bot.evidence.sandbox.sandboxes import opened
from tests.support.hostile import tiff_of_pages

MARK = b"lokasi-rahasia-8.65S"
MODEL, MAKER, ARTIST, ORIENTATION = 0x0110, 0x010F, 0x013B, 0x0112
THUMBNAIL = b"\xff\xd8\xff\xdb kecil " + MARK
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>' + MARK + b"</a></x:xmpmeta>"
FORMS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF", "GIF", "BMP")
WITH_EXIF = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")

pillow_heif.register_heif_opener()


def view(size=(320, 200)) -> Image.Image:
    """A picture with an edge in it: a quarter is dark, the rest is light."""
    drawn = Image.new("RGB", size, "white")
    drawn.paste("navy", (0, 0, size[0] // 2, size[1] // 2))
    return drawn


def camera() -> Image.Exif:
    exif = Image.Exif()
    exif[MODEL], exif[MAKER], exif[ARTIST] = (
        MARK.decode(),
        "Kamera",
        "Siti " + MARK.decode(),
    )
    exif[ORIENTATION] = 6
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "S", (8.0, 39.0, 3.25)
    place[3], place[4] = "E", (115.0, 13.0, 1.5)
    details = exif.get_ifd(0x8769)
    details[0x9286] = MARK
    details[0x927C] = MARK * 20
    return exif


def picture(form: str, image: Image.Image | None = None, **more) -> bytes:
    out = io.BytesIO()
    (image or view()).save(out, form, **more)
    return out.getvalue()


def brightness(shown: Image.Image, at: tuple[int, int]) -> int:
    found = shown.convert("RGB").getpixel(at)
    assert isinstance(found, tuple)
    return sum(found)


def is_bare(copy: bytes) -> Image.Image:
    """Return a picture that tells nothing but its pixels."""
    shown = Image.open(io.BytesIO(copy))
    shown.load()
    assert not shown.getexif()
    told = set(shown.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert told <= {"progressive", "progression", "dpi"}
    for mark in (
        MARK,
        b"Exif",
        b"http://ns.adobe.com",
        b"ICC_PROFILE",
        b"iCCP",
        b"eXIf",
    ):
        assert mark not in copy
    return shown


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_of_picture_gives_a_bare_copy(form):
    made = opened(picture(form))
    assert "why" not in made.facts
    shown = is_bare(made.copy)
    assert shown.size == (320, 200)
    assert brightness(shown, (10, 10)) < 300 < brightness(shown, (310, 190))
    assert is_bare(made.preview).size[0] <= 480


@pytest.mark.parametrize("form", WITH_EXIF)
def test_no_place_no_device_and_upright(form):
    original = picture(form, exif=camera().tobytes())
    assert MARK in original
    made = opened(original)
    shown = is_bare(made.copy)
    assert shown.size == (200, 320), "turned upright"
    assert brightness(shown, (190, 10)) < 300 < brightness(shown, (10, 10)), (
        "the dark quarter is at the right now"
    )
    assert {"device", "place"} <= set(made.facts["hidden"].split())


@pytest.mark.parametrize("form", ["TIFF", "GIF", "PNG", "WEBP", "HEIF"])
def test_of_several_pictures_the_first_is_shown_and_that_is_told(form):
    second = Image.new("RGB", (320, 200), "red")
    several = picture(form, save_all=True, append_images=[second])
    made = opened(several)
    assert made.facts["frames"] == "more"
    assert brightness(is_bare(made.copy), (310, 190)) > 700
    assert "frames" not in opened(picture(form)).facts


def test_a_picture_of_very_many_pages_is_opened_as_quickly_as_one():
    """In 2,000 steps of the interpreter; to count its pages took 300 for each of them."""
    original, steps = tiff_of_pages(), Counter[str]()
    sys.setprofile(lambda _, event, __: steps.update((event,)))
    try:
        facts = pictures.clean(original, kinds()["tiff"], lambda *_: None)
    finally:
        sys.setprofile(None)
    assert facts["frames"] == "more"
    assert steps["call"] < 2000


def test_a_jpegs_thumbnail_remark_and_tail_go():
    original = picture("JPEG", exif=camera(), comment=MARK, xmp=XMP) + THUMBNAIL
    made = opened(original)
    is_bare(made.copy)
    assert b"kecil" not in made.copy
    assert "words" in made.facts["hidden"]


def test_a_cameras_colours_become_everybodys():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = opened(picture("JPEG", icc_profile=profile + MARK))
    is_bare(made.copy)


def test_it_stays_sharp():
    """Lines of two pixels, as in a photographed letter, are still there."""
    letter = Image.new("RGB", (600, 400), "white")
    for at in range(0, 600, 8):
        letter.paste("black", (at, 0, at + 2, 400))
    original = picture("JPEG", letter, quality=95)
    shown = Image.open(io.BytesIO(opened(original).copy)).convert("L")
    before = Image.open(io.BytesIO(original)).convert("L")
    assert shown.size == before.size
    assert ImageStat.Stat(ImageChops.difference(shown, before)).rms[0] < 4


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16"])
def test_every_kind_of_png_gives_a_copy(mode):
    made = opened(picture("PNG", Image.new(mode, (40, 20), 1)))
    assert is_bare(made.copy).size == (40, 20)


def behind_glass(form: str, paint: tuple[int, int, int]) -> bytes:
    """A picture of which a quarter is seen; the rest is transparent, and has colours."""
    if form == "GIF":
        image = Image.new("P", (40, 40), 1)
        image.putpalette([255, 255, 255, *paint, 0, 200, 0])
        image.paste(2, (0, 0, 20, 20))
        return picture("GIF", image, transparency=1)
    drawn = Image.new("RGBA", (40, 40), (*paint, 0))
    drawn.paste((0, 200, 0, 128), (0, 0, 20, 20))
    return picture(form, drawn)


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_nothing_is_left_behind_what_is_transparent(form):
    made = opened(behind_glass(form, (255, 0, 7)))
    shown = is_bare(made.copy).convert("RGBA")
    assert shown.getpixel((30, 30)) == (0, 0, 0, 0)
    seen = (0, 200, 0, 128 if form == "PNG" else 255)
    assert shown.getpixel((5, 5)) == seen


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_nor_in_a_picture_of_a_document(form):
    redrawn = Image.open(io.BytesIO(pictures.redrawn(behind_glass(form, (255, 0, 7)))))
    drawn = redrawn.convert("RGBA").tobytes()
    colours = {drawn[at : at + 4] for at in range(0, len(drawn), 4)}
    assert bytes((255, 0, 7)) not in {colour[:3] for colour in colours}
    assert len(colours) == 2


def test_a_colour_that_means_transparent_is_gone_too():
    """A PNG without an alpha channel may name one colour that is not drawn."""
    drawn = Image.new("RGB", (40, 40), (255, 0, 7))
    drawn.paste((0, 200, 0), (0, 0, 20, 20))
    made = opened(picture("PNG", drawn, transparency=(255, 0, 7)))
    shown = is_bare(made.copy).convert("RGBA")
    assert shown.getpixel((30, 30)) in {(0, 0, 0, 0), (255, 255, 255, 255)}
    assert shown.getpixel((5, 5)) == (0, 200, 0, 255)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "TIFF-I", "TIFF-F", "TIFF-B"])
def test_fine_shades_of_grey_stay_shades(form):
    """Scanners write 16 bits a pixel; the copy has 8 of them, dark stays dark."""
    ramp = [number * 16 for number in range(4096)]
    mode = {"TIFF-I": "I", "TIFF-F": "F", "TIFF-B": "I;16B"}.get(form, "I;16")
    image = Image.new("I" if mode == "I;16B" else mode, (64, 64))
    if mode == "F":
        image.putdata([value / 65535 for value in ramp])
    else:
        image.putdata(ramp)
    if mode == "I;16B":
        image = image.convert("I;16B")
    shown = is_bare(opened(picture(form.partition("-")[0], image)).copy).convert("L")
    for at in ((0, 0), (0, 16), (0, 32), (0, 48), (63, 63)):
        value = shown.crop((*at, at[0] + 1, at[1] + 1)).tobytes()[0]
        assert abs(value - (at[1] * 64 + at[0]) * 16 // 256) <= 2


def test_a_fine_shade_that_means_transparent_is_not_seen():
    drawn = Image.new("I;16", (40, 40), 0x1234)
    drawn.paste(Image.new("I;16", (20, 20), 0x8000), (0, 0))
    made = opened(picture("PNG", drawn, transparency=0x1234))
    shown = is_bare(made.copy).convert("RGBA")
    assert shown.getpixel((30, 30)) == (0, 0, 0, 0)
    assert shown.getpixel((5, 5)) == (0x80, 0x80, 0x80, 255)


def test_a_telephones_largest_picture_is_read_smaller():
    """108 million pixels: more than we draw at once, and no reason to refuse it."""
    original = picture("JPEG", Image.new("RGB", (12000, 9000), "teal"), quality=20)
    made = opened(original)
    assert "why" not in made.facts
    assert is_bare(made.copy).size == (6000, 4500)
