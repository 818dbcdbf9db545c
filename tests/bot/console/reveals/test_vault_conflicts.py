"""A custodian steps back from a case: its requests go on without them."""

import pytest

from handlers.cases import conflicts as verbs
from handlers.errors import NotYours
from handlers.reveals import verbs as decisions
from handlers.work import Work
from storage.audit import log
from storage.cases import conflicts
from storage.inspection import chains, rows
from storage.people import officers
from storage.units import memberships, units
from storage.words import Role
from tests.support.browsers import Desk, Page
from tests.support.founded import Person, person
from tests.support.revealing import asks, held


def second(desk: Desk) -> Person:
    """Seat another custodian in the vault."""
    with desk.database.writing() as session:
        new = person(session, desk.keys, "made", Role.CUSTODIAN)
        vault = units.vault(session, desk.keys)
        first = desk.house.custodian
        memberships.admit(
            session, desk.keys, vault, new.officer, first.officer, first.secret
        )
    return new


@pytest.mark.both_stores
async def test_a_custodian_steps_back_and_another_goes_on(desk: Desk):
    here, made = held(desk), second(desk)
    reveal, other = asks(desk, here), asks(desk, held(desk))
    wayan = desk.signed_in(desk.house.custodian)
    place = f"/vault/{reveal.hex()}"
    assert "Declare a conflict" in (await wayan.see(place)).text
    page = await wayan.see(f"{place}/conflict")
    assert "No other custodian" not in page.text
    response = await wayan.send(f"{place}/conflict")
    assert response.status_code == 422
    assert "Tick the box" in Page(response).text
    page = await wayan.do(f"{place}/conflict", sure="yes")
    assert "Your conflict of interest is recorded" in page.text
    shown = (await wayan.get("/vault")).text
    assert reveal.hex() not in shown
    assert other.hex() in shown
    for path in (place, f"{place}/conflict"):
        assert (await wayan.get(path)).status_code == 404
    forms = {"grant": {"tell": "TELL"}, "refuse": {"reason": "MILDER"}, "end": {}}
    for act, form in forms.items():
        response = await wayan.send(f"{place}/{act}", **form)
        assert response.status_code == 409, act
    with desk.database.reading() as session:
        barred = desk.house.custodian.officer.id
        assert conflicts.is_barred(session, here.case.report, barred)
        assert log.lines(session)[0].code == "case.conflict"
        assert list(chains.problems(session, desk.keys)) == []
    goes_on = desk.signed_in(made)
    page = await goes_on.see(f"{place}/conflict")
    assert "No other custodian" in page.text
    page = await goes_on.do(f"{place}/grant", tell="TELL")
    assert "reporter" in page.text
    sari = desk.signed_in(desk.house.supervisor)
    await sari.see(here.page)
    page = Page(await sari.send(f"{here.page}/reveals/{reveal.hex()}/open"))
    assert "Kusumawardani" in page.text
    with desk.database.reading() as session:
        since = desk.context.office.day(desk.clock())
        assert list(rows.problems(session, desk.keys, since=since)) == []


def test_the_verbs_themselves_know_who_stepped_back(desk: Desk):
    reveal = asks(desk, held(desk))
    office, now = desk.context.office, desk.clock()
    with desk.database.writing() as session:
        by = officers.verified(session, desk.keys, "wayan")
        assert verbs.declare_in_vault(Work(session, office, now), reveal, by=by)
    secret = desk.house.custodian.secret
    with desk.database.writing() as session:
        by = officers.verified(session, desk.keys, "wayan")
        with pytest.raises(NotYours):
            decisions.grant(
                Work(session, office, now), reveal, untold="", secret=secret, by=by
            )
        with pytest.raises(NotYours):
            decisions.refuse(Work(session, office, now), reveal, reason="MILDER", by=by)
        with pytest.raises(NotYours):
            verbs.declare_in_vault(Work(session, office, now), reveal, by=by)


async def test_a_custodians_conflict_is_proved_and_no_officers_page(desk: Desk):
    path = f"/vault/{asks(desk, held(desk)).hex()}/conflict"
    sari = desk.signed_in(desk.house.supervisor)
    assert (await sari.get(path)).status_code == 404
    wayan = desk.signed_in(desk.house.custodian)
    desk.clock.pass_time(minutes=15)
    response = await wayan.send(path, sure="yes", here=path)
    assert response.headers["location"] == f"/console/prove?next={path}"
