import re

from sqlmodel import select

from storage import audit, links
from storage.models import LinkToken
from storage.models import Session as Row
from storage.words import Channel
from tests.browsers import Desk, Page


async def test_the_language_is_remembered(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    page = await browser.do("/account/language", language="id")
    assert "Bahasa tersimpan." in page.text
    assert "Antrean" in (await browser.see("/")).text
    await browser.do("/account/language", language="xx")
    assert "Antrean" in (await browser.see("/")).text
    page = await browser.do("/account/language", language="en")
    assert "The language is saved." in page.text


async def test_a_link_to_telegram_works_once(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    response = await browser.send("/account/link")
    assert response.status_code == 200
    page = Page(response)
    (address,) = [link for link in page.links if link.startswith("https://t.me/")]
    token = address.removeprefix("https://t.me/contoh_bot?start=")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert "<svg" in response.text
    assert "style=" not in response.text
    assert token not in str(response.url)
    with desk.database.writing() as session:
        found = links.redeem(
            session, desk.keys, token, Channel.TELEGRAM, "77", now=desk.clock()
        )
    assert found == desk.house.supervisor.officer.id
    page = await browser.see("/account")
    assert "Your Telegram is linked." in page.text
    page = await browser.do("/account/unlink")
    assert "gets no more alerts" in page.text
    assert "Your Telegram is not linked." in page.text
    with desk.database.reading() as session:
        codes = [line.code for line in audit.lines(session)]
    assert codes == ["unlinked", "link_made"]


async def test_without_a_bot_there_is_no_link(desk: Desk):
    desk.bot = ""
    browser = desk.signed_in(desk.house.supervisor)
    response = await browser.send("/account/link")
    assert response.status_code == 409
    assert "not set up or not reachable yet" in Page(response).text
    with desk.database.reading() as session:
        assert session.exec(select(LinkToken)).all() == []


async def test_signing_out_everywhere_ends_every_session(desk: Desk):
    first = desk.signed_in(desk.house.supervisor)
    second = desk.signed_in(desk.house.supervisor)
    other = desk.signed_in(desk.house.custodian)
    response = await first.send("/account/sessions")
    assert response.headers["location"] == "/console/sign-in"
    assert (await second.get("/")).status_code == 303
    assert (await other.get("/account")).status_code == 200
    with desk.database.reading() as session:
        assert len(session.exec(select(Row)).all()) == 1
