"""A step names what it must, and nobody takes it unseen: the reporter's own text comes first."""

import pytest
from sqlmodel import select

from handlers.cases import officer
from storage.cases import cases, items
from storage.cases.items import Content
from storage.crypto.sealing import new_pair
from storage.models import Case, Event
from storage.words import Audience, EventCode, ItemKind, Role, Status
from tests.support.browsers import STORY, Browser, Desk, Page
from tests.support.founded import Person

WORDS = "Counter 3, letter B/12/2026."
REFERRAL = {"to": "REFERRED", "names": "partner", "partner": "KPK", "day": "2026-03-02"}
FORMS = {
    "REFERRED": {**REFERRAL, "words": WORDS},
    "REJECTED": {
        "to": "REJECTED",
        "reason": "R01",
        "names": "address",
        "partner": "ORI",
        "words": WORDS,
    },
    "MERGED": {"to": "MERGED", "names": "case", "words": WORDS},
}
READS = {
    "REFERRED": "Your report went to the competent agency. We did not include your "
    "personal data. Referred to: Corruption Eradication Commission (KPK), on 02/03/2026. "
    f"{WORDS}",
    "REJECTED": "We cannot process the report: outside our mandate. You may add facts or "
    f"ask for a new look. You can turn to: the Ombudsman (ORI). {WORDS}",
    "MERGED": "We still handle your report together with other information. Your number "
    "stays valid.",
}


def wrote_in(language: str) -> tuple[Content, ...]:
    at = "2026-03-02T03:00:00+00:00"
    return (Content(ItemKind.ANSWER, STORY, at, "Q10", language=language),)


async def verified(desk: Desk, language: str = "en") -> Case:
    case = desk.case(items=wrote_in(language))
    await desk.act(
        officer.change_status,
        case.report,
        Status.VERIFICATION,
        by=desk.house.supervisor.officer,
        reason=None,
    )
    return case


def filled(desk: Desk, to: str) -> dict[str, str]:
    more = {"other": f" {desk.case().number.lower()} "} if to == "MERGED" else {}
    return {**FORMS[to], **more}


async def see_step(browser: Browser, case: Case, **form: str) -> Page:
    response = await browser.send(f"/cases/{case.number}/step", **form)
    assert response.status_code == 200, Page(response).text
    return Page(response)


@pytest.mark.both_stores
@pytest.mark.parametrize("to", FORMS)
async def test_two_officers_name_it_and_both_see_what_the_reporter_will_read(
    desk: Desk, to: str
):
    case, form = await verified(desk), filled(desk, to)
    sari = desk.signed_in(desk.house.supervisor)
    budi = desk.signed_in(desk.colleague("budi"))
    asked = {key: form[key] for key in ("to", "reason") if key in form}
    page = await see_step(sari, case, **asked)
    assert READS[to] not in page.text, "nothing is named yet"
    page = await see_step(sari, case, **form)
    assert f"with number and code: {READS[to]}" in page.text
    assert "A second officer has to approve this step" in page.text
    assert desk.again(case).wanted_status is None, "looking changes nothing"
    page = await sari.do(f"/cases/{case.number}/status", **form, looked="yes")
    assert "A second officer has to approve it" in page.text
    page = await budi.see(f"/cases/{case.number}")
    assert READS[to] in page.text
    assert WORDS in page.text
    page = await budi.do(f"/cases/{case.number}/approve")
    assert "The step is saved" in page.text
    assert WORDS in page.text
    assert desk.again(case).status == to
    other = form.get("other", "").strip().upper()
    if other:
        assert f"/console/cases/{other}" in page.links
    with desk.database.reading() as session:
        told = " ".join(event.detail for event in session.exec(select(Event)))
    assert not {"KPK", "ORI", other or "KPK"} & set(told.replace(":", " ").split())


async def test_what_the_reporter_reads_is_in_the_reporters_language(desk: Desk):
    sari = desk.signed_in(desk.house.supervisor)
    case = await verified(desk, "id")
    page = await see_step(sari, case, to="REVIEW")
    assert "Laporan Anda sedang ditelaah petugas" in page.text
    assert "Staff are reviewing" not in page.text
    case = await verified(desk, "")
    page = await see_step(sari, case, to="REVIEW")
    assert "Laporan Anda sedang ditelaah petugas" in page.text
    assert "Staff are reviewing" in page.text, "nobody knows it, so both"


