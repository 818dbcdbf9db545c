"""Erasing: what goes, what stays, what the history says, and what a hold refuses."""

import json

import pytest
from sqlmodel import col, select

from handlers.cases import officer
from storage.cases import cases, history
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.database import Database
from storage.evidence import files
from storage.models import Case, File, Grant, Item, Reveal, Tombstone
from storage.notices import subscriptions
from storage.notices.subscribers import Subscriber
from storage.retention import erasing, tombstones
from storage.retention.erasing import OnHold
from storage.words import Audience, Channel, Erased, RevealOf, RevealState
from tests.conftest import NOW
from tests.support.desk import Desk, Slip, desk, pick

DAY = NOW.date()
WORDS = (
    *("LAPOR", "AMAN", "PAHAM", "SETUJU", "RAHASIA", "Ketut, surel k@c.id"),
    *("SUAP", "LEWATI", "LEWATI", "LEWATI", "Kepala dinas minta uang", "KIRIM"),
)


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


def full_case(here: Desk, handle: str = "555") -> tuple[Case, Slip]:
    """Make a case with an identity, a contact, a file, a question read and one not."""
    for word in WORDS:
        here.say(handle, word)
    slip = here.receipt(handle)
    case = here.case(slip.number)
    wish = Subscriber(Channel.TELEGRAM, handle, "id", 0)
    here.store(subscriptions.add, case.report, wish)
    here.store(files.reserve, case.report, day=DAY)
    by = here.house.supervisor.officer
    here.act(officer.ask, case.report, "Kapan?", by=by)
    here.say(handle, f"BACA {slip}")
    here.act(officer.ask, case.report, "Di mana?", by=by)
    return here.case(slip.number), slip


def erase(here: Desk, report: bytes, what: Erased, *, ended: bool = True, **more):
    verb = {
        Erased.IDENTITY: erasing.erase_identity,
        Erased.CONTACT: erasing.erase_contact,
        Erased.CONTENTS: erasing.erase_contents,
        Erased.FILES: erasing.erase_files,
        Erased.RECEIPT: erasing.erase_receipt,
    }[what]
    with here.database.writing() as session:
        case = cases.lock(session, here.keys, report)
        assert case is not None
        case.is_open = not ended
        gone = verb(session, here.keys, case, day=DAY, **more)
        if gone:
            erasing.record(session, here.keys, case, what, day=DAY)
        cases.save(session, here.keys, case)
    return gone


def holdings(here: Desk, report: bytes) -> dict[str, int]:
    with here.database.reading() as session:
        found = {
            str(audience): len(
                session.exec(
                    select(Item.id).where(
                        Item.report == report, Item.audience == audience
                    )
                ).all()
            )
            for audience in Audience
        }
        for model in (File, Grant):
            rows = session.exec(select(model.id).where(model.report == report)).all()
            found[model.__tablename__] = len(rows)
        found["subscriptions"] = len(subscriptions.of_case(session, here.keys, report))
    return found


def is_whole(here: Desk, report: bytes) -> bool:
    with here.database.reading() as session:
        case = cases.get(session, here.keys, report)
        assert case is not None
        broken = history.first_broken(session, here.keys, case)
        return broken is None and not history.missing_items(session, case)


EMPTIED = {
    Erased.IDENTITY: {"identity": 0},
    Erased.CONTACT: {"subscriptions": 0},
    Erased.CONTENTS: {"case": 0, "reporter": 2},
    Erased.FILES: {"files": 0},
    Erased.RECEIPT: {"reporter": 0},
}


@pytest.mark.parametrize("what", Erased)
def test_only_what_is_named_goes_and_nothing_is_missed(here: Desk, what: Erased):
    case, _ = full_case(here)
    before = holdings(here, case.report)
    assert all(before.values())
    assert erase(here, case.report, what)
    assert holdings(here, case.report) == before | EMPTIED[what]
    assert is_whole(here, case.report)
    with here.database.reading() as session:
        (stone,) = session.exec(select(Tombstone)).all()
        event = history.of_case(session, case.report)[-1]
    assert (stone.report, stone.what, stone.written) == (case.report, what, False)
    assert (event.code, event.detail, event.actor_class) == ("purged", what, "system")
    assert not erase(here, case.report, what), "twice is once"
    with here.database.reading() as session:
        assert len(session.exec(select(Tombstone)).all()) == 1


