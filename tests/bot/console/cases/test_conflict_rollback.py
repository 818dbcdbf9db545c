"""An older copy of a whole case lets nobody back in who declared a conflict on it."""

import pytest
from sqlmodel import select

from handlers.cases import conflicts
from storage.models import Case, Conflict, Event, Grant, Item
from tests.support.browsers import Desk

pytestmark = pytest.mark.both_stores

OF_A_CASE = (Case, Item, Event, Grant, Conflict)


async def test_an_older_copy_of_the_case_gives_no_access_back(desk: Desk):
    budi, case = desk.colleague("budi"), desk.case()
    with desk.database.reading() as session:
        old = [
            row
            for model in OF_A_CASE
            for row in session.exec(select(model).where(model.report == case.report))
        ]
        session.expunge_all()
    await desk.act(conflicts.declare, case.report, by=budi.officer)
    await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    with desk.database.writing() as session:
        for model in reversed(OF_A_CASE):
            for row in session.exec(select(model).where(model.report == case.report)):
                session.delete(row)
            session.flush()
        for row in old:
            session.add(type(row)(**row.model_dump()))
            session.flush()
    browser = desk.signed_in(budi)
    assert (await browser.get(f"/cases/{case.number}")).status_code == 404
    response = await browser.send(f"/cases/{case.number}/note", note="x")
    assert response.status_code == 409, "the older copy takes nothing from anybody"
