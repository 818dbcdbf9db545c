"""Officers come and go: invited, joined, admitted by a member, removed, re-sealed."""

import re

import pytest
from sqlmodel import select

from storage.audit import log
from storage.crypto import fingerprints
from storage.models import AuditLine, Invitation, Membership, Officer
from storage.people import officers
from storage.rekeying import unit_keys
from storage.units import rotation, units
from storage.words import Role, UnitKind
from tests.support import authenticator
from tests.support.browsers import STORY, Browser, Desk, Page
from tests.support.founded import Person, person

PHRASE = "sebuah frasa yang panjang"
BUDI = {"name": "Budi Santoso", "login": "budi", "role": "handler", "language": "en"}


def added(desk: Desk, login: str, role: Role) -> Person:
    with desk.database.writing() as session:
        return person(session, desk.keys, login, role)


async def invites(desk: Desk, browser: Browser, **form: str) -> str:
    """Send the form of an invitation and return the path of its link."""
    given = {**BUDI, "unit": desk.house.unit.id.hex(), **form}
    page = Page(await browser.send("/people/invite", **given))
    found = re.search(r"https://pengaduan\.example(/console/join/[\w-]{43})", page.text)
    assert found, page.text
    return found[1]


async def joins(desk: Desk, link: str, **form: str) -> Page:
    """Open a link as a stranger and send its form."""
    client = desk.browser()
    door = Page(await client.get(link))
    fields = {"token": door.fields["token"], "passphrase": PHRASE, "again": PHRASE}
    return Page(await client.post(link, data={**fields, **form}))


def found(desk: Desk, login: str) -> Officer:
    with desk.database.reading() as session:
        return officers.verified(session, desk.keys, login)


def words_of(desk: Desk, login: str) -> str:
    return fingerprints.words(found(desk, login).public_key)


def admission(desk: Desk, login: str = "budi", **form: str) -> dict[str, str]:
    given = {"unit": desk.house.unit.id.hex(), "words": words_of(desk, login)}
    return {**given, "compared": "yes", **form}


