"""The second factor through the real pages, and everything that tries to go around it."""

import asyncio
from dataclasses import replace

import pytest
from sqlmodel import select

from bot.console.throttle import MOST_HERE
from bot.console.visit import COOKIE, DEVICE
from storage.audit import log
from storage.models import RecoveryCode, SecondFactor
from storage.models import Session as Row
from storage.people import devices, officers, one_time_codes, recovery_codes, sessions
from storage.people.sessions import MOST_TRIES
from storage.words import Role, Stage
from tests.support import authenticator
from tests.support.authenticator import Authenticator
from tests.support.browsers import HOST, Browser, Desk, Page, half_way
from tests.support.founded import Person


def enrolled(desk: Desk, who: Person) -> Authenticator:
    with desk.database.writing() as session:
        officer = officers.by_id(session, desk.keys, who.officer.id)
        return authenticator.enrol(session, desk.keys, officer)


def codes(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        return [line.code for line in reversed(log.lines(session))]


def count(desk: Desk, table: type) -> int:
    with desk.database.reading() as session:
        return len(session.exec(select(table)).all())


async def test_a_code_gives_a_full_session_under_a_new_cookie(desk: Desk):
    phone = enrolled(desk, desk.house.supervisor)
    browser = half_way(desk, desk.house.supervisor)
    assert "Six digits" in (await browser.see("/sign-in/second")).text
    code = phone.code(desk.clock())
    response = await browser.send("/sign-in/second", code=code, next="/mine")
    assert response.headers["location"] == "/console/mine"
    fresh = browser.client.cookies[COOKIE]
    assert fresh != browser.cookie
    assert (await browser.get("/mine")).status_code == 200
    assert codes(desk) == ["signed_in"]
    old = Browser(desk.browser(), browser.cookie)
    old.client.cookies.set(COOKIE, browser.cookie, domain=HOST)
    location = (await old.get("/mine")).headers["location"]
    assert location.startswith("/console/sign-in?")


@pytest.mark.both_stores
async def test_a_code_counts_once(desk: Desk):
    phone = enrolled(desk, desk.house.supervisor)
    code = phone.code(desk.clock())
    first = half_way(desk, desk.house.supervisor)
    assert (await first.send("/sign-in/second", code=code)).status_code == 303
    again = half_way(desk, desk.house.supervisor)
    response = await again.send("/sign-in/second", code=code)
    assert response.status_code == 403
    assert "used already" in Page(response).text
    newer = phone.code(desk.clock())
    assert (await again.send("/sign-in/second", code=newer)).status_code == 303
    assert codes(desk) == ["signed_in", "second_factor_wrong", "signed_in"]


@pytest.mark.both_stores
async def test_the_same_code_sent_twice_at_once_counts_once(desk: Desk):
    phone = enrolled(desk, desk.house.supervisor)
    code = phone.code(desk.clock())
    browsers = [half_way(desk, desk.house.supervisor) for _ in range(4)]
    answers = await asyncio.gather(
        *(browser.send("/sign-in/second", code=code) for browser in browsers)
    )
    assert sorted(a.status_code for a in answers) == [303, 403, 403, 403]


@pytest.mark.parametrize(
    "code", ["", "000000", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "7" * 5000]
)
async def test_what_is_no_code_is_refused(desk: Desk, code: str):
    phone = enrolled(desk, desk.house.supervisor)
    while one_time_codes.matching_step(phone.seed, code, now=desk.clock()):
        desk.clock.pass_time(minutes=2)
    browser = half_way(desk, desk.house.supervisor)
    response = await browser.send("/sign-in/second", code=code)
    assert response.status_code == 403


async def test_codes_of_another_time_are_refused(desk: Desk):
    phone = enrolled(desk, desk.house.supervisor)
    now = one_time_codes.step_of(desk.clock())
    for step, status in ((now - 2, 403), (now + 2, 403), (now + 1, 303)):
        browser = half_way(desk, desk.house.supervisor)
        code = one_time_codes.code_at(phone.seed, step)
        response = await browser.send("/sign-in/second", code=code)
        assert response.status_code == status


@pytest.mark.both_stores
async def test_five_wrong_codes_end_the_sign_in(desk: Desk):
    phone = enrolled(desk, desk.house.supervisor)
    browser = half_way(desk, desk.house.supervisor)
    for _ in range(MOST_TRIES - 1):
        response = await browser.send("/sign-in/second", code="nonsense")
        assert response.status_code == 403
    response = await browser.send("/sign-in/second", code="nonsense")
    assert response.headers["location"] == "/console/sign-in"
    assert count(desk, Row) == 0
    again = half_way(desk, desk.house.supervisor)
    code = phone.code(desk.clock())
    response = await again.send("/sign-in/second", code=code)
    assert response.status_code == 429
    assert MOST_HERE == MOST_TRIES
    desk.clock.pass_time(minutes=15)
    again = half_way(desk, desk.house.supervisor)
    code = phone.code(desk.clock())
    assert (await again.send("/sign-in/second", code=code)).status_code == 303


async def test_after_ten_minutes_the_passphrase_is_asked_again(desk: Desk):
    phone = enrolled(desk, desk.house.supervisor)
    browser = half_way(desk, desk.house.supervisor)
    desk.clock.pass_time(minutes=10)
    code = phone.code(desk.clock())
    response = await browser.send("/sign-in/second", code=code)
    assert response.status_code in {303, 403}
    assert (await browser.get("/mine")).status_code == 303
    assert codes(desk) == []


async def test_a_row_edited_by_hand_is_no_session(desk: Desk):
    browser = half_way(desk, desk.house.supervisor)
    for values in ({"stage": "full"}, {"stage": "full", "proved": desk.clock()}):
        with desk.database.writing() as session:
            row = session.exec(select(Row)).one()
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)
        response = await browser.get("/mine")
        assert response.headers["location"].startswith("/console/sign-in?")


