"""The files of a case: seen, heard, leafed through, and sent in parts."""

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image

from bot.console.texts import ConsoleTexts
from bot.console.words import Words
from bot.evidence import converter
from storage.crypto.server_key import ServerKeys
from tests.bot.evidence.sandbox.papers import scanned
from tests.bot.evidence.sandbox.test_pictures import MARK, camera, picture
from tests.support.browsers import Browser, Desk, make_office
from tests.support.files import put
from tests.support.hostile import FILES, jpeg, pdf, tiff_of_pages
from tests.support.places import ROOT

WORDS = "Camat minta uang. " * 9000


@pytest.fixture
def officer(desk: Desk) -> Browser:
    return desk.signed_in(desk.house.supervisor)


async def test_a_photo_is_shown_by_its_preview_and_says_what_was_left_out(
    desk: Desk, officer: Browser
):
    case = desk.case()
    name = put(desk, case, "IMG_1.jpg", picture("JPEG", exif=camera()))
    place = f"/cases/{case.number}/files/{name}"
    page = await officer.see(f"/cases/{case.number}")
    assert "The original tells a position; this copy does not." in page.text
    assert "The original tells the device; this copy does not." in page.text
    assert re.search(r"IMG_1.jpg\s+JPG\s+[1-9][0-9.]* kB · Kept", page.text)
    small = await officer.get(f"{place}/preview")
    assert small.headers["content-type"] == "image/jpeg"
    assert small.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert Image.open(io.BytesIO(small.content)).size == (200, 320)
    whole = await officer.get(place)
    assert MARK not in whole.content
    assert whole.headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize(
    ("count", "language", "said"),
    [
        (1, "en", "0 kB"),
        (999_949, "en", "999.9 kB"),
        (1_000_000, "en", "1 MB"),
        (1_260_000, "id", "1,3 MB"),
        (2_000_000_000, "en", "2,000 MB"),
    ],
)
def test_a_size_is_said_in_the_officers_language(count: int, language: str, said: str):
    office = make_office(ServerKeys.new())
    assert Words(office, ConsoleTexts(), language).size(count) == said


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=65530-131079", 206, 65530, 131080),
        ("bytes=100000-", 206, 100000, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=0-99999999", 206, 0, None),
        ("bytes=5-4", 416, 0, 0),
        ("bytes=99999999-", 416, 0, 0),
        ("bytes=-", 200, 0, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("pages=1", 200, 0, None),
    ],
)
async def test_a_part_is_sent_when_a_part_is_asked_for(
    desk: Desk, officer: Browser, asked: str, status: int, start: int, stop: int | None
):
    case, body = desk.case(), WORDS.encode()
    name = put(desk, case, "isi.txt", body)
    sent = await officer.get(
        f"/cases/{case.number}/files/{name}", headers={"range": asked}
    )
    assert sent.status_code == status
    assert sent.content == body[start:stop]
    assert sent.headers["accept-ranges"] == "bytes"
    if status == 206:
        first = len(body) + start if start < 0 else start
        last = first + len(sent.content) - 1
        assert sent.headers["content-range"] == f"bytes {first}-{last}/{len(body)}"
    if status == 416:
        assert sent.headers["content-range"] == f"bytes */{len(body)}"


async def test_pages_of_a_pdf_are_pictures(desk: Desk, officer: Browser):
    case = desk.case()
    name = put(desk, case, "surat.pdf", pdf(scanned))
    place = f"/cases/{case.number}/files/{name}"
    page = await officer.see(f"/cases/{case.number}")
    assert "pages: 1" in page.text
    drawn = await officer.get(f"{place}/pages/1")
    assert Image.open(io.BytesIO(drawn.content)).width == 1400
    for number in ("0", "2", "-1", "x"):
        assert (await officer.get(f"{place}/pages/{number}")).status_code == 404


async def test_a_paper_that_was_not_drawn_to_its_end_says_so(
    desk: Desk, officer: Browser, monkeypatch: pytest.MonkeyPatch
):
    def told(*_: object, copy: Callable[[bytes], object], **__: object):
        copy(b"isi")
        return {"pages": "9", "drawn": "4", "hidden": ""}

    monkeypatch.setattr(converter, "clean", told)
    case = desk.case()
    put(desk, case, "surat.pdf", pdf())
    page = await officer.see(f"/cases/{case.number}")
    assert "The working copy holds the first 4 of 9 pages" in page.text
    raw = await officer.get(f"/cases/{case.number}")
    assert raw.text.count("/pages/") == 4


