"""What weighs most is done only by who has just shown passphrase and second factor."""

from sqlmodel import select

from storage.cases import conflicts
from storage.models import LinkToken
from tests.support.browsers import Desk


async def test_where_alerts_go_is_changed_by_who_proved_themselves_only(desk: Desk):
    browser = desk.signed_in(desk.house.supervisor)
    desk.clock.pass_time(minutes=15)
    for path in ("/account/link", "/account/unlink"):
        response = await browser.send(path)
        assert response.headers["location"] == "/console/prove?next=/account", path
    with desk.database.reading() as session:
        assert session.exec(select(LinkToken)).all() == []


async def test_nobody_is_barred_by_whoever_found_a_screen_open(desk: Desk):
    case, budi = desk.case(), desk.colleague("budi")
    browser = desk.signed_in(budi)
    path = f"/cases/{case.number}/conflict"
    form = {"sure": "yes", "here": path}
    desk.clock.pass_time(minutes=15)
    for response in (await browser.get(path), await browser.send(path, **form)):
        assert response.headers["location"] == f"/console/prove?next={path}"
    with desk.database.reading() as session:
        assert not conflicts.is_barred(session, case.report, budi.officer.id)