async def test_the_first_sign_in_sets_a_factor_up(desk: Desk):
    who = desk.house.supervisor
    browser = half_way(desk, who)
    response = await browser.get("/sign-in/second?next=/mine")
    assert response.headers["location"] == "/console/account/factor/set-up?next=/mine"
    offered = await browser.get("/account/factor/set-up?next=/mine")
    assert "<svg" in offered.text
    assert "viewBox" in offered.text, "it shrinks as a whole, or it is cut"
    assert "style=" not in offered.text
    again = await browser.get("/account/factor/set-up")
    seed = authenticator.seed_on(offered)
    assert authenticator.seed_on(again) == seed
    assert count(desk, SecondFactor) == 0
    wrong = await browser.send("/account/factor/set-up", code="000000")
    assert wrong.status_code == 403
    phone = Authenticator(seed)
    shown = await browser.send(
        "/account/factor/set-up", code=phone.code(desk.clock()), next="/mine"
    )
    assert shown.status_code == 200
    ten = authenticator.codes_on(shown)
    assert len(set(ten)) == recovery_codes.HOW_MANY
    assert "/console/mine" in Page(shown).links
    assert browser.client.cookies[COOKIE] != browser.cookie
    marked = browser.client.cookies[DEVICE]
    assert devices.known(desk.keys, marked, who.officer.login, now=desk.clock())
    assert (await browser.get("/mine")).status_code == 200
    assert codes(desk)[:2] == ["factor_set", "signed_in"]
    with desk.database.reading() as session:
        row = session.exec(select(SecondFactor)).one()
        stored = [code.hash for code in session.exec(select(RecoveryCode))]
    assert seed not in row.secret
    assert not any(code.encode() in b"".join(stored) for code in ten)


async def test_a_passphrase_alone_replaces_no_factor(desk: Desk):
    phone = enrolled(desk, desk.house.supervisor)
    browser = half_way(desk, desk.house.supervisor)
    response = await browser.get("/account/factor/set-up")
    assert response.headers["location"] == "/console/sign-in/second"
    with desk.database.reading() as session:
        signed = sessions.resume(session, desk.keys, browser.cookie, now=desk.clock())
        assert signed is not None
        seed = one_time_codes.proposal(
            session, signed.officer, signed.secret, signed.name
        )
    code = Authenticator(seed).code(desk.clock())
    response = await browser.send("/account/factor/set-up", code=code)
    assert response.headers["location"] == "/console/sign-in/second"
    right = phone.code(desk.clock())
    assert (await browser.send("/sign-in/second", code=right)).status_code == 303


