import pytest
from sqlmodel import col, select

from handlers.rules import numbering
from storage.cases import cases, history
from storage.cases import items as report_items
from storage.cases.items import Content
from storage.crypto.sealing import new_pair, open_seal
from storage.models import Case, Event, Item, Officer
from storage.people import officers
from storage.units import memberships, units
from storage.words import Audience, EventCode, ItemKind, Role, Status, UnitKind
from tests.support import founded
from tests.support.browsers import STORY, Desk, Page


def said(kind: ItemKind, text: str, step: str = "", **more) -> Content:
    return Content(kind, text, "2026-03-01T08:15:00+00:00", step, **more)


def add(desk: Desk, case: Case, content: Content, audience=Audience.CASE) -> None:
    with desk.database.writing() as session:
        vault = units.vault(session, desk.keys).public_key
        report_items.add_item(
            session,
            desk.keys,
            case.report,
            content,
            audience=audience,
            public=case.public_key,
            vault=vault,
            day=case.day,
        )


def codes(desk: Desk, case: Case) -> list[str]:
    with desk.database.reading() as session:
        return [
            event.code
            for event in session.exec(
                select(Event).where(Event.report == case.report).order_by("seq")
            )
        ]


async def test_answers_stand_in_the_order_of_the_questions_latest_first(desk: Desk):
    items = (
        said(ItemKind.ANSWER, "About ten in the morning", "Q12", version=1),
        said(ItemKind.ANSWER, "Licence office", "Q07", version=1),
        said(ItemKind.ANSWER, "Licence office, second floor", "Q07", version=2),
        said(ItemKind.ANSWER, STORY, "Q10", version=1),
        said(ItemKind.ANSWER, "And again on Friday.", "Q10", version=1),
        said(ItemKind.EDIT, "And again on Thursday.", "Q10", version=1),
        said(ItemKind.ANSWER, "Something else", "Q99", version=1),
    )
    case = desk.case(items=items)
    add(desk, case, said(ItemKind.IDENTITY, "Ibu Wati"), Audience.IDENTITY)
    page = await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    places = [
        page.text.index(words)
        for words in (
            "Agency and region Licence office, second floor",
            "Earlier versions (1) Licence office",
            f"What happened {STORY} And again on Friday.",
            "The reporter reworded this message: And again on Thursday.",
            "When About ten in the morning",
            "Q99 Something else",
            "Topic Illegal levy",
            "The reporter's identity is sealed",
        )
    ]
    assert places == sorted(places)
    assert "Ibu Wati" not in page.text
    assert "Written 1 Mar 2026, 15:15" in page.text


async def test_what_people_wrote_is_never_markup(desk: Desk):
    evil = "<img src=x onerror=alert(1)> {{ 7 * 7 }} \ud800 \u202e"
    case = desk.case(items=(said(ItemKind.ANSWER, evil, "Q10"),))
    response = await desk.signed_in(desk.house.supervisor).get(f"/cases/{case.number}")
    assert response.status_code == 200
    assert "<img src=x" not in response.text
    assert "{{ 7 * 7 }}" in response.text


@pytest.mark.both_stores
async def test_that_a_case_was_read_is_in_its_history(desk: Desk):
    case = desk.case()
    browser = desk.signed_in(desk.house.supervisor)
    page = await browser.see(f"/cases/{case.number.lower()}")
    assert "Contents read Sari" in page.text
    desk.clock.pass_time(minutes=10)
    await browser.see(f"/cases/{case.number}")
    assert codes(desk, case).count(EventCode.READ_BY_OFFICER) == 1
    with desk.database.writing() as session:
        row = session.get_one(Case, case.report)
        row.unread_from_reporter = True
        cases.save(session, desk.keys, row)
    await browser.see(f"/cases/{case.number}")
    assert codes(desk, case).count(EventCode.READ_BY_OFFICER) == 2
    assert not desk.again(case).unread_from_reporter
    for _ in range(4):
        desk.clock.pass_time(minutes=15)
        await browser.see("/")
    await browser.see(f"/cases/{case.number}")
    assert codes(desk, case).count(EventCode.READ_BY_OFFICER) == 3


