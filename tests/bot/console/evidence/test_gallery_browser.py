"""The files of a case in a real Chromium: reached by keyboard, played, and no page is wide."""

import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.bot.evidence.sandbox.papers import scanned
from tests.bot.evidence.sandbox.test_pictures import camera, picture
from tests.support.browsers import Desk
from tests.support.chromium import address, chromium, judged, sign_in
from tests.support.files import put
from tests.support.hostile import FILES, pdf

__all__ = ["address", "chromium"]
pytestmark = pytest.mark.browser
FFMPEG = shutil.which("ffmpeg") or ""


def recorded(folder: Path, name: str, *asked: str) -> bytes:
    path = folder / name
    subprocess.run(  # noqa: S603 - one known program
        [FFMPEG, "-nostdin", "-v", "error", "-f", "lavfi", "-i", *asked, str(path)],
        check=True,
    )
    return path.read_bytes()


@pytest.mark.skipif(not FFMPEG, reason="ffmpeg is not installed: nothing would play")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
async def test_everything_is_seen_heard_and_reached(
    desk: Desk,
    chromium: Browser,
    address: str,
    tmp_path: Path,
    scheme: str,
    width: int,
) -> None:
    case = desk.case()
    put(desk, case, "IMG_0451.jpg", picture("JPEG", exif=camera()))
    put(desk, case, "surat.pdf", pdf(scanned))
    voice = recorded(
        tmp_path, "a.oga", "sine=duration=2", "-c:a", "libopus", "-f", "ogg"
    )
    put(desk, case, "suara.oga", voice)
    film = recorded(
        tmp_path, "a.mp4", "testsrc=duration=2:size=320x240", "-pix_fmt", "yuv420p"
    )
    put(desk, case, "video.mp4", film)
    put(desk, case, "bukti.zip", FILES["a zip with names that turn"].make())
    put(desk, case, "program.exe", FILES["a program of Windows"].make())
    context = await chromium.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
        ignore_https_errors=True,
    )
    await sign_in(desk, context, address)
    page = await context.new_page()
    told: list[str] = []
    page.on("console", lambda said: told.append(said.text))
    await page.goto(f"{address}/cases/{case.number}")
    for media in ("audio", "video"):
        seconds = await page.evaluate(
            """async name => {
                const found = document.querySelector(name);
                found.muted = true;
                await found.play();
                await new Promise(done => found.ontimeupdate = done);
                found.currentTime = 1;
                await new Promise(done => found.onseeked = done);
                return found.duration;
            }""",
            media,
        )
        assert 1.5 < seconds < 3
    await page.get_by_text("Read the pages here").focus()
    await page.keyboard.press("Enter")
    drawn = page.get_by_alt_text("Page 1")
    await drawn.scroll_into_view_if_needed()
    width_drawn = await drawn.evaluate(
        "async one => { await one.decode(); return one.naturalWidth; }"
    )
    assert width_drawn == 1400
    await judged(page)
    assert [line for line in told if "Content Security Policy" in line] == []
    await context.close()
