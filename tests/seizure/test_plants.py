"""Who can write to the store but has no key forges nothing; an officer opens their own."""

import secrets
from datetime import timedelta

import pytest
from sqlmodel import select

from handlers.cases import officer, reporter
from handlers.cases.receipts import Opening
from handlers.inbox import Outcome
from handlers.messages import Proof
from storage import conversations, outbox
from storage.cases import items, reports
from storage.cases.items import Content
from storage.crypto.sealing import Context, NotAuthentic, new_pair, seal
from storage.crypto.server_key import Purpose
from storage.evidence import files, sealed_files
from storage.evidence.files import Taken
from storage.letters.letter import Letter
from storage.models import (
    Case,
    Conversation,
    Draft,
    File,
    Grant,
    Item,
    Membership,
    Officer,
    OfficerLink,
    OutboxRow,
    Route,
    Subscription,
    Unit,
)
from storage.people import officers
from storage.units import memberships, routes, units
from storage.words import (
    Audience,
    Channel,
    ItemKind,
    LetterKind,
    Reason,
    Role,
    Status,
    UnitKind,
)
from tests.support import founded, thief
from tests.support.desk import STORY, Desk, desk, pick
from tests.support.unsealing import secret_for, unit_secret

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Tags are checked above the store: once is enough."""
FORGED = "Petugas palsu: kirim nama Anda ke nomor ini"


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def begun(here: Desk, handle: str = "555") -> bytes:
    """Begin a draft with a story in it; return its report id."""
    for words in ("LAPOR", "AMAN", "PAHAM", "SETUJU", "RAHASIA", "Ketut, surel k@c.id"):
        assert here.say(handle, words) is Outcome.TAKEN
    for words in ("SUAP", "LEWATI", "LEWATI", "LEWATI", "Kepala dinas minta uang"):
        assert here.say(handle, words) is Outcome.TAKEN
    here.delivers()
    with here.database.reading() as session:
        return session.exec(select(Draft.report)).one()


def planted(here: Desk, row) -> None:
    with here.database.writing() as session:
        session.add(row)


def rewritten(here: Desk, model, key, **values) -> None:
    with here.database.writing() as session:
        row = session.get(model, key)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


# --- an officer's own key


def test_a_unit_opens_its_own_cases_and_no_identity_or_original(here, tmp_path):
    with here.database.writing() as session:
        other = units.create(session, here.keys, "Other", UnitKind.HANDLING)
        budi = founded.person(session, here.keys, "budi")
        other_secret = memberships.admit_first(session, here.keys, other, budi.officer)
    begun(here)
    here.say("555", "KIRIM")
    mine = here.case(here.receipt("555").number)
    with here.database.writing() as session:
        # a case of the other unit: its own route takes everything about an agency head
        routes.add_route(session, here.keys, other, category="COR", position="KDH")
    for words in (
        "LAPOR",
        "AMAN",
        "PAHAM",
        "SETUJU",
        "ANONIM",
        "SUAP",
        "LEWATI",
        "LEWATI",
        "1",
    ):
        here.say("777", words)
    here.say("777", "Bupati minta setoran")
    here.say("777", "KIRIM")
    theirs = here.case(here.receipt("777").number)
    assert theirs.unit == other.id != mine.unit

    original = sealed_files.Sealer(tmp_path / "original")
    with original:
        original.write(b"isi asli")
    with here.database.writing() as session:
        file_id = files.reserve(session, here.keys, mine.report, day=mine.day)
        vault = units.vault(session, here.keys).public_key
        assert vault
        taken = Taken(original.key, None, {"name": "x"})
        assert files.taken(
            session, here.keys, file_id, taken, public=mine.public_key, vault=vault
        )

    loot = thief.steal(here.database)
    for unit, held, secret in (
        (here.house.unit, mine, here.house.unit_secret),
        (other, theirs, other_secret),
    ):
        opened = thief.opened_by_secret(secret, loot)
        assert opened == [("grants", "secret")], "the grant of the unit's own case"
        with here.database.reading() as session:
            case_secret = secret_for(session, here.keys, held.report, unit, secret)
            foreign = theirs if held is mine else mine
            with pytest.raises(NotAuthentic):
                secret_for(session, here.keys, foreign.report, unit, secret)
            identity = items.read(
                session, here.keys, held.report, case_secret, audience=Audience.IDENTITY
            )
            assert all(item.content is None for item in identity)
        inner = thief.opened_by_secret(case_secret, loot)
        assert {table for table, _ in inner} <= {"items", "files"}
        own = [
            row
            for row in loot.rows["items"]
            if row["report"] == held.report and row["audience"] != "reporter"
        ]
        assert len([1 for table, _ in inner if table == "items"]) == len(own)
    with here.database.reading() as session:
        row = session.get(File, file_id)
        assert row
        case_secret = secret_for(
            session, here.keys, mine.report, here.house.unit, here.house.unit_secret
        )
        half = files.open_original(row, case_secret)
        for wrong in (here.house.unit_secret, other_secret, case_secret):
            with pytest.raises(NotAuthentic):
                files.open_original(row, wrong, half)
    assert thief.opened_by_secret(here.house.supervisor.secret, loot) == []


@on_sqlite
def test_a_custodian_alone_opens_no_identity(here):
    begun(here)
    here.say("555", "KIRIM")
    here.receipt("555")
    loot = thief.steal(here.database)
    assert thief.opened_by_secret(here.house.custodian.secret, loot) == []
    assert thief.opened_by_secret(here.house.recovery_identities, loot) == []
    with here.database.reading() as session:
        vault = units.vault(session, here.keys)
        secret = unit_secret(
            session,
            here.keys,
            vault,
            here.house.custodian.officer,
            here.house.custodian.secret,
        )
    assert thief.opened_by_secret(secret, loot) == [], "the case's layer is outside"


# --- planted rows


def test_a_planted_public_key_gets_no_answer_of_a_reporter(here):
    report = begun(here)
    enemy = new_pair()
    rewritten(here, Draft, report, public_key=enemy.public)
    with pytest.raises(NotAuthentic):
        here.say("555", "Saksi ada dua orang")

    case, slip = here.reports("777")
    before = len(here.reads(case))
    for values in ({"public_key": enemy.public}, {"reporter_key": enemy.public}):
        rewritten(here, Case, case.report, **values)
        with here.database.reading() as session, pytest.raises(NotAuthentic):
            reports.public_key(session, here.keys, case.report)
        with pytest.raises(NotAuthentic):
            here.act(
                officer.ask, case.report, "Siapa?", by=here.house.supervisor.officer
            )
        with pytest.raises(NotAuthentic):
            here.act(officer.note, case.report, "x", by=here.house.supervisor.officer)
        rewritten(
            here,
            Case,
            case.report,
            public_key=case.public_key,
            reporter_key=case.reporter_key,
        )
    assert len(here.reads(case)) == before
    assert here.say("777", f"STATUS {slip}") is Outcome.TAKEN


@on_sqlite
def test_a_planted_key_of_a_unit_or_the_vault_is_sealed_nothing(here):
    enemy = new_pair()
    for unit in (here.house.unit, here.house.vault):
        kept = unit.public_key
        rewritten(here, Unit, unit.id, public_key=enemy.public)
        here.say("555", "LAPOR")
        here.delivers()
        here.say("555", STORY)
        (last, *_) = here.delivers() or [None]
        with here.database.reading() as session:
            assert session.exec(select(Draft)).all() == []
            assert session.exec(select(Case)).all() == []
            assert session.exec(select(Item)).all() == []
        assert last is not None, "the reporter is told"
        rewritten(here, Unit, unit.id, public_key=kept)
        here.say("555", "BATAL")
        here.delivers()


@on_sqlite
def test_a_planted_grant_opens_nothing_and_takes_nothing(here):
    case, _ = here.reports("555")
    enemy = new_pair()
    context = Context("grants", b"g" * 16, "secret", case.report, 0, 1)
    planted(
        here,
        Grant(
            id=b"g" * 16,
            report=case.report,
            recipient_kind="unit",
            recipient=b"enemy" + bytes(11),
            generation=1,
            secret=seal(enemy.secret, enemy.public, context),
            tag=secrets.token_bytes(33),
        ),
    )
    loot = thief.steal(here.database)
    assert thief.opened_by_secret(enemy.secret, loot) == [("grants", "secret")]
    assert thief.opened_by_secret(here.house.unit_secret, loot)
    unit = Unit(id=b"enemy" + bytes(11), name="x", kind="handling", tag=b"")
    with here.database.reading() as session, pytest.raises(NotAuthentic):
        secret_for(session, here.keys, case.report, unit, enemy.secret)
    assert here.reads(case)[0].content is not None


@on_sqlite
def test_a_planted_grant_beside_the_real_one_hides_nothing(here):
    case, _ = here.reports("555")
    context = Context("grants", bytes(16), "secret", case.report, 0, 1)
    fake = seal(new_pair().secret, here.house.unit.public_key or b"", context)
    planted(
        here,
        Grant(
            id=bytes(16),
            report=case.report,
            recipient_kind="unit",
            recipient=here.house.unit.id,
            generation=1,
            secret=fake,
            tag=b"\x01" + bytes(32),
        ),
    )
    assert here.reads(case)[0].content is not None


@on_sqlite
def test_a_draft_whose_grant_was_turned_to_another_unit_is_not_released(here):
    report = begun(here)
    with here.database.writing() as session:
        grant = pick(session, Grant, report=report)
        grant.recipient = b"enemy" + bytes(11)
        session.add(grant)
    with pytest.raises(NotAuthentic):
        here.say("555", "KIRIM")


@on_sqlite
def test_a_planted_item_is_shown_as_not_authentic(here):
    case, _ = here.reports("555")
    row = secrets.token_bytes(16)
    content = Content(kind=ItemKind.ADDITION, text=FORGED)
    blob = seal(
        content.to_bytes(),
        case.public_key,
        Context("items", row, "blob", case.report, 99),
    )
    planted(
        here,
        Item(
            id=row,
            report=case.report,
            seq=99,
            day=case.day,
            audience="case",
            blob=blob,
            tag=b"\x01" + secrets.token_bytes(32),
        ),
    )
    *real, forged = here.reads(case)
    assert all(item.content for item in real)
    assert forged.content is None
    assert forged.seq == 99


@on_sqlite
def test_a_changed_item_is_not_authentic(here):
    case, _ = here.reports("555")
    item = next(row for row in thief.rows_of(here.database)["items"] if row["seq"] == 1)
    yesterday = case.day - timedelta(days=1)
    for name, value in (
        ("by_officer", True),
        ("unread", True),
        ("seq", 50),
        ("day", yesterday),
        ("blob", b"\x01\x01" + bytes(1400)),
        ("tag", b"\x01" + bytes(32)),
    ):
        rewritten(here, Item, item["id"], **{name: value})
        assert [one.content for one in here.reads(case)].count(None) == 1, name
        rewritten(here, Item, item["id"], **{name: item[name]})
    rewritten(here, Item, item["id"], audience="reporter")
    assert item["seq"] not in [one.seq for one in here.reads(case)]
    rewritten(here, Item, item["id"], audience="case")
    assert all(one.content for one in here.reads(case))


@on_sqlite
def test_a_planted_question_never_reaches_the_reporter(here):
    case, slip = here.reports("555")
    row = secrets.token_bytes(16)
    content = Content(kind=ItemKind.QUESTION, text=FORGED)
    context = Context("items", row, "blob", case.report, 77)
    for tag in (b"", bytes(33), b"\x01" + secrets.token_bytes(32)):
        with here.database.writing() as session:
            session.merge(
                Item(
                    id=row,
                    report=case.report,
                    seq=77,
                    day=case.day,
                    audience="reporter",
                    by_officer=True,
                    unread=True,
                    blob=seal(content.to_bytes(), case.reporter_key or b"", context),
                    tag=tag,
                )
            )
        here.say("555", f"BACA {slip}")
        said = [letter.text for letter in here.delivers()]
        assert said
        assert not any("palsu" in words for words in said)
    here.act(officer.ask, case.report, "Kapan?", by=here.house.supervisor.officer)
    here.say("555", f"BACA {slip}")
    assert any("Kapan?" in letter.text for letter in here.delivers())


@on_sqlite
def test_a_planted_membership_or_role_gives_no_right(here):
    with here.database.writing() as session:
        eve = founded.person(session, here.keys, "eve", Role.AUDITOR)
    planted(
        here,
        Membership(
            unit=here.house.unit.id, officer=eve.officer.id, tag=b"\x01" + bytes(32)
        ),
    )
    with here.database.reading() as session:
        assert memberships.units_of(session, here.keys, eve.officer) == []
        unit = units.verified(session, here.keys, here.house.unit.id)
        assert [one.login for one in memberships.members(session, here.keys, unit)] == [
            "sari"
        ]
    rewritten(here, Officer, eve.officer.id, role="supervisor")
    with here.database.reading() as session, pytest.raises(NotAuthentic):
        officers.find(session, here.keys, "eve")


@on_sqlite
def test_a_planted_route_stops_intake_instead_of_misleading(here):
    planted(
        here,
        Route(
            id=b"r" * 16,
            category="COR",
            unit=here.house.unit.id,
            tag=b"\x01" + bytes(32),
        ),
    )
    here.say("555", STORY)
    with here.database.reading() as session:
        assert session.exec(select(Case)).all() == []
        assert session.exec(select(Item)).all() == []
    assert here.delivers(), "the reporter is told that no report can be taken"


CHANGES = (
    {"status": "CLOSED"},
    {"unit": b"enemy" + bytes(11)},
    {"officer": b"enemy" + bytes(11)},
    {"urgency": 0},
    {"number": "AAAA-AAAA"},
    {"reason": "C01"},
    {"before": "REVIEW"},
    {"wanted_status": "CLOSED", "wanted_by": b"e" * 16},
    {"receipt_wrap": bytes(100)},
    {"receipt_salt": bytes(16)},
    {"head": bytes(32)},
    {"head_seq": 40},
    {"is_open": False},
    {"category": "SVC"},
    {"track": "NON_TPK"},
    {"province": "51"},
    {"position": "KDS"},
    {"reporter_withdrawn": True},
    {"due_rule": "D99"},
)


@on_sqlite
def test_a_changed_case_is_used_by_no_verb(here):
    case, slip = here.reports("555")
    sari = here.house.supervisor.officer
    opening = Opening(Proof.OPENED, slip.number, case.report, b"")
    for values in CHANGES:
        was = {name: getattr(case, name) for name in values}
        assert was != values
        rewritten(here, Case, case.report, **values)
        with pytest.raises(NotAuthentic):
            here.act(
                officer.change_status,
                case.report,
                Status.VERIFICATION,
                by=sari,
                reason=None,
            )
        with pytest.raises(NotAuthentic):
            here.act(officer.take, case.report, by=sari)
        with here.database.reading() as session, pytest.raises(NotAuthentic):
            reporter.status_of(
                here.work(session),
                opening,
                language="id",
                channel=Channel.SMS,
            )
        rewritten(here, Case, case.report, **was)
    assert here.act(officer.take, case.report, by=sari), "as it was, it is ours again"


@on_sqlite
def test_a_number_on_a_forged_case_is_an_unknown_number(here):
    case, slip = here.reports("555")
    rewritten(here, Case, case.report, status="CLOSED")
    assert here.say("555", f"STATUS {slip}") is Outcome.TAKEN
    (letter,) = here.delivers()
    assert letter.text == here.office.texts.say(
        "X02", language="id", channel=Channel.TELEGRAM
    )


def subscribed(here: Desk, handle: str) -> tuple[Case, Subscription]:
    case, slip = here.reports(handle)
    here.say(handle, f"KABAR NETRAL {slip}")
    here.delivers()
    with here.database.reading() as session:
        name = here.keys.look_up(Purpose.SUBSCRIPTION_CASE, case.report)
        row = session.exec(
            select(Subscription).where(Subscription.case_name == name)
        ).one()
    return case, row


def moved(here: Desk, case: Case) -> list[Letter]:
    """Move a case and return the notices that leave."""
    here.act(
        officer.change_status,
        case.report,
        Status.VERIFICATION,
        by=here.house.supervisor.officer,
        reason=None,
    )
    return here.delivers()


def test_notices_go_to_nobody_who_planted_a_wish(here):
    case, victim = subscribed(here, "555")
    _, enemy = subscribed(here, "666")
    rewritten(here, Subscription, enemy.id, case_name=victim.case_name)
    planted(
        here,
        Subscription(
            id=b"s" * 16,
            subscriber=enemy.subscriber,
            case_name=victim.case_name,
            blob=enemy.blob,
        ),
    )
    assert [letter.to for letter in moved(here, case)] == ["555"]


def test_a_planted_conversation_is_nobodys(here):
    """Who copies the name of their own handle beside another's state gets nothing."""
    case, slip = here.reports("555")
    here.say("555", f"TAMBAH {slip}")
    here.delivers()
    with here.database.writing() as session:
        row = session.exec(select(Conversation)).one()
        row.alias = conversations.name_of(here.keys, Channel.TELEGRAM, "666")
        session.add(row)
    before = len(here.reads(case))
    here.say("666", "Saya palsukan tambahan ini sekarang juga")
    assert len(here.reads(case)) == before