def codes(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        assert log.verify(session, desk.keys) is None
        rows = session.exec(select(AuditLine).order_by(AuditLine.seq)).all()  # type: ignore[arg-type]  # a column
    return [row.code for row in rows if not row.code.startswith("list.")]


async def test_from_a_link_to_the_first_case_that_is_read(desk: Desk):
    case = desk.case()
    sari = desk.signed_in(desk.house.supervisor)
    link = await invites(desk, sari)
    page = await sari.see("/people")
    assert "Budi Santoso" in page.text
    assert link.rpartition("/")[2] not in page.text, "shown once"

    welcome = await joins(desk, link)
    assert words_of(desk, "budi") in welcome.text
    assert PHRASE not in welcome.text
    client = desk.browser()
    arrived = await authenticator.sign_in(
        client, "budi", PHRASE, None, now=desk.clock()
    )
    assert arrived.recovery
    page = Page(await client.get("/console/"))
    assert "You have not been admitted" in page.text
    page = Page(await client.get("/console/people"))
    assert "You wait to be admitted to Inspectorate" in page.text
    assert words_of(desk, "budi") in page.text
    assert (await client.get(f"/console/cases/{case.number}")).status_code == 404

    page = await sari.see("/people")
    assert "Compare and admit Budi Santoso" in page.text
    page = await sari.see("/people/officers/budi")
    assert words_of(desk, "budi") in page.text
    assert "You invited them" in page.text
    response = await sari.send("/people/officers/budi/admit", **admission(desk))
    assert response.status_code == 409
    rini = desk.signed_in(desk.colleague("rini"))
    assert "You invited them" not in (await rini.see("/people/officers/budi")).text
    response = await rini.send(
        "/people/officers/budi/admit", **admission(desk, compared="")
    )
    assert response.status_code == 422
    assert "Compare the words first" in Page(response).text
    page = await rini.do("/people/officers/budi/admit", **admission(desk))
    assert "Admitted" in page.text
    assert "Compare and admit" not in page.text
    page = Page(await client.get(f"/console/cases/{case.number}"))
    assert STORY in page.text
    expected = ["officer.invited", "officer.joined", "unit.admitted"]
    assert [code for code in codes(desk) if code in expected] == expected


async def test_a_link_works_once_and_for_seven_days(desk: Desk):
    sari = desk.signed_in(desk.house.supervisor)
    link = await invites(desk, sari)
    assert "Your account is made" in (await joins(desk, link)).text
    assert (await desk.browser().get(link)).status_code == 404
    late = await invites(desk, sari, login="rini")
    desk.clock.pass_time(days=7)
    response = await desk.browser().get(late, headers={"accept-language": "en"})
    assert response.status_code == 404
    assert "This invitation was used" in Page(response).text
    with desk.database.reading() as session:
        (row,) = session.exec(select(Invitation)).all()
    sari = desk.signed_in(desk.house.supervisor)
    await invites(desk, sari, login="joko")
    with desk.database.reading() as session:
        assert session.get(Invitation, row.hash) is None, "the next one sweeps it away"


async def test_the_program_makes_a_passphrase_and_shows_it_once(desk: Desk):
    link = await invites(desk, desk.signed_in(desk.house.supervisor))
    client = desk.browser()
    door = Page(await client.get(link))
    response = await client.post(
        link, data={"token": door.fields["token"], "make": "yes"}
    )
    shown = re.findall(r'<p class="six mine">([a-z ]+)</p>', response.text)
    assert len(shown) == 2
    officer = found(desk, "budi")
    assert officers.unwrap(desk.keys, officer, shown[0])
    assert shown[1] == words_of(desk, "budi")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"passphrase": "short", "again": "short"}, "Too short: at least 16"),
        ({"again": PHRASE + "!"}, "The two are not the same"),
    ],
)
async def test_a_bad_passphrase_uses_up_no_link(desk: Desk, form: dict, says: str):
    link = await invites(desk, desk.signed_in(desk.house.supervisor))
    assert says in (await joins(desk, link, **form)).text
    assert "Your account is made" in (await joins(desk, link)).text


async def test_a_crowd_at_the_hashers_uses_up_no_link(desk: Desk):
    link = await invites(desk, desk.signed_in(desk.house.supervisor))
    taken = 0
    while desk.context.hashers.waiting.acquire(blocking=False):
        taken += 1
    assert "Many people sign in" in (await joins(desk, link)).text
    for _ in range(taken):
        desk.context.hashers.waiting.release()
    assert "Your account is made" in (await joins(desk, link)).text


async def test_an_admin_reads_no_case_and_admits_nobody(desk: Desk):
    case = desk.case()
    adi = desk.signed_in(added(desk, "adi", Role.ADMIN))
    link = await invites(desk, adi)
    await joins(desk, link)
    for path in ("/mine", f"/cases/{case.number}", f"/cases/{case.number}/files/00"):
        assert (await adi.get(path)).status_code == 404, path
    page = await adi.see("/people")
    assert "A member of this unit compares the words" in page.text
    assert "Admit" not in (await adi.see("/people/officers/budi")).text
    for act in ("admit", "refuse"):
        response = await adi.send(f"/people/officers/budi/{act}", **admission(desk))
        assert response.status_code == 404
    with desk.database.reading() as session:
        assert (
            session.get(Membership, (desk.house.unit.id, found(desk, "budi").id))
            is None
        )


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CUSTODIAN, Role.HANDLER])
async def test_who_has_nothing_to_do_with_people_sees_none(desk: Desk, role: Role):
    sari = desk.signed_in(desk.house.supervisor)
    await joins(desk, await invites(desk, sari))
    browser = desk.signed_in(added(desk, "wati", role))
    seen = await browser.get("/people")
    assert seen.status_code == (404 if role is Role.AUDITOR else 200)
    assert "budi" not in seen.text
    for login in ("budi", "sari", "nobody"):
        assert (await browser.get(f"/people/officers/{login}")).status_code == 404
    for act in ("admit", "refuse", "remove", "end"):
        response = await browser.send(
            f"/people/officers/budi/{act}", **admission(desk, sure="yes")
        )
        assert response.status_code == 404, act
    response = await browser.send(
        "/people/invite", **{**BUDI, "login": "x2", "unit": desk.house.unit.id.hex()}
    )
    assert response.status_code in {404, 422}


