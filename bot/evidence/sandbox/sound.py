"""Sound and video, by ffmpeg where it is installed: any browser plays the copy.

Whatever is heard is written anew. A video's pictures are carried over where a browser knows
them, and only they: the units of H.264 that draw are named, all others go. Pictures of any
codec but H.264, VP8 and VP9 are drawn anew. Titles, places, devices, subtitles and data tracks are left
out. So is what somebody cut off without writing the film anew: it is still in the file, and
must not play in the copy.
"""

import json
import os
import shutil
import subprocess  # nosec B404
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from bot.evidence import frames
from bot.evidence.kinds import Kind
from bot.evidence.refusals import Give, Refused

starts_programs: Final = True
PIECE: Final = 64 * 1024
PLACES: Final = "/usr/local/bin:/usr/bin:/bin"
_QUIET: Final = ("-v", "error", "-protocol_whitelist", "file,pipe")
_BARE: Final = (
    *("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"),
    *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
)
_MP3: Final = (
    *("-map", "0:a:0", "-vn", "-c:a", "libmp3lame", "-b:a", "96k", "-ar", "44100"),
    *("-write_xing", "0", "-id3v2_version", "0", "-f", "mp3"),
)
_PRIMING: Final = 3
"""Packets of sound, some 70 ms, that an encoder of AAC has players leave out at the start."""
_H264: Final = "filter_units=pass_types=1|5|7|8,h264_metadata"
"""Pictures and their parameters, these written anew; no other unit (ISO 14496-10, 7.4.1)."""
_KEPT: Final = {"video/mp4": {"h264"}, "video/webm": {"vp8", "vp9"}}
"""The codecs that a browser knows and whose pictures are carried over."""
_ANEW: Final = {
    "video/mp4": (
        *(
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "26",
            "-pix_fmt",
            "yuv420p",
        ),
        *("-vf", "scale='min(1280,iw)':-2"),
    ),
    "video/webm": ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M"),
}
_FORM: Final = {
    "video/mp4": (
        *("-bsf:v", _H264, "-c:a", "aac"),
        *("-movflags", "frag_keyframe+empty_moov+default_base_moof", "-f", "mp4"),
    ),
    "video/webm": ("-c:a", "libopus", "-f", "webm"),
}


def clean(original: bytes, kind: Kind, give: Give) -> dict[str, str]:
    """Give what can be heard and seen, and a picture of a video. Raises Refused."""
    with _held(original) as place:
        streams, facts, start = _looked_at(kind, place)
        pictures = [one for one in streams if _is_film(one)]
        sounds = [one for one in streams if one.get("codec_type") == "audio"]
        if kind.shown == "video" and pictures:
            ways = _film(kind, place, pictures[0], sounds, start)
        elif sounds:
            ways = [(*_from(start), *_MP3)]
            facts |= {"copy": "audio/mpeg", "shown": "sound"}
        else:
            raise Refused("broken")
        if not any(_convert(kind, place, one, give, frames.COPY) for one in ways):
            raise Refused("broken")
        if "shown" not in facts:
            _preview(kind, place, start, give)
    return facts


@contextmanager
def _held(original: bytes) -> Iterator[str]:
    """Hold the original in memory under a name that ffmpeg may open."""
    number = os.memfd_create("original")
    try:
        rest = memoryview(original)
        while rest:
            rest = rest[os.write(number, rest) :]
        os.set_inheritable(number, True)  # noqa: FBT003 - it has no name
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)


def _program(name: str) -> str:
    found = shutil.which(name, path=PLACES)
    if found is None:
        raise Refused("no_converter")
    return found


def _looked_at(
    kind: Kind, place: str
) -> tuple[list[dict[str, Any]], dict[str, str], float]:
    """Return the streams of a file, what there is to know of it, and when it starts."""
    asked = (
        *(_program("ffprobe"), *_QUIET, "-f", kind.demuxer),
        *("-show_streams", "-show_format", "-of", "json", place),
    )
    told = subprocess.run(  # nosec B603 # noqa: S603 - no shell, and arguments of our own
        asked, capture_output=True, close_fds=False, check=False
    )
    try:
        found = json.loads(told.stdout)
        streams, form = found["streams"], found["format"]
    except (ValueError, KeyError):
        raise Refused("broken") from None
    hidden = {"place" for name in form.get("tags", {}) if "location" in name.lower()}
    hidden |= {"device" for name in form.get("tags", {}) if "com." in name.lower()}
    facts = {"hidden": " ".join(sorted(hidden))}
    seconds = str(form.get("duration", "")).partition(".")[0]
    if seconds.isdecimal():
        facts["seconds"] = seconds
    return streams, facts, _time(form.get("start_time"))