def test_a_planted_letter_is_never_sent(here):
    with here.database.writing() as session:
        letter = Letter(LetterKind.REPLY, Channel.TELEGRAM, "555", "asli")
        outbox.put(session, here.keys, letter, now=here.now)
        other = Letter(LetterKind.REPLY, Channel.SMS, "+62811111111", "lain")
        outbox.put(session, here.keys, other, now=here.now)
    with here.database.writing() as session:
        mine = pick(session, OutboxRow, channel="telegram")
        theirs = pick(session, OutboxRow, channel="sms")
        theirs.channel = "telegram"
        for order, blob in (
            (mine.order_name, theirs.blob),
            (theirs.order_name, mine.blob),
            (b"x" * 32, secrets.token_bytes(200)),
            (b"y" * 32, b""),
        ):
            session.add(
                OutboxRow(
                    channel="telegram",
                    priority=1,
                    due=here.now,
                    expires=here.now + timedelta(hours=1),
                    order_name=order,
                    blob=blob,
                )
            )
    assert [letter.text for letter in here.delivers()] == ["asli"]
    assert here.delivers(Channel.SMS) == []


@on_sqlite
def test_an_officers_planted_link_blocks_no_report(here):
    planted(
        here,
        OfficerLink(
            officer=here.house.supervisor.officer.id,
            handle=b"h" * 32,
            blob=secrets.token_bytes(60),
        ),
    )
    case, _ = here.reports("555")
    assert here.reads(case)[0].content is not None


@on_sqlite
def test_taking_the_receipt_away_gives_no_second_one(here):
    case, slip = here.reports("555")
    rewritten(here, Case, case.report, receipt_wrap=None, reporter_key=None)
    assert here.makes_receipts() == []
    with pytest.raises(NotAuthentic):
        here.act(
            officer.change_status,
            case.report,
            Status.CLOSED,
            by=here.house.supervisor.officer,
            reason=Reason.C01,
        )
    assert here.say("555", f"STATUS {slip}") is Outcome.TAKEN
