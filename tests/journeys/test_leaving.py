"""Leaving: withdraw, STOP, block; and the group, where nothing may be told."""

from tests.journeys.telling import events, kept, report, rows, until
from tests.support.running import Running

STORY = "Camat meminta setoran dari tiap kepala desa"


async def subscribed(town: Running, name: str) -> str:
    """Let a person report and ask for news; return the case's number and code."""
    phone = town.phone(name)
    paper = await report(phone, STORY)
    await phone.say(f"KABAR NETRAL {paper}")
    await phone.hears("kami akan mengabari Anda")
    assert kept(town.app.database, "subscriptions") == 1
    return str(paper)


async def test_a_report_is_withdrawn(town: Running) -> None:
    sari, officer = town.phone("telegram"), town.phone("officer")
    await town.link_officer()
    paper = await subscribed(town, "telegram")
    await officer.hears("New case")

    await sari.say(f"TARIK {paper}")
    await sari.hears("Yakin?")
    await sari.press("Tidak jadi")
    await sari.hears("tidak ada yang diubah")
    assert town.only_case().status == "RECEIVED"

    await sari.say("TARIK")
    await sari.hears("TARIK nomor kode")
    await sari.say(f"TARIK {paper}")
    await sari.hears("Yakin?")
    await sari.press("Ya, tarik")
    await sari.hears("Penarikan sudah dicatat")

    case = town.only_case() if town.cases() else None
    await officer.hears("withdrew")
    assert kept(town.app.database, "subscriptions") == 0
    await sari.say(f"STATUS {paper}")
    await sari.hears("Laporan ditarik")
    assert case is None or case.reporter_withdrawn


async def test_stop_ends_news_and_the_draft(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    await subscribed(hamlet, "telegram")
    case = hamlet.only_case()
    await sari.say("LAPOR")
    await sari.hears("aman untuk menulis")
    await sari.say("STOP")
    await sari.hears("Kabar kami hentikan")
    assert kept(hamlet.app.database, "subscriptions") == 0
    assert kept(hamlet.app.database, "conversations") == 0

    await hamlet.ask(case, "Siapa saksi lain?")
    await sari.hears_nothing()


async def test_who_blocks_the_bot_is_forgotten(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    await subscribed(hamlet, "telegram")
    await sari.block()
    await until(
        lambda: not kept(hamlet.app.database, "subscriptions"), "the wish is gone"
    )
    assert "unreachable" not in events(hamlet, hamlet.only_case())


async def test_a_group_gets_one_line_and_nothing_is_kept(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    await sari.start()
    await sari.hears("asisten otomatis")
    onlooker = await hamlet.simulator.new_phone("onlooker", "telegram")
    await onlooker.start()
    await onlooker.hears("asisten otomatis")
    before = rows(hamlet.app.database)
    await sari.say_in_group("/lapor Camat minta setoran dari desa")
    circle = hamlet.phone("group")
    await circle.hears("hanya untuk percakapan pribadi")
    await sari.say_in_group("/lapor sekali lagi ceritanya begini")
    await circle.hears_nothing()
    await onlooker.say("/start")
    await onlooker.hears("asisten otomatis")

    after = rows(hamlet.app.database)
    gone = {"inbox", "outbox", "counters"}
    assert {k: v for k, v in after.items() if k not in gone} == {
        k: v for k, v in before.items() if k not in gone
    }
