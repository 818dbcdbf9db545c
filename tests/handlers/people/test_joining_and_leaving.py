"""Who comes and who goes: what each role may do to people, and what it changes."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import select

from handlers.cases import officer
from handlers.errors import LastAdmin, LastMember, NotYours, SecondOfficerNeeded
from handlers.people import joining, leaving
from storage.audit import log, manifests
from storage.audit.manifests import Name
from storage.cases import cases, history
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.inspection import chains, rows
from storage.models import (
    Application,
    AuditLine,
    Invitation,
    LinkToken,
    Membership,
    RecoveryCode,
    SecondFactor,
    UnitGrant,
)
from storage.models import Session as Signed
from storage.people import (
    invitations,
    officers,
    recovery_codes,
    sessions,
    telegram_links,
)
from storage.units import admissions, memberships, units
from storage.words import Channel, EventCode, LetterKind, Reason, Role, Status, UnitKind
from tests.storage.audit.test_manifests import copied, restored
from tests.support import authenticator, desk, founded
from tests.support.desk import Desk
from tests.support.founded import Person
from tests.support.unsealing import unit_secret


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk.desk(database, keys)


def admin(here: Desk, login: str = "adi") -> Person:
    with here.database.writing() as session:
        return founded.person(session, here.keys, login, Role.ADMIN)


def invited(here: Desk, by: Person | None, login: str = "budi", **more) -> str:
    given = {"name": "Budi", "role": Role.HANDLER, "unit": here.house.unit.id, **more}
    inviter = by.officer.id if by else None
    return here.act(joining.invite, login, language="en", by=inviter, **given)


def joined(
    here: Desk, token: str, login: str = "budi", role: Role = Role.HANDLER
) -> Person:
    prepared, secret = founded.prepared(login, role)
    return Person(here.act(joining.join, token, prepared), secret)


def member(here: Desk, login: str = "budi", role: Role = Role.HANDLER) -> Person:
    new = joined(here, invited(here, None, login, role=role), login, role)
    admits(here, here.house.supervisor, new)
    return new


def admits(here: Desk, by: Person, whom: Person, unit: bytes = b"") -> None:
    here.act(
        joining.admit,
        unit or here.house.unit.id,
        whom.officer.id,
        by=by.officer.id,
        secret=by.secret,
    )


def removed(here: Desk, whom: Person, by: Person | None, **more) -> int:
    return here.act(
        leaving.remove,
        here.house.unit.id,
        whom.officer.id,
        by=by.officer.id if by else None,
        **more,
    )


def waiting(here: Desk) -> list[str]:
    with here.database.reading() as session:
        unit = units.verified(session, here.keys, here.house.unit.id)
        return [one.login for one in admissions.waiting(session, here.keys, unit)]


def sits(here: Desk, person: Person) -> bool:
    with here.database.reading() as session:
        unit = units.verified(session, here.keys, here.house.unit.id)
        return memberships.is_member(session, here.keys, unit, person.officer)


def told(here: Desk) -> list[str]:
    with here.database.reading() as session:
        assert log.verify(session, here.keys) is None
        assert list(chains.problems(session, here.keys)) == []
        return list(session.exec(select(AuditLine.code).order_by(AuditLine.seq)))  # type: ignore[arg-type]  # a column


@pytest.mark.both_stores
def test_from_an_invitation_to_a_seat(here: Desk):
    token = invited(here, admin(here))
    with here.database.reading() as session:
        (row,) = session.exec(select(Invitation)).all()
    assert token.encode() not in row.hash + row.tag
    budi = joined(here, token)
    assert waiting(here) == ["budi"]
    assert not sits(here, budi)
    case, _ = here.reports("555")
    admits(here, here.house.supervisor, budi)
    assert waiting(here) == []
    assert sits(here, budi)
    with here.database.reading() as session:
        unit = units.verified(session, here.keys, case.unit)
        assert unit_secret(session, here.keys, unit, budi.officer, budi.secret)
    people_acts = [code for code in told(here) if not code.startswith("list.")]
    assert people_acts == ["officer.invited", "officer.joined", "unit.admitted"]
    with pytest.raises(joining.NoSuchInvitation):
        joined(here, token, "rini")


@pytest.mark.both_stores
def test_nobody_makes_two_of_themself(here: Desk):
    """Whoever invites into their own unit does not admit: four eyes would be two."""
    sari, rini = here.house.supervisor, member(here, "rini")
    twin = joined(here, invited(here, sari))
    with pytest.raises(SecondOfficerNeeded):
        admits(here, sari, twin)
    assert not sits(here, twin)
    told(here)
    admits(here, rini, twin)
    assert sits(here, twin)
    removed(here, twin, sari)
    with here.database.writing() as session:
        unit = units.verified(session, here.keys, here.house.unit.id)
        admissions.apply(session, here.keys, unit, twin.officer)
    with pytest.raises(SecondOfficerNeeded):
        admits(here, sari, twin)
    with here.database.reading() as session:
        assert list(rows.problems(session, here.keys)) == []


@pytest.mark.parametrize(
    ("role", "to", "into", "fine"),
    [
        (Role.ADMIN, Role.ADMIN, "", True),
        (Role.ADMIN, Role.AUDITOR, "", True),
        (Role.ADMIN, Role.CUSTODIAN, "vault", True),
        (Role.ADMIN, Role.HANDLER, "vault", False),
        (Role.ADMIN, Role.AUDITOR, "unit", False),
        (Role.ADMIN, Role.HANDLER, "", False),
        (Role.SUPERVISOR, Role.INTAKE, "unit", True),
        (Role.SUPERVISOR, Role.SUPERVISOR, "unit", True),
        (Role.SUPERVISOR, Role.HANDLER, "other", False),
        (Role.SUPERVISOR, Role.CUSTODIAN, "vault", False),
        (Role.SUPERVISOR, Role.ADMIN, "", False),
        (Role.CUSTODIAN, Role.CUSTODIAN, "vault", False),
        (Role.HANDLER, Role.HANDLER, "unit", False),
        (Role.AUDITOR, Role.AUDITOR, "", False),
    ],
)
def test_who_may_invite_whom(here: Desk, role: Role, to: Role, into: str, fine: bool):  # noqa: FBT001 - a case of the test
    with here.database.writing() as session:
        other = units.create(session, here.keys, "Other", UnitKind.HANDLING)
        known = {
            Role.SUPERVISOR: here.house.supervisor,
            Role.CUSTODIAN: here.house.custodian,
        }
        by = known.get(role) or founded.person(session, here.keys, "adi", role)
    if role is Role.HANDLER:
        by = member(here, "joko")
    places = {"unit": here.house.unit.id, "vault": here.house.vault.id}
    unit = {**places, "other": other.id, "": None}[into]
    if fine:
        assert invited(here, by, role=to, unit=unit)
        return
    with pytest.raises((NotYours, memberships.WrongHouse)):
        invited(here, by, role=to, unit=unit)


def test_an_invitation_ends_by_time_by_withdrawal_and_with_its_inviter(here: Desk):
    adi, eka = admin(here), admin(here, "eka")
    late = invited(here, adi)
    here.now += invitations.LIFE - timedelta(seconds=1)
    with here.database.reading() as session:
        assert invitations.find(session, here.keys, late, now=here.now)
    here.later(seconds=1)
    with pytest.raises(joining.NoSuchInvitation):
        joined(here, late)
    first, second = invited(here, adi), invited(here, adi)
    with pytest.raises(joining.NoSuchInvitation):
        joined(here, first)
    with pytest.raises(NotYours):
        here.act(joining.withdraw, "budi", by=here.house.supervisor.officer.id)
    here.act(joining.withdraw, "budi", by=adi.officer.id)
    with pytest.raises(joining.NoSuchInvitation):
        joined(here, second)
    orphan = invited(here, adi)
    here.act(leaving.end, adi.officer.id, by=eka.officer.id)
    with pytest.raises(NotAuthentic):
        joined(here, orphan)
    for taken in ("sari", "SARI", "adi"):
        with pytest.raises(officers.LoginTaken):
            invited(here, eka, taken)
    with pytest.raises(officers.BadLogin):
        invited(here, eka, "not a login")


def test_a_planted_row_invites_admits_and_seats_nobody(here: Desk):
    token = invited(here, admin(here))
    with here.database.writing() as session:
        (row,) = session.exec(select(Invitation)).all()
        row.role = Role.ADMIN.value
        session.add(row)
        mallory = founded.person(session, here.keys, "mallory")
        session.add(
            Application(
                unit=here.house.unit.id, officer=mallory.officer.id, tag=row.tag
            )
        )
        session.add(
            Membership(unit=here.house.unit.id, officer=mallory.officer.id, tag=row.tag)
        )
    with pytest.raises(joining.NoSuchInvitation):
        joined(here, token, role=Role.ADMIN)
    assert waiting(here) == []
    assert not sits(here, mallory)
    with pytest.raises(admissions.NotWaiting):
        admits(here, here.house.supervisor, mallory)


@pytest.mark.both_stores
def test_what_was_refused_and_put_back_waits_no_more(here: Desk):
    budi = joined(here, invited(here, None))
    old = copied(here.database, "applications")
    boss = here.house.supervisor.officer.id
    here.act(joining.refuse, here.house.unit.id, budi.officer.id, by=boss)
    assert "unit.refused" in told(here)
    restored(here.database, old)
    assert waiting(here) == []
    with pytest.raises(admissions.NotWaiting):
        admits(here, here.house.supervisor, budi)


def test_who_is_no_member_admits_and_refuses_nobody(here: Desk):
    adi, budi = admin(here), joined(here, invited(here, None))
    for outsider in (adi, here.house.custodian, budi):
        with pytest.raises(NotYours):
            admits(here, outsider, budi)
        with pytest.raises(NotYours):
            here.act(
                joining.refuse,
                here.house.unit.id,
                budi.officer.id,
                by=outsider.officer.id,
            )
    with pytest.raises(NotAuthentic):
        admits(here, Person(here.house.supervisor.officer, adi.secret), budi)
    assert waiting(here) == ["budi"]


def test_an_admins_guest_brings_an_empty_units_key_and_a_supervisors_waits(here: Desk):
    with here.database.writing() as session:
        empty = units.create(session, here.keys, "Wilayah II", UnitKind.HANDLING)
    rini = joined(here, invited(here, admin(here), "rini", unit=empty.id), "rini")
    with here.database.reading() as session:
        unit = units.verified(session, here.keys, empty.id)
        assert unit.generation == 1
        assert unit_secret(session, here.keys, unit, rini.officer, rini.secret)
    assert "unit.first" in told(here)


def test_a_removal_ends_access_and_gives_the_work_back(here: Desk):
    budi = member(here, role=Role.SUPERVISOR)
    mine, other = here.reports("555")[0], here.reports("556")[0]
    here.act(officer.take, mine.report, by=budi.officer)
    looks = {"by": budi.officer, "reason": None}
    assert here.act(officer.change_status, other.report, Status.VERIFICATION, **looks)
    reject = {"by": budi.officer, "reason": Reason.R03}
    assert not here.act(officer.change_status, other.report, Status.REJECTED, **reject)
    with here.database.writing() as session:
        cookie = sessions.begin(
            session, here.keys, budi.officer, budi.secret, now=here.now
        )
    assert removed(here, budi, here.house.supervisor) == 2
    assert not sits(here, budi)
    with here.database.reading() as session:
        assert sessions.resume(session, here.keys, cookie, now=here.now) is None
        case = cases.get(session, here.keys, mine.report)
        assert case is not None
        assert case.officer is None
        last = history.of_case(session, mine.report)[-1]
        assert (last.code, last.detail) == (EventCode.TAKEN, "left")
        assert last.officer == here.house.supervisor.officer.id
        case = cases.get(session, here.keys, other.report)
        assert case is not None
        assert (case.wanted_status, case.wanted_by) == (None, None)
        assert manifests.rolled_back(session, here.keys) == []
    codes = told(here)
    assert codes.count("case.returned") == 2
    assert {"unit.removed", "unit.rotated"} <= set(codes)
    with pytest.raises(NotYours):
        removed(here, budi, here.house.supervisor)


def test_who_may_remove_whom(here: Desk):
    budi, rini = member(here), member(here, "rini", Role.SUPERVISOR)
    adi = admin(here)
    with here.database.writing() as session:
        wati = founded.person(session, here.keys, "wati", Role.AUDITOR)
    for outsider in (budi, here.house.custodian, wati):
        with pytest.raises(NotYours):
            removed(here, budi, outsider)
    assert removed(here, rini, adi) == 2, "an admin needs no key to take access away"
    assert removed(here, budi, None) == 3, "the operator neither"
    with pytest.raises(LastMember):
        removed(here, here.house.supervisor, adi)
    with pytest.raises(LastMember):
        removed(here, here.house.supervisor, adi, knowing=True)
    assert removed(here, here.house.supervisor, None, knowing=True) == 4


def test_the_last_supervisor_and_custodian_go_by_the_operators_hand_only(here: Desk):
    member(here)
    adi = admin(here)
    with pytest.raises(LastMember):
        removed(here, here.house.supervisor, here.house.supervisor)
    for last in (here.house.supervisor, here.house.custodian):
        for knowing in (False, True):
            with pytest.raises(LastMember):
                here.act(
                    leaving.end,
                    last.officer.id,
                    by=adi.officer.id,
                    knowing=knowing,
                )
    here.act(leaving.end, here.house.custodian.officer.id, by=None, knowing=True)
    assert removed(here, here.house.supervisor, None, knowing=True)


def test_an_account_ends_with_all_its_seats(here: Desk):
    budi, adi = member(here), admin(here)
    case, _ = here.reports("555")
    here.act(officer.take, case.report, by=budi.officer)
    with pytest.raises(NotYours):
        here.act(leaving.end, budi.officer.id, by=here.house.supervisor.officer.id)
    here.act(leaving.end, budi.officer.id, by=adi.officer.id)
    with here.database.reading() as session:
        assert officers.find(session, here.keys, "budi") is None
        unit = units.verified(session, here.keys, here.house.unit.id)
        assert unit.generation == 2
        assert unit_secret(
            session,
            here.keys,
            unit,
            here.house.supervisor.officer,
            here.house.supervisor.secret,
        )
        found = cases.get(session, here.keys, case.report)
        assert found is not None
        assert found.officer is None
    assert {"officer.ended", "unit.rotated", "case.returned"} <= set(told(here))
    with pytest.raises(NotYours):
        here.act(leaving.end, budi.officer.id, by=adi.officer.id)


def test_the_last_admin_stays(here: Desk):
    adi, eka = admin(here), admin(here, "eka")
    here.act(leaving.end, eka.officer.id, by=adi.officer.id)
    with pytest.raises(LastAdmin):
        here.act(leaving.end, adi.officer.id, by=adi.officer.id)
    with pytest.raises(NotYours):
        here.act(leaving.end, adi.officer.id, by=eka.officer.id)


def test_whoever_waits_and_ends_waits_no_more(here: Desk):
    budi = joined(here, invited(here, None))
    here.act(leaving.end, budi.officer.id, by=None)
    assert waiting(here) == []
    with here.database.reading() as session:
        assert session.exec(select(Application)).all() == []


def test_a_member_who_is_being_removed_admits_nobody_any_more(here: Desk):
    """Verbs of two officers at once: one of them is first, and both end well."""
    budi, rini = member(here), joined(here, invited(here, None, "rini"), "rini")
    outcome: dict[str, object] = {}

    def run(name: str, verb) -> None:
        try:
            outcome[name] = verb()
        except (NotYours, NotAuthentic) as error:
            outcome[name] = error

    threads = [
        threading.Thread(
            target=run, args=("removal", lambda: removed(here, budi, None))
        ),
        threading.Thread(
            target=run, args=("admission", lambda: admits(here, budi, rini))
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcome["removal"] == 2
    assert sits(here, rini) == (outcome["admission"] is None)
    told(here)
    with here.database.reading() as session:
        unit = units.verified(session, here.keys, here.house.unit.id)
        secrets = {"sari": here.house.supervisor.secret, "rini": rini.secret}
        for one in memberships.members(session, here.keys, unit):
            assert unit_secret(session, here.keys, unit, one, secrets[one.login])


def test_a_link_outlives_a_change_of_the_server_key(here: Desk):
    token = invited(here, None)
    ring = {**here.keys.ring, here.keys.newest + 1: bytes(range(32))}
    with here.database.reading() as session:
        assert invitations.find(session, ServerKeys(ring), token, now=here.now)
        assert not invitations.find(session, ServerKeys.new(), token, now=here.now)


def test_an_account_ends_with_its_factors_its_link_and_its_session(here: Desk):
    budi = member(here)
    me, codes = budi.officer.id, recovery_codes.new_codes()
    with here.database.writing() as session:
        authenticator.enrol(session, here.keys, budi.officer)
        recovery_codes.replace(session, here.keys, me, budi.secret, codes)
        telegram_links.issue(session, here.keys, me, now=here.now)
        sessions.begin(session, here.keys, budi.officer, budi.secret, now=here.now)
    here.act(leaving.end, me, by=None)
    with here.database.reading() as session:
        for table in (SecondFactor, RecoveryCode, LinkToken, Signed):
            assert session.exec(select(table).filter_by(officer=me)).all() == []
        assert session.exec(select(UnitGrant).filter_by(recipient=me)).all() == []
        assert manifests.present(session, here.keys, Name.FACTORS).rows == frozenset()


def links_telegram(here: Desk, who: Person, handle: str) -> None:
    token = here.store(telegram_links.issue, who.officer.id, now=here.now)
    here.store(telegram_links.redeem, token, Channel.TELEGRAM, handle, now=here.now)


@pytest.mark.parametrize("vault", [False, True])
def test_members_who_linked_hear_that_somebody_waits(here: Desk, *, vault: bool):
    links_telegram(here, here.house.supervisor, "900")
    links_telegram(here, here.house.custodian, "901")
    links_telegram(here, admin(here), "902")
    unit = here.house.vault if vault else here.house.unit
    role = Role.CUSTODIAN if vault else Role.HANDLER
    token = invited(here, None, role=role, unit=unit.id)
    here.delivers()
    joined(here, token, role=role)
    (letter,) = here.delivers()
    assert (letter.to, letter.kind) == ("901" if vault else "900", LetterKind.ALERT)
    assert unit.name in letter.text
    assert "budi" not in letter.text.lower()
    assert token not in letter.text
    assert not letter.buttons
