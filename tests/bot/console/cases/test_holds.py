"""Legal hold in the console: kept by one supervisor, released by another, seen by the auditor."""

import pytest
from sqlmodel import select

from handlers.cases import holds
from handlers.retention import reports
from storage.audit import log
from storage.cases import cases, history
from storage.inspection import chains
from storage.models import Case, Item
from storage.retention import erasing
from storage.words import Erased, EventCode, Role, Status
from tests.support.browsers import Desk
from tests.support.founded import Person, person

WHY = "Perkara nomor 12/Pid.Sus/2026"


def other(desk: Desk, role: Role = Role.SUPERVISOR) -> Person:
    return desk.colleague("second", role)


def events(desk: Desk, case: Case) -> list[str]:
    with desk.database.reading() as session:
        return [event.code for event in history.of_case(session, case.report)]


@pytest.mark.both_stores
async def test_one_holds_another_releases_and_nothing_goes_between(desk: Desk):
    case = desk.case()
    path = f"/cases/{case.number}"
    first = desk.signed_in(desk.house.supervisor)
    page = await first.see(path)
    assert "Legal hold" in page.text
    page = await first.do(f"{path}/hold", why=WHY, once="hold-1")
    assert "The case is on hold." in page.text
    assert WHY in page.text, "the reason stands in the case, sealed"
    assert desk.again(case).hold
    response = await first.send(f"{path}/release", why="over", once="hold-2")
    assert response.status_code == 409
    assert desk.again(case).hold
    second = desk.signed_in(other(desk))
    page = await second.see(path)
    assert "On legal hold since" in page.text
    page = await second.do(f"{path}/release", why="Putusan tetap", once="hold-3")
    assert "The case is released." in page.text
    assert not desk.again(case).hold
    assert events(desk, case).count("held") == events(desk, case).count("released") == 1
    with desk.database.reading() as session:
        codes = [line.code for line in log.lines(session)]
        assert {"case.held", "case.released"} <= set(codes)
        assert list(chains.problems(session, desk.keys)) == []


async def test_the_reason_is_asked_for_and_kept_in_the_form(desk: Desk):
    case = desk.case()
    path = f"/cases/{case.number}/hold"
    browser = desk.signed_in(desk.house.supervisor)
    assert (await browser.send(path, why="  ")).status_code == 422
    response = await browser.send(path, why="x" * 1001)
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.text
    assert not desk.again(case).hold


async def test_whoever_is_no_supervisor_holds_nothing(desk: Desk):
    case = desk.case()
    browser = desk.signed_in(other(desk, Role.HANDLER))
    for act in ("hold", "release"):
        response = await browser.send(f"/cases/{case.number}/{act}", why=WHY)
        assert response.status_code == 404
    assert (await browser.get("/holds")).status_code == 404
    page = await browser.see(f"/cases/{case.number}")
    assert "Hold this case" not in page.text


@pytest.mark.both_stores
async def test_the_list_is_the_supervisors_and_the_auditors(desk: Desk):
    case = desk.case()
    supervisor = desk.signed_in(desk.house.supervisor)
    assert "No case is on hold." in (await supervisor.see("/holds")).text
    await supervisor.do(f"/cases/{case.number}/hold", why=WHY)
    page = await supervisor.see("/holds")
    assert case.number in page.text
    assert f"/console/cases/{case.number}" in page.links
    with desk.database.writing() as session:
        auditor = person(session, desk.keys, "auditor", Role.AUDITOR)
    page = await desk.signed_in(auditor).see("/holds")
    assert case.number in page.text
    assert WHY not in page.text
    assert f"/console/cases/{case.number}" not in page.links


async def test_a_purged_case_shows_what_is_left_and_takes_nothing(desk: Desk):
    case = desk.case()
    with desk.database.writing() as session:
        row = cases.lock(session, desk.keys, case.report)
        assert row is not None
        row.status, row.is_open = Status.REJECTED.value, False
        row.closed = row.day
        for verb in (erasing.erase_contents, erasing.erase_files):
            if verb(session, desk.keys, row, day=row.day):
                erasing.record(session, desk.keys, row, Erased.CONTENTS, day=row.day)
        cases.save(session, desk.keys, row)
        assert not session.exec(select(Item).where(Item.audience == "case")).all()
    browser = desk.signed_in(desk.house.supervisor)
    page = await browser.see(f"/cases/{case.number}")
    assert "erased on schedule" in page.text
    assert "Hold this case" not in page.text
    assert "missing" not in page.text
    for act, field in (("note", "note"), ("hold", "why")):
        response = await browser.send(f"/cases/{case.number}/{act}", **{field: WHY})
        assert response.status_code == 409, act
    assert EventCode.PURGED in events(desk, case)
    assert reports.facts(desk.again(case)).purged == case.day
    assert holds.last([]) is None
