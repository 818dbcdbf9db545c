"""Whoever declares a conflict of interest is out at once, and what comes later is not theirs."""

import pytest
from sqlmodel import select

from handlers.cases import conflicts, officer
from storage.audit import log
from storage.cases import cases, history, items
from storage.cases import conflicts as declarations
from storage.cases.items import Content
from storage.evidence import files
from storage.evidence.files import Taken
from storage.inspection import chains
from storage.models import Case, Conflict, Event, File, Grant, Item
from storage.rekeying import case_keys
from storage.words import (
    Audience,
    EventCode,
    FileState,
    ItemKind,
    Reason,
    Recipient,
    Status,
)
from tests.support import thief
from tests.support.browsers import STORY, Browser, Desk, Page
from tests.support.founded import Person
from tests.support.unsealing import secret_for

NOTE = "Called the witness."


async def declared(desk: Desk, case: Case, who: Person) -> Browser:
    browser = desk.signed_in(who)
    page = await browser.see(f"/cases/{case.number}/conflict")
    assert "not what was read" in page.text
    path = f"/cases/{case.number}/conflict"
    assert "recorded" in (await browser.do(path, sure="yes")).text
    return browser


def evidence(desk: Desk, case: Case) -> bytes:
    """Give the case a file with both keys, and an identity."""
    with desk.database.writing() as session:
        row = session.get_one(Case, case.report)
        vault = desk.house.vault.public_key
        assert vault is not None
        content = Content(kind=ItemKind.IDENTITY, text="Ketut")
        named = items.add_item(
            session,
            desk.keys,
            case.report,
            content,
            audience=Audience.IDENTITY,
            public=case.public_key,
            vault=vault,
            day=case.day,
        )
        history.append(
            session,
            desk.keys,
            row,
            EventCode.ITEM,
            by=history.REPORTER,
            day=case.day,
            item_hash=named,
        )
        cases.save(session, desk.keys, row)
        file = files.reserve(session, desk.keys, case.report, day=case.day)
        files.taken(
            session,
            desk.keys,
            file,
            Taken(b"o" * 32, b"c" * 32, {"type": "image/png"}),
            public=case.public_key,
            vault=vault,
        )
    return file


