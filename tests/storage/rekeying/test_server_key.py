"""The server key changes under a house with everything in flight; all goes on."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import SQLModel, select

from handlers.cases import conflicts, officer
from handlers.conversation.exchange import names, recall
from handlers.conversation.memory import Memory
from handlers.inbox import Outcome
from handlers.work import Work
from storage import conversations, quarantine
from storage.audit import installation, log
from storage.cases import reports
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.inspection import chains
from storage.jobs import leases
from storage.letters import sent
from storage.letters.letter import Letter
from storage.models import Case, Item, OutboxRow, Session, Subscription
from storage.notices import subscriptions
from storage.notices.subscribers import Subscriber
from storage.people import (
    invitations,
    one_time_codes,
    passkeys,
    recovery_codes,
    sessions,
    telegram_links,
)
from storage.rekeying import (
    case_keys,
    case_recovery,
    places,
    recovery,
    rewriting,
    server_key,
)
from storage.rekeying.places import PLACES, How
from storage.units import memberships, units
from storage.words import Channel, LetterKind, Role
from tests.support import founded, thief
from tests.support.desk import Desk, Slip, desk, text, with_keys
from tests.support.unsealing import secret_for

REPEAT = "update-repeated"


def slip_of(here: Desk) -> Slip:
    return here.slip("555")


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    """Return a desk with a case, notices, a draft, a link, a letter, jobs, a session."""
    found = desk(database, keys)
    sari = found.house.supervisor.officer
    case, _ = found.reports("555")
    wish = Subscriber(Channel.TELEGRAM, "555", "id", int(found.now.timestamp()))
    found.store(subscriptions.add, case.report, wish)
    found.take(text("IDENTITAS", handle="555", name=REPEAT))
    found.act(officer.ask, case.report, "Kapan?", by=sari)
    found.say("777", "LAPOR")
    with database.writing() as session:
        report = reports.start(session, keys, [found.house.unit], day=found.now.date())
        memory = Memory(Channel.TELEGRAM, "777", report=report.report.hex())
        conversations.save(
            session,
            keys,
            [
                conversations.name_of(keys, Channel.TELEGRAM, one)
                for one in ("777", "7")
            ],
            memory.to_bytes(),
            expires=found.now + timedelta(hours=24),
        )
    found.say("888", "LAPOR Bendahara memotong dana bantuan operasional")
    token = found.store(telegram_links.issue, sari.id, now=found.now)
    found.store(telegram_links.redeem, token, Channel.TELEGRAM, "900", now=found.now)
    found.store(telegram_links.issue, sari.id, now=found.now)
    with database.writing() as session:
        notice = Letter(LetterKind.NOTICE, Channel.SMS, "+62811", case="ab")
        sent.put(session, keys, notice, "SM1", now=found.now)
        vault = found.house.vault.public_key or b""
        quarantine.put(
            session, keys, b"?", "strange", vault=vault, day=found.now.date()
        )
        key = passkeys.Passkey(b"credential", b"public", 0, "Laptop", ())
        passkeys.add(session, keys, sari.id, key)
        one_time_codes.put(session, keys, sari, one_time_codes.new_seed(), step=0)
        recovery_codes.replace(
            session, keys, sari.id, found.house.supervisor.secret, ["ABCDE-FGHJK"]
        )
        found.invited = invitations.issue(  # type: ignore[attr-defined]
            session, keys, "tono", name="Tono", role=Role.HANDLER, language="id",
            unit=None, by=sari.id, now=found.now,
        )  # fmt: skip
        secret = found.house.supervisor.secret
        sessions.begin(session, keys, sari, secret, now=found.now)
    return found


def rotated(here: Desk, keys: ServerKeys | None = None) -> Desk:
    wider = keys or here.keys.with_new()
    server_key.run(here.database, wider, now=here.now, day=here.now.date())
    return with_keys(here, wider)


def needs(here: Desk, key_id: int = 1) -> dict[str, int]:
    with here.database.reading() as session:
        found = places.needs(session, here.keys)
    return {need.place.name: need.count for need in found if need.key_id == key_id}


def test_every_column_says_what_a_rotation_does_with_it():
    listed = [place.name for place in PLACES]
    assert len(listed) == len(set(listed))
    marked = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if column.info["mark"] != "clear"
    }
    assert set(listed) == marked


def test_what_is_written_anew_has_a_step_and_what_stays_a_reason():
    stepped = {step.model.__tablename__ for step in rewriting.STEPS}
    for place in PLACES:
        if not place.stays:
            assert place.how in {How.TAG, How.BLOB}, place
            assert place.table in stepped, place


def test_everything_goes_on_after_a_rotation(here):
    slip = slip_of(here)
    new = rotated(here)
    with new.database.reading() as session:
        assert log.verify(session, new.keys) is None
        assert list(chains.problems(session, new.keys)) == []
    known = new.take(text("IDENTITAS", handle="555", name=REPEAT))
    assert known is Outcome.REPEAT
    new.delivers()
    case = new.case(slip.number)
    assert new.reads(case)[0].content is not None
    new.act(officer.ask, case.report, "Di mana?", by=new.house.supervisor.officer)
    assert "555" in [one.to for one in new.delivers()]
    new.say("555", f"STATUS {slip}")
    assert any("Di mana?" in one.text for one in new.delivers() if one.to == "555")
    assert new.makes_receipts()
    new.delivers()
    assert new.slip("888").number != slip.number
    with new.database.writing() as session:
        sari = new.house.supervisor.officer.id
        assert (
            telegram_links.officer_at(session, new.keys, Channel.TELEGRAM, "900")
            == sari
        )
        assert sent.status(session, new.keys, Channel.SMS, "SM1", 1) is not None
        assert len(quarantine.verified(session, new.keys)) == 1
        assert [p.label for p in passkeys.of_officer(session, new.keys, sari)]
        assert one_time_codes.find(session, new.keys, sari) is not None
        assert recovery_codes.left(session, new.keys, sari) == 1
        invited = invitations.take(session, new.keys, here.invited, now=new.now)
        assert invited is not None
        assert invited.login == "tono"
        assert session.exec(select(Session)).all() == []
        assert subscriptions.of_case(session, new.keys, case.report)[0].handle == "555"


def test_only_what_says_so_stays_under_the_old_id(here):
    before = needs(here)
    assert {"cases.tag", "outbox.blob", "conversations.state"} <= set(before)
    new = rotated(here)
    after = needs(new)
    assert set(after) == {
        "audit.mac",
        "cases.head",
        "cases.receipt_wrap",
        "departed.blob",
        "events.mac",
        "invitations.tag",
        "officers.secret",
    }
    stays = {place.name for place in PLACES if place.stays}
    assert set(after) <= stays
    assert needs(new, 2)["cases.tag"] == before["cases.tag"]
    values = thief.rows_of(new.database)
    for place in PLACES:
        if place.how is How.TAG and not place.stays:
            assert {row["tag"][0] for row in values[place.table]} <= {2}, place


def test_a_case_with_its_own_key_opens_for_members_and_for_the_paper(here):
    case, sari = here.case(slip_of(here).number), here.house.supervisor
    with here.database.writing() as session:
        budi = founded.person(session, here.keys, "budi").officer
        unit = units.verified(session, here.keys, case.unit)
        memberships.admit(session, here.keys, unit, budi, sari.officer, sari.secret)
    here.act(conflicts.declare, case.report, by=budi)
    assert here.act(conflicts.settle, case.report, sari.secret, by=sari.officer)
    new = rotated(here)
    with new.database.writing() as session:
        keys, paper = new.keys, new.house.recovery_cases
        now = session.get_one(Case, case.report)
        unit = units.verified(session, keys, now.unit)
        opened = case_keys.secret_of(
            session, keys, now, unit, sari.officer, sari.secret
        )
        rina = founded.person(session, keys, "rina", Role.SUPERVISOR)
        recovery.let_in(session, keys, "cases", paper, unit, rina.officer)
        done = case_recovery.let_in(
            session, keys, paper, [unit], rina.officer, now=new.now
        )
        assert (done.opened, done.left) == (1, 0)
        assert opened == case_keys.secret_of(
            session, keys, now, unit, rina.officer, rina.secret
        )


def test_a_draft_goes_on_and_its_grants_open(here):
    new = rotated(here)
    unit, secret = new.house.unit, new.house.unit_secret
    with new.database.writing() as session:
        who = text("", handle="777")
        memory, _ = recall(
            Work(session, new.office, new.now), who, names(new.office, who)
        )
        report = bytes.fromhex(memory.report)
        assert reports.draft_key(session, new.keys, report)
        reports.release(session, new.keys, report, unit.id)
        assert secret_for(session, new.keys, report, unit, secret)


@pytest.mark.parametrize(
    "table", ["settings", "memberships", "cases", "outbox", "jobs"]
)
def test_a_rotation_that_was_stopped_goes_on(here, monkeypatch, table):
    wider = here.keys.with_new()

    def stop(*_: object) -> None:
        raise OSError("the plug was pulled")

    steps = [
        replace(step, rewrite=stop) if step.model.__tablename__ == table else step
        for step in rewriting.STEPS
    ]
    monkeypatch.setattr(server_key, "STEPS", steps)
    with pytest.raises(OSError, match="plug"):
        rotated(here, wider)
    monkeypatch.undo()
    half = with_keys(here, wider)
    with half.database.reading() as session:
        assert log.verify(session, wider) is None
        assert list(chains.problems(session, wider)) == []
        with pytest.raises(server_key.RotationUnfinished, match="keys rotate"):
            server_key.require(session, wider)
        server_key.require(session, wider, finished=False)
    case = half.case(slip_of(here).number)
    assert half.reads(case)[0].content is not None
    new = rotated(here, wider)
    tables = {name.partition(".")[0] for name in needs(new)}
    stays = {"audit", "cases", "departed", "events", "invitations", "officers"}
    assert tables == stays
    new.say("555", f"STATUS {slip_of(here)}")
    assert any("Kapan?" in one.text for one in new.delivers() if one.to == "555")


def test_a_second_run_changes_nothing(here):
    wider = here.keys.with_new()
    new = rotated(here, wider)
    before = thief.rows_of(here.database)
    outcome = server_key.run(here.database, wider, now=here.now, day=here.now.date())
    assert (outcome.rewritten, outcome.left) == (0, {})
    assert thief.rows_of(here.database) == before
    with new.database.reading() as session:
        server_key.require(session, wider)
        days = server_key.ids(session, wider)
    assert days == {1: None, 2: here.now.date()}


def test_what_is_not_ours_does_not_become_ours(here):
    with here.database.writing() as session:
        item = session.exec(select(Item).limit(1)).one()
        report = item.report
        item.tag = bytes((1,)) + secrets.token_bytes(32)
        session.add(item)
        row = session.exec(select(OutboxRow).limit(1)).one()
        row.order_name = bytes(32)
        session.add(row)
    wider = here.keys.with_new()
    outcome = server_key.run(here.database, wider, now=here.now, day=here.now.date())
    assert outcome.left == {"items": 1, "outbox": 1}
    assert needs(with_keys(here, wider))["items.tag"] == 1
    with here.database.reading() as session:
        unit = here.house.unit
        secret = secret_for(session, wider, report, unit, here.house.unit_secret)
        assert secret


def test_an_old_key_alone_opens_nothing_any_more(here):
    new = rotated(here)
    with new.database.reading() as session:
        with pytest.raises(NotAuthentic):
            installation.get_setting(session, here.keys, "demo")
        with pytest.raises(NotAuthentic):
            units.named(session, here.keys, "Inspectorate")
        with pytest.raises(NotAuthentic):
            telegram_links.handle_of(
                session, here.keys, here.house.supervisor.officer.id
            )
        with pytest.raises(server_key.KeyMissing, match="no line 1"):
            server_key.require(session, new.keys.without(1))


def test_no_rotation_while_a_server_runs(here):
    with here.database.writing() as session:
        assert leases.hold(session, "scheduler", "h", seconds=120, now=here.now)
    before = thief.rows_of(here.database)
    with pytest.raises(server_key.ServerRuns, match="stop it"):
        rotated(here)
    assert thief.rows_of(here.database) == before
    here.later(seconds=121)
    rotated(here)


def test_the_order_of_a_persons_letters_stays(here):
    def order(found: Desk) -> list[tuple[int, bytes]]:
        rows = thief.rows_of(found.database)["outbox"]
        return sorted((row["id"], row["order_name"]) for row in rows)

    before = order(here)
    after = order(rotated(here))
    assert [one for one, _ in before] == [one for one, _ in after]
    pairs = {(old, new) for (_, old), (_, new) in zip(before, after, strict=True)}
    assert (
        len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs})
    )
    assert not {old for old, _ in pairs} & {new for _, new in pairs}


def test_a_wish_about_a_case_that_is_gone_goes(here):
    number = slip_of(here).number
    with here.database.writing() as session:
        session.delete(session.exec(select(Case).where(Case.number == number)).one())
        assert session.exec(select(Subscription)).all()
    new = rotated(here)
    with new.database.reading() as session:
        assert session.exec(select(Subscription)).all() == []
    assert "subscriptions.blob" not in needs(new)


def test_twice_in_a_row(here):
    new = rotated(rotated(here))
    assert new.keys.newest == 3
    assert set(needs(new, 2)) == {"audit.mac"}
    with new.database.reading() as session:
        assert set(server_key.ids(session, new.keys)) == {1, 2, 3}
        assert places.named_until(session, "inbox", here.now.date()) > 0
    assert new.take(text("x", handle="555", name=REPEAT)) is Outcome.REPEAT
