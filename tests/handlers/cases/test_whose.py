"""Whose case it is, and who may move it: no case stands where nobody of its unit can go on."""

from itertools import product

import pytest

from handlers import authority
from handlers.authority import WHOSE, Act, Owner
from handlers.cases import officer
from handlers.errors import CannotTake, KentonganError, OthersCase, ReasonNeeded
from handlers.rules.rulebook import Rulebook
from storage.cases import cases, history
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Case, Officer
from storage.people import telegram_links
from storage.words import Channel, ItemKind, LetterKind, Role, Status, Urgency
from tests.support.desk import Desk, desk

WORKFLOW = Rulebook.load().workflow
ROLES = (Role.INTAKE, Role.HANDLER, Role.SUPERVISOR)
ASKS = (
    Status.VERIFICATION,
    Status.REVIEW,
    Status.INFO_GATHERING,
    Status.INVESTIGATION,
)
WHY = "Cuti sakit sampai bulan depan"


@pytest.fixture
def here(database: Database, keys: ServerKeys) -> Desk:
    return desk(database, keys)


def steps(status: Status, role: Role, before: Status | None) -> bool:
    return bool(WORKFLOW.moves(status, role, before))


def goes_on(
    status: Status, before: Status | None, who: Role, owner: Owner, unit: list[Role]
) -> bool:
    """Tell whether this officer moves the case, or can bring it to somebody who does."""
    acts = WHOSE[who][owner]
    if Act.MOVE in acts and steps(status, who, before):
        return True
    if acts & {Act.TAKE, Act.TAKE_OVER} and steps(status, who, before):
        return True
    others = any(steps(status, one, before) for one in unit)
    return bool(acts & {Act.HAND_ON, Act.LET_GO}) and others


@pytest.mark.parametrize("owner", Owner)
@pytest.mark.parametrize("status", [s for s in Status if cases.is_open(s)])
def test_from_each_open_status_somebody_of_the_unit_goes_on(
    status: Status, owner: Owner
):
    """The unit is one of each role, and whoever has the case beside them."""
    befores = ASKS if status is Status.NEEDS_INFO else (None,)
    for whose, before in product(ROLES, befores):
        unit = list(ROLES)
        if owner is Owner.LEADERLESS:
            unit.remove(Role.SUPERVISOR)
        if owner is Owner.ME:
            assert goes_on(status, before, whose, owner, unit), (status, whose)
            continue
        found = [r for r in unit if goes_on(status, before, r, owner, unit)]
        assert found, (status, whose, owner, before)


def test_the_table_says_of_everybody_who_works_on_cases_what_they_may():
    assert set(WHOSE) == authority.HANDLING
    for own in WHOSE.values():
        assert set(own) == set(Owner)
        assert Act.MOVE in own[Owner.NOBODY] & own[Owner.ME]
        assert Act.HAND_ON in own[Owner.ME]
    for role in (Role.INTAKE, Role.HANDLER):
        assert Act.MOVE not in WHOSE[role][Owner.PRESENT] | WHOSE[role][Owner.ABSENT]


def owned(here: Desk, owner: Owner, me: Officer) -> Case:
    """Let a case have come so far, and be whose it is asked to be."""
    case, _ = here.reports("555")
    if owner is Owner.LEADERLESS:
        mine = here.house.supervisor.officer
    else:
        mine = me if owner is Owner.ME else here.member("owner").officer
    if owner is not Owner.NOBODY:
        assert here.act(officer.take, case.report, by=mine)
    here.later(days=9 if owner in {Owner.ABSENT, Owner.LEADERLESS} else 0)
    return here.case(case.number)


CELLS = [
    (role, owner)
    for role, owner in product(ROLES, Owner)
    if (role, owner) != (Role.SUPERVISOR, Owner.LEADERLESS)
]
"""Where a supervisor looks on, one is there."""


@pytest.mark.parametrize(("role", "owner"), CELLS)
def test_each_verb_does_what_the_table_says_and_nothing_else(
    here: Desk, role: Role, owner: Owner
):
    me, other = here.member("me", role).officer, here.member("other", Role.INTAKE)
    case = owned(here, owner, me)
    with here.database.reading() as session:
        assert authority.owner(here.work(session), case, me) is owner
    may = WHOSE[role][owner]
    acts = {
        Act.MOVE: (officer.change_status, Status.VERIFICATION),
        Act.HAND_ON: (officer.hand_on, other.officer.id, WHY),
        Act.TAKE_OVER: (officer.take_over, WHY),
    }
    for act, (verb, *words) in acts.items():
        more = {"reason": None} if act is Act.MOVE else {}

        class Undone(Exception):
            pass

        def tried(work, verb=verb, words=words, more=more):
            verb(work, case.report, *words, by=me, **more)
            raise Undone

        allowed = act in may and (act is not Act.MOVE or role is not Role.HANDLER)
        wanted = Undone if allowed else KentonganError
        with pytest.raises(wanted) as caught:
            here.act(tried)
        if act not in may:
            assert type(caught.value) is OthersCase, (act, owner)
    assert here.act(officer.take, case.report, by=me) is (
        owner in {Owner.NOBODY, Owner.ME}
    )


