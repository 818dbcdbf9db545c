"""What was cut off a film without writing it anew does not come back in the copy."""

import io
import struct

import pytest
from PIL import Image, ImageSequence

from tests.bot.evidence.sandbox import test_sound
from tests.bot.evidence.sandbox.sandboxes import opened

pytestmark = test_sound.pytestmark
COLOURS = (
    *("-f", "lavfi", "-i", "color=red:s=160x120:r=25:d=4"),
    *("-f", "lavfi", "-i", "color=blue:s=160x120:r=25:d=4"),
    *("-f", "lavfi", "-i", "sine=frequency=440:duration=8"),
    *("-filter_complex", "[0][1]concat=n=2:v=1[v]", "-map", "[v]", "-map", "2:a"),
    *("-c:v", "libx264", "-g", "999", "-keyint_min", "999", "-sc_threshold", "0"),
)
"""Four seconds of red, then four of blue, and no place at which a player can jump in."""


def coloured(tmp_path, *trim: str) -> bytes:
    test_sound.recorded(tmp_path, "whole.mp4", *COLOURS, "-c:a", "aac")
    whole = str(tmp_path / "whole.mp4")
    return test_sound.recorded(tmp_path, "cut.mp4", *trim[:2], "-i", whole, *trim[2:])


def ended(film: bytes, tracks: tuple[int, ...], milliseconds: int) -> bytes:
    """Return a film of which some tracks end sooner, as a telephone trims its end."""
    patched, at = bytearray(film), -1
    for track in range(2):
        at = film.index(b"elst", at + 1)
        if track in tracks:
            struct.pack_into(">I", patched, at + 12, milliseconds)
    return bytes(patched)


def seen(tmp_path, film: bytes, name: str) -> list[str]:
    """Name the colour of every picture that a player shows."""
    (tmp_path / name).write_bytes(film)
    frames = tmp_path / f"{name}.gif"
    test_sound.recorded(
        tmp_path, frames.name, "-i", str(tmp_path / name), "-vsync", "0"
    )
    with Image.open(io.BytesIO(frames.read_bytes())) as shown:
        colours = []
        for frame in ImageSequence.Iterator(shown):
            red, _, blue = frame.convert("RGB").resize((1, 1)).tobytes()
            colours.append("red" if red > blue else "blue")
    return colours


def lengths(tmp_path, film: bytes) -> tuple[float, ...]:
    """Return how long the pictures and the sound of a copy last."""
    found = test_sound.told(tmp_path, film)
    ends = (
        float(one["start_time"]) + float(one["duration"]) for one in found["streams"]
    )
    return (float(found["format"]["duration"]), *ends)


@pytest.mark.parametrize(
    "more", [(), ("-movflags", "+frag_keyframe+delay_moov")], ids=["plain", "in pieces"]
)
def test_the_start_that_was_cut_off_stays_off(tmp_path, more):
    original = coloured(tmp_path, "-ss", "5", "-c", "copy", *more)
    made = opened(original)
    assert "why" not in made.facts
    assert set(seen(tmp_path, made.copy, "copy.mp4")) == {"blue"}
    assert all(2.8 < one < 3.2 for one in lengths(tmp_path, made.copy))
    preview = Image.open(io.BytesIO(made.preview)).convert("RGB")
    red, _, blue = preview.resize((1, 1)).tobytes()
    assert red < blue


def test_the_end_that_was_cut_off_stays_off(tmp_path):
    original = ended(coloured(tmp_path, "-ss", "0", "-c", "copy"), (0, 1), 3000)
    made = opened(original)
    assert set(seen(tmp_path, made.copy, "copy.mp4")) == {"red"}
    assert all(2.8 < one < 3.2 for one in lengths(tmp_path, made.copy))


def test_the_sound_that_was_cut_off_stays_off(tmp_path):
    original = ended(coloured(tmp_path, "-ss", "0", "-c", "copy"), (1,), 3000)
    made = opened(original)
    assert len(seen(tmp_path, made.copy, "copy.mp4")) == 200
    _, pictures, sound = lengths(tmp_path, made.copy)
    assert pictures > 7.8
    assert sound < 3.2


def test_a_voice_that_was_cut_stays_cut(tmp_path):
    whole = test_sound.recorded(
        tmp_path, "whole.m4a", "-f", "lavfi", "-i", "sine=duration=8", "-c:a", "aac"
    )
    at = whole.index(b"elst")
    patched = bytearray(whole)
    struct.pack_into(">Ii", patched, at + 12, 3000, 5 * 44100)
    made = opened(bytes(patched))
    assert 2.8 < lengths(tmp_path, made.copy)[0] < 3.2


def test_a_film_of_which_nothing_was_cut_is_carried_over(tmp_path):
    more = ("-profile:v", "baseline", "-c:a", "aac")
    made = opened(test_sound.recorded(tmp_path, "whole.mp4", *COLOURS, *more))
    assert "why" not in made.facts
    found = test_sound.told(tmp_path, made.copy)
    assert found["streams"][0]["profile"].endswith("Baseline"), "as it was"
    assert len(seen(tmp_path, made.copy, "copy.mp4")) == 200
