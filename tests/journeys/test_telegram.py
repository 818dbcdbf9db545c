"""On Telegram, in Indonesian, through every question with buttons; then the answer."""

import io
from pathlib import Path

from PIL import Image
from sqlmodel import select

from storage.models import File
from storage.words import FileState
from tests.journeys.telling import (
    Receipt,
    events,
    is_quiet,
    is_unbroken,
    receipt,
    words,
)
from tests.support.phones import Phone
from tests.support.running import Running

ANSWERS = (
    ("aman untuk menulis", "Aman, lanjut"),
    ("Tidak ada saluran", "Paham, lanjut"),
    ("Tentang data Anda", "Setuju"),
    ("Bagaimana Anda ingin dikenal", "Anonim"),
    ("tentang apa", "Suap/pungli"),
)


def on_disk(town: Running) -> bytes:
    """Return everything that lies in the file store."""
    folder = Path(town.app.settings.files.path)
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def picture() -> bytes:
    """Return a small JPEG that holds metadata."""
    image = Image.new("RGB", (40, 30), "red")
    tags = image.getexif()
    tags[0x010F] = "Kamera rahasia"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=tags)
    return out.getvalue()


async def answers_with_buttons(sari: Phone) -> None:
    """Answer every question, by a button wherever there is one."""
    await sari.start()
    await sari.hears("asisten otomatis")
    await sari.press("Buat laporan")
    for question, label in ANSWERS:
        await sari.hears(question)
        await sari.press(label)
    await sari.hears("Instansi atau kantor mana")
    await sari.say("Dinas Perizinan, Kab. Batanghari, Jambi")
    await sari.hears("Siapa yang Anda laporkan")
    await sari.say("Kepala seksi, namanya Pak Rudi")
    await sari.hears("Setinggi apa")
    await sari.press("Admin/pengawas")
    await sari.hears("Ceritakan apa yang terjadi")
    await sari.say("Saya mengurus izin usaha.")
    await sari.hears("Sudah dicatat")
    await sari.say("Dia minta tiga juta supaya cepat selesai.")
    await sari.say("Kalau tidak, berkas saya ditaruh paling bawah.")
    await sari.press("Selesai")
    await answers_the_rest(sari)


async def answers_the_rest(sari: Phone) -> None:
    """Answer from the place to the review, then send."""
    await sari.hears("Di mana terjadinya")
    await sari.share_location(-1.61, 103.61)
    await sari.hears("Kapan terjadinya")
    await sari.press("Masih berlangsung")
    await sari.hears("Bagaimana caranya")
    await sari.say("Lewat amplop di laci")
    await sari.hears("Kira-kira berapa")
    await sari.say("3 juta")
    await sari.hears("Punya bukti")
    await sari.attach(("amplop.jpg", "image/jpeg", picture()))
    await sari.hears("sudah dicatat")
    await sari.press("Selesai")
    await sari.hears("Bagaimana Anda mengetahuinya")
    await sari.press("Lihat sendiri")
    await sari.hears("dilaporkan ke tempat lain")
    await sari.press("Belum pernah")
    await sari.hears("khawatir ada balasan")
    await sari.press("Khawatir")
    await sari.hears("Mau diberi tahu")
    await sari.press("Kabar netral")
    await sari.hears("8 dari 8", "isi disembunyikan")
    await sari.press("Kirim")


async def answers_the_question(town: Running, sari: Phone, paper: Receipt) -> None:
    """Hear of a question, read it with number and code, and answer it."""
    case = town.only_case()
    await town.ask(case, "Pukul berapa biasanya ia menerima uang?")
    notice = await sari.hears("Ada kabar", paper.number)
    assert "Pukul" not in notice
    await sari.say(f"BACA {paper}")
    await sari.hears("Pukul berapa biasanya ia menerima uang?")
    await sari.hears("Nomor dan kode cocok")
    await sari.press("Jawab")
    await sari.hears("Tulis jawaban")
    await sari.say("Selalu setelah makan siang.")
    await sari.hears("Sudah ditambahkan")
    await sari.press("Selesai")
    await sari.hears("semuanya sudah kami terima")


async def test_from_the_first_question_to_the_answer(town: Running) -> None:
    sari, officer = town.phone("telegram"), town.phone("officer")
    await town.link_officer()

    await answers_with_buttons(sari)
    paper = await receipt(sari)

    alert = await officer.gets("New case", paper.number)
    for told in ("Rudi", "izin", "amplop", "Jambi"):
        assert told not in alert["text"]
    case = town.only_case()
    assert (case.category, case.number) == ("COR", paper.number)
    assert [text for text in words(town, case) if text][:7] == [
        "Dinas Perizinan, Kab. Batanghari, Jambi",
        "Kepala seksi, namanya Pak Rudi",
        "Saya mengurus izin usaha.",
        "Dia minta tiga juta supaya cepat selesai.",
        "Kalau tidak, berkas saya ditaruh paling bawah.",
        "-1.610000,103.610000",
        "Lewat amplop di laci",
    ]

    await officer.press("Take it")
    await officer.hears("You have taken", paper.number)
    assert town.only_case().officer == town.house.supervisor.officer.id

    await answers_the_question(town, sari, paper)

    await officer.hears("The reporter added", paper.number)
    assert words(town, town.only_case())[-1] == "Selalu setelah makan siang."
    await is_quiet(town)
    happened = events(town, case)
    assert happened[0] == "opened"
    assert {"taken", "asked", "read_by_reporter", "item"} < set(happened)
    with town.app.database.reading() as session:
        (file,) = session.exec(select(File)).all()
    assert (file.state, file.report) == (FileState.TAKEN, case.report)
    assert b"Kamera rahasia" not in on_disk(town)
    assert is_unbroken(town, case)


async def test_a_file_of_nearly_twenty_megabytes(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    size = 19_900_000
    video = {"name": "rekaman.mp4", "type": "video/mp4", "size": size}
    story = "LAPOR ini rekamannya, dia minta uang"
    await hamlet.simulator.control("phones/telegram/send", text=story, media=[video])
    await receipt(sari)
    await is_quiet(hamlet)
    with hamlet.app.database.reading() as session:
        (file,) = session.exec(select(File)).all()
    assert file.state == FileState.TAKEN
    assert len(on_disk(hamlet)) > size

    big = {"name": "rekaman.mp4", "type": "video/mp4", "size": 21 << 20}
    await hamlet.simulator.control("phones/telegram/send", text=story, media=[big])
    await sari.hears("paling besar 20 MB")
