"""Two browsers on one case: a form that was made for an older state of it changes nothing."""

import pytest

from handlers.cases import data_requests, officer
from storage.cases import case_version, cases, history
from storage.cases import items as report_items
from storage.cases.items import Content
from storage.models import Case
from storage.words import Audience, EventCode, ItemKind, RequestKind, Role, Status
from tests.support.browsers import Browser, Desk, Page

WORDS = "What I typed for ten minutes."


async def shown(browser: Browser, case: Case) -> str:
    """Open the page; return the version that its forms carry."""
    page = await browser.see(f"/cases/{case.number}")
    return page.fields["version"]


def writes_again(desk: Desk, case: Case) -> None:
    """Let the reporter add something, as the inbox does."""
    with desk.database.writing() as session:
        row = cases.lock(session, desk.keys, case.report)
        assert row is not None
        added = report_items.add_item(
            session,
            desk.keys,
            case.report,
            Content(ItemKind.ADDITION, "One more thing.", step="Q23"),
            audience=Audience.CASE,
            public=row.public_key,
            day=row.day,
        )
        history.append(
            session,
            desk.keys,
            row,
            EventCode.ITEM,
            by=history.REPORTER,
            day=row.day,
            item_hash=added,
        )
        row.unread_from_reporter = True
        cases.save(session, desk.keys, row)


FORMS = {
    "moved": ("status", {"to": "VERIFICATION"}),
    "proposed": ("status", {"to": "REJECTED", "reason": "R05"}),
    "taken": ("take", {}),
    "held": ("hold", {"why": "A court asks."}),
    "noted": ("note", {"note": "Beside it."}),
}


async def meanwhile(desk: Desk, sari: Browser, case: Case, what: str) -> None:
    """Let a colleague, or the reporter, do something."""
    if what == "wrote":
        writes_again(desk, case)
    elif what == "looked":
        by = desk.house.supervisor.officer
        await desk.act(officer.record_reading, case.report, by=by)
    else:
        act, form = FORMS[what]
        await sari.do(f"/cases/{case.number}/{act}", **form)


REVIEW = {"to": "REVIEW"}
SPAM = {"to": "REJECTED", "reason": "R05"}
CONFLICTS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "moved, a step": ("moved", "status", {"to": "NEEDS_INFO"}, "The status is now"),
    "moved, a question": ("moved", "ask", {"question": WORDS}, "The status is now"),
    "moved, a take": ("moved", "take", {}, "The status is now: Verification (Sari, "),
    "proposed, a step": (
        "proposed",
        "status",
        REVIEW,
        "Sari now proposes: Not accepted",
    ),
    "proposed, the same": ("proposed", "status", SPAM, "Sari now proposes"),
    "taken, a step": ("taken", "status", REVIEW, "Sari works on this case now"),
    "taken, a take": ("taken", "take", {}, "Sari works on this case now"),
    "held, a hold": ("held", "hold", {"why": WORDS}, "on legal hold now"),
    "wrote, a rejection": ("wrote", "status", SPAM, "The reporter wrote since"),
}
GO_ON: dict[str, tuple[str, str, dict[str, str]]] = {
    "looked, a step": ("looked", "status", REVIEW),
    "looked, a rejection": ("looked", "status", SPAM),
    "looked, a take": ("looked", "take", {}),
    "noted, a step": ("noted", "status", REVIEW),
    "wrote, a step that ends nothing": ("wrote", "status", REVIEW),
    "wrote, a question": ("wrote", "ask", {"question": WORDS}),
    "taken, a question": ("taken", "ask", {"question": WORDS}),
    "moved, a note": ("moved", "note", {"note": WORDS}),
    "taken, a note": ("taken", "note", {"note": WORDS}),
    "held, a step": ("held", "status", REVIEW),
}


async def two(desk: Desk, what: str) -> tuple[Case, Browser, Browser]:
    """Let two supervisors open one case; it stands where the table wants it."""
    case = desk.case()
    if what != "moved":
        await desk.act(
            officer.change_status,
            case.report,
            Status.VERIFICATION,
            by=desk.house.supervisor.officer,
            reason=None,
        )
    dewi = desk.signed_in(desk.colleague("dewi", Role.SUPERVISOR))
    return case, desk.signed_in(desk.house.supervisor), dewi


@pytest.mark.parametrize(
    ("what", "act", "form", "says"), CONFLICTS.values(), ids=CONFLICTS
)
async def test_a_stale_page_changes_nothing_and_says_what_changed(
    desk: Desk, what: str, act: str, form: dict[str, str], says: str
):
    case, sari, dewi = await two(desk, what)
    version = await shown(dewi, case)
    await meanwhile(desk, sari, case, what)
    before = desk.again(case)
    response = await dewi.send(f"/cases/{case.number}/{act}", **form, version=version)
    page = Page(response)
    assert response.status_code == 409, page.text
    assert says in page.text
    assert "nothing was saved" in page.text
    if WORDS in form.values():
        assert WORDS in response.text, "what was typed is still in the form"
    after = desk.again(case)
    for name in ("status", "officer", "wanted_status", "wanted_by", "hold"):
        assert getattr(after, name) == getattr(before, name), name
    again = page.fields["version"]
    assert again != version
    if act not in {"take", "hold"} and form not in (SPAM, {"to": "NEEDS_INFO"}):
        path = f"/cases/{case.number}/{act}"
        assert (await dewi.send(path, **form, version=again)).status_code == 303


