"""What reporters do with their day: small lives from seeded templates."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.tools.chaos.people import MOST_SILENCES, PUZZLED, Reporter, codes

STORIES = (
    "LAPOR Kepala dinas meminta uang jutaan rupiah untuk izin usaha",
    "LAPOR Lurah minta uang rokok untuk tanda tangan surat tanah",
    "LAPOR Petugas gudang menjual beras bantuan kepada pedagang",
)
CHOICES: Mapping[str, Sequence[str]] = {
    "Q02": ("Aman, lanjut",),
    "Q03": ("Paham, lanjut",),
    "Q04": ("Setuju",),
    "Q05": ("Anonim", "Anonim", "Anonim", "Rahasia"),
    "Q06": ("Suap/pungli", "Pengadaan", "Jual beli jabatan", "Disiplin pegawai"),
    "Q09": ("Tidak tahu", "Fungsional/staf", "Kepala desa"),
    "Q16": ("Lihat sendiri", "Dari dokumen", "Tidak menjawab"),
    "Q17": ("Belum pernah",),
    "Q18": ("Tidak", "Khawatir"),
    "Q21": ("Kabar netral", "Dengan isi", "Tanpa kabar"),
    "Q19": ("Kirim",),
    "Q12": ("Masih berlangsung", "Lewati"),
    "Q14": ("Lewati", "Tidak tahu"),
    "Q29": ("Indonesia",),
}
TEXTS: Mapping[str, str] = {
    "Q05b": "Sebut saja saya Bu Komang lewat pos warung",
    "Q07": "Dinas Perizinan Kabupaten Gianyar di Bali",
    "Q08": "Kepala bidang pelayanan di kantor itu",
    "Q11": "Di ruang tunggu kantor sebelah timur",
    "Q13": "Diminta lewat perantara di warung depan kantor",
}
TOLD = (
    "Setiap warga yang datang diminta uang sebelum berkas dibuka",
    "Yang tidak membayar disuruh pulang dan menunggu berbulan-bulan",
    "Tetangga saya melihat amplop diserahkan di parkiran belakang",
)


@dataclass(frozen=True)
class Plan:
    """What one reporter will do. ``whole`` answers every question, else one message."""

    start: float
    whole: bool
    cancels: bool = False
    album: bool = False
    edits: bool = False
    twice: bool = False
    asks: bool = False
    stops: bool = False


async def live(person: Reporter, plan: Plan) -> None:
    """Live one life; ``ended`` says how far it came."""
    await asyncio.sleep(plan.start)
    person.ended = "reporting"
    if plan.whole:
        sent = await whole(person, plan)
    else:
        sent = await in_one_message(person)
    if not sent:
        return
    if plan.twice:
        person.report += 1
        person.ended = "reporting again"
        if not await in_one_message(person):
            return
    if plan.asks and person.receipts:
        person.ended = "asking"
        if not await asks(person):
            return
    if plan.stops:
        person.ended = "stopping"
        person.stopped = True
        await person.say("STOP" if person.channel == "sms" else "BERHENTI")
        if person.channel != "sms" and not await person.hears("STOPPED"):
            return
    person.ended = "done"


async def in_one_message(person: Reporter) -> bool:
    """Report in one message; its receipt must come."""
    known = len(person.receipts)
    await person.say(person.dice.pick("story", STORIES), "story")
    silences = 0
    while silences < MOST_SILENCES:
        lines = await person.listen(person.patience())
        said = {code for line in lines for code in codes(line)}
        if len(person.receipts) > known or "SENT" in said:
            return await person.gets_receipt(known)
        if not lines or said & PUZZLED:
            silences += 1
            if person.dice.chance("insists", 0.4):
                await person.say(person.dice.pick("story", STORIES), "story")
    return False


async def whole(person: Reporter, plan: Plan) -> bool:
    """Answer every question until the receipt comes, or until it is cancelled."""
    known, open_ = len(person.receipts), ""
    await person.say("LAPOR")
    silences = 0
    while silences < MOST_SILENCES:
        lines = await person.listen(person.patience())
        said = [code for line in lines for code in codes(line)]
        if len(person.receipts) > known or "SENT" in said:
            return await person.gets_receipt(known)
        asked = [code for code in said if code in CHOICES or code in KNOWN]
        if plan.cancels and "Q11" in asked:
            return await cancels(person)
        if asked and asked[-1] != open_:
            open_ = asked[-1]
            await answers(person, plan, open_)
            silences = 0
        elif not lines or (asked and set(said) & PUZZLED):
            silences += 1
            await insists(person, open_)
    person.ended = f"reporting, {open_ or 'nothing'} open"
    return False


KNOWN = frozenset({*TEXTS, "Q10", "Q15", "Q15F", "Q01"})


async def answers(person: Reporter, plan: Plan, code: str) -> None:
    """Answer one question."""
    if code == "Q01":
        await person.say("LAPOR")
    elif code == "Q10":
        await tells(person, plan)
    elif code in {"Q15", "Q15F"}:
        if plan.album and person.channel != "sms":
            count = 3 if person.channel == "telegram" else 1
            await person.attach("Foto amplop di parkiran", "caption", count)
            await asyncio.sleep(0.3)
            await person.say("SELESAI")
        else:
            await person.press("Tidak ada")
    elif code in TEXTS and (code == "Q05b" or person.dice.chance(code, 0.8)):
        purpose = "identity" if code == "Q05b" else "answer"
        await person.say(TEXTS[code], purpose)
    elif code in TEXTS:
        await person.press("Lewati")
    else:
        await person.press(person.dice.pick(code, CHOICES[code]))


async def insists(person: Reporter, code: str) -> None:
    """Try again after silence: the last thing, the open question, or where we are."""
    if code == "Q10" and person.dice.chance("insist", 0.5):
        await person.say(TOLD[0], "told")
        await person.say("SELESAI")
    elif code == "Q19" and person.dice.chance("insist", 0.5):
        await person.say("KIRIM")
    else:
        await person.again()


async def tells(person: Reporter, plan: Plan) -> None:
    """Tell what happened in some messages, one of them mended, then say so."""
    count = 1 + person.dice.below("messages", len(TOLD))
    for text in TOLD[:count]:
        await person.say(text, "told")
        await asyncio.sleep(person.dice.between("typing", 0.0, 0.3))
    if plan.edits and person.channel == "telegram":
        words = f"{TOLD[count - 1]} kemarin {person.mark('edit')}"
        person.said.append(f"<edit> {words}")
        await person.phone.edit(words)
    if plan.album and person.channel == "whatsapp":
        await person.attach("Foto antrean di loket", "caption")
    await person.press("Selesai")


async def cancels(person: Reporter) -> bool:
    """Think better of it."""
    person.cancelled.add(person.report)
    await person.say("BATAL")
    done = bool(await person.hears("X09", "NODRAFT", "LEFT"))
    person.report += 1
    return done


async def asks(person: Reporter) -> bool:
    """Look how it stands, and add something."""
    paper = person.receipts[-1]
    await person.say(f"STATUS {paper}")
    if not await person.hears("OPENED"):
        return False
    await person.say("TAMBAH Sejak kemarin loketnya dijaga orang lain", "addition")
    return bool(await person.hears("ADDED"))
