"""Alerts that wait become one letter for each officer, and cost the same however many."""

import secrets
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import event, text
from sqlmodel import col, func, select, update

from storage import outbox
from storage.crypto.server_key import Purpose, ServerKeys
from storage.letters.letter import Letter
from storage.models import Case, OutboxRow
from storage.people import telegram_links
from storage.rekeying import server_key
from storage.words import Channel, LetterKind
from tests.support.desk import STORY, Desk, desk

OFFICER = "900"
URGENT = (
    "LAPOR Tolong, saya diancam dibunuh oleh lurah karena menolak membayar pungutan"
)


@pytest.fixture
def here(database, keys) -> Desk:
    made = desk(database, keys)
    linked(made, OFFICER)
    return made


def linked(here: Desk, handle: str) -> None:
    officer = here.house.supervisor.officer
    with here.database.writing() as session:
        token = telegram_links.issue(session, here.keys, officer.id, now=here.now)
        place = (Channel.TELEGRAM, handle)
        assert telegram_links.redeem(session, here.keys, token, *place, now=here.now)


def report(here: Desk, person: int, words: str = STORY) -> None:
    here.say(f"55{person:04}", words)


def rows(here: Desk) -> int:
    """Count what waits for the officer."""
    name = here.keys.look_up(Purpose.ORDER, Channel.TELEGRAM, OFFICER)
    query = select(func.count()).select_from(OutboxRow)
    with here.database.reading() as session:
        return session.exec(query.where(col(OutboxRow.order_name) == name)).one()


def told(here: Desk) -> list[Letter]:
    return [one for one in here.delivers() if one.to == OFFICER]


@pytest.fixture
def opened(monkeypatch) -> Counter[str]:
    """Count what the server key opens."""
    found: Counter[str] = Counter()
    real = ServerKeys.unlock

    def counted(self, purpose, *args):
        found[purpose] += 1
        return real(self, purpose, *args)

    monkeypatch.setattr(ServerKeys, "unlock", counted)
    return found


@pytest.mark.both_stores
def test_reports_that_wait_are_one_letter(here):
    for person in range(12):
        report(here, person)
    assert rows(here) == 1
    (alert,) = told(here)
    assert "12 new reports" in alert.text
    assert alert.buttons == ()


def test_a_report_costs_the_same_however_many_wait(here, opened):
    """Neither what is opened nor what is asked of the store grows; its own answer is opened."""
    costs = []
    statements: Counter[str] = Counter()

    def asked(*args):
        statements[args[2]] += 1

    event.listen(here.database.write_engine, "before_cursor_execute", asked)
    for person in range(8):
        opened.clear()
        statements.clear()
        report(here, person)
        costs.append((opened[Purpose.OUTBOX], statements.total(), rows(here)))
    assert set(costs[1:]) == {(costs[0][0] + 1, costs[1][1], 1)}


def test_one_report_is_told_by_its_number_and_can_be_taken(here):
    report(here, 1)
    (alert,) = told(here)
    with here.database.reading() as session:
        case = session.exec(select(Case)).one()
    assert case.number in alert.text
    assert [data for _, data in alert.buttons] == [
        f"take:{case.number}",
        f"open:{case.number}",
    ]
    report(here, 2)
    assert "new reports" not in told(here)[0].text


def test_what_is_urgent_is_told_beside_what_is_not(here):
    for person in range(3):
        report(here, person)
    report(here, 3, URGENT)
    alerts = told(here)
    assert ["3 new reports" in alerts[0].text, "URGENT" in alerts[1].text] == [True] * 2
    assert "URGENT" not in alerts[0].text
    assert "take:" in str(alerts[1].buttons)
    for person in range(4, 6):
        report(here, person, URGENT)
    (alert,) = told(here)
    assert "URGENT. 2 new reports" in alert.text


