"""Voices and films: any browser plays the copy, and it tells no place."""

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

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
