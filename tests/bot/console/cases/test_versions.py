"""Every form that changes a case says what it was made for, or has a reason not to."""

import re
from itertools import chain

import pytest
from sqlmodel import select
from starlette.routing import Mount, Route

from bot.console import app
from handlers.cases import conflicts, data_requests, officer
from storage.cases import cases
from storage.models import DataRequest, File
from storage.words import RequestKind, Role
from tests.support import founded
from tests.support.browsers import Browser, Desk, Page
from tests.support.places import ROOT
from tests.support.revealing import Held, asks, grants, held, row

WORDS = "What I typed for ten minutes."
WITHOUT = {
    "/cases/{number}/step": "it shows what a step would do, and does nothing",
    "/cases/{number}/note": "notes never conflict",
    "/new-keys": "it seals what is due now, whatever a page showed",
    "/resealing": "it seals what is due now, whatever a page showed",
}
ABOUT_NO_CASE = {"sign-in", "sign-out", "prove", "account", "people", "join"} | {
    "letters",
    "quarantine",
    "log",
}
"""Where the addresses begin whose forms are about no case."""
NOTHING = ("nothing was saved", "nothing was done", "Nothing was saved")
FORM = re.compile(r'<form[^>]* method="post" action="([^"]*)">(.*?)</form>', re.DOTALL)
MADE_FOR = re.compile(r'name="(version|judged)"|frame\(')


def forms(desk: Desk) -> list[str]:
    """Return the address of each form of the console that is about a case."""
    found = [one for one in app.routes(desk.context) if isinstance(one, Mount)]
    return [
        one.path
        for one in chain.from_iterable(mount.routes for mount in found)
        if isinstance(one, Route)
        and "POST" in (one.methods or ())
        and not one.path.startswith("/{path")
        and one.path.split("/")[1] not in ABOUT_NO_CASE
    ]


def test_each_form_of_a_case_holds_what_it_was_made_for():
    found = []
    for path in (ROOT / "bot/console/templates").rglob("*.html"):
        for at, inside in FORM.findall(path.read_text("utf-8")):
            about_none = any(f"/{one}" in at for one in ABOUT_NO_CASE)
            without = any(at.endswith(one.split("/")[-1]) for one in WITHOUT)
            if not about_none and (not without or "/files/" in at):
                found.append(at)
                assert MADE_FOR.search(inside), (path.name, at)
    assert len(found) > 20


def everything(desk: Desk) -> tuple[Held, dict[str, str], Browser, Browser]:
    """Make a case to which each of the forms fits; who works on it, and who decides."""
    here = held(desk)
    with desk.database.writing() as session:
        unit, _ = founded.unit_of(session, desk.keys, "Wilayah III", "rini")
    asked = asks(desk, here)
    with desk.database.reading() as session:
        (file,) = session.exec(select(File)).all()
    holes = {"number": here.case.number, "reveal": asked.hex(), "file": file.id.hex()}
    holes["unit"] = unit.id.hex()
    sari, wayan = desk.house.supervisor, desk.house.custodian
    return here, holes, desk.signed_in(sari), desk.signed_in(wayan)


async def test_whoever_does_not_say_what_they_saw_changes_nothing(desk: Desk):
    here, holes, sari, wayan = everything(desk)
    await desk.act(data_requests.ask, here.case.report, RequestKind.CORRECT)
    with desk.database.reading() as session:
        (request,) = session.exec(select(DataRequest)).all()
    holes["request"] = request.id.hex()
    await sari.see(here.page)
    before = desk.again(here.case).head
    colleague = desk.colleague("budi").officer.id.hex()
    form = {
        "to": "VERIFICATION",
        "question": WORDS,
        "why": WORDS,
        "colleague": colleague,
    }
    form |= {"reason": "MILDER", "justification": WORDS, "tell": "TELL", "sure": "yes"}
    form |= {
        "words": "x",
        "label": "KEY",
        "about": WORDS,
        "state": "done",
        "text": WORDS,
    }
    paths = [one for one in forms(desk) if one not in WITHOUT]
    assert len(paths) > 20
    for path in paths:
        who = wayan if path.startswith("/vault") else sari
        for version in ("", "x"):
            made_for = {"version": version, "judged": version}
            sent = form | made_for | ({"reason": ""} if "status" in path else {})
            response = await who.send(path.format(**holes), **sent)
            page = Page(response)
            assert response.status_code == 409, (path, page.text)
            assert any(one in page.text for one in NOTHING), (path, page.text)
    assert desk.again(here.case).head == before
    assert row(desk, bytes.fromhex(holes["reveal"])) is not None


MEANWHILE = {
    "granted, a request": ("granted", "reveals", "What is asked or granted"),
    "asked, a request": ("asked", "reveals", "What is asked or granted"),
    "moved, a request": ("moved", "reveals", "The status is now: Verification"),
    "granted, a hand-over": ("granted", "hand-over", "What is asked or granted"),
    "taken, a hand-over": ("taken", "hand-over", "Budi works on this case now"),
    "a conflict, a hand-over": ("conflict", "hand-over", "declared a conflict"),
    "a conflict, a conflict": ("conflict", "conflict", "declared a conflict"),
}