def _is_film(stream: dict[str, Any]) -> bool:
    """Tell a film from the picture that stands on a record's sleeve."""
    sleeve = stream.get("disposition", {}).get("attached_pic", 0)
    return stream.get("codec_type") == "video" and not sleeve


def _time(told: object) -> float:
    """Return seconds, 0 where the file does not tell."""
    try:
        return float(str(told))
    except ValueError:
        return 0.0


def _cut(
    kind: Kind,
    place: str,
    picture: dict[str, Any],
    sounds: Sequence[dict[str, Any]],
) -> frozenset[int]:
    """Return the numbers of the streams of which a player leaves something out."""
    hidden = Counter[str]()
    asked = (
        *(_program("ffprobe"), *_QUIET, "-f", kind.demuxer),
        *("-show_entries", "packet=stream_index,pts_time,flags", "-of", "csv=p=0"),
    )
    with subprocess.Popen(  # nosec B603 # noqa: S603 - as above
        (*asked, place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        close_fds=False,
        text=True,
    ) as running:
        for line in running.stdout or ():
            number, when, flags, *_ = (*line.split(","), "", "")
            hidden[number] += "D" in flags or _time(when) < 0
    if running.returncode != 0:
        raise Refused("broken")
    allowed = {picture["index"]: 0} | {one["index"]: _PRIMING for one in sounds[:1]}
    return frozenset(one for one, few in allowed.items() if hidden[str(one)] > few)


def _from(start: float) -> tuple[str, ...]:
    """Leave out what stands before the time 0, where the edit list is not applied."""
    return ("-ss", str(-start)) if start < 0 else ()


def _film(
    kind: Kind,
    place: str,
    picture: dict[str, Any],
    sounds: Sequence[dict[str, Any]],
    start: float,
) -> list[tuple[str, ...]]:
    """Return how the copy may be made: carried over where it can be, else drawn anew."""
    cut, kept = _cut(kind, place, picture, sounds), _KEPT[kind.copy]
    is_late, codec = bool(cut) and start < 0, str(picture.get("codec_name"))
    streams: tuple[str, ...] = ("-map", f"0:{picture['index']}")
    streams += ("-map", f"0:{sounds[0]['index']}") if sounds else ()
    form = _FORM[kind.copy]
    anew = (*(_from(start) if is_late else ()), *streams, *_ANEW[kind.copy], *form)
    has_head = codec != "h264" and picture.get("extradata_size")  # nothing reads it
    if picture["index"] in cut or is_late or has_head or codec not in kept:
        return [anew]
    return [(*streams, "-c:v", "copy", *form), anew]


def _preview(kind: Kind, place: str, start: float, give: Give) -> None:
    drawn = (
        *_from(start),
        *("-map", "0:v:0", "-an", "-frames:v", "1", "-vf", "scale=480:-2"),
        *("-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe"),
    )
    if not _convert(kind, place, drawn, give, frames.PREVIEW):
        raise Refused("broken")


def _convert(
    kind: Kind, place: str, asked: Sequence[str], give: Give, letter: bytes
) -> bool:
    """Run ffmpeg and pass on what comes; tell whether anything did. Raises Refused."""
    command = (
        *(_program("ffmpeg"), "-nostdin", *_QUIET, "-threads", "1"),
        *("-f", kind.demuxer, "-i", place, *_BARE, *asked, "-threads", "1", "pipe:1"),
    )
    came = 0
    with subprocess.Popen(  # nosec B603 # noqa: S603 - no shell, and arguments of our own
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        close_fds=False,
    ) as running:
        if running.stdout is None:
            raise Refused("broken")
        while piece := running.stdout.read(PIECE):
            came += len(piece)
            give(letter, piece)
    if running.returncode != 0 and came:
        raise Refused("broken")
    return came > 0
