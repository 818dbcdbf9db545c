"""What a writer without the key puts into the store gives nothing: tokens, columns, facts."""

import contextlib
import secrets
from datetime import date, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from bot.assembly.server import NotFounded, build
from bot.settings import loading
from handlers.cases import officer as verbs
from handlers.cases import reporter
from storage import quarantine
from storage.audit import log
from storage.cases import cases, history, items
from storage.cases.items import Content
from storage.crypto.sealing import Context, NotAuthentic, new_pair, seal
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.database import Database
from storage.inspection import chains
from storage.models import Case, Event, Item, LinkToken, OfficerLink, Quarantine
from storage.people import telegram_links
from storage.words import Audience, Channel, ItemKind, Reason, Status
from tests.conftest import NOW
from tests.support import founded
from tests.support.desk import Desk, desk, pick


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


def redeemed(database: Database, keys: ServerKeys, token: str) -> bytes | None:
    with database.writing() as session:
        return telegram_links.redeem(
            session, keys, token, Channel.TELEGRAM, "666", now=NOW
        )


def test_a_planted_link_token_takes_no_officers_place(
    database: Database, keys: ServerKeys
):
    with database.writing() as session:
        budi = founded.person(session, keys, "budi").officer
        planted = [sha256(b"mine").digest(), keys.look_up(Purpose.OFFICER_LINK, "mine")]
        for name in planted:
            session.add(
                LinkToken(
                    hash=name,
                    officer=budi.id,
                    expires=NOW + timedelta(days=9),
                    tag=secrets.token_bytes(33),
                )
            )
    assert redeemed(database, keys, "mine") is None
    with database.reading() as session:
        assert not telegram_links.is_linked(session, budi.id)


@pytest.mark.parametrize("column", ["officer", "expires"])
def test_a_token_turned_to_somebody_else_is_dead(
    database: Database, keys: ServerKeys, column: str
):
    with database.writing() as session:
        budi = founded.person(session, keys, "budi").officer
        sari = founded.person(session, keys, "sari").officer
        token = telegram_links.issue(session, keys, budi.id, now=NOW)
        row = session.exec(select(LinkToken)).one()
        turned = {"officer": sari.id, "expires": NOW + timedelta(days=9)}
        setattr(row, column, turned[column])
        session.add(row)
    assert redeemed(database, keys, token) is None


def test_a_handle_is_its_officers_only_by_the_blob(
    database: Database, keys: ServerKeys
):
    """A row whose handle was copied from another link speaks for nobody."""
    with database.writing() as session:
        for login, handle in (("budi", "77"), ("eve", "666")):
            officer = founded.person(session, keys, login).officer
            token = telegram_links.issue(session, keys, officer.id, now=NOW)
            telegram_links.redeem(
                session, keys, token, Channel.TELEGRAM, handle, now=NOW
            )
            assert (
                telegram_links.officer_at(session, keys, Channel.TELEGRAM, handle)
                == officer.id
            )
        first, second = session.exec(select(OfficerLink)).all()
        handles = first.handle, second.handle
        first.handle = secrets.token_bytes(32)
        session.flush()
        second.handle = handles[0]
        session.flush()
        first.handle = handles[1]
        session.flush()
    with database.writing() as session:
        for handle in ("77", "666"):
            assert (
                telegram_links.officer_at(session, keys, Channel.TELEGRAM, handle)
                is None
            )
        row = session.exec(select(OfficerLink)).all()[0]
        row.blob = secrets.token_bytes(60)
        session.add(row)
        session.flush()
        for handle in ("77", "666"):
            assert (
                telegram_links.officer_at(session, keys, Channel.TELEGRAM, handle)
                is None
            )


def test_every_column_of_a_case_is_under_its_tag(here: Desk):
    case, _ = here.reports("555")
    with here.database.writing() as session:
        row = pick(session, Case, report=case.report)
        row.register_year, row.register_number = 2026, 1
        cases.save(session, here.keys, row)
    other = {
        bool: lambda value: not value,
        int: lambda value: value + 1,
        str: lambda value: {"TPK": "NON_TPK", "NON_TPK": "TPK"}.get(value, "KDH"),
        bytes: lambda value: bytes(len(value)),
        date: lambda value: value + timedelta(days=1),
        type(None): lambda _: None,
    }
    special = {
        "status": "CLOSED",
        "category": "ASP",
        "urgency": 0,
        "paused_since": NOW.date(),
        "before": "REVIEW",
        "reason": "C01",
        "officer": b"e" * 16,
        "wanted_status": "CLOSED",
        "wanted_reason": "C01",
        "wanted_by": b"e" * 16,
        "due_rule": "D99",
        "closed": NOW.date(),
        "purged": NOW.date(),
    }
    found_by = {
        "class_asked",
        "identity_swept",
        "files_swept",
    }  # what they say is looked at again
    columns = set(Case.model_fields) - {"report"} - found_by
    for name in sorted(columns):
        with here.database.writing() as session:
            row = pick(session, Case, report=case.report)
            was = getattr(row, name)
            changed = special.get(name, other[type(was)](was))
            assert changed != was, name
            setattr(row, name, changed)
            session.add(row)
        with here.database.writing() as session:
            with pytest.raises(NotAuthentic):
                cases.get(session, here.keys, case.report)
            row = pick(session, Case, report=case.report)
            setattr(row, name, was)
            session.add(row)
    with here.database.reading() as session:
        assert cases.get(session, here.keys, case.report)


