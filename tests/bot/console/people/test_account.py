import re

import pytest
from sqlmodel import select

from bot.console.signing.sign_in import label_of
from bot.console.visit import COOKIE
from storage.audit import log
from storage.crypto.sealing import NotAuthentic
from storage.models import LinkToken, Officer
from storage.models import Session as Row
from storage.people import cookies, officers, recovery_codes, sessions, telegram_links
from storage.people.passphrases import Wrapped
from storage.words import Channel, Role, Stage
from tests.support import authenticator
from tests.support.browsers import HOST, Browser, Desk, Page, half_way

OLD, NEW = "a phrase of sixteen", "another phrase of more"


async def test_the_language_is_remembered(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    page = await browser.do("/account/language", language="id")
    assert "Bahasa tersimpan." in page.text
    assert "Antrean" in (await browser.see("/")).text
    await browser.do("/account/language", language="xx")
    assert "Antrean" in (await browser.see("/")).text
    page = await browser.do("/account/language", language="en")
    assert "The language is saved." in page.text


@pytest.mark.both_stores
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
        found = telegram_links.redeem(
            session, desk.keys, token, Channel.TELEGRAM, "77", now=desk.clock()
        )
    assert found == desk.house.supervisor.officer.id
    page = await browser.see("/account")
    assert "Your Telegram is linked." in page.text
    page = await browser.do("/account/unlink")
    assert "gets no more alerts" in page.text
    assert "Your Telegram is not linked." in page.text
    with desk.database.reading() as session:
        codes = [line.code for line in log.lines(session)]
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


def labelled(desk: Desk, agent: str) -> Browser:
    """Return a signed-in browser that says what it is."""
    who = desk.house.supervisor
    with desk.database.writing() as session:
        cookie = sessions.begin(
            session,
            desk.keys,
            who.officer,
            who.secret,
            stage=Stage.FULL,
            label=label_of(agent),
            now=desk.clock(),
        )
    client = desk.browser()
    client.cookies.set(COOKIE, cookie, domain=HOST)
    return Browser(client, cookie)


@pytest.mark.both_stores
async def test_sessions_are_listed_and_each_can_be_ended(desk: Desk):
    here = labelled(desk, "Mozilla/5.0 (X11; Linux x86_64) Gecko/2010 Firefox/140.0")
    there = labelled(desk, "Mozilla/5.0 (Linux; Android 14) Chrome/140 Mobile Safari/5")
    third = labelled(desk, "curl/8")
    other = desk.signed_in(desk.house.custodian)
    half_way(desk, desk.house.supervisor)
    response = await here.get("/account")
    page = Page(response)
    for words in ("Firefox, Linux This session", "Chrome, Android", "Unknown browser"):
        assert words in page.text
    names = re.findall(r'name="session" value="([0-9a-f]{64})"', response.text)
    assert len(names) == 2
    with desk.database.reading() as session:
        rows = {row.hash.hex(): row for row in session.exec(select(Row))}
    assert not any(b"Firefox" in row.label for row in rows.values())
    theirs = cookies.parse(other.cookie)[1].hex()
    for name in (theirs, "nonsense", ""):
        await here.do("/account/sessions/one", session=name)
    assert (await other.get("/account")).status_code == 200
    gone = cookies.parse(there.cookie)[1].hex()
    assert gone in names
    assert "Ended." in (await here.do("/account/sessions/one", session=gone)).text
    assert (await there.get("/account")).status_code == 303
    assert (await third.get("/account")).status_code == 200
    await here.do("/account/sessions/others")
    assert (await third.get("/account")).status_code == 303
    assert (await here.get("/account")).status_code == 200
    mine = cookies.parse(here.cookie)[1].hex()
    response = await here.send("/account/sessions/one", session=mine)
    assert response.headers["location"] == "/console/sign-in"
    assert (await here.get("/account")).status_code == 303


async def test_new_recovery_codes_replace_the_old(desk: Desk):
    who = desk.house.supervisor
    browser = desk.signed_in(who)
    assert "You have no recovery codes" in (await browser.see("/account")).text
    old = authenticator.codes_on(await browser.send("/account/codes"))
    assert "10 recovery codes are left" in (await browser.see("/account")).text
    new = authenticator.codes_on(await browser.send("/account/codes"))
    assert len(new) == recovery_codes.HOW_MANY
    assert not set(old) & set(new)
    with desk.database.writing() as session:
        args = (session, desk.keys, who.officer.id, who.secret)
        assert not recovery_codes.use(*args, old[0])
        for code in new[:7]:
            assert recovery_codes.use(*args, code)
    assert "Only 3 recovery codes are left" in (await browser.see("/account")).text


@pytest.mark.both_stores
async def test_a_changed_authenticator_ends_the_other_sessions(desk: Desk):
    who = desk.house.supervisor
    with desk.database.writing() as session:
        officer = officers.by_id(session, desk.keys, who.officer.id)
        old = authenticator.enrol(session, desk.keys, officer)
    browser, other = desk.signed_in(who), desk.signed_in(who)
    offered = await browser.get("/account/factor/set-up")
    phone = authenticator.Authenticator(authenticator.seed_on(offered))
    code = phone.code(desk.clock())
    shown = await browser.send("/account/factor/set-up", code=code)
    assert len(authenticator.codes_on(shown)) == recovery_codes.HOW_MANY
    assert (await browser.get("/account")).status_code == 200
    assert (await other.get("/account")).status_code == 303
    half = half_way(desk, who)
    code = old.code(desk.clock())
    assert (await half.send("/sign-in/second", code=code)).status_code == 403
    again = await browser.get("/account/factor/set-up")
    assert authenticator.seed_on(again) != phone.seed


@pytest.mark.both_stores
async def test_a_new_passphrase_wraps_the_same_key(desk: Desk):
    account = officers.prepare_account(
        desk.keys, "wulan", "Wulan", Role.HANDLER, OLD, language="en"
    )
    with desk.database.writing() as session:
        officers.add(session, desk.keys, account)
    client = desk.browser()
    arrived = await authenticator.sign_in(client, "wulan", OLD, None, now=desk.clock())
    browser = Browser(client, client.cookies[COOKIE])
    with desk.database.reading() as session:
        before = officers.verified(session, desk.keys, "wulan")
        secret = officers.unwrap(desk.keys, before, OLD)
    page = await browser.see("/account/passphrase")
    assert "ask for a new account and a new admission" in page.text
    for old, new, again, status in (
        ("not the old one at all", NEW, NEW, 403),
        (OLD, NEW, NEW + "x", 422),
        (OLD, "short", "short", 422),
        (OLD, "x" * 1025, "x" * 1025, 422),
        (OLD, NEW, NEW, 303),
    ):
        response = await browser.send(
            "/account/passphrase", old=old, passphrase=new, again=again
        )
        assert response.status_code == status
    with desk.database.reading() as session:
        after = officers.verified(session, desk.keys, "wulan")
        assert officers.unwrap(desk.keys, after, NEW) == secret
        with pytest.raises(NotAuthentic):
            officers.unwrap(desk.keys, after, OLD)
        codes = [line.code for line in log.lines(session)]
    assert "passphrase_changed" in codes
    with desk.database.writing() as session:
        row = session.get(Officer, after.id)
        assert row is not None
        row.salt, row.secret, row.tag = before.salt, before.secret, before.tag
        session.add(row)
    response = await desk.browser().get("/console/sign-in")
    client = desk.browser()
    door = Page(await client.get("/console/sign-in"))
    form = {**door.fields, "login": "wulan", "passphrase": OLD}
    response = await client.post("/console/sign-in", data=form)
    assert response.status_code == 403, "an old row put back does not count"
    assert arrived.recovery


@pytest.mark.both_stores
async def test_a_wrap_that_was_replaced_meanwhile_stays(desk: Desk):
    wrapped = Wrapped(bytes(16), b"\x01" + bytes(112))
    who = desk.house.supervisor.officer
    with desk.database.writing() as session:
        was = officers.by_id(session, desk.keys, who.id)
        stale = Officer(**was.model_dump())
        stale.secret = b"\x01" + b"x" * 112
        assert not officers.rewrap(session, desk.keys, stale, wrapped)
        assert officers.rewrap(session, desk.keys, was, wrapped)
        session.rollback()
