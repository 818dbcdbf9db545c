"""Take the pictures of the README and of the officers' handbook: ``make pictures``.

Everything in them is invented; the pages are the program's own, in a real Chromium, the
console's once in each language. Writes ``docs/images``.
"""

import asyncio
import io
import re
import signal
import sys
import tempfile
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.async_api import (
    Browser,
    BrowserContext,
    FloatRect,
    Page,
    async_playwright,
)

from bot.console.visit import COOKIE
from handlers import evidence
from handlers.cases import conflicts, data_requests, officer
from handlers.work import Work
from storage.cases.items import Content
from storage.models import Case
from storage.people import sessions
from storage.words import ItemKind, RequestKind, Stage
from tests.bot.evidence.sandbox.test_pictures import ORIENTATION, camera, picture
from tests.browser import test_demo as story
from tests.support.browsers import ANSWERS, Desk
from tests.support.chromium import ARGUMENTS, CHROMIUM
from tests.support.files import put
from tests.support.pictured import WORDS, Scene, scene
from tests.support.places import ROOT
from tests.support.revealing import asks, held

IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT, COLOURS, MOST_BYTES = 1180, 820, 128, 150_000


async def sits_down(
    here: Scene, login: str, stage: Stage = Stage.FULL
) -> BrowserContext:
    """Open a browser of somebody who has signed in, or shown the passphrase only."""
    who = here.people[login]
    with here.desk.database.writing() as session:
        cookie = sessions.begin(
            session,
            here.desk.keys,
            who.officer,
            who.secret,
            stage=stage,
            now=here.desk.clock(),
        )
    context = await here.chromium.new_context(
        color_scheme="light", viewport={"width": WIDTH, "height": HEIGHT}
    )
    await context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": cookie,
                "url": here.address.replace("http:", "https:"),
                "secure": True,
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )
    return context


async def take(
    here: Scene,
    login: str,
    path: str,
    name: str,
    *,
    whole: bool = False,
    only: str = "",
) -> None:
    """Look at a page as somebody, and keep the picture.

    ``whole``: down to its end; ``only``: just the first piece that this selector finds.
    """
    stage = Stage.FIRST if name == "second" else Stage.FULL
    context = await sits_down(here, login, stage)
    page = await context.new_page()
    await page.goto(here.address + path)
    clip = await _around(page, only) if only else None
    taken = await page.screenshot(full_page=whole or bool(only), clip=clip)
    keep(taken, IMAGES / here.language / f"{name}.png")
    await context.close()


def keep(taken: bytes, file: Path) -> None:
    """Write a picture with few colours. Raises ValueError for one that is too large."""
    with Image.open(io.BytesIO(taken)) as picture:
        small = picture.convert("RGB").quantize(COLOURS)
    file.parent.mkdir(parents=True, exist_ok=True)
    small.save(file, optimize=True)
    size = file.stat().st_size
    sys.stdout.write(f"{file.relative_to(IMAGES)}: {size} bytes\n")
    if size > MOST_BYTES:
        raise ValueError(file)


async def phones(chromium: Browser, folder: Path) -> None:
    """Run the demo, let people write on its phones, and keep how they look then."""
    command = [sys.executable, "-m", "bot", "demo", "--folder", str(folder / "demo")]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = await process.stdout.readline()
        assert line, said
        said += line.decode()
    found = dict(re.findall(r"(Phones|Console): +(http://\S+)", said))
    demo = story.Demo(found["Phones"], found["Console"])
    context = await chromium.new_context(viewport={"width": 1440, "height": 1040})
    page = await context.new_page()
    await page.goto(demo.phones)
    sari = story.Phone(page, "telegram")
    wayan, budi = story.Phone(page, "sms"), story.Phone(page, "whatsapp")
    await wayan.say("LAPOR Petugas kelurahan minta uang 500 ribu untuk surat tanah.")
    await wayan.hears("Catat")
    await budi.say("EN")
    await budi.hears("Make a report")
    await budi.say("REPORT")
    await budi.hears("Safe, go on")
    number, code = await story.reports(sari)
    await story.works(await context.new_page(), demo, number)
    await page.bring_to_front()
    await sari.hears("Ada kabar untuk nomor")
    await sari.say(f"BACA {number} {code}")
    await sari.hears("Nomor dan kode cocok")
    await sari.say(story.ANSWER)
    await sari.hears("ditambahkan")
    await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    keep(await page.screenshot(full_page=True), IMAGES / "phones.png")
    await context.close()
    process.send_signal(signal.SIGTERM)
    await process.wait()


