"""Two officers in two units: one hands a case over, the other one works on it."""

from dataclasses import dataclass

import pytest
from sqlmodel import select

from handlers.cases import conflicts, officer
from storage.audit import log
from storage.crypto import fingerprints
from storage.inspection import rows
from storage.models import Case, Event, Unit
from storage.units import rotation, units
from storage.words import EventCode, Role
from tests.support import founded
from tests.support.browsers import STORY, Browser, Desk, Page
from tests.support.founded import Person

WHY = "The market belongs to their district."
UNIT = "District East"


@dataclass
class Pair:
    """A case of the first unit, and both units' browsers."""

    desk: Desk
    case: Case
    sari: Browser
    rini: Browser
    health: Unit
    tini: Person

    @property
    def page(self) -> str:
        return f"/cases/{self.case.number}"

    @property
    def form(self) -> str:
        return f"{self.page}/hand-over"

    async def confirmed(self, browser: Browser, unit: Unit, reason: str = WHY) -> Page:
        """Fill the form in and confirm what it shows; where it leads."""
        response = await browser.send(self.form, unit=unit.id.hex(), reason=reason)
        assert response.status_code == 200, Page(response).text
        fields = Page(response).fields
        fields.pop("token")
        return await browser.do(self.form, **fields)


@pytest.fixture
def pair(desk: Desk) -> Pair:
    with desk.database.writing() as session:
        health, (rini, tini) = founded.unit_of(session, desk.keys, UNIT, "rini", "tini")
    sari = desk.signed_in(desk.house.supervisor)
    return Pair(desk, desk.case(), sari, desk.signed_in(rini), health, tini)


