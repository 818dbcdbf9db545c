"""A reporter leaves a name and a letter; two people open them; the reporter hears of it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlmodel import select

from bot.console.visit import COOKIE
from storage.models import File, Item
from storage.people import sessions, telegram_links
from storage.words import FileState, Stage
from tests.journeys.telling import report, until
from tests.support.browsers import Browser, Page
from tests.support.founded import Person
from tests.support.running import Running

STORY = "Kepala dinas mengancam saya karena menolak setoran"
NUMBER, NAME = "+6281234567890", "Wati"
LETTER = b"%PDF-1.7 a letter that names its author\n%%EOF"
WHY = "She was threatened; the police need to reach her tonight."


class Desks:
    """Browsers on the running server, by real HTTP."""

    def __init__(self, town: Running) -> None:
        self.town = town
        self.clients: list[httpx.AsyncClient] = []

    async def sits(self, who: Person) -> Browser:
        """Sign somebody in."""
        app, now = self.town.app, self.town.clock()
        cookie = await app.writer.run(
            sessions.begin,
            app.office.keys,
            who.officer,
            who.secret,
            stage=Stage.FULL,
            now=now,
        )
        client = httpx.AsyncClient(
            base_url=self.town.url, headers={"cookie": f"{COOKIE}={cookie}"}
        )
        self.clients.append(client)
        return Browser(client, cookie)


@pytest.fixture
async def desks(town: Running) -> AsyncIterator[Desks]:
    made = Desks(town)
    yield made
    for client in made.clients:
        await client.aclose()


async def test_two_people_open_what_a_reporter_left(
    town: Running, desks: Desks
) -> None:
    wati, guard = town.phone("telegram"), town.phone("officer")
    await links_custodian(town)
    paper = await report(wati, STORY)
    await wati.say(f"STATUS {paper}")
    await wati.hears("Nomor dan kode cocok")
    await wati.share_contact(NUMBER, NAME, own=True)
    await wati.attach(("surat.pdf", "application/pdf", LETTER))
    await until(lambda: len(identities(town)) == 1, "the contact is sealed")
    await until(lambda: taken(town) is not None, "the letter is taken")

    officer = await desks.sits(town.house.supervisor)
    custodian = await desks.sits(town.house.custodian)
    page = await officer.see(f"/cases/{paper.number}")
    assert NUMBER not in page.text
    asked = await officer.do(
        f"/cases/{paper.number}/reveals", reason="PROTECT", justification=WHY
    )
    assert "waits for a custodian" in asked.text
    alert = await guard.gets("request waits for a custodian", paper.number)
    assert "identity" not in alert["text"].lower()

    vault = await custodian.see("/vault")
    assert paper.number in vault.text
    (request,) = {link for link in vault.links if "/vault/" in link}
    request = request.removeprefix("/console")
    page = await custodian.see(request)
    assert WHY in page.text
    page = await custodian.do(f"{request}/grant", tell="TELL")
    assert "the reporter is told" in page.text
    assert NUMBER not in page.text

    place = f"/cases/{paper.number}/reveals/{request.rpartition('/')[2]}"
    shown = Page(await officer.send(f"{place}/open"))
    assert NUMBER in shown.text
    await wati.say(f"STATUS {paper}")
    heard = await wati.hears("Dua petugas berwenang")
    assert "perlindungan dari ancaman atau pembalasan" in heard
    await officer.do(f"{place}/end")
    assert (await officer.get(place)).status_code == 404

    file = taken(town)
    assert file is not None
    await officer.do(
        f"/cases/{paper.number}/reveals",
        reason="CHAIN",
        justification=WHY,
        file=file.id.hex(),
    )
    vault = await custodian.see("/vault")
    (request,) = {link for link in vault.links if "/vault/" in link}
    request = request.removeprefix("/console")
    await custodian.do(f"{request}/grant", tell="TELL")
    place = f"/cases/{paper.number}/reveals/{request.rpartition('/')[2]}"
    sent = await officer.send(f"{place}/open")
    assert sent.content == LETTER
    assert "surat" not in sent.headers["content-disposition"]


async def links_custodian(town: Running) -> None:
    """Link the custodian's own Telegram."""
    token = await town.app.writer.run(
        telegram_links.issue,
        town.app.office.keys,
        town.house.custodian.officer.id,
        now=town.clock(),
    )
    phone = town.phone("officer")
    await phone.start(token)
    await phone.hears("linked")


def identities(town: Running) -> list[Item]:
    with town.app.database.reading() as session:
        return list(session.exec(select(Item).where(Item.audience == "identity")))


def taken(town: Running) -> File | None:
    with town.app.database.reading() as session:
        found = session.exec(select(File).where(File.state == FileState.TAKEN.value))
        return found.first()