async def test_a_factor_that_was_taken_away_is_not_set_up_anew(desk: Desk):
    enrolled(desk, desk.house.supervisor)
    with desk.database.writing() as session:
        session.delete(session.exec(select(SecondFactor)).one())
    browser = half_way(desk, desk.house.supervisor)
    for path in ("/sign-in/second", "/account/factor/set-up"):
        response = await browser.get(path)
        assert response.status_code == 409, path
        assert "changed outside the program" in Page(response).text


async def test_a_factor_of_somebody_else_is_not_taken(desk: Desk):
    enrolled(desk, desk.house.supervisor)
    theirs = enrolled(desk, desk.house.custodian)
    with desk.database.writing() as session:
        mine = session.get(SecondFactor, desk.house.supervisor.officer.id)
        other = session.get(SecondFactor, desk.house.custodian.officer.id)
        assert mine is not None
        assert other is not None
        mine.secret, mine.tag = other.secret, other.tag
        session.add(mine)
    browser = half_way(desk, desk.house.supervisor)
    code = theirs.code(desk.clock())
    assert (await browser.send("/sign-in/second", code=code)).status_code == 409


async def test_a_recovery_code_opens_the_second_step_once(desk: Desk):
    who = desk.house.supervisor
    enrolled(desk, who)
    ten = recovery_codes.new_codes()
    with desk.database.writing() as session:
        recovery_codes.replace(session, desk.keys, who.officer.id, who.secret, ten)
    browser = half_way(desk, who)
    typed = ten[0].lower().replace("-", " ")
    assert (await browser.send("/sign-in/second", code=typed)).status_code == 303
    again = half_way(desk, who)
    assert (await again.send("/sign-in/second", code=ten[0])).status_code == 403
    assert count(desk, RecoveryCode) == recovery_codes.HOW_MANY - 1
    other = half_way(desk, desk.house.custodian)
    enrolled(desk, desk.house.custodian)
    assert (await other.send("/sign-in/second", code=ten[1])).status_code == 403
    assert codes(desk)[:2] == ["recovery_code_used", "signed_in"]


async def test_the_whole_way_by_passphrase_and_phone(desk: Desk):
    account = officers.prepare_account(
        desk.keys, "wulan", "Wulan", Role.HANDLER, "a phrase of sixteen"
    )
    with desk.database.writing() as session:
        officers.add(session, desk.keys, account)
    first = await authenticator.sign_in(
        desk.browser(), "wulan", "a phrase of sixteen", None, now=desk.clock()
    )
    assert len(first.recovery) == recovery_codes.HOW_MANY
    second = await authenticator.sign_in(
        desk.browser(), "wulan", "a phrase of sixteen", first.phone, now=desk.clock()
    )
    assert second.response.headers["location"] == "/console/"


def test_a_code_is_that_of_the_standard():
    """RFC 6238, appendix B, cut to six digits."""
    seed = b"12345678901234567890"
    for moment, code in (
        (59, "287082"),
        (1111111109, "081804"),
        (20000000000, "353130"),
    ):
        assert one_time_codes.code_at(seed, moment // 30) == code


def test_a_session_of_the_first_stage_is_never_proved(desk: Desk):
    browser = half_way(desk, desk.house.supervisor)
    with desk.database.reading() as session:
        signed = sessions.resume(session, desk.keys, browser.cookie, now=desk.clock())
    assert signed is not None
    assert signed.stage is Stage.FIRST
    assert not replace(signed, proved=desk.clock()).is_proved(desk.clock())


@pytest.mark.both_stores
async def test_two_who_set_up_at_once_do_not_both_win(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    """The page's own look is left out here, as when the other's commit comes after it."""
    who = desk.house.supervisor
    phone = enrolled(desk, who)
    browser = half_way(desk, who)
    monkeypatch.setattr("bot.console.signing.factor._elsewhere", lambda *_: None)
    offered = await browser.get("/account/factor/set-up")
    code = Authenticator(authenticator.seed_on(offered)).code(desk.clock())
    response = await browser.send("/account/factor/set-up", code=code)
    assert response.headers["location"] == "/console/sign-in"
    again = half_way(desk, who)
    right = phone.code(desk.clock())
    assert (await again.send("/sign-in/second", code=right)).status_code == 303
