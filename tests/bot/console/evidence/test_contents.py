import io

import pytest
from PIL import Image
from sqlmodel import select

from storage.evidence import blobs, files
from storage.evidence.files import Taken
from storage.evidence.sealed_files import Sealer
from storage.models import Case, Event, File
from storage.units import units
from storage.words import FileState
from tests.support.browsers import Browser, Desk
from tests.support.files import reserve


def picture() -> bytes:
    made = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((900, 700)).save(made, "PNG")
    return made.getvalue()


def keep(desk: Desk, case: Case, *, name: str, kind: str, body: bytes | None) -> bytes:
    """Keep a file the way the media worker does; ``body`` is its working copy."""
    with desk.database.writing() as session:
        keys = desk.keys
        vault = units.vault(session, keys).public_key or b""
        row = reserve(desk, session, case)
        key = None
        if body is not None:
            with Sealer(
                blobs.place(desk.context.blob_store.path, row, "copy")
            ) as sealer:
                sealer.write(body)
            key = sealer.key
        taken = Taken(b"k" * 32, key, {"name": name, "type": kind})
        files.taken(session, keys, row, taken, public=case.public_key, vault=vault)
    return row


@pytest.fixture
def officer(desk: Desk) -> Browser:
    return desk.signed_in(desk.house.supervisor)


async def test_a_working_copy_is_shown_and_sent(desk: Desk, officer: Browser):
    case, body = desk.case(), picture()
    row = keep(desk, case, name="slip <1>.png", kind="image/png", body=body)
    place = f"/cases/{case.number}/files/{row.hex()}"
    response = await officer.get(f"/cases/{case.number}")
    assert f'<img src="/console{place}"' in response.text
    assert "slip &lt;1&gt;.png" in response.text
    assert "Files attached: 1" in response.text
    sent = await officer.get(place)
    assert sent.content == body
    assert sent.headers["content-type"] == "image/png"
    assert sent.headers["content-disposition"] == (
        f'attachment; filename="{case.number}-{row.hex()[:6]}.png"'
    )
    assert sent.headers["cache-control"] == "no-store"


@pytest.mark.both_stores
async def test_whoever_only_fetches_a_file_has_read_the_case(
    desk: Desk, officer: Browser
):
    case = desk.case()
    row = keep(desk, case, name="a.png", kind="image/png", body=picture())
    await officer.get(f"/cases/{case.number}/files/{row.hex()}")
    with desk.database.reading() as session:
        codes = session.exec(select(Event.code)).all()
    assert codes.count("read_by_officer") == 1


async def test_no_kind_but_ours_keeps_its_type(desk: Desk, officer: Browser):
    case = desk.case()
    row = keep(desk, case, name="x.html", kind="text/html", body=b"<script>1</script>")
    sent = await officer.get(f"/cases/{case.number}/files/{row.hex()}")
    assert sent.headers["content-type"] == "application/octet-stream"
    page = await officer.get(f"/cases/{case.number}")
    assert '<img src="/console/cases' not in page.text


async def test_without_a_copy_the_custodian_is_named(desk: Desk, officer: Browser):
    case = desk.case()
    row = keep(desk, case, name="letter.pdf", kind="application/pdf", body=None)
    page = await officer.see(f"/cases/{case.number}")
    assert "a custodian has to open it" in page.text
    sent = await officer.get(f"/cases/{case.number}/files/{row.hex()}")
    assert sent.status_code == 404


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (FileState.REFUSED, "Refused: too large"),
        (FileState.GONE, "No longer at the provider"),
        (FileState.LATE, "Did not come in two days"),
    ],
)
async def test_a_file_that_did_not_come_says_why(
    desk: Desk, officer: Browser, state: FileState, words: str
):
    case = desk.case()
    with desk.database.writing() as session:
        row = files.reserve(session, desk.keys, case.report, day=case.day)
        files.refused(session, desk.keys, row, state)
    page = await officer.see(f"/cases/{case.number}")
    assert f"File 1 {words}" in page.text


@pytest.mark.both_stores
async def test_files_of_another_case_or_none_are_not_found(
    desk: Desk, officer: Browser
):
    case, other = desk.case(), desk.case()
    row = keep(desk, other, name="a.png", kind="image/png", body=picture())
    for name in (row.hex(), "00" * 16, "nonsense"):
        sent = await officer.get(f"/cases/{case.number}/files/{name}")
        assert sent.status_code == 404
    outsider = desk.signed_in(desk.house.custodian)
    sent = await outsider.get(f"/cases/{other.number}/files/{row.hex()}")
    assert sent.status_code == 404


async def test_a_lost_file_is_not_found_and_a_changed_one_not_sent(
    desk: Desk, officer: Browser
):
    case = desk.case()
    row = keep(desk, case, name="a.png", kind="image/png", body=picture())
    place = blobs.place(desk.context.blob_store.path, row, "copy")
    sealed = bytearray(place.read_bytes())
    sealed[100] ^= 1
    place.write_bytes(bytes(sealed))
    path = f"/cases/{case.number}/files/{row.hex()}"
    assert (await officer.get(path)).status_code == 409
    place.unlink()
    assert (await officer.get(path)).status_code == 404


async def test_a_planted_file_row_is_not_shown(desk: Desk, officer: Browser):
    case = desk.case()
    keep(desk, case, name="a.png", kind="image/png", body=picture())
    with desk.database.writing() as session:
        row = session.exec(select(File)).one()
        row.state = FileState.REFUSED.value
        session.add(row)
    page = await officer.see(f"/cases/{case.number}")
    assert "The files of this case are not authentic" in page.text
