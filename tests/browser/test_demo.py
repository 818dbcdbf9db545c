"""The whole story in a real Chromium: `kentongan demo`, four phones, the console."""

import asyncio
import html
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import (  # type: ignore[import-untyped] # no types there
    Axe,
)
from playwright.async_api import BrowserContext, Page, async_playwright, expect

from tests.support.chromium import ARGUMENTS, CHROMIUM

pytestmark = pytest.mark.browser

NUMBER = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b")
CODE = re.compile(r"\b\d{4}-\d{4}-\d{4}-\d{4}\b")
STORY = "Setiap bulan semua staf diminta setor lima ratus ribu."
QUESTION = "Apakah ada catatan setorannya?"
ANSWER = "Ada, di buku biru di meja bendahara."


ANSWERS = (
    ("Laporan ini tentang apa", "1"),
    ("Instansi", "Dinas Perizinan, Kota Jambi, Jambi"),
    ("Siapa yang Anda laporkan", "LEWAT"),
    ("Setinggi apa", "2"),
    ("Ceritakan", STORY),
    ("Sudah dicatat", "SELESAI"),
    ("Di mana", "LEWAT"),
    ("Kapan", "LEWAT"),
    ("Bagaimana caranya", "LEWAT"),
    ("Kira-kira berapa nilai", "LEWAT"),
    ("Punya bukti", "LEWAT"),
    ("Bagaimana Anda mengetahuinya", "1"),
    ("tempat lain", "LEWAT"),
    ("khawatir", "2"),
    ("bila ada kabar", "1"),
    ("Kirim sekarang", "KIRIM"),
)
"""What each question holds, and what is typed."""


@dataclass
class Demo:
    """What the demo said: two addresses."""

    phones: str
    console: str


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    command = [sys.executable, "-m", "bot", "demo", "--folder", str(tmp_path / "demo")]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(60):
        while "Ctrl-C" not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    found = dict(re.findall(r"(Phones|Console): +(http://\S+)", said))
    yield Demo(found["Phones"], found["Console"])
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.wait(), 30)


@pytest.fixture
async def context(demo: Demo) -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS
        )
        context = await browser.new_context(viewport={"width": 1400, "height": 900})
        strangers: list[str] = []
        context.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((demo.phones, demo.console, "data:"))
                or request.url.startswith(demo.console.removesuffix("/console/"))
                else strangers.append(request.url)
            ),
        )
        context.set_default_timeout(20_000)
        yield context
        await browser.close()
        assert strangers == []


class Phone:
    """One phone of the page, as a person uses it."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        self.lines = page.locator(f"#phone-{name} .line.bot")

    async def say(self, text: str) -> None:
        await self.page.fill(f"#text-{self.name}", text)
        await self.page.press(f"#text-{self.name}", "Enter")

    async def press(self, label: str) -> None:
        keys = self.page.locator(f"#phone-{self.name}").get_by_role(
            "button", name=label, exact=True
        )
        await keys.last.click()

    async def hears(self, words: str) -> str:
        line = self.lines.filter(has_text=words).last
        await line.wait_for()
        return await line.inner_text()


async def sign_in(page: Page, demo: Demo, name: str) -> None:
    await page.goto(demo.console)
    await page.fill("#login", name)
    await page.fill("#passphrase", f"kentongan demo {name}")
    await page.locator("form.form button").click()
    await page.fill("#code", await code_of(page, demo, name))
    await page.locator("form.form button").first.click()
    await page.get_by_role("heading", name="Antrean").wait_for()


async def code_of(page: Page, demo: Demo, name: str) -> str:
    """Read an officer's code where the demo shows it: beside the phones."""
    answer = await page.request.get(f"{demo.phones}authenticator")
    found = re.search(
        rf"<span>{name}</span> <strong>(.*?)</strong>", await answer.text()
    )
    assert found is not None
    return re.sub(r"\D", "", html.unescape(found[1]))


async def is_accessible(page: Page) -> None:
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    await page.emulate_media(color_scheme="light")


async def reports(sari: Phone) -> tuple[str, str]:
    """Answer every question on the phone; returns number and code."""
    await sari.press("LAPOR")
    for button in ("Aman, lanjut", "Paham, lanjut", "Setuju", "Anonim"):
        await sari.press(button)
    for asked, answer in ANSWERS:
        await sari.hears(asked)
        await sari.say(answer)
    receipt = await sari.hears("keberanian")
    number, code = NUMBER.findall(receipt)[0], CODE.findall(receipt)[0]
    return number, code


async def works(desk: Page, demo: Demo, number: str) -> None:
    """Read the case, take it, change its status, ask a question."""
    await sign_in(desk, demo, "siti")
    await is_accessible(desk)
    await desk.get_by_role("link", name=number).first.click()
    await desk.get_by_text(STORY).wait_for()
    await desk.get_by_role("button", name="Ambil kasus").click()
    await desk.select_option("#to", "VERIFICATION")
    await desk.locator("section[aria-labelledby=step] button").click()
    await desk.locator("section[aria-labelledby=reads] button").click()
    await expect(desk.locator(".case-head .status")).to_contain_text("Verifikasi")
    await desk.fill("#question", QUESTION)
    await desk.locator("form:has(#question) button").click()
    await desk.locator(".letters").get_by_text(QUESTION).wait_for()
    await is_accessible(desk)


async def test_a_report_travels_and_the_answer_travels_back(
    demo: Demo, context: BrowserContext
):
    phones = await context.new_page()
    await phones.goto(demo.phones)
    sari, officer = Phone(phones, "telegram"), Phone(phones, "officer")
    await officer.hears("terhubung")

    number, code = await reports(sari)

    alert = await officer.hears(number)
    assert "orupsi" in alert
    assert STORY not in alert
    await is_accessible(phones)

    desk = await context.new_page()
    await works(desk, demo, number)

    await phones.bring_to_front()
    notice = await sari.hears("Ada kabar untuk nomor")
    assert QUESTION not in notice
    await sari.say(f"BACA {number} {code}")
    await sari.hears(QUESTION)
    await sari.say(ANSWER)
    await sari.hears("ditambahkan")

    await desk.bring_to_front()
    await desk.reload()
    await desk.locator(".letters").get_by_text(ANSWER).wait_for()
    await desk.get_by_role("link", name="Tugas saya").click()
    await desk.get_by_role("link", name=number).first.wait_for()
    await is_accessible(desk)


async def test_the_console_works_without_a_script(demo: Demo, context: BrowserContext):
    phones = await context.new_page()
    await phones.goto(demo.phones)
    wayan = Phone(phones, "sms")
    await wayan.say(f"LAPOR {STORY}")
    number = NUMBER.findall(await wayan.hears("Catat"))[0]

    assert context.browser is not None
    plain = await context.browser.new_context(java_script_enabled=False)
    desk = await plain.new_page()
    await sign_in(desk, demo, "budi")
    await desk.get_by_role("link", name=number).first.click()
    await desk.get_by_text(STORY).wait_for()
    await desk.select_option("#to", "VERIFICATION")
    await desk.locator("section[aria-labelledby=step] button").click()
    await desk.locator("section[aria-labelledby=reads] button").click()
    await expect(desk.locator(".case-head .status")).to_contain_text("Verifikasi")
    await desk.set_viewport_size({"width": 360, "height": 740})
    await desk.reload()
    wide = await desk.locator("body").bounding_box()
    assert wide is not None
    assert wide["width"] <= 360
    await plain.close()
