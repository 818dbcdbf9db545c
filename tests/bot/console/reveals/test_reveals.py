"""Four eyes as officer and custodian meet them in their browsers."""

import hashlib

import pytest
from sqlmodel import select

from storage import outbox
from storage.audit import log as audit
from storage.cases import cases, history, items
from storage.crypto.sealing import new_pair
from storage.inspection import chains
from storage.models import Event, Reveal
from storage.people import telegram_links
from storage.words import Audience, Channel, EventCode, Role
from tests.support.browsers import Browser, Desk, Page
from tests.support.revealing import NAME, SCAN, WHY, Held, asks, grants, held, row

CODES = {
    EventCode.REVEAL_ASKED,
    EventCode.REVEAL_GRANTED,
    EventCode.REVEAL_REFUSED,
    EventCode.REVEAL_OPENED,
    EventCode.REVEAL_ENDED,
}


@pytest.fixture
def officer(desk: Desk) -> Browser:
    return desk.signed_in(desk.house.supervisor)


@pytest.fixture
def custodian(desk: Desk) -> Browser:
    return desk.signed_in(desk.house.custodian)


@pytest.fixture
def here(desk: Desk) -> Held:
    return held(desk)


def codes(desk: Desk, here: Held) -> list[str]:
    with desk.database.reading() as session:
        events = history.of_case(session, here.case.report)
        assert history.first_broken(session, desk.keys, desk.again(here.case)) is None
    return [event.code for event in events if event.code in CODES]


@pytest.mark.both_stores
async def test_two_people_open_an_identity(
    desk: Desk, officer: Browser, custodian: Browser, here: Held
):
    page = await officer.see(here.page)
    assert "Ask for the identity" in page.text
    form = await officer.see(f"{here.page}/reveals")
    assert "Often a question through the bot is enough" in form.text
    page = await officer.do(
        f"{here.page}/reveals", reason="PROTECT", justification=WHY, file=""
    )
    assert "waits for a custodian" in page.text
    (reveal,) = rows(desk)
    place = f"{here.page}/reveals/{reveal.id.hex()}"

    page = await custodian.see("/vault")
    assert here.case.number in page.text
    assert "Sari Inspectorate" in page.text
    page = await custodian.see(f"/vault/{reveal.id.hex()}")
    assert WHY in page.text
    assert NAME not in page.text
    page = await custodian.do(f"/vault/{reveal.id.hex()}/grant", tell="TELL")
    assert "the reporter is told" in page.text
    assert NAME not in page.text

    page = await officer.see(place)
    assert "may be opened" in page.text
    assert NAME not in page.text
    answer = await officer.send(f"{place}/open")
    assert answer.status_code == 200
    assert NAME in Page(answer).text
    assert answer.headers["cache-control"] == "no-store"
    page = await officer.do(f"{place}/end")
    assert "The request is deleted" in page.text
    assert (await officer.get(place)).status_code == 404
    assert (await officer.send(f"{place}/open")).status_code == 404
    assert codes(desk, here) == [
        "reveal_asked",
        "reveal_granted",
        "reveal_opened",
        "reveal_ended",
    ]
    with desk.database.reading() as session:
        log = {line.code for line in audit.lines(session)}
        assert list(chains.problems(session, desk.keys)) == []
    assert {f"case.{code}" for code in codes(desk, here)} <= log
    page = await officer.see(here.page)
    assert "Identity, protection from threats or retaliation" in page.text
    assert "Identity, reporter told" in page.text


def rows(desk: Desk) -> list[Reveal]:
    with desk.database.reading() as session:
        return list(session.exec(select(Reveal)))


async def test_an_original_is_streamed_as_it_was_sent(
    desk: Desk, officer: Browser, custodian: Browser, here: Held
):
    page = await officer.see(here.page)
    assert f"/console{here.page}/reveals?file={here.file.hex()}" in page.links
    form = await officer.see(f"{here.page}/reveals?file={here.file.hex()}")
    assert "letter.pdf" in form.text
    assert here.sha256 in form.text
    page = await officer.do(
        f"{here.page}/reveals",
        reason="CHAIN",
        justification=WHY,
        file=here.file.hex(),
    )
    (reveal,) = rows(desk)
    place = f"{here.page}/reveals/{reveal.id.hex()}"
    page = await custodian.see(f"/vault/{reveal.id.hex()}")
    assert "letter.pdf" not in page.text
    await custodian.do(f"/vault/{reveal.id.hex()}/grant", tell="DANGER")
    page = await officer.see(place)
    assert here.sha256 in page.text
    sent = await officer.send(f"{place}/open")
    assert sent.content == SCAN
    assert hashlib.sha256(sent.content).hexdigest() == here.sha256
    assert sent.headers["content-type"] == "application/octet-stream"
    assert sent.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert sent.headers["content-disposition"] == (
        f'attachment; filename="{here.case.number}-{here.file.hex()[:6]}-original"'
    )
    page = await officer.see(here.page)
    assert "reporter not told: telling would endanger the reporter" in page.text


