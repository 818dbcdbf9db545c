"""Every column is marked; people and cases share nothing; no time is finer than allowed."""

from collections import Counter
from itertools import combinations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import DateTime, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from handlers.cases import officer
from storage.database import schema
from storage.database.database import Database
from storage.database.schema import SchemaTooNew, SchemaTooOld
from tests.support import thief
from tests.support.desk import desk

FAMILIES = {"people", "cases", "house"}
MOMENTS = {
    "outbox.due": "a retry comes after seconds; a new row has the full minute",
    "outbox.expires": "a full hour, but for an acknowledgment that lives 15 seconds",
    "outbox.lease_until": "a lease is 60 seconds",
    "jobs.due": "a retry comes after seconds; nothing finer than a day stands beside it",
    "jobs.expires": "48 hours from then, when the row goes",
    "jobs.lease_until": "a lease is 60 seconds",
    "leases.until": "a lease is 2 minutes; names a process",
    "sessions.began": "an officer's 10 hours",
    "sessions.seen": "an officer's 20 minutes",
    "sessions.proved": "an officer's last proof counts for minutes",
    "invitations.expires": "an officer's link ends to the minute it was promised",
    "breaches.known": "the law counts 72 hours from it (D22)",
    "breaches.told_authority": "and these hours end with it",
    "breaches.told_reporters": "and with it",
    "reveals.asked": "an officer's act, in the audit log to the second",
    "reveals.ends": "an officer's hours with an identity",
    "conflicts.at": "an officer's act: no access from this second on",
    "link_tokens.expires": "an officer's 15 minutes",
    "watches.good": "a machine's test of itself, at its own hours",
    "watches.bad": "since when such a test fails",
    "watches.told": "when the operators heard of it",
    "audit.at": "an officer's act, for which somebody may have to answer",
    "events.at": "an officer's act; of reporters the day alone, which the store checks",
}
"""Where a time finer than a day may stand, and why; ``events.at`` for officers only."""
SHORT = 8


def family(table: str) -> str:
    return str(SQLModel.metadata.tables[table].info["family"])


@pytest.mark.parametrize("name", sorted(SQLModel.metadata.tables))
def test_every_column_says_how_it_is_read_and_when_it_goes(name):
    table = SQLModel.metadata.tables[name]
    assert table.info["family"] in FAMILIES
    for column in table.columns:
        assert column.info.get("mark") in {"clear", "keyed", "sealed"}, column
        assert column.info.get("purge"), column
        fine = isinstance(column.type, DateTime) or "Time" in repr(column.type)
        assert not fine or f"{name}.{column.name}" in MOMENTS, column
    assert not table.foreign_keys, "a link is a column whose value is compared"


def test_people_and_cases_share_no_name_of_a_key():
    for one, other in combinations(SQLModel.metadata.tables.values(), 2):
        if {one.info["family"], other.info["family"]} != {"people", "cases"}:
            continue
        people = one if one.info["family"] == "people" else other
        assert not {"report", "officer", "number", "item", "file"} & set(
            people.columns.keys()
        )


def test_a_reporters_act_is_told_by_the_day(database, keys):
    here = desk(database, keys)
    case, _ = here.reports("555")
    now = "2026-03-02 09:30:00"
    with pytest.raises(IntegrityError), database.writing() as session:
        session.connection().execute(
            text("UPDATE events SET at = :now WHERE actor_class = 'reporter'"),
            {"now": now},
        )
    here.act(officer.take, case.report, by=here.house.supervisor.officer)
    for row in thief.rows_of(database)["events"]:
        assert (row["at"] is not None) == (row["actor_class"] == "officer")


def test_no_value_leads_from_people_to_cases(database, keys):
    """Walk a journey with everything in flight at once and compare all values."""
    here = desk(database, keys)
    case, slip = here.reports("555")
    here.say("555", f"KABAR NETRAL {slip}")
    here.act(officer.ask, case.report, "Kapan?", by=here.house.supervisor.officer)
    here.say("666", "LAPOR Bendahara memotong dana bantuan operasional")
    here.say("777", "LAPOR")
    rows = thief.rows_of(database)
    filled = {name for name, found in rows.items() if found}
    assert filled >= {
        "inbox",
        "conversations",
        "subscriptions",
        "outbox",
        "jobs",
        "cases",
        "items",
        "events",
        "grants",
    }
    values: dict[str, set[object]] = {"people": set(), "cases": set(), "house": set()}
    for table, found in rows.items():
        for row in found:
            for value in row.values():
                if isinstance(value, (bytes, str)) and len(value) >= SHORT:
                    values[family(table)].add(value)
    assert values["people"]
    assert values["people"] & values["cases"] == set()
    in_clear = b"\0".join(one for one in values["people"] if isinstance(one, bytes))
    for value in values["cases"]:
        if isinstance(value, bytes):
            assert value not in in_clear, "not as a part either"
    ids = {row["report"] for row in rows["cases"]}
    assert Counter(type(one) for one in ids) == {bytes: 2}


def test_head_equals_the_models(database: Database):
    with database.read_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    schema.check(database)
    schema.upgrade(database)


def test_the_files_of_migrations_are_named_in_their_order():
    """``check`` goes by the names alone; alembic, which goes by what stands in the files."""
    alembic = ScriptDirectory.from_config(schema.config_of_alembic())
    walked = [one.revision for one in alembic.walk_revisions()]
    assert schema.revisions() == walked[::-1]
    assert schema.head() == alembic.get_current_head()


def test_alembic_reads_the_same_revision(database: Database):
    with database.read_engine.connect() as connection:
        told = MigrationContext.configure(connection).get_current_revision()
        assert schema.revision_of(connection) == told == schema.head()


def test_a_newer_store_is_refused_and_an_older_one_named(database: Database):
    with database.writing() as session:
        session.connection().execute(
            text("UPDATE alembic_version SET version_num = '9999_of_tomorrow'")
        )
    with pytest.raises(SchemaTooNew):
        schema.check(database)
    with pytest.raises(SchemaTooNew):
        schema.upgrade(database)
    with database.writing() as session:
        session.connection().execute(text("DELETE FROM alembic_version"))
    with pytest.raises(SchemaTooOld):
        schema.check(database)