BAD: dict[str, tuple[dict[str, str], int, str]] = {
    "no partner": ({**REFERRAL, "partner": ""}, 422, "has to name something"),
    "no day": ({**REFERRAL, "day": ""}, 422, "has to name something"),
    "tomorrow": ({**REFERRAL, "day": "2026-03-03"}, 422, "has to name something"),
    "no date": ({**REFERRAL, "day": "soon"}, 422, "Choose the next step"),
    "unknown": ({**REFERRAL, "partner": "CIA"}, 422, "has to name something"),
    "no such case": (
        {"to": "MERGED", "names": "case", "other": "ZZZZ-ZZZZ"},
        422,
        "not the number of another case",
    ),
    "not open": ({"to": "CLOSED", "reason": "C01"}, 409, "That step is not open"),
    "no reason": ({"to": "REJECTED"}, 409, "needs one of its own reasons"),
    "nowhere": ({"to": "NOWHERE"}, 422, "Choose the next step"),
}


@pytest.mark.parametrize("act", ["step", "status"])
@pytest.mark.parametrize(("form", "status", "says"), BAD.values(), ids=BAD)
async def test_what_cannot_be_is_refused_with_what_was_typed(
    desk: Desk, act: str, form: dict[str, str], status: int, says: str
):
    case = await verified(desk)
    before = desk.again(case)
    sari = desk.signed_in(desk.house.supervisor)
    form = {**form, "words": WORDS} if "names" in form else form
    response = await sari.send(f"/cases/{case.number}/{act}", **form)
    assert response.status_code in {status, 409}
    assert says in Page(response).text
    if "names" in form and form.get("day") != "soon":
        assert WORDS in response.text
    after = desk.again(case)
    assert (after.status, after.wanted_by) == (before.status, None)


@pytest.mark.both_stores
async def test_a_stale_step_keeps_what_was_named_and_can_be_sent_again(desk: Desk):
    case, form = await verified(desk), filled(desk, "REFERRED")
    sari = desk.signed_in(desk.house.supervisor)
    dewi = desk.signed_in(desk.colleague("dewi", Role.SUPERVISOR))
    path = f"/cases/{case.number}"
    page = await see_step(dewi, case, **form)
    old = {**form, "looked": "yes", "version": page.fields["version"]}
    await sari.do(f"{path}/status", to="REJECTED", reason="R05")
    response = await dewi.send(f"{path}/status", **old)
    page = Page(response)
    assert response.status_code == 409
    assert "Sari now proposes: Not accepted: spam, test, abuse." in page.text
    assert READS["REFERRED"] in page.text
    assert response.text.count(WORDS) >= 2, "in the field, and in what will be sent"
    assert desk.again(case).wanted_status == Status.REJECTED
    await dewi.do(f"{path}/status", **{**old, "version": page.fields["version"]})
    assert desk.again(case).wanted_status == Status.REFERRED


async def test_a_step_that_is_shut_meanwhile_still_shows_what_was_typed(desk: Desk):
    case, form = await verified(desk), filled(desk, "MERGED")
    sari = desk.signed_in(desk.house.supervisor)
    page = await see_step(sari, case, **form)
    by = desk.colleague("dewi", Role.SUPERVISOR).officer
    for to in (Status.REVIEW, Status.INFO_GATHERING):
        moved = (officer.change_status, case.report, to)
        await desk.act(*moved, by=by, reason=None)
    old = {**form, "looked": "yes", "version": page.fields["version"]}
    response = await sari.send(f"/cases/{case.number}/status", **old)
    assert response.status_code == 409
    assert "The status is now: Information gathering (Dewi, " in Page(response).text
    assert "not open to you from the status now" in Page(response).text
    assert WORDS in response.text
    assert "Save the proposal" not in response.text


async def test_an_approval_is_for_the_proposal_that_was_shown(desk: Desk):
    case = await verified(desk)
    sari = desk.signed_in(desk.house.supervisor)
    budi = desk.signed_in(desk.colleague("budi"))
    path = f"/cases/{case.number}"
    await sari.do(f"{path}/status", **filled(desk, "REFERRED"))
    version = (await budi.see(path)).fields["version"]
    await sari.do(f"{path}/status", **{**filled(desk, "REFERRED"), "partner": "BPKP"})
    response = await budi.send(f"{path}/approve", version=version)
    assert response.status_code == 409
    assert "Sari now proposes: Referred" in Page(response).text
    assert desk.again(case).status == Status.VERIFICATION
    assert (await sari.send(f"{path}/approve")).status_code == 409, "not one's own"
    await budi.do(f"{path}/approve")
    assert desk.again(case).status == Status.REFERRED
    response = await budi.send(f"{path}/approve")
    assert response.status_code == 409
    assert "No proposal waits any more" in Page(response).text


