"""Remarks are cut out of a JPEG by its segments, and nothing else changes."""

import io
import struct

import pytest
from PIL import Image

from bot.evidence.jpegs import bare, bare_jp2
from tests.bot.evidence.test_pictures import MARK, camera, picture


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize("progressive", [False, True])
def test_segments_that_tell_go_and_pixels_stay(progressive):
    told = picture("JPEG", exif=camera(), comment=MARK, progressive=progressive)
    shown = bare(told + MARK)
    assert MARK not in shown
    assert b"Exif" not in shown
    assert pixels(shown) == pixels(told)


def test_the_segment_that_says_how_colours_are_meant_stays():
    told = picture("JPEG", Image.new("CMYK", (16, 16), (9, 90, 10, 20)))
    assert b"Adobe" in bare(told)
    assert pixels(bare(told)) == pixels(told)


@pytest.mark.parametrize(
    "data", [b"", b"PNG", b"\xff\xd8", b"\xff\xd8\xff\xe0", b"\xff\xd8xxxxxxxx"]
)
def test_what_is_no_jpeg_is_refused(data):
    with pytest.raises(ValueError, match="no"):
        bare(data)


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


def test_boxes_of_words_go_from_a_jpeg_2000():
    start = box(b"jP  ", b"\r\n\x87\n")
    told = start + box(b"xml ", MARK) + box(b"uuid", MARK) + box(b"jp2c", b"isi")
    assert bare_jp2(told) == start + box(b"jp2c", b"isi")
    last = start + struct.pack(">I", 0) + b"jp2c" + b"isi"
    assert bare_jp2(last) == last
    long = (
        start
        + struct.pack(">I", 1)
        + b"xml "
        + struct.pack(">Q", 16 + len(MARK))
        + MARK
    )
    assert bare_jp2(long) == start
    assert bare_jp2(b"\xff\x4f\xff\x51") == b"\xff\x4f\xff\x51"
    with pytest.raises(ValueError, match="no box"):
        bare_jp2(start + struct.pack(">I", 3) + b"xml ")