@pytest.mark.both_stores
def test_a_letter_on_its_way_is_left_alone(here):
    report(here, 1)
    with here.database.writing() as session:
        (claimed,) = [
            one
            for one in outbox.claim(
                session, here.keys, Channel.TELEGRAM, limit=9, now=here.now
            )
            if one.letter.to == OFFICER
        ]
    for person in range(2, 6):
        report(here, person)
    assert rows(here) == 2
    here.later(minutes=2)
    first, second = told(here)
    assert first.text == claimed.letter.text
    assert "4 new reports" in second.text


def test_additions_to_one_case_count_once(here):
    made = [here.reports(f"55{person:04}") for person in range(2)]
    for person, (_, slip) in enumerate(made):
        here.say(f"55{person:04}", f"TAMBAH {slip}")
        for number in range(3):
            here.say(f"55{person:04}", f"Keterangan tambahan yang ke-{number}")
    (alert,) = told(here)
    assert "added to 2 cases" in alert.text
    assert made[1][0].number in alert.text


def test_a_planted_row_swallows_no_alert(here):
    """Who writes in the store and holds no key may copy a name, and no more."""
    report(here, 1)
    with here.database.writing() as session:
        row = session.exec(
            select(OutboxRow).where(col(OutboxRow.twin).is_not(None))
        ).one()
        session.add(
            OutboxRow(
                **row.model_dump(exclude={"id", "blob"}), blob=secrets.token_bytes(300)
            )
        )
    report(here, 2)
    assert len(told(here) + told(here)) == 2


def test_a_turned_name_takes_no_other_letter(here):
    """An answer to a reporter that bears the name of an alert is neither read nor changed."""
    report(here, 1)
    name = here.keys.look_up(Purpose.ORDER, Channel.TELEGRAM, OFFICER)
    with here.database.writing() as session:
        twin = session.exec(
            select(OutboxRow.twin).where(col(OutboxRow.order_name) == name)
        ).one()
        others = col(OutboxRow.order_name) != name
        session.connection().execute(update(OutboxRow).where(others).values(twin=twin))
    report(here, 2)
    assert rows(here) == 2
    assert sum("new report" in one.text for one in here.delivers()) == 0


def test_it_is_found_under_a_new_server_key(here):
    report(here, 1)
    old, here.keys = here.keys.newest, here.keys.with_new()
    server_key.run(here.database, here.keys, now=here.now, day=here.now.date())
    here.keys = here.keys.without(old)
    here.office = replace(here.office, keys=here.keys)
    report(here, 2)
    assert rows(here) == 1


@pytest.mark.both_stores
def test_it_is_found_by_its_index(here):
    """The very statement, however few rows there are."""
    lite, asked = here.database.is_sqlite, []

    def seen(*args):
        if "outbox.twin IN" in args[2]:
            asked.append(args[2:4])

    event.listen(here.database.write_engine, "before_cursor_execute", seen)
    report(here, 1)
    ((statement, values),) = asked
    with here.database.writing() as session:
        connection = session.connection()
        if not lite:
            fill(connection)
        explain = "EXPLAIN QUERY PLAN " if lite else "EXPLAIN "
        plan = connection.exec_driver_sql(explain + statement, values).all()
    assert "ix_outbox_twin" in str(plan)


FILLED = """
INSERT INTO outbox (channel, priority, due, expires, attempts, doubtful,
  order_name, twin, blob)
SELECT 'telegram', 3, now(), now(), 0, false,
  decode(md5(n::text), 'hex'), decode(md5(n::text), 'hex'), ''
FROM generate_series(1, 2000) AS n
"""


def fill(connection):
    """Let so much wait that PostgreSQL has a choice to make."""
    connection.execute(text(FILLED))
    connection.execute(text("ANALYZE outbox"))


@pytest.mark.both_stores
def test_rows_that_leave_last_differ_in_nothing(here):
    with here.database.writing() as session:
        for kind, ids in ((LetterKind.ALERT, ()), (LetterKind.DELETE, (1, 2))):
            letter = Letter(kind, Channel.TELEGRAM, OFFICER, message_ids=ids)
            outbox.put(session, here.keys, letter, now=here.now)
        found = session.exec(select(OutboxRow)).all()
        assert {len(row.twin or b"") for row in found} == {32}
        assert len({row.twin for row in found}) == 2
