"""Remarks are cut out of a JPEG by its segments, and nothing else changes."""

import io
import struct

import pytest
from PIL import Image

from bot.evidence.sandbox.jpegs import bare
from tests.bot.evidence.sandbox.test_pictures import MARK, camera, picture


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize("progressive", [False, True])
def test_segments_that_tell_go_and_pixels_stay(progressive):
    told = picture("JPEG", exif=camera(), comment=MARK, progressive=progressive)
    shown = bare(told + MARK)
    assert MARK not in shown
    assert b"Exif" not in shown
    assert pixels(shown) == pixels(told)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_second_picture_behind_the_first_goes(progressive):
    """Telephones put one there, or a film, with a place of its own."""
    first = picture("JPEG", progressive=progressive)
    second = picture("JPEG", exif=camera(), comment=MARK, progressive=progressive)
    assert MARK not in bare(first + second)
    assert MARK not in bare(first[:-2] + second)
    assert pixels(bare(first + second)) == pixels(first)


def test_a_remark_between_two_scans_goes():
    told = picture("JPEG", progressive=True)
    remark = b"\xff\xfe" + struct.pack(">H", 2 + len(MARK)) + MARK
    at = told.index(b"\xff\xda", told.index(b"\xff\xda") + 2)
    shown = bare(told[:at] + remark + told[at:-2] + remark + told[-2:])
    assert MARK not in shown
    assert pixels(shown) == pixels(told)


def test_restarts_do_not_end_a_picture():
    out = io.BytesIO()
    noise = Image.effect_noise((64, 64), 80)
    noise.save(out, "JPEG", restart_marker_blocks=1)
    told = out.getvalue()
    assert b"\xff\xd0" in told
    assert bare(told).endswith(told[told.index(b"\xff\xda") :])


def test_what_was_cut_off_stays_cut_off():
    told = picture("JPEG")
    assert bare(told[:-9]).startswith(bare(told)[:-11])


def test_words_behind_what_is_said_of_colours_go():
    adobe = b"\xff\xee" + struct.pack(">H", 14 + len(MARK))
    told = picture("JPEG", Image.new("CMYK", (16, 16), (9, 90, 10, 20)))
    at = told.index(b"\xff\xee")
    longer = told[:at] + adobe + told[at + 4 : at + 16] + MARK + told[at + 16 :]
    assert MARK not in bare(longer)
    assert pixels(bare(longer)) == pixels(told)
    assert b"Adobe" not in bare(told.replace(b"Adobe", b"Other"))


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
