"""Files sent on WhatsApp: a voice is heard and leaves Twilio; what is gone is told."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.words import FileState
from tests.conftest import ON_SQLITE
from tests.journeys.gallery import SOUND, adds, folder, lying, officer, sent, states
from tests.journeys.telling import copies, is_quiet, report, told
from tests.support.hashing import hashed_quickly
from tests.support.phones import Phone
from tests.support.running import Running

FFMPEG, FFPROBE = shutil.which("ffmpeg"), shutil.which("ffprobe")
STORY = "The head of the unit keeps a tenth of every fee for himself"
SECONDS = 4
MARK = "recorded-by-Putu-0451"
PART = 1000


@pytest.fixture(autouse=True, scope="module")
def hashing() -> Iterator[None]:
    """Let codes be looked up quickly: here it is files that take their time."""
    with hashed_quickly():
        yield


def recorded(room: Path) -> bytes:
    """Record a voice note as WhatsApp does: Opus in Ogg, with words about it."""
    path = room / "voice.oga"
    command = [
        *(str(FFMPEG), "-nostdin", "-v", "error"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}"),
        *("-metadata", f"artist={MARK}", "-c:a", "libopus", "-f", "ogg", str(path)),
    ]
    subprocess.run(command, check=True)  # noqa: S603 - one known program
    return path.read_bytes()


def probed(room: Path, copy: bytes) -> dict[str, str]:
    """Return what a player sees of a sound: its codec and its length."""
    path = room / "copy"
    path.write_bytes(copy)
    asked = ("-show_entries", "stream=codec_name,duration", "-of", "json", str(path))
    command = [str(FFPROBE), "-v", "error", *asked]
    said = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - as above
    found: dict[str, str] = json.loads(said.stdout)["streams"][0]
    return found


async def asks(ayu: Phone, paper: object) -> str:
    """Ask how it stands; return what is said of the files."""
    await ayu.say(f"STATUS {paper}")
    return await ayu.hears("Your files")


@pytest.mark.skipif(
    not (FFMPEG and FFPROBE), reason="ffmpeg is not installed: a voice has no copy"
)
async def test_a_voice_note_is_heard_in_parts_and_leaves_the_provider(
    town: Running, tmp_path: Path
) -> None:
    ayu = town.phone("whatsapp")
    paper = await report(ayu, STORY, "REPORT")
    await adds(ayu, paper, "ADD", "Please send")
    voice = recorded(tmp_path)
    assert MARK.encode() in voice
    await ayu.attach(("", "audio/ogg", voice))
    await ayu.hears("is noted")
    await is_quiet(town)
    assert await copies(town.simulator, town.simulator.settings) == []
    assert "1 kept, 0 on their way, 0 could not be taken" in await asks(ayu, paper)

    assert sent(town) == [voice]
    async with officer(town) as boss:
        page = (await boss.get(f"/cases/{paper.number}")).text
        (place,) = SOUND.findall(page)
        whole = await boss.get(place)
        assert whole.headers["content-type"] == "audio/mpeg"
        assert whole.headers["accept-ranges"] == "bytes"
        size = len(whole.content)
        assert size > 2 * PART
        parts = [
            await boss.get(
                place, headers={"range": f"bytes={start}-{start + PART - 1}"}
            )
            for start in range(0, size, PART)
        ]
        assert {part.status_code for part in parts} == {206}
        assert parts[1].headers["content-range"] == f"bytes 1000-1999/{size}"
        assert b"".join(part.content for part in parts) == whole.content
    heard = probed(tmp_path, whole.content)
    assert heard["codec_name"] == "mp3"
    assert abs(float(heard["duration"]) - SECONDS) < 0.5
    assert MARK.encode() not in whole.content


@ON_SQLITE
async def test_a_file_that_is_gone_at_the_provider_is_told_and_led_on(
    town: Running,
) -> None:
    ayu = town.phone("whatsapp")
    paper = await report(ayu, STORY, "REPORT")
    await adds(ayu, paper, "ADD", "Please send")
    await town.simulator.fault("twilio", "404", "media-store", times=99)
    await ayu.attach(("bids.pdf", "application/pdf", b"%PDF-1.7 bids"), text="bids")
    said = await ayu.hears("could not fetch your file", "has it no more")
    assert "send it again" in said
    assert f"Other ways: {town.url}" in said
    await is_quiet(town)
    assert await copies(town.simulator, town.simulator.settings) == []
    assert "0 kept, 0 on their way, 1 could not be taken" in await asks(ayu, paper)

    case = town.only_case()
    assert states(town) == [FileState.GONE]
    assert "bids" in [one.text for one in told(town, case)], "what was said with it"
    assert lying(folder(town)) == []
    async with officer(town) as boss:
        page = await boss.see(f"/cases/{paper.number}")
        assert "No longer at the provider" in page.text
        assert "Ask for the original" not in page.text

    await town.simulator.client.delete("/control/faults")
    await adds(ayu, paper, "ADD", "Please send")
    await ayu.attach(("bids.pdf", "application/pdf", b"%PDF-1.7 bids"))
    await ayu.hears("is noted")
    await is_quiet(town)
    assert "1 kept, 0 on their way, 1 could not be taken" in await asks(ayu, paper)