@pytest.mark.parametrize(("what", "act", "form"), GO_ON.values(), ids=GO_ON)
async def test_what_a_form_does_not_depend_on_never_stops_it(
    desk: Desk, what: str, act: str, form: dict[str, str]
):
    case, sari, dewi = await two(desk, what)
    version = await shown(dewi, case)
    await meanwhile(desk, sari, case, what)
    response = await dewi.send(f"/cases/{case.number}/{act}", **form, version=version)
    assert response.status_code == 303, Page(response).text


@pytest.mark.parametrize("act", ["status", "take", "let-go", "ask", "hold", "approve"])
@pytest.mark.parametrize("version", ["", "x", "a.b.c", "..........."])
async def test_a_form_that_does_not_say_what_it_was_made_for_does_nothing(
    desk: Desk, act: str, version: str
):
    case = desk.case()
    browser = desk.signed_in(desk.house.supervisor)
    await browser.see(f"/cases/{case.number}")
    before = desk.again(case).head
    form = {"to": "VERIFICATION", "question": WORDS, "why": WORDS}
    response = await browser.send(
        f"/cases/{case.number}/{act}", **form, version=version
    )
    assert response.status_code == 409
    assert desk.again(case).head == before


async def test_a_page_that_offers_to_propose_an_erasure_never_confirms_one(desk: Desk):
    case = desk.case()
    await desk.act(data_requests.ask, case.report, RequestKind.ERASE)
    sari = desk.signed_in(desk.house.supervisor)
    dewi = desk.signed_in(desk.colleague("dewi", Role.SUPERVISOR))
    page = await dewi.get(f"/cases/{case.number}")
    path = page.text.split("/console/cases/")[1:]
    (answer,) = {p.split('"')[0] for p in path if "/requests/" in p.split('"')[0]}
    version = await shown(dewi, case)
    await sari.do(f"/cases/{answer}", state="done")
    response = await dewi.send(f"/cases/{answer}", state="done", version=version)
    assert response.status_code == 409
    assert "What the reporter asks about their data changed" in Page(response).text
    assert desk.again(case).purged is None
    assert desk.again(case).is_open


@pytest.mark.both_stores
async def test_what_a_colleague_asked_a_minute_ago_is_asked_for_once_more(desk: Desk):
    case = desk.case()
    sari = desk.signed_in(desk.house.supervisor)
    budi = desk.signed_in(desk.colleague("budi"))
    path, question = f"/cases/{case.number}/ask", "Do you have a photo?"
    await sari.do(path, question=question)
    desk.clock.pass_time(seconds=50)
    response = await budi.send(path, question="  do you have\r\na PHOTO? ")
    page = Page(response)
    assert response.status_code == 409
    assert "asked a minute ago by Sari. Ask it again?" in page.text
    assert page.fields["again"] == "yes"
    assert "do you have\na PHOTO?" in response.text
    asked = [e for e in events(desk, case) if e.code == EventCode.ASKED]
    assert len(asked) == 1
    await budi.do(path, question=question, again="yes")
    await sari.do(path, question="Another one?")
    desk.clock.pass_time(seconds=61)
    await budi.do(path, question="Another one?")
    asked = [e for e in events(desk, case) if e.code == EventCode.ASKED]
    assert len(asked) == 4


def events(desk: Desk, case: Case):
    with desk.database.reading() as session:
        return history.of_case(session, case.report)


async def test_a_question_that_comes_in_between_is_seen_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    case = desk.case()
    sari = desk.house.supervisor.officer
    budi = desk.signed_in(desk.colleague("budi"))
    version = await shown(budi, case)
    run, late = desk.context.writer.run, [True]

    async def asks_first(verb, /, *arguments, **options):
        if late:
            late.clear()
            await desk.act(officer.ask, case.report, "Where?", by=sari)
        return await run(verb, *arguments, **options)

    monkeypatch.setattr(desk.context.writer, "run", asks_first)
    path = f"/cases/{case.number}/ask"
    response = await budi.send(path, question="Where?", version=version)
    assert "asked a minute ago by Sari" in Page(response).text
    assert sum(e.code == EventCode.ASKED for e in events(desk, case)) == 1


async def test_a_step_that_is_sent_twice_is_done_once(desk: Desk):
    case = desk.case()
    browser = desk.signed_in(desk.house.supervisor)
    version = await shown(browser, case)
    form = {"to": "VERIFICATION", "version": version, "once": "step-1"}
    for _ in range(2):
        await browser.do(f"/cases/{case.number}/status", **form)
    moves = [e for e in events(desk, case) if e.code == EventCode.STATUS]
    assert len(moves) == 1


async def test_a_version_is_the_same_for_everybody_and_hides_nothing_of_the_head(
    desk: Desk,
):
    case = desk.case()
    first = await shown(desk.signed_in(desk.house.supervisor), case)
    second = await shown(desk.signed_in(desk.colleague("dewi")), case)
    assert first == second
    with desk.database.reading() as session:
        row = session.get_one(Case, case.report)
        now = case_version.of(row, history.of_case(session, case.report))
    assert case_version.read(first) == now
    assert case_version.changed(now, now, set(case_version.Part)) == ()