def linked(here: Desk, who: Officer, handle: str) -> None:
    with here.database.writing() as session:
        token = telegram_links.issue(session, here.keys, who.id, now=here.now)
        assert telegram_links.redeem(
            session, here.keys, token, Channel.TELEGRAM, handle, now=here.now
        )


@pytest.mark.both_stores
def test_a_supervisor_takes_over_from_somebody_absent_and_both_hear_it(here: Desk):
    budi, sari = here.member("budi").officer, here.house.supervisor.officer
    linked(here, budi, "91")
    linked(here, sari, "92")
    case, _ = here.reports("555")
    assert here.act(officer.take, case.report, by=budi)
    here.delivers()
    with pytest.raises(OthersCase):
        here.act(officer.take_over, case.report, WHY, by=sari)
    here.later(days=9)
    with pytest.raises(ReasonNeeded):
        here.act(officer.take_over, case.report, "", by=sari)
    here.act(officer.take_over, case.report, WHY, by=sari)
    assert here.case(case.number).officer == sari.id
    told = [one for one in here.delivers() if one.kind is LetterKind.ALERT]
    words = {one.to: one.text for one in told}
    assert "not yours any more" in words["91"]
    assert "is yours now" in words["92"]
    for letter in told:
        assert case.number in letter.text
        assert WHY not in letter.text
    notes = [one.content for one in here.reads(case) if one.content]
    assert [n.text for n in notes if n.kind is ItemKind.NOTE] == [WHY]
    with here.database.reading() as session:
        row = cases.get(session, here.keys, case.report)
        assert row is not None
        assert history.first_broken(session, here.keys, row) is None


def test_a_case_goes_only_to_a_colleague_with_a_next_step(here: Desk):
    wati, budi = here.member("wati", Role.INTAKE).officer, here.member("budi").officer
    case, _ = here.reports("555")
    assert here.act(officer.take, case.report, by=wati)
    with here.database.writing() as session:
        row = cases.lock(session, here.keys, case.report)
        assert row is not None
        takers = authority.takers(here.work(session), row)
    assert {one.login for one in takers} == {here.house.supervisor.officer.login}
    for stranger in (budi.id, wati.id, b"nobody"):
        with pytest.raises(CannotTake):
            here.act(officer.hand_on, case.report, stranger, "", by=wati)
    moves = {"by": wati, "reason": None}
    assert here.act(officer.change_status, case.report, Status.VERIFICATION, **moves)
    assert here.act(officer.change_status, case.report, Status.REVIEW, **moves)
    here.act(officer.hand_on, case.report, budi.id, "", by=wati)
    assert here.case(case.number).officer == budi.id


def test_who_looks_at_a_case_is_there_and_who_steps_back_is_not(here: Desk):
    budi = here.member("budi").officer
    case, _ = here.reports("555")
    assert here.act(officer.take, case.report, by=budi)

    def absent() -> bool:
        with here.database.reading() as session:
            row = cases.get(session, here.keys, case.report)
            assert row is not None
            return authority.is_absent(here.work(session), row)

    after = here.office.rulebook.workflow.absent_after
    assert after[Urgency(case.urgency).name] == 3
    here.later(days=3)
    assert not absent(), "three working days, Monday to Thursday"
    here.later(days=1)
    assert absent()
    here.act(officer.record_reading, case.report, by=budi)
    assert not absent()
    here.later(days=3)
    assert not absent(), "a weekend is no absence"


def test_what_a_reporter_adds_to_the_case_of_somebody_absent_is_heard(here: Desk):
    budi, sari = here.member("budi").officer, here.house.supervisor.officer
    linked(here, sari, "92")
    case, slip = here.reports("555")
    assert here.act(officer.take, case.report, by=budi)
    here.delivers()
    here.later(days=9)
    here.say("555", f"TAMBAH {slip}")
    here.say("555", "Mereka minta uang lagi")
    assert "92" in {one.to for one in here.delivers()}
