"""Requests about own data in the console: seen, dated, answered; erased by two."""

from pathlib import Path

import pytest

from handlers.cases import data_requests
from handlers.work import Work
from storage.cases import cases, history
from storage.evidence import blobs, files
from storage.evidence.files import Taken
from storage.evidence.sealed_files import Sealer
from storage.models import Case, DataRequest
from storage.units import memberships, units
from storage.words import RequestKind, Role, UnitKind
from tests.support import founded
from tests.support.browsers import Browser, Desk, Page
from tests.support.desk import pick

WORDS = "We must keep the facts for an examination that the law asks for."


def ask(desk: Desk, case: Case, *kinds: RequestKind) -> None:
    with desk.database.writing() as session:
        for kind in kinds:
            data_requests.ask(
                Work(session, desk.context.office, desk.clock()), case.report, kind
            )


def request(desk: Desk, case: Case, kind: RequestKind) -> str:
    with desk.database.reading() as session:
        row = pick(session, DataRequest, report=case.report, kind=kind.value)
        return f"/cases/{case.number}/requests/{row.id.hex()}"


async def test_a_restriction_is_a_banner_until_it_is_answered(desk: Desk):
    case = desk.case()
    sari = desk.signed_in(desk.house.supervisor)
    ask(desk, case, RequestKind.RESTRICT)
    page = await sari.see(f"/cases/{case.number}")
    assert "Use is restricted: the reporter asked for it on 2 March 2026" in page.text
    assert "first answer by 5 Mar 2026" in page.text
    path = request(desk, case, RequestKind.RESTRICT)
    response = await sari.send(path, state="limited", text=" ")
    assert response.status_code == 409
    response = await sari.send(path, state="perhaps", text=WORDS)
    assert response.status_code == 422
    assert WORDS in Page(response).text, "what was typed is not lost"
    response = await sari.send(path, state="limited", text="x" * 1001)
    assert response.status_code == 422
    page = await sari.do(path, state="limited", text=WORDS)
    assert "The request is answered." in page.text
    assert "Use is restricted" not in page.text
    assert "restrict the use, limited" in page.text
    response = await sari.send(path, state="limited", text=WORDS)
    assert response.status_code == 409


@pytest.mark.both_stores
async def test_the_list_shows_own_units_overdue_first(desk: Desk):
    late, soon, theirs = desk.case(), desk.case(), desk.case()
    with desk.database.writing() as session:
        other = units.create(session, desk.keys, "Other", UnitKind.HANDLING)
        budi = founded.person(session, desk.keys, "budi")
        memberships.admit_first(session, desk.keys, other, budi.officer)
        row = cases.lock(session, desk.keys, theirs.report)
        assert row
        row.unit = other.id
        cases.save(session, desk.keys, row)
    ask(desk, late, RequestKind.ERASE)
    desk.clock.pass_time(days=5)
    ask(desk, soon, RequestKind.ACCESS)
    ask(desk, theirs, RequestKind.ACCESS)
    page = await desk.signed_in(desk.house.supervisor).see("/requests")
    assert theirs.number not in page.text
    assert page.text.index(late.number) < page.text.index(soon.number)
    assert "2 days late" in page.text
    assert theirs.number in (await desk.signed_in(budi).see("/requests")).text
    custodian = desk.signed_in(desk.house.custodian)
    assert (await custodian.get("/requests")).status_code == 404


async def erases(browser: Browser, desk: Desk, case: Case) -> Page:
    path = request(desk, case, RequestKind.ERASE)
    return await browser.do(path, state="done", text="")


def on_disk(desk: Desk, case: Case) -> Path:
    """Give a case a file; return where it lies."""
    with desk.database.writing() as session:
        row = files.reserve(session, desk.keys, case.report, day=case.day)
        path = blobs.place(desk.context.blob_store.path, row, "original")
        with Sealer(path) as sealer:
            sealer.write(b"a letter")
        vault = desk.house.vault.public_key or b""
        taken = Taken(sealer.key, None, {})
        public = case.public_key
        assert files.taken(session, desk.keys, row, taken, public=public, vault=vault)
    return path


@pytest.mark.both_stores
async def test_two_officers_erase_and_the_page_stays(desk: Desk):
    case = desk.case()
    letter = on_disk(desk, case)
    ask(desk, case, RequestKind.ERASE)
    budi = desk.signed_in(desk.colleague("budi", Role.HANDLER))
    sari = desk.signed_in(desk.house.supervisor)
    page = await erases(budi, desk, case)
    assert "The erasure is proposed." in page.text
    assert "Budi proposed the erasure" in page.text
    path = request(desk, case, RequestKind.ERASE)
    assert (await budi.send(path, state="done", text="")).status_code == 409
    assert "Confirm and erase" in (await sari.see(f"/cases/{case.number}")).text
    assert letter.exists()
    page = await erases(sari, desk, case)
    assert not letter.exists(), "at once, not with the next sweep"
    assert "The request is answered." in page.text
    assert "asked for money" not in page.text
    assert "was changed in the database" not in page.text
    now = desk.again(case)
    assert now.purged
    with desk.database.reading() as session:
        assert history.missing_items(session, now) == 0


async def test_a_hold_leaves_only_the_limit(desk: Desk):
    case = desk.case()
    ask(desk, case, RequestKind.ERASE)
    with desk.database.writing() as session:
        row = cases.lock(session, desk.keys, case.report)
        assert row
        row.hold = True
        cases.save(session, desk.keys, row)
    sari = desk.signed_in(desk.house.supervisor)
    page = await sari.see(f"/cases/{case.number}")
    assert "nothing may be erased" in page.text
    assert "Propose to erase" not in page.text
    path = request(desk, case, RequestKind.ERASE)
    assert (await sari.send(path, state="done", text="")).status_code == 409
    await sari.do(path, state="limited", text=WORDS)


@pytest.mark.parametrize("how", ["deleted", "changed"])
async def test_a_request_that_somebody_touched_is_told(desk: Desk, how: str):
    case = desk.case()
    ask(desk, case, RequestKind.ERASE)
    with desk.database.writing() as session:
        row = pick(session, DataRequest, report=case.report)
        if how == "deleted":
            session.delete(row)
        else:
            row.state = "done"
            session.add(row)
    page = await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    assert "was changed in the database, or is gone" in page.text