async def test_people_are_changed_by_who_proved_themselves_only(desk: Desk):
    sari = desk.signed_in(desk.house.supervisor)
    await joins(desk, await invites(desk, sari))
    desk.clock.pass_time(minutes=15)
    for path in ("/people/invite", "/people/officers/budi"):
        response = await sari.get(path)
        assert response.headers["location"].startswith("/console/prove?next=/people")
    response = await sari.send("/people/officers/budi/admit", **admission(desk))
    assert response.headers["location"].startswith("/console/prove?next=/people")
    assert "Compare and admit" in (await sari.see("/people")).text


async def test_other_words_than_those_shown_admit_nobody(desk: Desk):
    sari = desk.signed_in(desk.house.supervisor)
    await joins(desk, await invites(desk, sari))
    form = admission(desk, words=words_of(desk, "sari"))
    response = await sari.send("/people/officers/budi/admit", **form)
    assert response.status_code == 409
    assert "do not wait here any more" in Page(response).text
    page = await sari.do("/people/officers/budi/refuse", unit=desk.house.unit.id.hex())
    assert "Refused" in page.text
    response = await sari.send("/people/officers/budi/admit", **admission(desk))
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"name": " "}, "Give a name"),
        ({"login": "Not a login!"}, "A login has 2 to 40"),
        ({"login": "sari"}, "There is or was an account"),
        ({"role": "king"}, "Choose a role"),
        ({"role": "auditor"}, "You invite into your own unit only"),
    ],
)
async def test_a_bad_invitation_is_refused_beside_its_field(
    desk: Desk, form: dict, says: str
):
    sari = desk.signed_in(desk.house.supervisor)
    given = {**BUDI, "unit": desk.house.unit.id.hex(), **form}
    response = await sari.send("/people/invite", **given)
    assert response.status_code == 422
    assert says in Page(response).text
    assert 'value="' + given["login"] in response.text, "what was typed stays"


async def test_an_invitation_is_taken_back(desk: Desk):
    sari = desk.signed_in(desk.house.supervisor)
    link = await invites(desk, sari)
    page = await sari.do("/people/withdraw", login="budi")
    assert "The invitation is void" in page.text
    assert (await desk.browser().get(link)).status_code == 404


async def test_a_member_removed_in_mid_session_is_out_at_the_next_request(desk: Desk):
    case = desk.case()
    rini = desk.colleague("rini")
    browser = desk.signed_in(rini)
    assert STORY in (await browser.see(f"/cases/{case.number}")).text
    await browser.do(f"/cases/{case.number}/take")
    sari = desk.signed_in(desk.house.supervisor)
    form = {"unit": desk.house.unit.id.hex()}
    response = await sari.send("/people/officers/rini/remove", **form)
    assert response.status_code == 422
    page = await sari.do("/people/officers/rini/remove", **form, sure="yes")
    assert "the unit has a new key" in page.text
    response = await browser.get(f"/cases/{case.number}")
    assert response.status_code == 303
    assert "/sign-in" in response.headers["location"]
    again = desk.signed_in(rini)
    assert (await again.get(f"/cases/{case.number}")).status_code == 404
    page = await sari.see(f"/cases/{case.number}")
    assert STORY in page.text
    assert "an officer left the unit" in page.text
    assert desk.again(case).officer is None