@pytest.mark.parametrize(
    ("name", "data", "shown"),
    [
        ("foto\u202egpj.exe", jpeg(), "foto[U+202E]gpj.exe JPG"),
        ("su\u200brat.pdf", b"\x7fELF\0", "su[U+200B]rat.pdf unknown kind"),
        ("surat.pdf", b"From: a@b\nSubject: x\n\n", "surat.pdf EML"),
    ],
)
async def test_a_name_shows_what_turns_it_and_what_the_file_is(
    desk: Desk, officer: Browser, name: str, data: bytes, shown: str
):
    case = desk.case()
    put(desk, case, name, data)
    page = await officer.see(f"/cases/{case.number}")
    assert shown in " ".join(page.text.split())
    raw = (await officer.get(f"/cases/{case.number}")).text
    assert not {"\u202e", "\u200b"} & set(raw)


async def test_that_a_file_holds_more_pictures_is_said(desk: Desk, officer: Browser):
    case = desk.case()
    put(desk, case, "faks.tif", tiff_of_pages(3))
    page = await officer.see(f"/cases/{case.number}")
    assert "the working copy is the first of them" in page.text


async def test_an_archive_is_listed_and_nothing_is_sent(desk: Desk, officer: Browser):
    case = desk.case()
    name = put(desk, case, "bukti.zip", FILES["a zip with names that turn"].make())
    page = await officer.see(f"/cases/{case.number}")
    assert "An archive: listed, never unpacked." in page.text
    assert "foto[U+202E]gnp.exe" in page.text
    for which in ("", "/preview", "/pages/1"):
        sent = await officer.get(f"/cases/{case.number}/files/{name}{which}")
        assert sent.status_code == 404


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        ("a program", "Of no kind that is shown here."),
        ("a mailbox", "An e-mail: in lines"),
        ("a PDF with a password", "Locked with a password."),
        ("a picture of 65535 x 65535 in PNG", "Too large to be opened safely."),
        ("a picture cut off", "The file is broken"),
    ],
)
async def test_why_a_file_is_not_shown_is_said(
    desk: Desk, officer: Browser, hostile: str, words: str
):
    case = desk.case()
    put(desk, case, "../../etc/<b>passwd", FILES[hostile].make())
    page = await officer.see(f"/cases/{case.number}")
    assert words in page.text
    assert "../../etc/<b>passwd" in page.text
    raw = await officer.get(f"/cases/{case.number}")
    assert "<b>passwd" not in raw.text


async def test_a_preview_is_for_whoever_may_read_the_case(desk: Desk, officer: Browser):
    case, other = desk.case(), desk.case()
    name = put(desk, other, "a.png", picture("PNG"))
    assert (
        await officer.get(f"/cases/{case.number}/files/{name}/preview")
    ).status_code == 404
    outsider = desk.signed_in(desk.house.custodian)
    for which in ("preview", "pages/1"):
        place = f"/cases/{other.number}/files/{name}/{which}"
        assert (await outsider.get(place)).status_code == 404


async def test_a_page_that_must_wait_too_long_is_said(
    desk: Desk, officer: Browser, monkeypatch: pytest.MonkeyPatch
):
    def busy(*_, **__):
        raise converter.Busy

    case = desk.case()
    name = put(desk, case, "surat.pdf", pdf(scanned))
    monkeypatch.setattr(converter, "page", busy)
    page = await officer.get(f"/cases/{case.number}/files/{name}/pages/1")
    assert page.status_code == 503
    assert page.headers["retry-after"] == "5"
    assert "cannot be shown just now" in page.text


def test_no_page_writes_a_files_name_as_it_came():
    pages = (ROOT / "bot/console/templates").rglob("*.html")
    named = re.compile(r"\{[{%][^}%]*(?:\[\"name\"\]|get\(\"name\")[^}%]*[}%]\}")
    told = [found[0] for page in pages for found in named.finditer(page.read_text())]
    told = [one for one in told if not one.startswith("{% if")]
    assert len(told) == 3
    assert all("|named" in one for one in told)