def wrong(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        assert log.verify(session, desk.keys) is None
        return list(chains.problems(session, desk.keys))


def held(desk: Desk, case: Case) -> set[tuple[str, bytes]]:
    with desk.database.reading() as session:
        rows = session.exec(select(Grant).where(Grant.report == case.report))
        return {(row.recipient_kind, row.recipient) for row in rows}


@pytest.mark.both_stores
async def test_access_ends_at_once(desk: Desk):
    budi = desk.colleague("budi")
    case = desk.case()
    await desk.act(officer.take, case.report, by=budi.officer)
    sari, act = desk.house.supervisor.officer, officer.change_status
    steps = (
        (Status.VERIFICATION, None, sari),
        (Status.REJECTED, Reason.R03, budi.officer),
    )
    for to, why, who in steps:
        await desk.act(act, case.report, to, by=who, reason=why)
    assert desk.again(case).wanted_by == budi.officer.id
    other = desk.signed_in(budi)
    assert case.number in (await other.see("/")).text
    browser = await declared(desk, case, budi)
    for one in (browser, other):
        assert (await one.get(f"/cases/{case.number}")).status_code == 404
        assert (await one.get(f"/cases/{case.number}/conflict")).status_code == 404
        for step in ("take", "note", "status", "conflict", "ask"):
            form = {"note": "x", "question": "x", "to": "REVIEW", "sure": "yes"}
            response = await one.send(f"/cases/{case.number}/{step}", **form)
            assert response.status_code == 404, step
        for page in ("/", "/mine", "/?state=over"):
            assert case.number not in (await one.see(page)).text
    row = desk.again(case)
    assert row.officer is None
    assert (row.wanted_by, row.wanted_status) == (None, None)
    assert wrong(desk) == []


async def test_a_declaration_needs_the_tick_and_is_kept_once(desk: Desk):
    budi, case = desk.colleague("budi"), desk.case()
    browser = desk.signed_in(budi)
    response = await browser.send(f"/cases/{case.number}/conflict")
    assert response.status_code == 422
    assert "Tick the box" in Page(response).text
    assert (await browser.get(f"/cases/{case.number}")).status_code == 200
    for first in (True, False):
        made = await desk.act(conflicts.declare, case.report, by=budi.officer)
        assert made is first
    with desk.database.reading() as session:
        assert len(session.exec(select(Conflict)).all()) == 1


async def test_a_deleted_row_gives_no_access_back(desk: Desk):
    budi, case = desk.colleague("budi"), desk.case()
    browser = await declared(desk, case, budi)
    with desk.database.writing() as session:
        session.delete(session.exec(select(Conflict)).one())
    assert (await browser.get(f"/cases/{case.number}")).status_code == 404
    assert any("conflict" in line for line in wrong(desk))


async def test_a_row_and_its_line_deleted_give_the_new_key_to_nobody(desk: Desk):
    budi, case = desk.colleague("budi"), desk.case()
    await declared(desk, case, budi)
    sari = desk.signed_in(desk.house.supervisor)
    await sari.see(f"/cases/{case.number}")
    before = held(desk, case)
    with desk.database.writing() as session:
        session.delete(session.exec(select(Conflict)).one())
        line = select(Event).where(Event.code == "conflict")
        session.delete(session.exec(line).one())
    assert STORY in (await sari.see(f"/cases/{case.number}")).text
    await sari.do("/new-keys")
    assert held(desk, case) == before
    assert STORY not in (await desk.signed_in(budi).get(f"/cases/{case.number}")).text


@pytest.mark.both_stores
async def test_the_next_members_session_gives_the_case_a_new_key(desk: Desk):
    budi = desk.colleague("budi")
    sari, case = desk.house.supervisor, desk.case()
    file_id = evidence(desk, case)
    with desk.database.reading() as session:
        old = secret_for(
            session, desk.keys, case.report, desk.house.unit, desk.house.unit_secret
        )
        before = {row.seq: row.blob for row in session.exec(select(Item))}
    await declared(desk, case, budi)
    browser = desk.signed_in(sari)
    assert "new key" in (await browser.see("/")).text
    assert desk.again(case).public_key == case.public_key
    page = await browser.see(f"/cases/{case.number}")
    assert STORY in page.text
    assert "Re-sealed" in page.text or "sealed anew" in page.text.lower()
    assert "items missing" not in page.text
    assert "a new key" not in (await browser.see("/")).text
    row = desk.again(case)
    assert row.public_key != case.public_key
    assert held(desk, case) == {
        (Recipient.OFFICER, sari.officer.id),
        (
            Recipient.RECOVERY,
            *(k for kind, k in held(desk, case) if kind == "recovery"),
        ),
    }
    await browser.do(f"/cases/{case.number}/note", note=NOTE)
    assert NOTE in (await browser.see(f"/cases/{case.number}")).text
    assert wrong(desk) == []
    with desk.database.reading() as session:
        for item in session.exec(select(Item)):
            same = before.get(item.seq) == item.blob
            assert same is False, "everything here is the case's"
        (identity,) = items.identity_halves(
            session, desk.keys, case.report, _own(desk, session, row, sari)
        )
        assert identity[2].startswith(b"\x01\x01")
        file = session.get_one(File, file_id)
        assert file.state == FileState.TAKEN
        assert files.copy_key(file, _own(desk, session, row, sari)) == b"c" * 32
    loot = thief.steal(desk.database)
    for secret in (budi.secret, desk.house.unit_secret, old):
        opened = set(thief.opened_by_secret(secret, loot))
        assert opened <= {("unit_grants", "secret")}, opened


def _own(desk: Desk, session, case: Case, who: Person) -> bytes:
    unit = desk.house.unit
    return case_keys.secret_of(session, desk.keys, case, unit, who.officer, who.secret)


@pytest.mark.both_stores
async def test_an_item_that_goes_or_comes_by_hand_after_a_new_key_shows(desk: Desk):
    budi, case = desk.colleague("budi"), desk.case()
    await declared(desk, case, budi)
    await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    with desk.database.reading() as session:
        rows = [Item(**r.model_dump()) for r in session.exec(select(Item))]
    for row in rows:
        with desk.database.writing() as session:
            session.delete(session.get_one(Item, row.id))
        assert "1 items missing" in wrong(desk)[0]
        with desk.database.writing() as session:
            session.add(Item(**row.model_dump()))
        assert wrong(desk) == []


@pytest.mark.both_stores
async def test_what_was_missing_before_stays_missing(desk: Desk):
    budi, case = desk.colleague("budi"), desk.case()
    with desk.database.writing() as session:
        session.delete(session.exec(select(Item)).first())
    assert "1 items missing" in wrong(desk)[0]
    await declared(desk, case, budi)
    await desk.signed_in(desk.house.supervisor).get(f"/cases/{case.number}")
    assert desk.again(case).public_key != case.public_key
    assert "1 items missing" in wrong(desk)[0]


@pytest.mark.both_stores
async def test_without_another_member_it_waits(desk: Desk):
    case = desk.case()
    sari = desk.house.supervisor
    browser = desk.signed_in(sari)
    page = await browser.see(f"/cases/{case.number}/conflict")
    assert "the only one" in page.text
    await declared(desk, case, sari)
    assert "new key" not in (await browser.see("/")).text
    assert desk.again(case).public_key == case.public_key
    with desk.database.reading() as session:
        assert declarations.unsettled(session) == 1, "the doctor says it"
    budi = desk.colleague("budi")
    page = await desk.signed_in(budi).see(f"/cases/{case.number}")
    assert STORY in page.text
    assert desk.again(case).public_key != case.public_key
    with desk.database.reading() as session:
        assert declarations.unsettled(session) == 0


async def test_who_comes_later_gets_the_key_from_a_member(desk: Desk):
    budi, case = desk.colleague("budi"), desk.case()
    await declared(desk, case, budi)
    sari = desk.signed_in(desk.house.supervisor)
    await sari.see(f"/cases/{case.number}")
    dewi = desk.colleague("dewi")
    late = desk.signed_in(dewi)
    response = await late.get(f"/cases/{case.number}")
    assert response.status_code == 409
    assert "key of its own" in Page(response).text
    key = desk.again(case).public_key
    assert "new key" in (await sari.see("/")).text
    assert "keys are made" in (await sari.do("/new-keys")).text
    assert STORY in (await late.see(f"/cases/{case.number}")).text
    assert desk.again(case).public_key == key
    assert wrong(desk) == []


async def test_a_planted_officers_grant_opens_nothing_and_hides_nothing(desk: Desk):
    budi, case = desk.colleague("budi"), desk.case()
    await declared(desk, case, budi)
    sari = desk.signed_in(desk.house.supervisor)
    await sari.see(f"/cases/{case.number}")
    with desk.database.writing() as session:
        own = session.exec(
            select(Grant).where(Grant.recipient == desk.house.supervisor.officer.id)
        ).one()
        for name in (bytes(16), b"\xff" * 16):
            session.add(Grant(**{**own.model_dump(), "id": name, "tag": bytes(33)}))
    assert STORY in (await sari.see(f"/cases/{case.number}")).text