async def test_a_case_of_another_unit_is_not_found(desk: Desk):
    case = desk.case()
    with desk.database.writing() as session:
        unit = units.create(session, desk.keys, "Other", UnitKind.HANDLING)
        made = founded.person(session, desk.keys, "made", Role.SUPERVISOR)
        memberships.admit_first(session, desk.keys, unit, made.officer)
    browser = desk.signed_in(made)
    theirs = await browser.get(f"/cases/{case.number}")
    nothing = await browser.get("/cases/0000-0000")
    assert theirs.status_code == nothing.status_code == 404
    assert Page(theirs).text == Page(nothing).text
    for path in ("take", "let-go", "ask", "note", "status"):
        response = await browser.send(
            f"/cases/{case.number}/{path}",
            question="Who?",
            note="Mine",
            to="VERIFICATION",
        )
        assert response.status_code == 404, path
    assert codes(desk, case) == ["opened", "item", "item"]
    custodian = await desk.signed_in(desk.house.custodian).get(f"/cases/{case.number}")
    assert custodian.status_code == 404


async def test_taking_and_giving_back(desk: Desk):
    case = desk.case()
    sari = desk.signed_in(desk.house.supervisor)
    budi = desk.signed_in(desk.colleague("budi"))
    page = await sari.do(f"/cases/{case.number}/take")
    assert "The case is yours now" in page.text
    assert desk.again(case).officer == desk.house.supervisor.officer.id
    response = await budi.send(f"/cases/{case.number}/take")
    assert response.status_code == 409
    assert "Another officer has taken this case already" in Page(response).text
    page = await sari.do(f"/cases/{case.number}/let-go")
    assert "back in the queue" in page.text
    assert desk.again(case).officer is None


async def test_a_question_reaches_the_reporter_sealed(desk: Desk):
    case = desk.case()
    pair = new_pair()
    with desk.database.writing() as session:
        row = session.get_one(Case, case.report)
        row.reporter_key = pair.public
        cases.save(session, desk.keys, row)
    browser = desk.signed_in(desk.house.supervisor)
    page = await browser.do(
        f"/cases/{case.number}/ask", question=" Do you have a photo?\r\nOf the slip? "
    )
    assert "sealed to the reporter" in page.text
    assert "Sari 2 Mar 2026, 10:00 Do you have a photo? Of the slip?" in page.text
    with desk.database.reading() as session:
        (item,) = session.exec(
            select(Item).where(Item.audience == Audience.REPORTER.value)
        )
        context = report_items._item_context(item.id, item.report, item.seq)  # noqa: SLF001 - the reporter's side
        opened = Content.from_bytes(open_seal(item.blob, pair.secret, context))
    assert opened.text == "Do you have a photo?\nOf the slip?"
    add(desk, case, said(ItemKind.REPLY, "Yes, I kept it."))
    page = await browser.see(f"/cases/{case.number}")
    assert "Reporter 1 Mar 2026, 15:15 Yes, I kept it." in page.text


@pytest.mark.parametrize(
    ("text", "problem"),
    [("  \r\n ", "Write something first"), ("x" * 1001, "The text is too long")],
)
async def test_an_empty_or_long_question_is_asked_again(
    desk: Desk, text: str, problem: str
):
    case = desk.case()
    browser = desk.signed_in(desk.house.supervisor)
    response = await browser.send(f"/cases/{case.number}/ask", question=text)
    assert response.status_code == 422
    assert problem in Page(response).text
    assert 'aria-invalid="true"' in response.text
    if text.strip():
        assert "x" * 1000 in response.text


async def test_nobody_is_asked_before_there_is_a_receipt(desk: Desk):
    case = desk.case(receipt=False)
    browser = desk.signed_in(desk.house.supervisor)
    page = await browser.see(f"/cases/{case.number}")
    assert "The reporter's receipt is not ready yet" in page.text
    response = await browser.send(f"/cases/{case.number}/ask", question="Who?")
    assert response.status_code == 409
    assert "receipt is not ready yet. Send" in Page(response).text