async def test_nobody_is_referred_before_there_is_a_receipt(desk: Desk):
    case = desk.case(receipt=False)
    by = desk.house.supervisor.officer
    step = (officer.change_status, case.report, Status.VERIFICATION)
    await desk.act(*step, by=by, reason=None)
    sari = desk.signed_in(desk.house.supervisor)
    budi = desk.signed_in(desk.colleague("budi"))
    await sari.do(f"/cases/{case.number}/status", **filled(desk, "REFERRED"))
    response = await budi.send(f"/cases/{case.number}/approve")
    assert response.status_code == 409
    assert "receipt is not ready yet" in Page(response).text
    assert desk.again(case).status == Status.VERIFICATION


async def test_what_is_named_is_sealed_to_the_reporter_too(desk: Desk):
    case, pair = await verified(desk), new_pair()
    with desk.database.writing() as session:
        row = session.get_one(Case, case.report)
        row.reporter_key = pair.public
        cases.save(session, desk.keys, row)
    sari = desk.signed_in(desk.house.supervisor)
    await sari.do(f"/cases/{case.number}/status", **filled(desk, "REFERRED"))
    await desk.signed_in(desk.colleague("budi")).do(f"/cases/{case.number}/approve")
    with desk.database.reading() as session:
        (told,) = items.read(
            session, desk.keys, case.report, pair.secret, audience=Audience.REPORTER
        )
    assert told.content is not None
    assert WORDS in told.content.text


def whose(desk: Desk, case: Case) -> bytes | None:
    return desk.again(case).officer


async def test_a_case_is_handed_on_with_a_word_why(desk: Desk):
    case, budi = await verified(desk), desk.colleague("budi")
    wati = desk.signed_in(desk.colleague("wati", Role.INTAKE))
    path = f"/cases/{case.number}"
    await wati.do(f"{path}/take")
    page = await desk.signed_in(budi).see(path)
    assert "Wati works on this case. You may still approve" in page.text
    assert "Take the case" not in page.text
    response = await desk.signed_in(budi).send(f"{path}/status", to="REVIEW")
    assert response.status_code == 409
    assert "Another officer works on this case. Ask them" in Page(response).text
    for form, status in (
        ({}, 422),
        ({"colleague": "zz"}, 422),
        ({"colleague": "00"}, 409),
    ):
        assert (await wati.send(f"{path}/hand-on", **form)).status_code == status
    form = {"colleague": budi.officer.id.hex(), "reason": "She knows the office."}
    page = await wati.do(f"{path}/hand-on", **form)
    assert "The case is handed on; both officers are told" in page.text
    assert "Handed to another officer: Budi" in page.text
    assert "She knows the office." in page.text
    assert whose(desk, case) == budi.officer.id


async def take_over(desk: Desk, case: Case, who: Person, reason: str) -> Page:
    browser = desk.signed_in(who)
    return Page(await browser.send(f"/cases/{case.number}/take-over", reason=reason))


async def test_a_supervisor_takes_over_from_somebody_absent_alone(desk: Desk):
    case, budi = await verified(desk), desk.colleague("budi")
    sari = desk.house.supervisor
    await desk.signed_in(budi).do(f"/cases/{case.number}/take")
    page = await desk.signed_in(sari).see(f"/cases/{case.number}")
    assert "Take the case over" not in page.text
    assert "Another officer works" in (await take_over(desk, case, sari, "Now")).text
    desk.clock.pass_time(days=8)
    page = await desk.signed_in(sari).see(f"/cases/{case.number}")
    assert "Budi has not opened this case for some working days" in page.text
    assert "Write something first" in (await take_over(desk, case, sari, "")).text
    assert whose(desk, case) == budi.officer.id
    await desk.signed_in(sari).do(
        f"/cases/{case.number}/take-over", reason="Budi is ill"
    )
    assert whose(desk, case) == sari.officer.id
    with desk.database.reading() as session:
        codes = [event.code for event in session.exec(select(Event))]
    assert EventCode.HANDED in codes
