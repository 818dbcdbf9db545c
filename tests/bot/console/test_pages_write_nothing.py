"""A page that shows writes nothing but that it was read, and keys that a session re-seals."""

from sqlmodel import SQLModel
from starlette.routing import Mount, Route

from storage.units import rotation, units
from storage.words import Role
from tests.support.browsers import Desk
from tests.support.founded import Person, person

READING = {"cases", "events", "audit", "registers"}
"""What a line of reading is: news seen, the history, its witness, the register number."""
RESEALING = {"audit", "unit_grants", "units", "grants"}
"""What a unit's newer key leaves behind."""


def pages(desk: Desk) -> list[str]:
    (mount,) = [one for one in desk.app.routes if isinstance(one, Mount) and one.path]
    return [
        route.path
        for route in mount.routes
        if isinstance(route, Route) and "GET" in (route.methods or ())
    ]


def rows(desk: Desk) -> dict[str, set[str]]:
    with desk.database.reading() as session:
        return {
            table.name: {
                str(row) for row in session.connection().execute(table.select())
            }
            for table in SQLModel.metadata.sorted_tables
        }


def changed(before: dict[str, set[str]], after: dict[str, set[str]]) -> set[str]:
    return {name for name, held in after.items() if held != before[name]}


def everybody(desk: Desk) -> list[Person]:
    with desk.database.writing() as session:
        outside = [
            person(session, desk.keys, role.value, role)
            for role in (Role.ADMIN, Role.AUDITOR)
        ]
    return [desk.house.supervisor, desk.house.custodian, *outside]


async def test_looking_at_every_page_changes_nothing_but_a_reading(desk: Desk):
    number = desk.case().number
    seen = 0
    for who in everybody(desk):
        browser = desk.signed_in(who)
        for page in pages(desk):
            path = page.replace("{number}", number).replace("{login}", "sari")
            if "{" in path:
                continue
            for again in (False, True):
                before = rows(desk)
                response = await browser.get(path)
                wrote = changed(before, rows(desk))
                reading = path.startswith(f"/cases/{number}") and not again
                assert wrote <= (READING if reading else set()), (path, wrote)
                seen += response.status_code == 200
    assert seen > 40


async def test_a_look_at_the_queue_re_seals_by_a_verb_and_then_writes_nothing(
    desk: Desk,
):
    desk.case()
    with desk.database.writing() as session:
        unit = units.verified(session, desk.keys, desk.house.unit.id)
        rotation.rotate(session, desk.keys, unit)
    browser = desk.signed_in(desk.house.supervisor)
    before = rows(desk)
    await browser.see("/")
    between = rows(desk)
    assert {"audit", "grants"} <= changed(before, between) <= RESEALING
    await browser.see("/")
    assert changed(between, rows(desk)) == set()
