"""What a file means: judged by an officer, sealed to the case, the latest one counts."""

import pytest
from sqlmodel import select

from storage.models import AuditLine, Event
from tests.bot.evidence.sandbox.test_pictures import picture
from tests.support.browsers import Browser, Desk
from tests.support.files import put


@pytest.fixture
def officer(desk: Desk) -> Browser:
    return desk.signed_in(desk.house.supervisor)


@pytest.mark.both_stores
async def test_a_class_and_a_note_stand_at_their_file(desk: Desk, officer: Browser):
    case = desk.case()
    first = put(desk, case, "a.png", picture("PNG"))
    put(desk, case, "b.png", picture("PNG"))
    place = f"/cases/{case.number}/files/{first}/note"
    await officer.do(place, label="LEAD", about="Cocokkan dengan daftar lelang")
    page = await officer.do(place, label="KEY", about="")
    assert page.text.count("key evidence") == 3, "once as its class, twice to choose"
    assert "Cocokkan dengan daftar lelang" in page.text
    assert page.text.index("Cocokkan") < page.text.index("Internal notes")
    with desk.database.reading() as session:
        assert session.exec(select(Event.code)).all().count("noted") == 2
        lines = session.exec(select(AuditLine.detail)).all()
    assert not any("KEY" in line or "Cocokkan" in line for line in lines)


async def test_what_is_no_class_or_no_file_of_the_case_is_refused(
    desk: Desk, officer: Browser
):
    case, other = desk.case(), desk.case()
    mine, theirs = (put(desk, one, "a.png", picture("PNG")) for one in (case, other))
    place = f"/cases/{case.number}/files"
    refused = {
        (mine, ""): 422,
        (mine, "NONSENSE"): 409,
        (theirs, "KEY"): 404,
        ("00" * 16, "KEY"): 404,
    }
    for (file, label), status in refused.items():
        sent = await officer.send(f"{place}/{file}/note", label=label, about="isi")
        assert sent.status_code == status, (file, label)
    sent = await officer.send(f"{place}/{mine}/note", label="KEY", about="x" * 4001)
    assert sent.status_code == 422
    page = await officer.see(f"/cases/{case.number}")
    assert "isi" not in page.text