def wrong(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        assert log.verify(session, desk.keys) is None
        return list(rows.problems(session, desk.keys))


@pytest.mark.both_stores
async def test_a_case_goes_and_the_former_unit_keeps_its_number(desk: Desk, pair: Pair):
    sari, rini = pair.sari, pair.rini
    page = await sari.see(pair.page)
    assert f"/console{pair.form}" in page.links
    assert (await rini.get(pair.page)).status_code == 404
    form = await sari.see(pair.form)
    assert UNIT in form.text
    assert "Vault" not in form.text
    response = await sari.send(pair.form, unit=pair.health.id.hex(), reason=WHY)
    words = fingerprints.words(pair.health.public_key or b"")
    assert words in Page(response).text
    assert "Nobody of your unit has that key" in Page(response).text
    assert desk.again(pair.case).unit == desk.house.unit.id, "only shown so far"

    gone = await pair.confirmed(sari, pair.health)
    number = pair.case.number
    assert (
        f"Sign out Queue {number} {number} handed over to {UNIT} on 2 Mar 2026. Your unit "
        f"has no key to it any more. Ask {UNIT} if you need to know more. Inspektorat"
    ) in gone.text, "and nothing else"
    for path in ("/", "/mine", "/?state=over"):
        assert number not in (await sari.see(path)).text
    found = await sari.client.get(
        "/console/find", params={"number": f" {pair.case.number.lower()} "}
    )
    assert found.headers["location"] == f"/console{pair.page}"
    assert (await sari.get("/find?number=nothing")).status_code == 404
    for path in ("/conflict", "/hand-over", "/reveals"):
        assert (await sari.get(pair.page + path)).status_code == 404
    for path in ("/note", "/take", "/status"):
        sent = await sari.send(pair.page + path, note="x", to="REVIEW")
        assert sent.status_code == 404

    assert pair.case.number in (await rini.see("/")).text
    page = await rini.see(pair.page)
    assert STORY in page.text
    assert WHY in page.text
    assert f"Handed over: {UNIT}" in page.text
    await rini.do(f"{pair.page}/take")
    await rini.do(f"{pair.page}/note", note="Called them.")

    with desk.database.writing() as session:
        auditor = founded.person(session, desk.keys, "ani", Role.AUDITOR)
    shown = await desk.signed_in(auditor).see("/log?family=cases")
    assert "Handed a case over to another unit" in shown.text
    assert WHY not in shown.text
    assert wrong(desk) == []


async def test_it_comes_back_and_the_other_unit_keeps_the_number(
    desk: Desk, pair: Pair
):
    await pair.confirmed(pair.sari, pair.health)
    back = await pair.confirmed(pair.rini, desk.house.unit, "It is not ours.")
    assert "handed over to Inspectorate" in back.text
    assert STORY not in back.text
    page = await pair.sari.see(pair.page)
    assert STORY in page.text
    assert "It is not ours." in page.text
    assert wrong(desk) == []


async def test_each_unit_sees_its_own_last_hand_over(desk: Desk, pair: Pair):
    with desk.database.writing() as session:
        roads, (joko,) = founded.unit_of(session, desk.keys, "Roads", "joko")
    third = desk.signed_in(joko)
    await pair.confirmed(pair.sari, pair.health)
    await pair.confirmed(pair.rini, roads)
    for browser, there, not_there in (
        (pair.sari, UNIT, "Roads"),
        (pair.rini, "Roads", "Inspectorate"),
    ):
        page = await browser.see(pair.page)
        assert f"handed over to {there} on" in page.text
        assert f"to {not_there}" not in page.text
    await pair.confirmed(third, desk.house.unit)
    desk.clock.pass_time(days=1)
    again = desk.signed_in(desk.house.supervisor)
    page = await pair.confirmed(again, roads)
    assert "handed over to Roads on 3 Mar 2026" in page.text


async def test_who_stepped_back_sees_no_trace_of_it(desk: Desk, pair: Pair):
    budi = desk.colleague("budi")
    await desk.act(conflicts.declare, pair.case.report, by=budi.officer)
    await desk.act(conflicts.declare, pair.case.report, by=pair.tini.officer)
    await pair.confirmed(pair.sari, pair.health)
    for who in (budi, pair.tini):
        browser = desk.signed_in(who)
        assert (await browser.get(pair.page)).status_code == 404
        assert pair.case.number not in (await browser.see("/")).text
    assert STORY in (await pair.rini.see(pair.page)).text


async def test_a_stranger_learns_not_that_the_case_exists(desk: Desk, pair: Pair):
    await pair.confirmed(pair.sari, pair.health)
    with desk.database.writing() as session:
        _, (other,) = founded.unit_of(session, desk.keys, "Roads", "joko")
    browser = desk.signed_in(other)
    there = await browser.get(pair.page)
    nowhere = await browser.get("/cases/0000-0000")
    assert there.status_code == nowhere.status_code == 404
    assert Page(there).text == Page(nowhere).text


async def test_a_line_that_was_planted_shows_nothing(desk: Desk, pair: Pair):
    """Rini's unit never had the case; somebody writes into the store that it had."""
    with desk.database.writing() as session:
        event = session.exec(select(Event).where(Event.seq == 1)).one()
        event.code = EventCode.HANDED_OVER.value
        event.detail = f"{pair.health.id.hex()}:{desk.house.unit.id.hex()}"
        session.add(event)
    assert (await pair.rini.get(pair.page)).status_code == 404


async def test_only_whoever_took_it_or_a_supervisor_is_asked(desk: Desk, pair: Pair):
    budi = desk.colleague("budi")
    browser = desk.signed_in(budi)
    assert f"/console{pair.form}" not in (await browser.see(pair.page)).links
    assert (await browser.get(pair.form)).status_code == 409
    await desk.act(officer.take, pair.case.report, by=budi.officer)
    assert f"/console{pair.form}" in (await browser.see(pair.page)).links
    await pair.confirmed(browser, pair.health)
    assert desk.again(pair.case).unit == pair.health.id


async def test_what_the_form_refuses(desk: Desk, pair: Pair):
    health = pair.health.id.hex()
    for unit, reason, status, said in (
        (health, "", 422, "Write something"),
        (health, "x" * 1001, 422, "too long"),
        ("", WHY, 409, "Choose another unit"),
        ("zz" * 16, WHY, 409, "Choose another unit"),
        (desk.house.vault.id.hex(), WHY, 409, "Choose another unit"),
        (desk.house.unit.id.hex(), WHY, 409, "Choose another unit"),
    ):
        response = await pair.sari.send(pair.form, unit=unit, reason=reason)
        assert response.status_code == status, (unit, reason[:9])
        assert said.lower() in Page(response).text.lower(), (unit, reason[:9])
    assert desk.again(pair.case).unit == desk.house.unit.id


async def test_another_key_since_the_words_were_shown(desk: Desk, pair: Pair):
    form = {"unit": pair.health.id.hex(), "reason": WHY}
    shown = Page(await pair.sari.send(pair.form, **form)).fields["words"]
    with desk.database.writing() as session:
        unit = units.verified(session, desk.keys, pair.health.id)
        rotation.rotate(session, desk.keys, unit)
    response = await pair.sari.send(pair.form, **form, words=shown)
    assert response.status_code == 409
    page = Page(response)
    assert "another key meanwhile" in page.text
    assert page.fields["words"] != shown
    assert desk.again(pair.case).unit == desk.house.unit.id
    await pair.sari.do(pair.form, **form, words=page.fields["words"])
    assert STORY in (await pair.rini.see(pair.page)).text


async def test_a_planted_key_is_refused(desk: Desk, pair: Pair):
    with desk.database.writing() as session:
        row = session.get_one(Unit, pair.health.id)
        row.public_key = desk.house.vault.public_key
        session.add(row)
    words = fingerprints.words(desk.house.vault.public_key or b"")
    form = {"unit": pair.health.id.hex(), "reason": WHY}
    assert UNIT not in Page(await pair.sari.get(pair.form)).text
    for more in ({}, {"words": words}):
        response = await pair.sari.send(pair.form, **form, **more)
        assert response.status_code == 409
        assert words not in Page(response).text
    assert desk.again(pair.case).unit == desk.house.unit.id


async def test_a_form_that_was_sent_twice_says_where_the_case_went(pair: Pair):
    response = await pair.sari.send(pair.form, unit=pair.health.id.hex(), reason=WHY)
    fields = Page(response).fields
    fields.pop("token")
    await pair.sari.do(pair.form, **fields)
    again = await pair.sari.send(pair.form, **fields)
    assert again.status_code == 200
    assert f"handed over to {UNIT}" in Page(again).text


async def test_without_another_unit_it_says_so(desk: Desk):
    case = desk.case()
    browser = desk.signed_in(desk.house.supervisor)
    page = await browser.see(f"/cases/{case.number}/hand-over")
    assert "There is no other unit" in page.text
