"""An officer asks; the reporter answers by quoting the notice, without number or code."""

from storage.models import Case
from storage.words import ItemKind, Mark
from tests.journeys.telling import Receipt, is_quiet, is_unbroken, receipt, report
from tests.support.phones import Phone
from tests.support.running import Running

STORY = "kepala seksi minta tiga juta supaya izin cepat selesai"


async def wants_news(person: Phone) -> Receipt:
    """Report in one message and ask for neutral news."""
    paper = await report(person, STORY)
    await person.say(f"KABAR NETRAL {paper}")
    await person.hears("kami akan mengabari")
    return paper


def answers(town: Running, case: Case) -> list[tuple[str, tuple[str, ...]]]:
    """Return what the reporter added, and how it came."""
    kinds = {ItemKind.REPLY, ItemKind.ADDITION, ItemKind.EDIT}
    return [(one.text, one.marks) for one in town.read(case) if one.kind in kinds]


QUOTED = (Mark.QUOTED.value,)


async def test_on_telegram_the_notice_itself_is_answered(town: Running) -> None:
    sari, officer = town.phone("telegram"), town.phone("officer")
    await town.link_officer()
    paper = await wants_news(sari)
    await officer.hears("New case", paper.number)

    await town.ask(town.only_case(), "Pukul berapa biasanya ia menerima uang?")
    notice = await sari.gets("Ada kabar", paper.number)
    await sari.say("LAPOR")
    await sari.hears("aman untuk menulis")
    await sari.quote(notice, "Selalu setelah makan siang.")
    await sari.hears("Sudah ditambahkan", paper.number, "bukan ke laporan")
    await officer.hears("The reporter added", paper.number)

    await sari.edit("Selalu setelah salat Jumat.")
    await sari.hears("sudah dicatat")
    await sari.say("1")
    await sari.hears("Tidak ada saluran")
    case = town.only_case()
    assert answers(town, case) == [
        ("Selalu setelah makan siang.", QUOTED),
        ("Selalu setelah salat Jumat.", QUOTED),
    ]
    await is_quiet(town)
    assert is_unbroken(town, case)


async def test_on_whatsapp_too(town: Running) -> None:
    ayu = town.phone("whatsapp")
    paper = await wants_news(ayu)

    await town.ask(town.only_case(), "Pukul berapa biasanya ia menerima uang?")
    notice = await ayu.gets("Ada kabar", paper.number)
    await is_quiet(town)
    await ayu.quote(notice, "Selalu setelah makan siang.")
    await ayu.hears("Sudah ditambahkan", paper.number)
    await ayu.quote(notice, "BERHENTI")
    await ayu.hears("hentikan")

    case = town.only_case()
    assert answers(town, case) == [("Selalu setelah makan siang.", QUOTED)]
    await ayu.quote(notice, "Satu hal lagi yang saya ingat sekarang ini")
    await ayu.hears("LAPOR")
    assert len(answers(town, case)) == 1


async def test_forwarded_words_and_a_place_that_moves(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    for words in ("LAPOR", "1", "1", "1", "1", "1"):
        await sari.say(words)
    await sari.hears("Instansi atau kantor mana")
    await sari.forward("Batal")
    await sari.hears("sudah dicatat")
    await sari.say("Dinas Perizinan")
    await sari.hears("Siapa yang Anda laporkan")
    await sari.share_location(-6.2, 106.8, live=900)
    await sari.hears("sudah dicatat")
    for step in range(1, 20):
        await sari.move(-6.2 - step / 1000, 106.8)
    await sari.move(-6.5, 106.9, ended=True)
    await sari.hears_nothing()
    for words in ("LEWAT", "7", STORY, "KIRIM"):
        await sari.say(words)
    await receipt(sari)
    kept = [
        (one.step, one.text, one.kind, one.marks)
        for one in hamlet.read(hamlet.only_case())
        if one.step in {"Q07", "Q15"}
    ]
    assert kept == [
        ("Q15", "Batal", ItemKind.ANSWER, (Mark.FORWARDED.value,)),
        ("Q07", "Dinas Perizinan", ItemKind.ANSWER, ()),
        ("Q15", "-6.200000,106.800000", ItemKind.ANSWER, ()),
        ("Q15", "-6.500000,106.900000", ItemKind.EDIT, ()),
    ]
