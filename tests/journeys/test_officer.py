"""The officer's own Telegram: linked once, told of duties, and nothing but duties."""

from tests.journeys.telling import report
from tests.support.running import Running

STORY = "Juru bayar memotong honor kader posyandu"


async def test_a_case_is_opened_and_taken_from_the_phone(hamlet: Running) -> None:
    officer, sari = hamlet.phone("officer"), hamlet.phone("telegram")
    await hamlet.link_officer()
    paper = await report(sari, STORY)
    alert = await officer.gets("New case", paper.number)
    assert STORY not in alert["text"]

    await officer.press("Open")
    await officer.hears(f"/console/cases/{paper.number}")
    await officer.press("Take it", message_id=alert["message_id"])
    await officer.hears("You have taken")
    await officer.press("Take it", message_id=alert["message_id"])
    await officer.hears("You have taken")
    assert hamlet.only_case().officer == hamlet.house.supervisor.officer.id


async def test_an_officer_may_report_like_anybody(hamlet: Running) -> None:
    officer = hamlet.phone("officer")
    await hamlet.link_officer()
    await report(officer, STORY)
    assert len(hamlet.cases()) == 1


async def test_a_link_works_once_and_only_a_real_one(hamlet: Running) -> None:
    sari = hamlet.phone("telegram")
    await sari.start("a-token-that-nobody-issued-0123456789")
    await sari.hears("asisten otomatis")
    await hamlet.link_officer()
    (first,) = [
        line["text"]
        for line in (await hamlet.phone("officer").look())["messages"]
        if line["direction"] == "out"
    ]
    await sari.start(first.removeprefix("/start "))
    await sari.hears("asisten otomatis")
    paper = await report(sari, STORY)
    await hamlet.phone("officer").hears("New case", paper.number)
    assert "New case" not in " ".join(await sari.heard())
