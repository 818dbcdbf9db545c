"""A working copy holds the pixels, upright, and nothing else."""

import io

import pytest
from PIL import Image

from bot import pictures

MARK = b"lokasi-rahasia-8.65S"
ORIENTATION = 0x0112


def picture(form: str, mode: str = "RGB", **more) -> bytes:
    out = io.BytesIO()
    image = Image.new(mode, (40, 20), 1)
    image.save(out, form, **more)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_metadata_and_what_follows_the_picture_go(form):
    exif = Image.Exif()
    exif[0x010E] = MARK.decode()
    exif[ORIENTATION] = 6
    original = picture(form, exif=exif, comment=MARK, icc_profile=MARK * 9) + MARK
    assert MARK in original
    clean, kind = pictures.clean(original)
    assert kind == f"image/{form.lower()}"
    assert clean
    assert MARK not in clean
    with Image.open(io.BytesIO(clean)) as copy:
        assert copy.size == (20, 40), "turned upright"
        assert not copy.getexif()
        assert "icc_profile" not in copy.info


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16"])
def test_every_kind_of_png_gives_a_copy(mode):
    clean, kind = pictures.clean(picture("PNG", mode))
    assert kind == "image/png"
    assert clean
    with Image.open(io.BytesIO(clean)) as copy:
        assert copy.size == (40, 20)


@pytest.mark.parametrize(
    ("original", "kind"),
    [
        (b"", ""),
        (b"%PDF-1.7", ""),
        (picture("GIF"), ""),
        (b"\xff\xd8\xff" + bytes(100), "image/jpeg"),
        (picture("JPEG")[:200], "image/jpeg"),
        (picture("PNG")[:60], "image/png"),
    ],
)
def test_what_is_no_whole_picture_gives_no_copy(original, kind):
    assert pictures.clean(original) == (None, kind)


def test_a_bomb_gives_no_copy(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 799)
    assert pictures.clean(picture("PNG")) == (None, "image/png")