@pytest.mark.parametrize(("what", "path", "says"), MEANWHILE.values(), ids=MEANWHILE)
async def test_what_happened_meanwhile_is_said_and_what_was_typed_stays(
    desk: Desk, what: str, path: str, says: str
):
    here, holes, _, _ = everything(desk)
    budi = desk.colleague("budi")
    dewi = desk.signed_in(desk.colleague("dewi", Role.SUPERVISOR))
    page = await dewi.see(f"{here.page}/{path}")
    made_for = page.fields["version"]
    if what == "granted":
        grants(desk, bytes.fromhex(holes["reveal"]))
    elif what == "asked":
        asks(desk, here, budi)
    elif what == "conflict":
        await desk.act(conflicts.declare, here.case.report, by=budi.officer)
    elif what == "taken":
        await desk.act(officer.take, here.case.report, by=budi.officer)
    else:
        sari = desk.signed_in(desk.house.supervisor)
        await sari.do(f"{here.page}/status", to="VERIFICATION")
    before = desk.again(here.case)
    form = {"justification": WORDS, "sure": "yes", "reason": "PROTECT", "words": ""}
    if path == "hand-over":
        form |= {"unit": holes["unit"], "reason": WORDS}
        confirm = Page(await dewi.send(f"{here.page}/{path}", **form))
        form["words"] = confirm.fields["words"]
    response = await dewi.send(f"{here.page}/{path}", **form, version=made_for)
    page = Page(response)
    assert response.status_code == 409, page.text
    assert says in page.text
    assert "nothing was saved" in page.text
    assert path == "conflict" or WORDS in response.text
    after = desk.again(here.case)
    assert (after.unit, after.head) == (before.unit, before.head)
    form["version"] = page.fields["version"]
    again = await dewi.send(f"{here.page}/{path}", **form)
    assert again.status_code == 303


async def test_a_request_that_was_granted_is_not_taken_back_by_an_older_page(
    desk: Desk,
):
    here, holes, sari, _ = everything(desk)
    reveal = bytes.fromhex(holes["reveal"])
    place = f"{here.page}/reveals/{reveal.hex()}"
    page = await sari.see(place)
    grants(desk, reveal)
    response = await sari.send(f"{place}/end", version=page.fields["version"])
    assert response.status_code == 409
    assert "so nothing was done" in Page(response).text
    assert "may be opened" in Page(response).text, "how it is now"
    assert row(desk, reveal) is not None
    assert "is deleted" in (await sari.do(f"{place}/end")).text


@pytest.mark.parametrize("act_of", ["grant", "refuse", "conflict"])
async def test_a_custodian_hears_that_another_one_has_decided(desk: Desk, act_of: str):
    here, holes, _, wayan = everything(desk)
    place = f"/vault/{holes['reveal']}"
    shown = (await wayan.see(place)).fields["version"]
    made_for = {"tell": "TELL", "reason": "MILDER", "sure": "yes", "version": shown}
    grants(desk, bytes.fromhex(holes["reveal"]))
    before = desk.again(here.case).head
    response = await wayan.send(f"{place}/{act_of}", **made_for)
    assert response.status_code == 409
    assert "so nothing was done" in Page(response).text
    assert desk.again(here.case).head == before


async def test_nobody_is_told_by_a_page_that_said_that_nobody_can_be(desk: Desk):
    here = held(desk, receipt=False)
    reveal = asks(desk, here)
    wayan = desk.signed_in(desk.house.custodian)
    page = await wayan.see(f"/vault/{reveal.hex()}")
    form = page.forms[f"/console/vault/{reveal.hex()}/grant"]
    assert form["tell"] == "TELL"
    with desk.database.writing() as session:
        case = session.merge(desk.again(here.case))
        case.reporter_key = b"\x01" * 32
        cases.save(session, desk.keys, case)
    response = await wayan.send(f"/vault/{reveal.hex()}/grant", **form)
    assert response.status_code == 409
    assert '<select id="tell"' in response.text
    found = row(desk, reveal)
    assert found is not None
    assert found.state == "asked"


async def test_a_file_is_not_judged_over_a_colleagues_head(desk: Desk):
    here, holes, sari, _ = everything(desk)
    place = f"{here.page}/files/{holes['file']}/note"
    budi = desk.signed_in(desk.colleague("budi"))
    shown = (await sari.see(here.page)).fields["judged"]
    await budi.do(f"{here.page}/note", note="Beside it.")
    await budi.do(place, label="LEAD", about="A lead.")
    stale = {"label": "KEY", "about": WORDS, "judged": shown}
    response = await sari.send(place, **stale)
    assert response.status_code == 409
    assert "A colleague judged this file" in Page(response).text
    assert WORDS in response.text
    page = await sari.do(place, label="KEY", about=WORDS)
    assert WORDS in page.text
