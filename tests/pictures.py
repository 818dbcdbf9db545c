"""Take the pictures of the officers' handbook: ``make pictures``.

Everything in them is invented; the pages are the console's own, in a real Chromium, once
in each language. Writes ``docs/images/<language>/*.png``.
"""

import asyncio
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import (
    BrowserContext,
    FloatRect,
    Page,
    async_playwright,
)

from bot.console.visit import COOKIE
from handlers import cases as verbs
from handlers import conflicts, rights
from storage import (
    sessions,
)
from storage.models import Case
from storage.report_items import Content
from storage.words import ItemKind, RequestKind, Stage
from tests.browsers import ANSWERS, Desk
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.pictured import WORDS, Scene, scene
from tests.revealing import asks, held

IMAGES = Path(__file__).parent.parent / "docs" / "images"
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
    with Image.open(io.BytesIO(taken)) as picture:
        small = picture.convert("RGB").quantize(COLOURS)
    file = IMAGES / here.language / f"{name}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    small.save(file, optimize=True)
    size = file.stat().st_size
    sys.stdout.write(f"{file.relative_to(IMAGES)}: {size} bytes\n")
    if size > MOST_BYTES:
        raise ValueError(file)
    await context.close()


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
    _verb(desk, verbs.take, first.report, by=budi.officer)
    desk.clock.pass_time(days=1, hours=2)
    main = held(
        desk,
        name=words.name,
        items=(told(here, words.story),),
        answers=ANSWERS | {"Q05": "CONF"},
    )
    _verb(desk, verbs.take, main.case.report, by=siti.officer)
    await take(here, "siti", "/sign-in/second", "second")
    await take(here, "siti", f"{main.page}/reveals", "ask", whole=True)
    reveal = asks(desk, main, why=words.why)
    desk.clock.pass_time(minutes=6)
    await take(here, "siti", main.page, "case")
    await take(here, "siti", main.page, "identity", only="[aria-labelledby=identity]")
    await take(here, "wayan", f"/vault/{reveal.hex()}", "vault", whole=True)
    await take(here, "siti", "/people", "people", whole=True)
    await take(here, "siti", "/people/officers/rini", "admit")
    with desk.database.writing() as session:
        for kind in (RequestKind.ERASE, RequestKind.RESTRICT):
            rights.ask(
                session, desk.context.office, second.report, kind, now=desk.clock()
            )
    await take(here, "siti", f"/cases/{second.number}", "request")
    _verb(desk, conflicts.declare, third.report, by=budi.officer)
    desk.clock.pass_time(hours=1)
    await take(here, "siti", "/", "queue")
    await take(here, "lala", "/log", "log", whole=True)


def _verb(desk: Desk, verb, report: bytes, **more) -> None:
    with desk.database.writing() as session:
        verb(session, desk.context.office, report, now=desk.clock(), **more)


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
            await chromium.close()


if __name__ == "__main__":
    asyncio.run(main())