@pytest.mark.both_stores
async def test_the_reporter_reads_that_two_people_opened_it_and_why(desk: Desk):
    told, number = [], ""
    for untold in ("", "ORDER"):
        here, pair = held(desk), new_pair()
        with desk.database.writing() as session:
            case = session.merge(desk.again(here.case))
            case.reporter_key = pair.public
            cases.save(session, desk.keys, case)
        assert grants(desk, asks(desk, here), untold=untold) is not bool(untold)
        with desk.database.reading() as session:
            found = items.read(
                session,
                desk.keys,
                here.case.report,
                pair.secret,
                audience=Audience.REPORTER,
            )
        told += [item.content.text for item in found if item.content]
        number = number or here.case.number
    (said,) = told
    assert said == (
        "Two authorised officers may now read the name and contact you left with "
        f"{number}, because: protection from threats or retaliation."
    )


async def test_without_a_receipt_nobody_is_told(desk: Desk, officer: Browser):
    here = held(desk, receipt=False)
    assert grants(desk, asks(desk, here)) is False
    page = await officer.see(here.page)
    assert "reporter not told: no receipt yet" in page.text


async def test_alerts_hold_the_number_only(desk: Desk, here: Held):
    for who, handle in ((desk.house.custodian, "71"), (desk.house.supervisor, "72")):
        with desk.database.writing() as session:
            token = telegram_links.issue(
                session, desk.keys, who.officer.id, now=desk.clock()
            )
            telegram_links.redeem(
                session, desk.keys, token, Channel.TELEGRAM, handle, now=desk.clock()
            )
    reveal = asks(desk, here)
    assert letters(desk) == [
        ("71", f"Case {here.case.number}: a request waits for a custodian.")
    ]
    grants(desk, reveal)
    assert letters(desk) == [
        ("72", f"Case {here.case.number}: a custodian answered your request.")
    ]


def letters(desk: Desk) -> list[tuple[str, str]]:
    """Take every alert that waits to leave."""
    with desk.database.writing() as session:
        found = outbox.claim(
            session, desk.keys, Channel.TELEGRAM, limit=50, now=desk.clock()
        )
        assert all(outbox.dead(session, one) for one in found)
    return [
        (one.letter.to, one.letter.text)
        for one in found
        if "custodian" in one.letter.text
    ]


@pytest.mark.both_stores
async def test_a_refusal_says_why(
    desk: Desk, officer: Browser, custodian: Browser, here: Held
):
    reveal = asks(desk, here)
    answer = await custodian.send(f"/vault/{reveal.hex()}/refuse", reason="NO")
    assert answer.status_code == 422
    assert "Choose why you refuse" in Page(answer).text
    page = await custodian.do(f"/vault/{reveal.hex()}/refuse", reason="MILDER")
    assert "The request is refused" in page.text
    page = await officer.see(f"{here.page}/reveals/{reveal.hex()}")
    assert "a milder way will do" in page.text
    assert "Read the identity" not in page.text
    answer = await officer.send(f"{here.page}/reveals/{reveal.hex()}/open")
    assert answer.status_code == 409
    assert "This request is over" in Page(answer).text
    assert asks(desk, here) != reveal, "one may ask again"


async def test_the_form_says_what_is_missing(desk: Desk, officer: Browser, here: Held):
    path = f"{here.page}/reveals"
    for form, problem in (
        ({"reason": "PROTECT"}, "Write something"),
        ({"justification": WHY}, "Choose one of the reasons"),
        ({"justification": WHY, "reason": "CHAIN"}, "Choose one of the reasons"),
        ({"justification": WHY, "reason": "AWARD"}, "needs the reporter's consent"),
        ({"justification": "x" * 2001, "reason": "LEGAL"}, "too long"),
    ):
        answer = await officer.send(path, **form)
        assert answer.status_code == 422, form
        assert problem in Page(answer).text, form
    assert rows(desk) == []
    await officer.do(
        path, justification=WHY, reason="AWARD", consent="In her answer of 2 March."
    )
    answer = await officer.send(path, justification=WHY, reason="LEGAL")
    assert answer.status_code == 409
    assert "You have asked for this already" in Page(answer).text


@pytest.mark.both_stores
async def test_a_form_sent_twice_asks_and_grants_once(
    desk: Desk, officer: Browser, custodian: Browser, here: Held
):
    form = {"justification": WHY, "reason": "LEGAL", "once": "reveal-1"}
    for _ in range(2):
        assert (await officer.send(f"{here.page}/reveals", **form)).status_code == 303
    (reveal,) = rows(desk)
    for _ in range(2):
        answer = await custodian.send(
            f"/vault/{reveal.id.hex()}/grant", tell="TELL", once="grant-1"
        )
        assert answer.status_code == 303
    assert codes(desk, here) == ["reveal_asked", "reveal_granted"]