def test_another_case_keeps_everything(here: Desk):
    other, _ = full_case(here, "777")
    case, _ = full_case(here)
    before = holdings(here, other.report)
    for what in Erased:
        erase(here, case.report, what)
    assert holdings(here, other.report) == before
    assert not any(holdings(here, case.report).values())


def test_a_case_that_is_over_keeps_only_figures(here: Desk):
    case, _ = full_case(here)
    for what in Erased:
        erase(here, case.report, what)
    row = here.case(case.number)
    assert (row.purged, row.receipt_wrap, row.reporter_key) == (DAY, None, None)
    context = Context("cases", case.report, "figures")
    assert json.loads(here.keys.unlock(Purpose.FIGURES, row.figures, context)) == {}
    kept = ("category", "position", "province", "status", "reason", "day", "number")
    assert all(getattr(row, name) == getattr(case, name) for name in kept)


def test_an_open_case_keeps_its_keys_and_what_was_not_read(here: Desk):
    case, slip = full_case(here)
    assert erase(here, case.report, Erased.CONTENTS, ended=False)
    row = here.case(case.number)
    assert row.purged is None
    assert holdings(here, case.report)["grants"] == 1
    here.delivers()
    here.say("555", f"BACA {slip}")
    assert "Di mana?" in " ".join(letter.text for letter in here.delivers())


def test_a_hold_refuses_all_but_the_contact(here: Desk):
    case, _ = full_case(here)
    with here.database.writing() as session:
        row = cases.lock(session, here.keys, case.report)
        assert row is not None
        row.hold = True
        cases.save(session, here.keys, row)
    for what in set(Erased) - {Erased.CONTACT}:
        with pytest.raises(OnHold):
            erase(here, case.report, what)
    assert erase(here, case.report, Erased.CONTACT)


def test_a_reveal_ends_with_what_it_opened(here: Desk):
    case, _ = full_case(here)
    with here.database.writing() as session:
        for number, what in enumerate(RevealOf):
            session.add(
                Reveal(
                    id=bytes([number]) * 16,
                    report=case.report,
                    what=what.value,
                    state=RevealState.ASKED.value,
                    reason="r",
                    officer=b"o" * 16,
                    asked=NOW,
                    ends=NOW,
                    tag=b"t",
                )
            )
    for gone, left in ((Erased.IDENTITY, ["original"]), (Erased.FILES, [])):
        erase(here, case.report, gone)
        with here.database.reading() as session:
            assert session.exec(select(col(Reveal.what))).all() == left


def test_a_line_says_what_its_row_says_and_no_forged_one_does(
    here: Desk, keys: ServerKeys
):
    with here.database.writing() as session:
        row = tombstones.put(session, keys, b"r" * 16, Erased.FILES, day=DAY)
        line = tombstones.line(keys, row)
    apart = {"written", "tag"}
    told = tombstones.from_line(keys, line).model_dump(exclude=apart)
    assert told == row.model_dump(exclude=apart)
    fields = line.split(" ")
    forged = [
        line.replace("files", "contents"),
        line.replace("files", "everything"),
        line.replace(fields[2], "00" * 16),
        line.replace(fields[1], "00" * 16),
        line.replace("2026-03-02", "2026-03-03"),
        line.replace("2026-03-02", "tomorrow"),
        line[:-2],
        line + " more",
        "2" + line[1:],
        " ".join([*fields[:5], ""]),
        "",
    ]
    for text in forged:
        with pytest.raises(NotAuthentic):
            tombstones.from_line(keys, text)
    with pytest.raises(NotAuthentic):
        tombstones.from_line(ServerKeys.new(), line)


def test_only_written_rows_go_with_their_time(here: Desk, keys: ServerKeys):
    with here.database.writing() as session:
        old, kept = (
            tombstones.put(session, keys, b"r" * 16, Erased.FILES, day=DAY).id
            for _ in range(2)
        )
        assert len(tombstones.unwritten(session, keys, limit=9)) == 2
        tombstones.mark_written(session, keys, [old])
        assert tombstones.drop(session, before=DAY) == 0
        assert tombstones.drop(session, before=DAY.replace(day=3)) == 1
        assert tombstones.known(session) == {kept}
        assert pick(session, Tombstone, id=kept).written is False