async def _around(page: Page, selector: str) -> FloatRect:
    """Return the box of a piece of a page, with air around it."""
    box = await page.locator(selector).first.bounding_box()
    assert box is not None
    air = 24
    return {
        "x": box["x"] - air,
        "y": box["y"] - air,
        "width": box["width"] + 2 * air,
        "height": box["height"] + 2 * air,
    }


def report(here: Scene, story: str, **answers: str) -> Case:
    """Let a report with a story of its own arrive."""
    return here.desk.case(items=(told(here, story),), answers=ANSWERS | answers)


def told(here: Scene, story: str) -> Content:
    """Return a story as the inbox seals it."""
    at = here.desk.clock().isoformat()
    return Content(ItemKind.ANSWER, story, step="Q10", at=at, language=here.language)


async def work(here: Scene) -> None:
    """Let a few days of an office happen, and take the pictures as they come."""
    desk, words = here.desk, here.words
    siti, budi = here.people["siti"], here.people["budi"]
    first, second, third = (
        report(here, story, Q06=code)
        for story, code in zip(
            words.others, ("COR-02", "COR-05", "COR-09"), strict=True
        )
    )
    _verb(desk, officer.take, first.report, by=budi.officer)
    desk.clock.pass_time(days=1, hours=2)
    main = held(
        desk,
        name=words.name,
        items=(told(here, words.story),),
        answers=ANSWERS | {"Q05": "CONF"},
    )
    _verb(desk, officer.take, main.case.report, by=siti.officer)
    await take(here, "siti", "/sign-in/second", "second")
    await take(here, "siti", f"{main.page}/reveals", "ask", whole=True)
    _sends_evidence(here, third)
    files = f"/cases/{third.number}"
    await take(here, "siti", files, "files", only="section[aria-labelledby=files]")
    reveal = asks(desk, main, why=words.why)
    desk.clock.pass_time(minutes=6)
    await take(here, "siti", main.page, "case")
    await take(here, "siti", main.page, "identity", only="[aria-labelledby=identity]")
    await take(here, "wayan", f"/vault/{reveal.hex()}", "vault", whole=True)
    await take(here, "siti", "/people", "people", whole=True)
    await take(here, "siti", "/people/officers/rini", "admit")
    with desk.database.writing() as session:
        for kind in (RequestKind.ERASE, RequestKind.RESTRICT):
            data_requests.ask(
                Work(session, desk.context.office, desk.clock()), second.report, kind
            )
    await take(here, "siti", f"/cases/{second.number}", "request")
    _verb(desk, conflicts.declare, third.report, by=budi.officer)
    desk.clock.pass_time(hours=1)
    await take(here, "siti", "/", "queue")
    await take(here, "lala", "/log", "log", whole=True)


def _sends_evidence(here: Scene, case: Case) -> None:
    """Let a photo, a letter and an archive come; one of them is judged."""
    desk, words = here.desk, here.words
    paper = Image.new("RGB", (900, 600), "#d9cbb0")
    draw = ImageDraw.Draw(paper)
    draw.rectangle((150, 70, 760, 530), fill="#fbf8f0", outline="#c9bda3")
    for line, text in enumerate(words.slip):
        draw.text((190, 120 + 90 * line), text, fill="#33302a", font_size=46)
    photo = put(desk, case, "IMG_0451.jpg", picture("JPEG", paper, exif=_position()))
    letter, archive = io.BytesIO(), io.BytesIO()
    paper.crop((150, 70, 760, 530)).save(letter, "PDF")
    with zipfile.ZipFile(archive, "w") as made:
        for month in range(1, 5):
            made.writestr(f"setoran-2026-{month:02}.xlsx", b"-")
    put(desk, case, words.letter, letter.getvalue())
    put(desk, case, "setoran.zip", archive.getvalue())
    siti = here.people["siti"].officer
    judged = {"file": photo, "label": "KEY", "text": words.judgment}
    _verb(desk, evidence.annotate, case.report, by=siti, **judged)


def _position() -> Image.Exif:
    """Return what a telephone writes into a photo, turned by nobody."""
    told = camera()
    told[ORIENTATION] = 1
    return told


def _verb(desk: Desk, verb, report: bytes, **more) -> None:
    with desk.database.writing() as session:
        verb(Work(session, desk.context.office, desk.clock()), report, **more)


async def main() -> None:
    """Take all pictures in both languages."""
    with tempfile.TemporaryDirectory() as folder:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=ARGUMENTS
            )
            for language in WORDS:
                async with scene(chromium, Path(folder), language) as here:
                    await work(here)
            await phones(chromium, Path(folder))
            await chromium.close()


if __name__ == "__main__":
    asyncio.run(main())
