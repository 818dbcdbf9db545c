"""Files sent on Telegram: kept whole, shown without what betrays, or refused with a way on."""

import io
from collections.abc import Iterator
from datetime import timedelta

import pikepdf
import pytest
from PIL import Image
from sqlmodel import select

from storage.models import Job
from storage.words import FileState, JobKind
from tests.bot.evidence.sandbox.papers import WORDS, everything, scanned, signed
from tests.bot.evidence.sandbox.test_pictures import MARK, camera, is_bare, picture
from tests.conftest import ON_SQLITE
from tests.journeys.gallery import PREVIEW, adds, officer, on_disk, sent, states
from tests.journeys.telling import Receipt, is_quiet, report, told, until
from tests.support.hashing import hashed_quickly
from tests.support.hostile import pdf
from tests.support.phones import Phone
from tests.support.running import Running

STORY = "Bendahara memotong honor setiap kader dan menyimpannya sendiri"
COLOURS = ("red", "green", "blue")
CAPTION = "Tiga halaman buku setoran"


@pytest.fixture(autouse=True, scope="module")
def hashing() -> Iterator[None]:
    """Let codes be looked up quickly: here it is files that take their time."""
    with hashed_quickly():
        yield


async def asks(phone: Phone, paper: Receipt) -> str:
    """Ask how it stands; return what is said of the files."""
    await phone.say(f"STATUS {paper}")
    return await phone.hears("Berkas Anda")


async def test_an_album_stays_together_and_tells_no_place(town: Running) -> None:
    sari = town.phone("telegram")
    paper = await report(sari, STORY)
    await adds(sari, paper, "TAMBAH", "Silakan kirim tambahan")
    photos = [
        picture("JPEG", Image.new("RGB", (320, 200), colour), exif=camera())
        for colour in COLOURS
    ]
    pages = [(f"IMG_{n}.jpg", "image/jpeg", photo) for n, photo in enumerate(photos)]
    await sari.attach(*pages, text=CAPTION, kind="document")
    await sari.hears("sudah dicatat")
    await sari.say("SELESAI")
    await is_quiet(town)
    assert "3 tersimpan, 0 sedang diambil, 0 tidak bisa" in await asks(sari, paper)
    assert sum("sudah dicatat" in said for said in await sari.heard()) == 1

    case = town.only_case()
    album = [one for one in told(town, case) if one.file]
    assert [one.text for one in album] == [CAPTION, "", ""]
    assert {one.step for one in album} == {album[0].step}
    assert sorted(sent(town)) == sorted(photos)
    assert MARK not in on_disk(town)

    async with officer(town) as boss:
        page = await boss.see(f"/cases/{paper.number}")
        assert CAPTION in page.text
        for what in ("a position", "the device"):
            said = f"The original tells {what}; this copy does not."
            assert page.text.count(said) == len(photos)
        shown = PREVIEW.findall((await boss.get(f"/cases/{paper.number}")).text)
        assert [place.rpartition("/")[2] for place in shown] == [
            one.file for one in album
        ]
        for place, colour in zip(shown, COLOURS, strict=True):
            for size in ("", "/preview"):
                copy = is_bare((await boss.get(f"{place}{size}")).content)
                assert copy.size == (200, 320), "turned upright"
                assert _is(copy, colour)


def _is(shown: Image.Image, colour: str) -> bool:
    """Tell whether a picture has about this colour."""
    wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
    found = shown.convert("RGB").getpixel((9, 9))
    assert isinstance(wanted, tuple)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 30 for a, b in zip(wanted, found, strict=True))


def letter(made: pikepdf.Pdf) -> None:
    """Write two pages with an author, notes, a photo's place, and a program."""
    scanned(made)
    made.add_blank_page()
    signed(made)
    made.Root.OpenAction = pikepdf.Dictionary(
        S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert('halo')")
    )


