"""A reporter's rights over their own data, from the wish to the answer."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import select

from handlers.cases import data_requests as rights
from handlers.cases import officer, reporter
from handlers.errors import (
    AnsweredAlready,
    KeptByLaw,
    NotFound,
    Purged,
    ReasonNeeded,
    RulesInvalid,
    SecondOfficerNeeded,
    SupervisorNeeded,
)
from handlers.rules.rulebook import Rulebook
from handlers.work import Work
from storage import outbox
from storage.cases import cases, data_requests, history, items
from storage.crypto.sealing import NotAuthentic
from storage.models import Case, DataRequest, Grant, Item, Officer, Reveal, Tombstone
from storage.notices import subscriptions
from storage.people import telegram_links
from storage.units import memberships, units
from storage.words import (
    Channel,
    EventCode,
    RequestKind,
    RequestState,
    RevealOf,
    RevealState,
    Role,
    Status,
)
from tests.support import founded
from tests.support.desk import Desk, Slip, desk, pick

HANDLES = {Channel.TELEGRAM: "555", Channel.SMS: "+62811"}
NAME = "Ketut Wirawan, surel ketut@contoh.id"


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def reported(here: Desk, channel: Channel) -> tuple[Case, Slip]:
    """Report with a name, and ask for news with the text."""
    handle = HANDLES[channel]
    lines = ["LAPOR", "AMAN", "PAHAM", "SETUJU", "RAHASIA", NAME, "SUAP"]
    for words in [*lines, *["LEWATI"] * 3, "Kepala dinas minta uang", "KIRIM"]:
        here.say(handle, words, channel=channel)
    slip = here.receipt(handle, channel)
    here.say(handle, f"KABAR ISI {slip}", channel=channel)
    here.delivers(channel)
    return here.case(slip.number), slip


def gives(here: Desk, channel: Channel, order: str, slip: Slip) -> str:
    """Give an order and return all that was answered."""
    here.delivers(channel)
    here.orders(HANDLES[channel], order, slip, channel=channel)
    return "\n".join(one.text for one in here.delivers(channel))


def says(here: Desk, channel: Channel, *lines: str) -> str:
    """Write several messages and return all that was answered to the last."""
    for words in lines:
        here.delivers(channel)
        here.say(HANDLES[channel], words, channel=channel)
    return "\n".join(one.text for one in here.delivers(channel))


def asked(here: Desk, case: Case) -> list[DataRequest]:
    with here.database.reading() as session:
        return data_requests.of_report(session, here.keys, case.report)


def told(here: Desk, case: Case) -> list[tuple[str, str]]:
    with here.database.reading() as session:
        events = history.of_case(session, case.report)
        now = cases.get(session, here.keys, case.report)
        assert now is not None
        assert history.first_broken(session, here.keys, now) is None
        assert history.missing_items(session, now) == 0
    return [(event.code, event.detail) for event in events]


def answers(here: Desk, case: Case, by: Officer, state: RequestState, text: str = ""):
    (row,) = [one for one in asked(here, case) if one.state == RequestState.OPEN]
    given = here.act(rights.answer, case.report, row.id, state, text, by=by)
    return given.settled


def colleague(here: Desk, login: str, role: Role = Role.HANDLER) -> Officer:
    with here.database.writing() as session:
        one = founded.person(session, here.keys, login, role)
        sari = here.house.supervisor
        unit = units.verified(session, here.keys, here.house.unit.id)
        memberships.admit(
            session, here.keys, unit, one.officer, sari.officer, sari.secret
        )
        return one.officer


both = pytest.mark.parametrize("channel", list(HANDLES))


@both
def test_forget_me_works_at_once_and_the_receipt_goes_on(here, channel):
    case, slip = reported(here, channel)
    here.act(
        officer.ask, case.report, "Siapa saksinya?", by=here.house.supervisor.officer
    )
    with here.database.writing() as session:
        reveals_of(here, session, case)
    answer = gives(here, channel, "LUPAKAN", slip)
    assert "Nama dan kontak Anda sudah dihapus" in answer
    with here.database.reading() as session:
        assert not items.has_identity(session, case.report)
        assert subscriptions.of_case(session, here.keys, case.report) == []
        assert not session.exec(select(Reveal)).all()
        gone = {one.what for one in session.exec(select(Tombstone)).all()}
    assert gone == {"identity", "contact"}
    assert asked(here, case) == [], "nothing is left for officers to answer"
    assert ("erased", "") in told(here, case)
    assert "Siapa saksinya?" in says(here, channel, f"BACA {slip}")
    with here.database.writing() as session:
        assert outbox.claim(session, here.keys, channel, limit=9, now=here.now) == []


def reveals_of(here: Desk, session, case: Case) -> None:
    """Let an identity be asked for, as a row of its own."""
    row = Reveal(
        id=b"r" * 16,
        report=case.report,
        what=RevealOf.IDENTITY.value,
        state=RevealState.ASKED.value,
        reason="x",
        officer=here.house.supervisor.officer.id,
        asked=here.now,
        ends=here.now + timedelta(days=1),
        tag=b"",
    )
    session.add(row)
    session.flush()


@both
def test_each_right_is_asked_and_dated(here, channel):
    case, slip = reported(here, channel)
    for words, kind, said in [
        ("BATASI", RequestKind.RESTRICT, "05/03/2026"),
        ("PERBAIKI", RequestKind.CORRECT, "05/03/2026"),
        ("LIHAT", RequestKind.ACCESS, "05/03/2026"),
        ("HAPUS", RequestKind.ERASE, "15/04/2026"),
    ]:
        answer = gives(here, channel, words, slip)
        if kind is RequestKind.CORRECT:
            answer = says(here, channel, "Nama bendaharanya Budi")
        assert said in answer, kind
        assert ("requested", kind.value) in told(here, case)
    found = {one.kind: one for one in asked(here, case)}
    assert found.keys() == set(RequestKind)
    today = date(2026, 3, 2)
    for asks, row in found.items():
        assert row.day == today
        assert row.answer_due == today + timedelta(days=3)
        days = 14 if asks == RequestKind.ERASE else 3
        assert row.due == today + timedelta(days=days)
    texts = [one.content.text for one in here.reads(case) if one.content]
    assert "Nama bendaharanya Budi" in texts
    with here.database.reading() as session:
        assert not items.has_identity(session, case.report), "erase forgets too"


def test_the_unit_is_alerted_without_a_word_of_what_was_asked(here):
    with here.database.writing() as session:
        token = telegram_links.issue(
            session, here.keys, here.house.supervisor.officer.id, now=here.now
        )
        telegram_links.redeem(
            session, here.keys, token, Channel.TELEGRAM, "999", now=here.now
        )
    case, slip = reported(here, Channel.SMS)
    here.delivers()
    says(here, Channel.SMS, f"PERBAIKI {slip}", "Nama bendaharanya Budi")
    alerts = [one.text for one in here.delivers() if one.to == "999"]
    assert len([one for one in alerts if "asks about their own data" in one]) == 1
    assert not any("Budi" in one for one in alerts)
    assert case.number in alerts[-1]


def test_asking_twice_moves_no_date(here):
    case, _ = reported(here, Channel.SMS)
    here.act(rights.ask, case.report, RequestKind.ACCESS)
    here.later(days=2)
    here.act(rights.ask, case.report, RequestKind.ACCESS)
    (row,) = asked(here, case)
    assert row.due == date(2026, 3, 5)
    assert told(here, case).count(("requested", "access")) == 1


@both
def test_a_limit_is_explained_in_words(here, channel):
    case, slip = reported(here, channel)
    gives(here, channel, "BATASI", slip)
    sari = here.house.supervisor.officer
    with pytest.raises(ReasonNeeded):
        answers(here, case, sari, RequestState.LIMITED)
    words = "Pemeriksaan tetap berjalan karena wajib menurut undang-undang."
    assert answers(here, case, sari, RequestState.LIMITED, words)
    (letter,) = here.delivers(channel)
    assert words in letter.text, "asked for news with the text"
    assert words in says(here, channel, f"BACA {slip}")
    assert told(here, case)[-2] == ("answered", "restrict:limited")
    with here.database.reading() as session:
        events = history.of_case(session, case.report)
        assert data_requests.are_whole(events, [])
    (row,) = asked(here, case)
    with pytest.raises(AnsweredAlready):
        here.act(rights.answer, case.report, row.id, RequestState.DONE, "x", by=sari)


@pytest.mark.both_stores
@both
def test_erasing_everything_takes_two_and_the_code_still_says_so(here, channel):
    case, slip = reported(here, channel)
    gives(here, channel, "LIHAT", slip)
    gives(here, channel, "HAPUS", slip)
    budi, agus = colleague(here, "budi"), colleague(here, "agus")
    sari = here.house.supervisor.officer
    erase = next(one.id for one in asked(here, case) if one.kind == RequestKind.ERASE)

    def done(by: Officer) -> object:
        given = here.act(
            rights.answer, case.report, erase, RequestState.DONE, "", by=by
        )
        return given.settled

    assert done(budi) is False
    assert len(here.reads(case)) > 0
    with pytest.raises(SecondOfficerNeeded):
        done(budi)
    with pytest.raises(SupervisorNeeded):
        done(agus)
    assert done(sari) is True
    with here.database.reading() as session:
        left = session.exec(select(Item).where(Item.report == case.report)).all()
        assert {one.audience for one in left} == {"reporter"}
        assert not session.exec(select(Grant).where(Grant.report == case.report)).all()
    now = here.case(case.number)
    assert (now.status, now.is_open) == (Status.WITHDRAWN.value, False)
    assert now.purged == date(2026, 3, 2)
    assert [one.state for one in asked(here, case)] == ["done", "done"]
    assert "erased" in [code for code, _ in told(here, case)]
    assert "sudah dihapus pada 02/03/2026" in says(here, channel, f"STATUS {slip}")
    with pytest.raises(Purged):
        here.act(officer.ask, case.report, "Masih ada?", by=sari)


def test_who_proposed_and_left_has_no_say(here):
    case, slip = reported(here, Channel.SMS)
    gives(here, Channel.SMS, "HAPUS", slip)
    budi = colleague(here, "budi", Role.SUPERVISOR)
    assert answers(here, case, budi, RequestState.DONE) is False
    with here.database.writing() as session:
        row = session.get(DataRequest, asked(here, case)[0].id)
        row.officer = here.house.custodian.officer.id
        data_requests.save(session, here.keys, row)
    sari = here.house.supervisor.officer
    assert answers(here, case, sari, RequestState.DONE) is False, "it begins anew"
    assert answers(here, case, budi, RequestState.DONE) is True


@both
def test_a_legal_hold_keeps_all_but_the_contact_and_says_so(here, channel):
    case, slip = reported(here, channel)
    with here.database.writing() as session:
        row = cases.lock(session, here.keys, case.report)
        assert row is not None
        row.hold = True
        cases.save(session, here.keys, row)
    answer = gives(here, channel, "HAPUS", slip)
    assert "karena proses hukum" in answer
    with here.database.reading() as session:
        assert items.has_identity(session, case.report)
        assert subscriptions.of_case(session, here.keys, case.report) == []
    sari = here.house.supervisor.officer
    with pytest.raises(KeptByLaw):
        answers(here, case, sari, RequestState.DONE)
    assert answers(here, case, sari, RequestState.LIMITED, "Ada proses hukum.")
    assert "Ada proses hukum." in says(here, channel, f"BACA {slip}")


@pytest.mark.both_stores
@pytest.mark.parametrize("status", [Status.RECEIVED, Status.REVIEW])
def test_withdrawing_forgets_and_from_review_on_only_marks(here, status):
    case, _ = reported(here, Channel.TELEGRAM)
    with here.database.writing() as session:
        row = cases.lock(session, here.keys, case.report)
        assert row is not None
        row.status = status.value
        cases.save(session, here.keys, row)
        reveals_of(here, session, case)
    here.act(reporter.withdraw, case.report)
    now = here.case(case.number)
    assert now.reporter_withdrawn
    assert now.status == (
        Status.WITHDRAWN if status is Status.RECEIVED else Status.REVIEW
    )
    with here.database.reading() as session:
        assert not items.has_identity(session, case.report)
        assert subscriptions.of_case(session, here.keys, case.report) == []
        assert not session.exec(select(Reveal)).all()
    assert told(here, case)


@pytest.mark.both_stores
def test_a_planted_or_changed_request_is_no_request(here):
    case, _ = reported(here, Channel.TELEGRAM)
    here.act(rights.ask, case.report, RequestKind.ERASE)
    for column, value in [
        ("kind", "access"),
        ("state", "done"),
        ("due", date(2030, 1, 1)),
        ("answer_due", date(2030, 1, 1)),
        ("day", date(2020, 1, 1)),
        ("officer", here.house.supervisor.officer.id),
    ]:
        with here.database.writing() as session:
            row = pick(session, DataRequest, report=case.report)
            was = getattr(row, column)
            setattr(row, column, value)
            session.add(row)
        with pytest.raises(NotAuthentic):
            asked(here, case)
        with here.database.writing() as session:
            row = pick(session, DataRequest, report=case.report)
            setattr(row, column, was)
            session.add(row)
        assert len(asked(here, case)) == 1


def test_a_request_that_was_deleted_by_hand_is_missed(here):
    case, _ = reported(here, Channel.TELEGRAM)
    here.act(rights.ask, case.report, RequestKind.RESTRICT)
    with here.database.writing() as session:
        events = history.of_case(session, case.report)
        rows = data_requests.open_of(session, here.keys, case.report)
        assert data_requests.are_whole(events, rows)
        assert not data_requests.are_whole(events, [])
        assert not data_requests.are_whole([], rows)
    other, _ = reported(here, Channel.SMS)
    with pytest.raises(NotFound):
        here.act(
            rights.answer,
            other.report,
            rows[0].id,
            RequestState.DONE,
            "x",
            by=here.house.supervisor.officer,
        )


def test_the_promise_counts_the_life_of_backups(here):
    case, _ = reported(here, Channel.TELEGRAM)
    office = replace(here.office, backup_days=90)
    with here.database.reading() as session:
        found = rights.promises(Work(session, office, here.now), case.report)
        nothing = rights.promises(Work(session, office, here.now), None)
    assert found.dates["erase"] == "14/06/2026"
    assert found.dates["access"] == "05/03/2026"
    assert nothing.dates == {}


def test_rules_without_these_rights_are_refused(tmp_path):
    (tmp_path / "deadlines.toml").write_text("[rule]\n")
    with pytest.raises(RulesInvalid, match="D22 is missing"):
        Rulebook.load(tmp_path)


@pytest.mark.both_stores
def test_every_event_of_a_request_is_a_day(here):
    case, _ = reported(here, Channel.TELEGRAM)
    here.act(rights.ask, case.report, RequestKind.ACCESS)
    with here.database.reading() as session:
        events = history.of_case(session, case.report)
    (event,) = [one for one in events if one.code == EventCode.REQUESTED]
    assert event.at is None
    assert event.officer is None