def test_only_our_own_rows_are_in_quarantine(database: Database, keys: ServerKeys):
    vault = new_pair()
    with database.writing() as session:
        quarantine.put(
            session, keys, b"strange", "parse", vault=vault.public, day=NOW.date()
        )
        row = secrets.token_bytes(16)
        context = Context("quarantine", row, "blob")
        session.add(
            Quarantine(
                id=row,
                day=NOW.date(),
                reason="forged",
                blob=seal(b"x" * 256, vault.public, context),
                tag=secrets.token_bytes(33),
            )
        )
    with database.writing() as session:
        (ours,) = quarantine.verified(session, keys)
        assert quarantine.opened(ours, vault.secret) == b"strange"
        ours.reason = "other"
        session.add(ours)
        session.flush()
        assert quarantine.verified(session, keys) == []


def test_a_store_that_does_not_say_whether_it_is_a_demo_is_not_served(
    here: Desk, tmp_path
):
    with here.database.writing() as session:
        session.connection().execute(text("DELETE FROM settings WHERE name = 'demo'"))
    environ = {
        "KENTONGAN_AGENCY__NAME": "Contoh",
        "KENTONGAN_DATABASE__URL": here.database.url.render_as_string(
            hide_password=False
        ),
        "KENTONGAN_FILES__PATH": str(tmp_path),
        "KENTONGAN_KEYS__SERVER_KEY": here.keys.to_text(),
    }
    settings = loading.load(None, environ)
    for allow in (False, True):
        with pytest.raises(NotFounded):
            build(settings, environ=environ, clock=lambda: NOW, allow_demo=allow)


def snapshot(here: Desk, report: bytes) -> dict[str, list[dict]]:
    """Copy a case's row and its events, as they are now."""
    found = {}
    with here.database.reading() as session:
        for name in ("cases", "events"):
            query = text(f"SELECT * FROM {name} WHERE report = :r")  # noqa: S608 - our own names
            rows = session.connection().execute(query, {"r": report}).mappings()
            found[name] = [dict(row) for row in rows]
    return found


def roll_back(here: Desk, report: bytes, old: dict[str, list[dict]]) -> None:
    """Put a case and its events back as they were."""
    with here.database.writing() as session:
        for name, rows in old.items():
            run = session.connection().execute
            run(text(f"DELETE FROM {name} WHERE report = :r"), {"r": report})  # noqa: S608 - our own names
            for row in rows:
                columns, values = ", ".join(row), ", ".join(f":{one}" for one in row)
                run(text(f"INSERT INTO {name} ({columns}) VALUES ({values})"), row)  # noqa: S608 - our own names


def wrong(here: Desk) -> list[str]:
    with here.database.reading() as session:
        assert log.verify(session, here.keys) is None
        return list(chains.problems(session, here.keys))