async def test_a_pdf_is_read_as_pictures(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    paper = await report(sari, STORY)
    await adds(sari, paper, "TAMBAH", "Silakan kirim tambahan")
    original = pdf(letter)
    for word in (b"JavaScript", WORDS.encode(), MARK):
        assert word in everything(original)
    await sari.attach(("surat.pdf", "application/pdf", original))
    await sari.hears("sudah dicatat")
    await is_quiet(hamlet)

    assert sent(hamlet) == [original]
    async with officer(hamlet) as boss:
        page = await boss.see(f"/cases/{paper.number}")
        assert "surat.pdf" in page.text
        assert "pages: 2" in page.text
        assert "The original tells authors or earlier wordings" in page.text
        assert "The original holds a program; this copy does not." in page.text
        (place,) = PREVIEW.findall((await boss.get(f"/cases/{paper.number}")).text)
        drawn = [await boss.get(f"{place}/pages/{n}") for n in (1, 2)]
        first, second = (Image.open(io.BytesIO(one.content)) for one in drawn)
        assert (first.format, first.width) == ("JPEG", 1400)
        assert first.convert("L").getpixel((20, 20)) != 255, "the photo of page one"
        assert second.convert("L").getextrema() == (255, 255), "an empty page"
        assert (await boss.get(f"{place}/pages/3")).status_code == 404
        copy = await boss.get(place)
        assert copy.headers["content-type"] == "application/pdf"
        bare = everything(copy.content)
        for word in (b"JavaScript", b"app.alert", WORDS.encode(), MARK):
            assert word not in bare


@ON_SQLITE
async def test_a_film_that_is_too_large_is_told_shown_and_led_on(
    town: Running,
) -> None:
    """Telegram gives no bot more than 20 MiB, so there is nothing to fetch."""
    sari = town.phone("telegram")
    paper = await report(sari, STORY)
    await adds(sari, paper, "TAMBAH", "Silakan kirim tambahan")
    film = {"name": "rekaman.mp4", "type": "video/mp4", "size": (20 << 20) + 1}
    await town.simulator.control("phones/telegram/send", media=[film])
    said = await sari.hears("paling besar 20 MB")
    assert "Cara lain" in said
    assert town.url in said, "where else it may go"
    await sari.say("SELESAI")
    assert "0 tersimpan, 0 sedang diambil, 1 tidak bisa" in await asks(sari, paper)
    assert not any("sudah dicatat" in one for one in await sari.heard())

    assert states(town) == [FileState.REFUSED]
    assert await town.simulator.requests("telegram", "getFile") == []
    async with officer(town) as boss:
        page = await boss.see(f"/cases/{paper.number}")
        assert "rekaman.mp4 Refused" in page.text
        assert "Ask for the original" not in page.text


async def was_tried(town: Running, times: int) -> None:
    """Wait until the only file was tried so often, and nobody tries it now."""

    def is_so() -> bool:
        with town.app.database.reading() as session:
            job = session.exec(select(Job).where(Job.kind == JobKind.FETCH.value)).one()
        return job.lease_token is None and job.attempts == times

    await until(is_so, "the file was tried")


@ON_SQLITE
async def test_a_file_comes_though_its_provider_failed_twice(town: Running) -> None:
    sari = town.phone("telegram")
    paper = await report(sari, STORY)
    await adds(sari, paper, "TAMBAH", "Silakan kirim tambahan")
    await town.simulator.fault("telegram", "reset", "file")
    await town.simulator.fault("telegram", "500", "file")
    photo = picture("JPEG", exif=camera())
    await sari.attach(("amplop.jpg", "image/jpeg", photo))
    await sari.hears("sudah dicatat")
    for attempt, pause in ((1, 10), (2, 20)):
        await was_tried(town, attempt)
        assert states(town) == [FileState.WAITING]
        assert "0 tersimpan, 1 sedang diambil, 0 tidak bisa" in await asks(sari, paper)
        async with officer(town) as boss:
            page = await boss.see(f"/cases/{paper.number}")
            assert "File 1 Being fetched" in page.text
        town.clock.shift += timedelta(seconds=pause)
        town.app.notify()
    await is_quiet(town)
    assert "1 tersimpan, 0 sedang diambil, 0 tidak bisa" in await asks(sari, paper)
    assert sent(town) == [photo]
    heard = "\n".join(await sari.heard())
    assert "tidak bisa diterima" not in heard
    assert "belum bisa" not in heard