async def test_the_queue_says_until_all_is_sealed_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(unit_keys, "BATCH", 2)
    monkeypatch.setattr(unit_keys.batch, "__kwdefaults__", {"limit": 2})
    cases = [desk.case() for _ in range(5)]
    with desk.database.writing() as session:
        assert rotation.rotate(session, desk.keys, desk.house.unit) == 2
    sari = desk.signed_in(desk.house.supervisor)
    page = await sari.see("/")
    assert "3 cases still carry an older key" in page.text
    assert STORY in (await sari.see(f"/cases/{cases[0].number}")).text
    page = await sari.do("/resealing")
    assert "still carr" not in page.text
    for case in cases:
        assert STORY in (await sari.see(f"/cases/{case.number}")).text
    told = [code for code in codes(desk) if code.startswith("unit.")]
    assert told == ["unit.resealed"] * 3 + ["unit.key_dropped"]
    with desk.database.reading() as session:
        unit = units.verified(session, desk.keys, desk.house.unit.id)
        assert not unit_keys.is_due(session, unit)


@pytest.mark.both_stores
async def test_an_account_ends(desk: Desk):
    desk.colleague("rini")
    adi = desk.signed_in(added(desk, "adi", Role.ADMIN))
    page = await adi.see("/people")
    assert "Inspectorate" in page.text
    assert "Vault" in page.text
    response = await adi.send("/people/officers/rini/end")
    assert response.status_code == 422
    page = await adi.do("/people/officers/rini/end", sure="yes")
    assert "The account has ended" in page.text
    with desk.database.reading() as session:
        assert officers.find(session, desk.keys, "rini") is None
    response = await adi.send("/people/officers/adi/end", sure="yes")
    assert response.status_code == 409
    assert "This is the only admin" in Page(response).text


async def test_no_page_takes_the_last_supervisor_or_custodian_away(desk: Desk):
    desk.colleague("rini")
    adi = desk.signed_in(added(desk, "adi", Role.ADMIN))
    for login, unit in (("sari", desk.house.unit), ("wayan", desk.house.vault)):
        page = await adi.see(f"/people/officers/{login}")
        assert "at the machine itself only" in page.text
        assert 'name="sure"' not in page.text
        form = {"unit": unit.id.hex(), "sure": "yes", "knowing": "yes"}
        for act in ("end", "remove"):
            response = await adi.send(f"/people/officers/{login}/{act}", **form)
            assert response.status_code == 409, (login, act)
        assert found(desk, login).active


async def test_the_vault_is_a_unit_like_others(desk: Desk):
    adi = desk.signed_in(added(desk, "adi", Role.ADMIN))
    vault = desk.house.vault.id.hex()
    link = await invites(desk, adi, role="custodian", unit=vault)
    await joins(desk, link)
    sari = desk.signed_in(desk.house.supervisor)
    assert (await sari.get("/people/officers/budi")).status_code == 404
    wayan = desk.signed_in(desk.house.custodian)
    form = admission(desk, unit=vault)
    assert "Admitted" in (await wayan.do("/people/officers/budi/admit", **form)).text
    form = {"unit": vault, "sure": "yes"}
    assert "a new key" in (await wayan.do("/people/officers/budi/remove", **form)).text


async def test_the_first_member_of_a_new_unit_brings_its_key(desk: Desk):
    with desk.database.writing() as session:
        empty = units.create(session, desk.keys, "Wilayah II", UnitKind.HANDLING)
    adi = desk.signed_in(added(desk, "adi", Role.ADMIN))
    assert "This unit has no key yet" in (await adi.see("/people")).text
    link = await invites(desk, adi, role="supervisor", unit=empty.id.hex())
    welcome = await joins(desk, link)
    assert "admits you" not in welcome.text
    page = await adi.see("/people")
    assert "This unit has no key yet" not in page.text


async def test_a_link_leaves_no_trace_of_its_token(desk: Desk, caplog):
    link = await invites(desk, desk.signed_in(desk.house.supervisor))
    token = link.rpartition("/")[2]
    response = await desk.browser().get(link)
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    await joins(desk, link)
    assert token not in caplog.text
