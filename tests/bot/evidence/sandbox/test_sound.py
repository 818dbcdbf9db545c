"""Voices and films: any browser plays the copy, and it tells no place."""

import io
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.evidence.kinds import kinds
from bot.evidence.sandbox import sound
from tests.bot.evidence.sandbox.sandboxes import opened

FFMPEG, FFPROBE = shutil.which("ffmpeg"), shutil.which("ffprobe")
MARK = "lokasi-rahasia-8.65S"
pytestmark = pytest.mark.skipif(
    not (FFMPEG and FFPROBE),
    reason="ffmpeg is not installed: sound and video have no copy",
)
TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")
VIEW = ("-f", "lavfi", "-i", "testsrc=duration=2:size=320x240:rate=10")
TOLD = (
    *("-metadata", f"title={MARK}", "-metadata", f"location=-08.65+115.21/{MARK}"),
    *(
        "-metadata",
        f"com.apple.quicktime.model={MARK}",
        "-metadata:s",
        f"handler={MARK}",
    ),
    *("-movflags", "use_metadata_tags"),
)


def recorded(tmp_path: Path, name: str, *asked: str) -> bytes:
    path = tmp_path / name
    command = [str(FFMPEG), "-nostdin", "-v", "error", *asked, str(path)]
    subprocess.run(command, check=True)  # noqa: S603 - one known program
    return path.read_bytes()


def told(tmp_path: Path, copy: bytes) -> dict[str, Any]:
    path = tmp_path / "copy"
    path.write_bytes(copy)
    asked = [
        str(FFPROBE),
        "-v",
        "error",
        "-show_format",
        "-count_frames",
        "-show_streams",
        "-of",
        "json",
    ]
    said = subprocess.run([*asked, str(path)], check=True, capture_output=True)  # noqa: S603 - as above
    found: dict[str, Any] = json.loads(said.stdout)
    return found


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.oga", ("-c:a", "libopus", "-f", "ogg")),
        ("a.mp3", ()),
        ("a.wav", ()),
        ("a.flac", ()),
        ("a.m4a", ("-brand", "M4A ")),
        ("a.aac", ()),
    ],
)
def test_a_voice_is_played_anywhere(tmp_path, name, codec):
    original = recorded(tmp_path, name, *TONE, "-metadata", f"title={MARK}", *codec)
    made = opened(original)
    assert "why" not in made.facts
    found = told(tmp_path, made.copy)
    (stream,) = found["streams"]
    assert stream["codec_name"] == "mp3"
    assert 1.8 < float(found["format"]["duration"]) < 2.4
    assert MARK.encode() not in made.copy
    assert not found["format"].get("tags")
    assert made.facts["shown"] == "sound"


@pytest.mark.parametrize(
    ("name", "asked", "codec"),
    [
        ("a.mp4", ("-c:v", "libx264", "-c:a", "aac"), "h264"),
        ("a.mov", ("-c:v", "libx264", "-c:a", "aac"), "h264"),
        ("a.webm", ("-c:v", "libvpx", "-c:a", "libopus"), "vp8"),
        ("a.3gp", ("-c:v", "mpeg4", "-c:a", "aac"), "h264"),
    ],
)
def test_a_film_is_played_anywhere(tmp_path, name, asked, codec):
    original = recorded(tmp_path, name, *VIEW, *TONE, *TOLD, *asked)
    made = opened(original)
    assert "why" not in made.facts
    found = told(tmp_path, made.copy)
    assert found["streams"][0]["codec_name"] == codec
    assert len(found["streams"]) == 2
    assert MARK.encode() not in made.copy
    if "libx264" in asked:  # carried over as it was, but for its encoder's remarks
        assert b"x264" in original
        assert b"x264" not in made.copy
    assert Image.open(io.BytesIO(made.preview)).width == 480


def test_a_film_without_a_picture_is_a_voice(tmp_path):
    original = recorded(tmp_path, "a.mp4", *TONE, "-c:a", "aac")
    made = opened(original)
    assert (made.facts["shown"], made.facts["copy"]) == ("sound", "audio/mpeg")


# What stands between the pictures.