async def test_a_note_stays_in_the_unit(desk: Desk):
    case = desk.case()
    await desk.signed_in(desk.house.supervisor).do(
        f"/cases/{case.number}/note", note="Compare with last month."
    )
    page = await desk.signed_in(desk.colleague("budi")).see(f"/cases/{case.number}")
    assert "Sari 2 Mar 2026, 10:00 Compare with last month." in page.text
    with desk.database.reading() as session:
        rows = session.exec(select(Item).where(Item.audience == "reporter")).all()
    assert rows == []


async def test_steps_follow_the_workflow(desk: Desk):
    case = desk.case()
    path = f"/cases/{case.number}/status"
    browser = desk.signed_in(desk.house.supervisor)
    page = await browser.do(path, to="VERIFICATION", reason="")
    assert "The step is saved" in page.text
    assert "Status: Verification Sari" in page.text
    for form, status, problem in (
        ({"to": "CLOSED", "reason": "C01"}, 409, "That step is not open to you"),
        ({"to": "REJECTED"}, 409, "needs one of its own reasons"),
        ({"to": "REVIEW", "reason": "R05"}, 409, "takes no reason"),
        ({"to": "WITHDRAWN"}, 409, "That step is not open to you"),
        ({"to": "NOWHERE"}, 422, "Choose the next step"),
        ({"to": "REJECTED", "reason": "X99"}, 422, "Choose the next step"),
        ({}, 422, "Choose the next step"),
    ):
        response = await browser.send(path, **form)
        assert response.status_code == status, form
        assert problem in Page(response).text
    assert desk.again(case).status == Status.VERIFICATION


@pytest.mark.both_stores
async def test_two_officers_close_what_needs_two(desk: Desk):
    case = desk.case()
    path = f"/cases/{case.number}/status"
    sari = desk.signed_in(desk.house.supervisor)
    budi = desk.signed_in(desk.colleague("budi"))
    await sari.do(path, to="VERIFICATION")
    page = await sari.do(path, to="REJECTED", reason="R05")
    assert "A second officer has to approve it" in page.text
    assert "Sari proposes: Not accepted: spam, test, abuse" in page.text
    assert "Approve the proposal" not in page.text
    response = await sari.send(path, to="REJECTED", reason="R05")
    assert response.status_code == 409
    assert "Your proposal is recorded already" in Page(response).text
    page = await budi.see(f"/cases/{case.number}")
    assert "Approve the proposal" in page.text
    page = await budi.do(path, to="REJECTED", reason="R05")
    assert "Not accepted: spam, test, abuse" in page.text
    assert "A proposal waits" not in page.text
    assert not desk.again(case).is_open
    assert "Take the case" not in page.text


async def test_a_role_without_steps_is_told_so(desk: Desk):
    case = desk.case()
    page = await desk.signed_in(desk.colleague("budi", Role.HANDLER)).see(
        f"/cases/{case.number}"
    )
    assert "No step is open to your role" in page.text


async def test_an_account_that_ended_meanwhile_does_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    case = desk.case()
    budi = desk.colleague("budi")
    browser = desk.signed_in(budi)
    shown = await browser.see(f"/cases/{case.number}")
    run = desk.context.writer.run

    async def ended_first(verb, /, *arguments, **options):
        with desk.database.writing() as session:
            row = session.get_one(Officer, budi.officer.id)
            officers._change(session, desk.keys, row, active=False)  # noqa: SLF001 - as deactivate does
        return await run(verb, *arguments, **options)

    monkeypatch.setattr(desk.context.writer, "run", ended_first)
    response = await browser.send(
        f"/cases/{case.number}/take", version=shown.fields["version"]
    )
    assert response.status_code == 409
    assert desk.again(case).officer is None


