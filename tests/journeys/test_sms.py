"""By SMS: one message is a report, and a receipt leads back to it."""

import secrets

from handlers.rules import numbering
from tests.journeys.telling import Receipt, copies, is_quiet, receipt, report, words
from tests.support.running import Running

STORY = "Lurah minta 2 juta untuk tanda tangan surat tanah di kelurahan"


async def test_one_sms_is_a_report(town: Running) -> None:
    budi = town.phone("sms")

    await budi.say(f"LAPOR {STORY}")
    paper = await receipt(budi)

    case = town.only_case()
    assert case.number == paper.number
    assert words(town, case) == [STORY]

    await budi.say(f"STATUS {paper}")
    await budi.hears("Laporan Anda sudah kami terima dengan aman")

    await is_quiet(town)
    assert await copies(town.simulator, town.simulator.settings) == []


async def test_a_wrong_code_costs_time_and_says_nothing_more(hamlet: Running) -> None:
    budi = hamlet.phone("sms")
    paper = await report(budi, STORY)
    stranger = await hamlet.simulator.new_phone("stranger", "sms")

    for _ in range(6):
        await stranger.say(f"STATUS {paper.number} {guess()}")
        await stranger.hears("Nomor atau kode belum cocok")
    unknown = Receipt(numbering.new_case_number(secrets.randbelow), guess())
    await stranger.say(f"STATUS {unknown}")
    await stranger.hears("Nomor atau kode belum cocok")
    await stranger.say(f"STATUS {paper}")
    await stranger.hears("sudah kami terima dengan aman")

    await budi.say(f"STATUS {paper}")
    await budi.hears("sudah kami terima dengan aman")


def guess() -> str:
    """Return a code that could be right."""
    return numbering.new_code(secrets.randbelow)


def typed_badly(paper: Receipt) -> dict[str, str]:
    """Return ways in which a tired person types a receipt."""
    number, code = paper.number, paper.code
    return {
        "lower case": f"status {number.lower()} {code}",
        "no hyphens": f"STATUS {number.replace('-', '')}  {code.replace('-', '')}",
        "O for 0": f"STATUS {number.replace('0', 'O')} {code.replace('0', 'O')}",
        "I for 1": f"cek {number.replace('1', 'I')} {code.replace('1', 'I')}",
        "l for 1": f"cek {number.replace('1', 'l')} {code.replace('1', 'l')}",
        "full of marks": f"Status: nomor {number}, kode {code.replace('-', ' ')}.",
        "on two lines": f"STATUS {number}\n{code}",
    }


async def test_a_receipt_may_be_typed_badly(hamlet: Running) -> None:
    budi = hamlet.phone("sms")
    paper = await report(budi, STORY)
    for way, text in typed_badly(paper).items():
        await budi.say(text)
        said = await budi.hears("sudah kami terima dengan aman")
        assert said, way
