"""Who may write every table but has no key: no right, no recipient, no message comes of it.

Each attempt is made on the whole house and undone. More of them: ``ELSEWHERE``.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, update
from sqlmodel import Session, SQLModel, select

from storage import breaches, quarantine
from storage.audit import installation
from storage.cases import cases, conflicts, data_requests, history
from storage.crypto.sealing import Context, NotAuthentic, new_pair, seal
from storage.crypto.server_key import Purpose
from storage.database import transactions
from storage.evidence import files
from storage.jobs import jobs
from storage.letters import sent
from storage.models import DataRequest, File, Tombstone
from storage.notices import subscriptions
from storage.people import (
    cookies,
    invitations,
    officers,
    one_time_codes,
    passkeys,
    recovery_codes,
    sessions,
    telegram_links,
)
from storage.rekeying import case_keys
from storage.retention import tombstones
from storage.units import admissions, rotation, routes, units
from storage.words import Channel, JobKind, Role, Stage
from tests.seizure.opening import opened
from tests.seizure.whole import RECOVERY_CODE, WHO, Whole
from tests.support.places import ROOT
from tests.support.thief import steal

ELSEWHERE = {
    **dict.fromkeys(
        ("drafts", "cases", "items", "grants", "conversations", "outbox"),
        "tests/seizure/test_plants.py",
    ),
    "memberships": "tests/seizure/test_plants.py",
    "reveals": "tests/seizure/test_reveals.py",
    "events": "tests/storage/inspection/test_rows.py",
    "audit": "tests/storage/inspection/test_rows.py",
    "inbox": "a name taken away lets a provider's repeat in once more: destroying",
    "counters": "daily figures, nothing is decided by them",
    "registers": "a number in the agency's own register",
    "leases": "two processes may do the same work: destroying",
    "watches": "an alarm that rings or is silent: destroying; nothing else is decided",
}
"""Tables whose attempts are not here, each with where they are or why there are none."""


def test_every_table_has_somebody_who_writes_into_it():
    here = Path(__file__).read_text(encoding="utf-8")
    missing = [
        name
        for name in SQLModel.metadata.tables
        if name not in ELSEWHERE and f'"{name}"' not in here
    ]
    assert missing == []
    for where in ELSEWHERE.values():
        assert not where.startswith("tests/") or (ROOT / where).exists()


@contextmanager
def writing(whole: Whole) -> Iterator["Enemy"]:
    """Write by hand in a transaction that is undone."""
    with whole.database.write_engine.connect() as connection:
        outer = connection.begin()
        session = Session(connection, join_transaction_mode="create_savepoint")
        try:
            yield Enemy(whole, session)
        finally:
            session.close()
            outer.rollback()


class Enemy:
    """Somebody with a database client; ``session`` is what the program sees."""

    def __init__(self, whole: Whole, session: Session) -> None:
        self.whole, self.session = whole, session

    def rows(self, table: str) -> list[dict[str, Any]]:
        found = self.session.connection().execute(_table(table).select())
        return [dict(row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name for it

    def writes(self, table: str, where: dict[str, Any], **values: Any) -> None:
        named = [_table(table).c[name] == value for name, value in where.items()]
        self._runs(update(_table(table)).where(*named).values(**values))

    def plants(self, table: str, **values: Any) -> None:
        self._runs(insert(_table(table)).values(**values))

    def takes_away(self, table: str, **where: Any) -> None:
        named = [_table(table).c[name] == value for name, value in where.items()]
        self._runs(delete(_table(table)).where(*named))

    def _runs(self, statement: Any) -> None:
        assert self.session.connection().execute(statement).rowcount
        self.session.expire_all()
        transactions.forget(self.session)


def _table(name: str):
    return SQLModel.metadata.tables[name]


@pytest.fixture
def enemy(whole: Whole) -> Iterator[Enemy]:
    with writing(whole) as found:
        yield found


def resumes(enemy: Enemy, cookie: str) -> sessions.SignedIn | None:
    here = enemy.whole.here
    return sessions.resume(enemy.session, here.keys, cookie, now=here.now)


SESSIONS: dict[str, Callable[[Enemy], dict[str, Any]]] = {
    "stage": lambda _: {"stage": Stage.FULL.value},
    "proof": lambda enemy: {"proved": enemy.whole.here.now},
    "tries": lambda _: {"tries": -9},
    "whose": lambda enemy: {"officer": enemy.whole.people["adi"].officer.id},
    "longer": lambda enemy: {"began": enemy.whole.here.now + timedelta(hours=9)},
    "label": lambda _: {"label": secrets.token_bytes(60)},
}


@pytest.mark.parametrize("edit", SESSIONS)
def test_no_session_is_raised_to_more(enemy: Enemy, edit: str):
    cookie = enemy.whole.cookies[Stage.FIRST]
    assert resumes(enemy, cookie)
    _, name = cookies.parse(cookie)
    enemy.writes("sessions", {"hash": name}, **SESSIONS[edit](enemy))
    assert resumes(enemy, cookie) is None


def test_a_session_of_ones_own_is_none(enemy: Enemy):
    mine = cookies.new()
    _, name = cookies.parse(mine)
    (real, *_) = [r for r in enemy.rows("sessions") if r["stage"] == "full"]
    enemy.plants("sessions", **{**real, "hash": name})
    assert resumes(enemy, mine) is None


def test_no_second_factor_is_put_in_or_taken_away(enemy: Enemy):
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    sari, seed = whole.people["sari"], one_time_codes.new_seed()
    (row,) = [
        r for r in enemy.rows("second_factors") if r["officer"] == sari.officer.id
    ]
    mine = seal(
        seed,
        sari.officer.public_key,
        Context("second_factors", sari.officer.id, "secret"),
    )
    enemy.writes("second_factors", {"officer": sari.officer.id}, secret=mine)
    code = one_time_codes.code_at(seed, one_time_codes.step_of(whole.here.now))
    with pytest.raises(NotAuthentic):
        one_time_codes.accept(
            session, keys, sari.officer.id, sari.secret, code, now=whole.here.now
        )
    enemy.takes_away("second_factors", officer=sari.officer.id)
    with pytest.raises(NotAuthentic):
        one_time_codes.find(session, keys, sari.officer.id)
    rini = whole.people["rini"].officer.id
    enemy.plants("second_factors", **{**row, "officer": rini})
    with pytest.raises(NotAuthentic):
        one_time_codes.find(session, keys, rini)


def test_no_recovery_code_or_passkey_changes_hands(enemy: Enemy):
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    budi, sari = whole.people["budi"], whole.people["sari"]
    (row,) = [
        r for r in enemy.rows("recovery_codes") if r["officer"] == budi.officer.id
    ]
    enemy.plants("recovery_codes", **{**row, "hash": b"h" * 32})
    assert recovery_codes.left(session, keys, budi.officer.id) == 1
    assert recovery_codes.use(
        session, keys, budi.officer.id, budi.secret, RECOVERY_CODE
    )
    transactions.forget(session)
    enemy.plants("recovery_codes", **row)
    assert recovery_codes.left(session, keys, budi.officer.id) == 0, "a used one"
    (key,) = enemy.rows("passkeys")
    enemy.writes("passkeys", {"name": key["name"]}, officer=budi.officer.id)
    for who in (budi, sari):
        assert passkeys.of_officer(session, keys, who.officer.id) == []
    enemy.plants("passkeys", **{**key, "name": b"n" * 32})
    assert passkeys.of_officer(session, keys, sari.officer.id) == []


def test_no_invitation_grows_and_none_is_made(enemy: Enemy):
    whole, session = enemy.whole, enemy.session
    token, now = str(whole.marks["invitation"]), whole.here.now
    (row,) = enemy.rows("invitations")
    assert invitations.find(session, whole.keys, token, now=now)
    for edit in (
        {"role": Role.ADMIN.value},
        {"unit": whole.here.house.vault.id},
        {"officer": None},
        {"expires": now + timedelta(days=99)},
    ):
        enemy.writes("invitations", {"hash": row["hash"]}, **edit)
        assert invitations.find(session, whole.keys, token, now=now) is None
        enemy.writes("invitations", {"hash": row["hash"]}, **{k: row[k] for k in edit})
    assert invitations.find(session, whole.keys, token, now=now)
    enemy.plants("invitations", **{**row, "hash": b"i" * 32, "login": "mallory"})
    waiting = invitations.waiting(session, whole.keys, now=now)
    assert [one.login for one in waiting] == ["tono"]


def test_nobody_waits_or_belongs_who_was_written_in(enemy: Enemy):
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    rini = whole.people["rini"].officer
    unit = units.verified(session, keys, whole.here.house.unit.id)
    before = [one.login for one in admissions.waiting(session, keys, unit)]
    assert before == ["tini"]
    (row,) = enemy.rows("applications")
    enemy.plants("applications", **{**row, "officer": rini.id})
    assert [o.login for o in admissions.waiting(session, keys, unit)] == before
    adi = whole.people["adi"].officer.id
    enemy.writes("officers", {"id": adi}, role=Role.SUPERVISOR.value)
    with pytest.raises(NotAuthentic):
        officers.by_id(session, keys, adi)


def test_no_recipient_is_added_to_a_key(enemy: Enemy):
    """A unit's next key is sealed to nobody who was written in, nor to another's key."""
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    mine, unit = new_pair(), whole.here.house.unit.id
    row = next(r for r in enemy.rows("unit_grants") if r["unit"] == unit)
    enemy.plants("unit_grants", **{**row, "id": b"g" * 16, "recipient": b"e" * 16})
    before = {(r["unit"], r["recipient"]) for r in enemy.rows("unit_grants")}
    rotation.rotate(session, keys, units.verified(session, keys, unit))
    now = [r for r in enemy.rows("unit_grants") if r["generation"] == 3]
    assert now
    assert {(r["unit"], r["recipient"]) for r in now} <= before
    assert b"e" * 16 not in {r["recipient"] for r in now}
    enemy.writes("recovery_keys", {"purpose": "cases"}, public_key=mine.public)
    with pytest.raises(NotAuthentic):
        rotation.rotate(session, keys, units.verified(session, keys, unit))
    enemy.writes("units", {"id": unit}, public_key=mine.public)
    with pytest.raises(NotAuthentic):
        units.verified(session, keys, unit)


@pytest.mark.parametrize("edit", ["unit", "priority", "gone", "again"])
def test_no_route_changes(enemy: Enemy, edit: str):
    whole = enemy.whole
    row = next(r for r in enemy.rows("routes") if r["category"] == "COR")
    if edit == "gone":
        enemy.takes_away("routes", id=row["id"])
    elif edit == "again":
        enemy.plants("routes", **{**row, "id": b"r" * 16})
    else:
        values = {"unit": whole.here.house.unit.id, "priority": 9}
        enemy.writes("routes", {"id": row["id"]}, **{edit: values[edit]})
    with pytest.raises(NotAuthentic):
        routes.verified_routes(enemy.session, whole.keys)


def test_no_fact_of_the_installation_changes(enemy: Enemy):
    whole = enemy.whole
    enemy.writes("settings", {"name": "demo"}, value="yes")
    with pytest.raises(NotAuthentic):
        installation.get_setting(enemy.session, whole.keys, "demo")
    (people,) = [r for r in enemy.rows("settings") if r["name"] == "people"]
    enemy.writes("settings", {"name": "demo"}, value=people["value"], tag=people["tag"])
    with pytest.raises(NotAuthentic):
        installation.get_setting(enemy.session, whole.keys, "demo")


def test_who_stepped_back_is_not_brought_back(enemy: Enemy):
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    report, sari = whole.cases["conflict"].report, whole.people["sari"]
    enemy.takes_away("conflicts", report=report)
    assert conflicts.is_barred(session, report, sari.officer.id), "the history says so"
    row = next(r for r in enemy.rows("grants") if r["report"] == report)
    pair = new_pair()
    place = Context("grants", b"k" * 16, "secret", report, 0, 1)
    blob = seal(pair.secret, sari.officer.public_key, place)
    enemy.plants(
        "grants",
        **{**row, "id": b"k" * 16, "recipient": sari.officer.id, "secret": blob},
    )
    case = cases.get(session, keys, report)
    assert case is not None
    unit = units.verified(session, keys, case.unit)
    with pytest.raises((NotAuthentic, case_keys.NotGranted)):
        case_keys.secret_of(session, keys, case, unit, sari.officer, sari.secret)


def test_wishes_links_and_letters_go_to_nobody_else(enemy: Enemy):
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    report = whole.cases["mine"].report
    first, second = enemy.rows("subscriptions")
    enemy.writes("subscriptions", {"id": first["id"]}, blob=second["blob"])
    enemy.writes("subscriptions", {"id": second["id"]}, case_name=first["case_name"])
    assert subscriptions.of_case(session, keys, report) == []
    budi, sari = whole.people["budi"].officer.id, whole.people["sari"].officer.id
    enemy.writes("officer_links", {"officer": sari}, officer=budi)
    found = telegram_links.officer_at(session, keys, Channel.TELEGRAM, WHO["officer"])
    assert found is None
    token = "mine"
    (row,) = enemy.rows("link_tokens")
    found_by = telegram_links._found_by(keys, token)  # noqa: SLF001 - as the store finds it
    enemy.plants("link_tokens", **{**row, "hash": found_by})
    now = whole.here.now
    redeemed = telegram_links.redeem(
        session, keys, token, Channel.TELEGRAM, "666", now=now
    )
    assert redeemed is None
    (left,) = enemy.rows("departed")
    name = keys.look_up(Purpose.PROVIDER, Channel.SMS, "SM-other")
    enemy.plants("departed", **{**left, "name": name})
    assert sent.status(session, keys, Channel.SMS, "SM-other", 9) is None


def test_planted_work_is_not_done(enemy: Enemy):
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    (job,) = [one for one in enemy.rows("jobs") if one["kind"] != JobKind.FORGET]
    enemy.writes("jobs", {"id": job["id"]}, kind=JobKind.ERASE.value)
    enemy.plants("jobs", **{**job, "id": b"j" * 16})
    enemy.plants("jobs", **{**job, "id": b"k" * 16, "kind": JobKind.FORGET.value})
    now = whole.here.now + timedelta(hours=1)
    told = dict(jobs.due(session, keys, JobKind.FORGET, limit=9, now=now))
    assert told[b"k" * 16] == {}, "of what was planted nothing is told"
    for kind in set(JobKind) - {JobKind.FORGET}:
        assert jobs.claim(session, keys, kind, limit=9, now=now) == []
    (odd,) = enemy.rows("quarantine")
    enemy.plants("quarantine", **{**odd, "id": b"q" * 16})
    assert [bytes(r.id) for r in quarantine.verified(session, keys)] == [odd["id"]]
    (breach,) = enemy.rows("breaches")
    heard = {"told_reporters": whole.here.now}
    enemy.writes("breaches", {"id": breach["id"]}, **heard)
    with pytest.raises(NotAuthentic):
        breaches.everything(session, keys)


def test_a_planted_tombstone_erases_nothing(enemy: Enemy):
    whole, keys = enemy.whole, enemy.whole.keys
    (row,) = enemy.rows("tombstones")
    target = whole.cases["mine"].report
    enemy.plants("tombstones", **{**row, "id": b"t" * 16, "report": target})
    planted = enemy.session.get(Tombstone, b"t" * 16)
    assert planted is not None
    with pytest.raises(NotAuthentic):
        tombstones.check(keys, planted)


def test_no_request_of_a_reporter_is_made_up_or_lost(enemy: Enemy):
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    report = whole.cases["mine"].report
    (row,) = enemy.rows("data_requests")
    enemy.plants("data_requests", **{**row, "id": b"d" * 16, "kind": "erase"})
    with pytest.raises(NotAuthentic):
        data_requests.of_report(session, keys, report)
    enemy.takes_away("data_requests", report=report)
    events = history.of_case(session, report)
    left = list(session.exec(select(DataRequest)))
    assert not data_requests.are_whole(events, left), "the history misses one"


def test_evidence_is_not_exchanged(enemy: Enemy):
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    theirs = whole.cases["theirs"]
    for edit in (
        {"report": theirs.report},
        {"copy_key": seal(bytes(32), new_pair().public, Context("x", b"", "y"))},
        {"state": "waiting"},
    ):
        (was,) = [r for r in enemy.rows("files") if r["id"] == whole.file]
        enemy.writes("files", {"id": whole.file}, **edit)
        row = session.get(File, whole.file)
        assert row is not None
        with pytest.raises(NotAuthentic):
            files.check(keys, row)
        enemy.writes("files", {"id": whole.file}, **{k: was[k] for k in edit})


def test_whoever_wrote_everywhere_reads_nothing_more(whole: Whole):
    """Rows of one's own open to one's own key, and to nothing of anybody else."""
    mine = new_pair()
    loot = steal(whole.database, whole.folder)
    row = next(r for r in loot.rows["grants"] if not r["wrapped"])
    place = Context("grants", b"m" * 16, "secret", row["report"], 0, row["generation"])
    blob = seal(mine.secret, mine.public, place)
    loot.rows["grants"].append({**row, "id": b"m" * 16, "secret": blob})
    found = opened(loot, mine.secret, folder=whole.folder)
    assert {one.plain for one in found.reads} == {mine.secret}


def test_said_honestly_a_row_that_was_good_a_moment_ago_may_come_back(enemy: Enemy):
    """It gives nothing without the cookie or the passphrase, which a writer has not."""
    whole, session, keys = enemy.whole, enemy.session, enemy.whole.keys
    cookie, now = whole.cookies[Stage.FULL], whole.here.now
    _, name = cookies.parse(cookie)
    (row,) = [r for r in enemy.rows("sessions") if r["hash"] == name]
    sessions.end(session, cookie)
    assert resumes(enemy, cookie) is None
    enemy.plants("sessions", **row)
    assert resumes(enemy, cookie) is not None
    who = whole.people["sari"]
    (factor,) = [
        r for r in enemy.rows("second_factors") if r["officer"] == who.officer.id
    ]
    seed = bytes(whole.marks["factor of sari"])  # type: ignore[arg-type]  # bytes
    code = one_time_codes.code_at(seed, one_time_codes.step_of(now))
    args = (session, keys, who.officer.id, who.secret, code)
    assert one_time_codes.accept(*args, now=now)
    assert not one_time_codes.accept(*args, now=now)
    values = {"last_step": factor["last_step"], "tag": factor["tag"]}
    enemy.writes("second_factors", {"officer": who.officer.id}, **values)
    assert one_time_codes.accept(*args, now=now)