ACTS = {
    "case.read": lambda here, case, by: here.act(
        verbs.record_reading, case.report, by=by
    ),
    "case.status": lambda here, case, by: here.act(
        verbs.change_status, case.report, Status.VERIFICATION, by=by, reason=None
    ),
    "case.asked": lambda here, case, by: here.act(
        verbs.ask, case.report, "Kapan?", by=by
    ),
    "case.noted": lambda here, case, by: here.act(
        verbs.note, case.report, "Telepon", by=by
    ),
    "case.taken": lambda here, case, by: here.act(verbs.take, case.report, by=by),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_case_that_was_rolled_back_shows_in_the_audit_log(here: Desk, act: str):
    case, _ = here.reports("555")
    by = here.house.supervisor.officer
    assert wrong(here) == []
    old = snapshot(here, case.report)
    ACTS[act](here, case, by)
    assert wrong(here) == []
    with here.database.reading() as session:
        (line,) = log.lines(session)
        assert (line.code, line.officer, line.report) == (act, by.id, case.report)
    roll_back(here, case.report, old)
    with here.database.reading() as session:
        row = cases.get(session, here.keys, case.report)
        assert row is not None
        assert history.first_broken(session, here.keys, row) is None
    said, *rest = wrong(here)
    assert f"case {case.number} is older than line 1" in said
    assert bool(rest) == (act in {"case.asked", "case.noted"}), "items nobody names"


def test_letting_go_and_proposing_are_witnessed_too(here: Desk):
    case, _ = here.reports("555")
    by = here.house.supervisor.officer
    here.act(verbs.take, case.report, by=by)
    here.act(verbs.let_go, case.report, by=by)
    here.act(verbs.let_go, case.report, by=by)
    moved = (Status.VERIFICATION, None), (Status.REJECTED, Reason.R03)
    for to, reason in moved:
        here.act(verbs.change_status, case.report, to, by=by, reason=reason)
    with here.database.reading() as session:
        codes = [line.code for line in log.lines(session)]
    assert codes == ["case.proposed", "case.status", "case.let_go", "case.taken"]
    assert wrong(here) == []


def test_no_act_of_a_reporter_is_in_the_audit_log(here: Desk):
    _, slip = here.reports("555")
    for words in (f"STATUS {slip}", f"TAMBAH {slip}", "Bukti baru dari saya", "BATAL"):
        here.say("555", words)
    here.say("555", f"CABUT {slip}")
    here.say("555", "YA")
    with here.database.reading() as session:
        assert log.head(session)[0] == 0
    assert wrong(here) == []


def test_a_case_that_was_deleted_shows(here: Desk):
    read, _ = here.reports("555")
    unread, _ = here.reports("777")
    here.act(verbs.record_reading, read.report, by=here.house.supervisor.officer)
    with here.database.writing() as session:
        session.connection().execute(text("DELETE FROM cases"))
    assert wrong(here) == [
        "line 1 of the audit log names a case that is gone",
        "there is a history whose case is gone",
    ]
    roll_back(here, unread.report, {"events": []})
    assert wrong(here) == ["line 1 of the audit log names a case that is gone"]


def items_of(here: Desk, case: Case) -> list[Item]:
    with here.database.reading() as session:
        query = select(Item).where(Item.report == case.report)
        return list(session.exec(query.order_by(col(Item.seq))))


def missing(here: Desk, case: Case) -> int:
    with here.database.reading() as session:
        row = cases.get(session, here.keys, case.report)
        assert row is not None
        return history.missing_items(session, row)


def test_an_item_that_was_taken_away_is_missed(here: Desk):
    case, slip = here.reports("555")
    here.say("555", f"TAMBAH {slip}")
    here.say("555", "Ini bukti kedua dari saya")
    here.act(verbs.ask, case.report, "Kapan?", by=here.house.supervisor.officer)
    assert missing(here, case) == 0
    for item in items_of(here, case):
        if item.audience == Audience.REPORTER and not item.by_officer:
            continue  # only the reporter's language, made with the receipt
        with here.database.writing() as session:
            session.delete(session.get_one(Item, item.id))
        assert missing(here, case) == 1, item.seq
        assert wrong(here) == [
            f"case {case.number}: 1 items missing, or unknown to its history"
        ]
        with here.database.writing() as session:
            session.add(Item(**item.model_dump()))
    assert missing(here, case) == 0


def test_an_item_that_no_event_names_is_counted(here: Desk):
    case, _ = here.reports("555")
    with here.database.writing() as session:
        items.add_item(
            session,
            here.keys,
            case.report,
            Content(kind=ItemKind.ADDITION, text="later"),
            audience=Audience.CASE,
            public=case.public_key,
            day=case.day,
        )
    assert missing(here, case) == 1


@pytest.mark.parametrize("verb", [reporter.erase, reporter.withdraw])
def test_what_a_reporter_erased_is_not_missed_but_the_rest_is(here: Desk, verb):
    for words in ("LAPOR", "AMAN", "PAHAM", "SETUJU", "RAHASIA", "Ketut, surel k@c.id"):
        here.say("555", words)
    for words in ("SUAP", "LEWATI", "LEWATI", "LEWATI", "Kepala dinas minta uang"):
        here.say("555", words)
    here.say("555", "KIRIM")
    case = here.case(here.receipt("555").number)
    before = len(items_of(here, case))
    here.act(verb, case.report)
    left = items_of(here, case)
    assert len(left) == before - 1
    assert missing(here, case) == 0
    here.act(verbs.note, case.report, "Selesai", by=here.house.supervisor.officer)
    here.act(reporter.erase, case.report)
    assert missing(here, case) == 0
    story = next(item for item in left if item.audience == Audience.CASE)
    with here.database.writing() as session:
        session.delete(session.get_one(Item, story.id))
    assert missing(here, case) == 1


def test_an_older_copy_of_a_case_takes_nothing_more(here: Desk):
    """What came now would be sealed to a key of then; the reporter hears that we fail."""
    case, slip = here.reports("555")
    sari = here.house.supervisor.officer
    here.act(verbs.take, case.report, by=sari)
    with here.database.reading() as session:
        old = pick(session, Case, report=case.report).model_dump()
    here.act(verbs.note, case.report, "Baru", by=sari)
    with here.database.writing() as session:
        session.delete(pick(session, Case, report=case.report))
        last = session.exec(
            select(Event)
            .where(Event.report == case.report)
            .order_by(col(Event.seq).desc())
        ).first()
        session.delete(last)
        session.flush()
        session.add(Case(**old))
    for verb in (verbs.note, verbs.ask):
        with pytest.raises(NotAuthentic):
            here.act(verb, case.report, "Lagi", by=sari)
    before = len(here.reads(case))
    here.say("555", f"TAMBAH {slip}")
    with contextlib.suppress(NotAuthentic):
        here.say("555", "Tambahan")
    assert len(here.reads(case)) == before