async def test_pages_exist_for_those_they_are_meant_for(desk: Desk, here: Held):
    reveal = asks(desk, here)
    colleague = desk.signed_in(desk.colleague("budi"))
    custodian = desk.signed_in(desk.house.custodian)
    supervisor = desk.signed_in(desk.house.supervisor)
    for browser, path in (
        (colleague, f"{here.page}/reveals/{reveal.hex()}"),
        (custodian, f"{here.page}/reveals/{reveal.hex()}"),
        (custodian, f"{here.page}/reveals"),
        (supervisor, "/vault"),
        (supervisor, f"/vault/{reveal.hex()}"),
        (custodian, "/vault/nonsense"),
        (custodian, f"/vault/{'00' * 16}"),
        (supervisor, f"{here.page}/reveals?file={'00' * 16}"),
        (supervisor, f"/cases/{desk.case().number}/reveals"),
    ):
        assert (await browser.get(path)).status_code == 404, path
    for path in (
        f"{here.page}/reveals/{reveal.hex()}/open",
        f"/vault/{reveal.hex()}/grant",
    ):
        assert (await colleague.send(path, tell="TELL")).status_code == 404
    page = await colleague.see(here.page)
    assert "waits for a custodian" in page.text, "colleagues see that it was asked"


@pytest.mark.both_stores
async def test_whoever_only_looks_at_a_form_has_read_the_case(
    desk: Desk, officer: Browser, here: Held
):
    await officer.see(f"{here.page}/reveals?file={here.file.hex()}")
    with desk.database.reading() as session:
        assert session.exec(select(Event.code)).all().count("read_by_officer") == 1


async def test_a_custodian_takes_back_what_was_granted(
    desk: Desk, officer: Browser, custodian: Browser, here: Held
):
    reveal = asks(desk, here)
    grants(desk, reveal)
    assert "Take back" in (await custodian.see("/vault")).text
    await custodian.do(f"/vault/{reveal.hex()}/end")
    assert row(desk, reveal) is None
    answer = await officer.send(f"{here.page}/reveals/{reveal.hex()}/open")
    assert answer.status_code == 404


async def test_proof_is_asked_for_before_anything_is_opened(
    desk: Desk, officer: Browser, custodian: Browser, here: Held
):
    reveal = asks(desk, here)
    desk.clock.pass_time(minutes=15)
    for browser in (officer, custodian):
        await browser.get("/account")
    for browser, path in (
        (officer, f"{here.page}/reveals"),
        (officer, f"{here.page}/reveals/{reveal.hex()}"),
        (custodian, f"/vault/{reveal.hex()}"),
    ):
        answer = await browser.get(path)
        assert answer.headers["location"].startswith("/console/prove?next="), path
    for browser, path in (
        (officer, f"{here.page}/reveals/{reveal.hex()}/open"),
        (custodian, f"/vault/{reveal.hex()}/grant"),
    ):
        answer = await browser.send(path, tell="TELL")
        assert answer.headers["location"].startswith("/console/prove?next="), path
    assert codes(desk, here) == ["reveal_asked"]


async def test_no_page_but_the_opened_one_shows_an_identity(desk: Desk, here: Held):
    """Every GET page, as officer, as custodian, as auditor, while a reveal is open."""
    reveal = asks(desk, here)
    other = asks(desk, here, file=here.file)
    grants(desk, reveal)
    people = [
        desk.signed_in(desk.house.supervisor),
        desk.signed_in(desk.house.custodian),
        desk.signed_in(desk.colleague("tuti", Role.INTAKE)),
    ]
    seen = 0
    for path in addresses(desk, here, (reveal, other)):
        for browser in people:
            answer = await browser.get(path)
            assert NAME not in answer.text, path
            assert "Wati" not in answer.text, path
            assert SCAN[:40] not in answer.content, path
            seen += answer.status_code == 200
    assert seen > 10
    with desk.database.reading() as session:
        assert "reveal_opened" not in session.exec(select(Event.code)).all()


def addresses(desk: Desk, here: Held, reveals: tuple[bytes, ...]) -> set[str]:
    """Return every address that answers GET, with what fits into its holes."""
    found = set()
    (mount,) = [one for one in desk.app.routes if hasattr(one, "routes") and one.routes]
    for route in mount.routes:
        if "GET" not in (getattr(route, "methods", None) or ()):
            continue
        path = route.path.replace("{number}", here.case.number)
        path = path.replace("{file}", here.file.hex())
        found |= {path.replace("{reveal}", one.hex()) for one in reveals}
    found |= {f"{here.page}/reveals?file={here.file.hex()}", "/?state=over"}
    return {path for path in found if "{path" not in path}