async def test_what_was_changed_by_hand_is_shown_as_not_authentic(desk: Desk):
    items = (said(ItemKind.ANSWER, STORY, "Q10"), said(ItemKind.ANSWER, "Here", "Q11"))
    case = desk.case(items=items)
    browser = desk.signed_in(desk.house.supervisor)
    await browser.see(f"/cases/{case.number}")
    with desk.database.writing() as session:
        item = session.exec(
            select(Item).where(Item.report == case.report, Item.seq == 2)
        ).one()
        item.by_officer = True
        session.add(item)
        event = session.exec(
            select(Event).where(Event.report == case.report, Event.seq == 2)
        ).one()
        event.code = "noted"
        session.add(event)
    page = await browser.see(f"/cases/{case.number}")
    assert "1 parts are not authentic" in page.text
    assert "Here" not in page.text
    assert "changed outside the program from line 2 on" in page.text
    assert "Not authentic from line 2 on" in page.text
    assert "not authentic" in page.text


async def test_a_planted_case_row_is_refused(desk: Desk):
    case = desk.case()
    with desk.database.writing() as session:
        row = session.get_one(Case, case.report)
        row.public_key = new_pair().public
        session.add(row)
    response = await desk.signed_in(desk.house.supervisor).get(f"/cases/{case.number}")
    assert response.status_code == 409
    assert "changed outside the program" in Page(response).text


async def test_a_planted_question_is_not_shown_as_ours(desk: Desk):
    case = desk.case()
    add(desk, case, said(ItemKind.QUESTION, "Who are you?", officer="00" * 16))
    with desk.database.writing() as session:
        row = session.exec(
            select(Item).where(col(Item.by_officer), Item.audience == "case")
        ).one()
        row.tag = b"\x01" + bytes(32)
        session.add(row)
    page = await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    assert "Who are you?" not in page.text
    assert "not authentic" in page.text


@pytest.mark.both_stores
async def test_choices_that_do_not_open_are_left_out(desk: Desk):
    case = desk.case(items=(said(ItemKind.NOTE, "No answers at all."),))
    with desk.database.writing() as session:
        for item in session.exec(select(Item).where(~col(Item.by_officer))).all():
            item.blob = b"changed"
            session.add(item)
        row = session.get_one(Case, case.report)
        row.province = "31"
        cases.save(session, desk.keys, row)
    page = await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    assert "This report holds no answers yet" in page.text
    assert "Province" in page.text


async def test_the_register_number_is_given_at_an_officers_first_act(desk: Desk):
    first, second = desk.case(), desk.case()
    browser = desk.signed_in(desk.house.supervisor)
    for number, case in enumerate((second, first), start=1):
        page = await browser.see(f"/cases/{case.number}")
        assert f"Register {numbering.register_number(2026, number)}" in page.text
    again = await browser.see(f"/cases/{second.number}")
    assert f"Register {numbering.register_number(2026, 1)}" in again.text


@pytest.mark.both_stores
async def test_a_form_that_is_sent_twice_is_done_once(desk: Desk):
    case = desk.case()
    browser = desk.signed_in(desk.house.supervisor)
    for once in ("note-a", "note-a", "note-b"):
        await browser.do(f"/cases/{case.number}/note", note="Look here.", once=once)
    page = await browser.see(f"/cases/{case.number}")
    assert page.text.count("Look here.") == 2


async def test_a_name_that_was_changed_by_hand_is_not_shown(desk: Desk):
    case, budi = desk.case(), desk.colleague("budi")
    await desk.signed_in(budi).do(f"/cases/{case.number}/take")
    with desk.database.writing() as session:
        row = session.get_one(Officer, budi.officer.id)
        row.name = "Somebody Else"
        session.add(row)
    page = await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    assert "Somebody Else" not in page.text
    assert "Taken Officer" in page.text


@pytest.mark.both_stores
async def test_a_withdrawal_and_a_strange_detail_are_shown(desk: Desk):
    case = desk.case(items=(Content(ItemKind.ANSWER, STORY, "no time", "Q10"),))
    with desk.database.writing() as session:
        row = session.get_one(Case, case.report)
        row.reporter_withdrawn = True
        history.append(
            session,
            desk.keys,
            row,
            EventCode.UNREACHABLE,
            by=history.SYSTEM,
            day=row.day,
            detail="blocked",
        )
        cases.save(session, desk.keys, row)
    page = await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    assert "Withdrawn by the reporter" in page.text
    assert (
        "Reporter cannot be reached: The provider did not take it Program" in page.text
    )