UNIT = re.compile(rb"\x00\x00\x00?\x01(?=.)", re.DOTALL)
DRAWN = (1, 5, 7, 8)
"""Units of H.264 that a picture is made of: slices, and the two sets of parameters."""
BARE = ("-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p")


def film_with(tmp_path: Path, planted: Callable[[int, bytes], bytes]) -> bytes:
    """Record a film whose units are replaced, each by what is planted for it."""
    raw = recorded(tmp_path, "a.h264", *VIEW, *BARE, "-f", "h264")
    starts = [*(found.start() for found in UNIT.finditer(raw)), len(raw)]
    units = [raw[start:stop] for start, stop in itertools.pairwise(starts)]
    told = [planted(unit[unit.index(1) + 1] & 31, unit) for unit in units]
    (tmp_path / "b.h264").write_bytes(b"".join(told))
    asked = ("-framerate", "10", "-f", "h264", "-i", str(tmp_path / "b.h264"))
    return recorded(tmp_path, "b.mp4", *asked, "-c", "copy")


def test_no_unit_but_those_of_pictures_is_carried_over(tmp_path):
    others = [number for number in range(32) if number not in DRAWN]

    def planted(number: int, unit: bytes) -> bytes:
        if number not in {1, 5}:
            return unit
        return unit + b"".join(
            b"\0\0\0\1" + bytes([0x60 | other]) + MARK.encode() for other in others
        )

    original = film_with(tmp_path, planted)
    assert original.count(MARK.encode()) >= len(others)
    made = opened(original)
    assert MARK.encode() not in made.copy
    (stream,) = told(tmp_path, made.copy)["streams"]
    assert stream["profile"].endswith("Baseline"), "as it was"
    assert stream["nb_read_frames"] == "20"


@pytest.mark.parametrize("number", [7, 8])
def test_nothing_stands_behind_a_set_of_parameters(tmp_path, number):
    """Where they are not what they should be, the film is drawn anew."""
    original = film_with(
        tmp_path, lambda kind, unit: unit + MARK.encode() * (kind == number)
    )
    assert MARK.encode() in original
    made = opened(original)
    assert MARK.encode() not in made.copy
    assert told(tmp_path, made.copy)["streams"][0]["nb_read_frames"] == "20"


@pytest.mark.parametrize(
    ("name", "asked", "remark", "codec"),
    [
        ("a.mp4", ("libx265", "-x265-params", "log-level=none"), b"x265", "h264"),
        ("a.webm", ("libsvtav1", "-preset", "12"), b"V_AV1", "vp8"),
    ],
)
def test_pictures_of_any_other_codec_are_drawn_anew(
    tmp_path, name, asked, remark, codec
):
    original = recorded(tmp_path, name, *VIEW, "-c:v", *asked)
    assert remark in original
    made = opened(original)
    assert remark not in made.copy
    assert told(tmp_path, made.copy)["streams"][0]["codec_name"] == codec


def test_what_a_voice_in_a_film_says_of_itself_goes(tmp_path):
    asked = (*VIEW, *TONE, "-c:v", "libvpx", "-c:a", "libvorbis")
    original = recorded(tmp_path, "a.webm", *asked)
    name = re.search(rb"Xiph.Org libVorbis I \d{8}", original)
    assert name is not None
    original = original.replace(name[0], MARK.encode().ljust(len(name[0]), b"."))
    assert MARK.encode() in original
    made = opened(original)
    assert MARK.encode() not in made.copy
    view, voice = told(tmp_path, made.copy)["streams"]
    assert (view["codec_name"], voice["codec_name"]) == ("vp8", "opus")


@pytest.mark.parametrize(("size", "is_kept"), [(None, True), (9, False)])
def test_a_head_that_nobody_reads_is_not_carried_over(monkeypatch, size, is_kept):
    monkeypatch.setattr(sound, "_cut", lambda *_: frozenset())
    stream = {"index": 0, "codec_name": "vp9", "extradata_size": size}
    way, *_ = sound._film(kinds()["webm"], "", stream, [], 0.0)  # noqa: SLF001 - no muxer writes one
    assert ("copy" in way) is is_kept
