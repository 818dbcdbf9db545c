"""The workflow, every pair of statuses and every role, against a table of its own.

``BY_LAW`` below is written from the domain analysis (3.4), not from the rule file.
"""

import copy
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import pytest

from handlers.errors import (
    KentonganError,
    NameNeeded,
    NotAllowed,
    ReasonNeeded,
    ReasonNotTaken,
    RulesInvalid,
    SecondOfficerNeeded,
)
from handlers.rules.rulebook import Rulebook, read_rules
from handlers.rules.rulefile import checked
from handlers.rules.workflow import Move, Names, Workflow
from storage.words import Reason, Role, Status

BY_LAW = {
    "RECEIVED": "VERIFICATION MERGED",
    "VERIFICATION": "REVIEW NEEDS_INFO REFERRED REJECTED MERGED",
    "NEEDS_INFO": "REJECTED",
    "REVIEW": "INFO_GATHERING INVESTIGATION REFERRED RECOMMENDATION NEEDS_INFO REJECTED "
    "MERGED CLOSED",
    "INFO_GATHERING": "INVESTIGATION REFERRED RECOMMENDATION NEEDS_INFO CLOSED",
    "INVESTIGATION": "REFERRED RECOMMENDATION NEEDS_INFO CLOSED",
    "REFERRED": "REVIEW RECOMMENDATION FOLLOW_UP CLOSED",
    "RECOMMENDATION": "FOLLOW_UP",
    "FOLLOW_UP": "CLOSED RECOMMENDATION",
    "CLOSED": "REVIEW",
    "REJECTED": "VERIFICATION",
    "MERGED": "VERIFICATION",
    "WITHDRAWN": "",
}
ASKS = ("VERIFICATION", "REVIEW", "INFO_GATHERING", "INVESTIGATION")
EARLY = ("RECEIVED", "VERIFICATION", "REJECTED", "MERGED")
REJECTIONS = {Reason(f"R0{n}") for n in range(1, 7)}
ENDINGS = {Reason(f"C0{n}") for n in range(1, 10)}
TWO = {Status.REJECTED, Status.CLOSED, Status.MERGED, Status.REFERRED}
FREE = (Role.CUSTODIAN, Role.AUDITOR, Role.ADMIN)


@pytest.fixture(scope="module")
def workflow() -> Workflow:
    return Rulebook.load().workflow


@cache
def lawful(status: Status, to: Status, role: Role, before: Status | None) -> bool:
    place = status
    targets = BY_LAW[status].split()
    if status is Status.NEEDS_INFO and before in ASKS:
        place = before or status
        targets = [*targets, place]
    if to not in targets or role in FREE:
        return False
    if role is Role.INTAKE:
        return place in (*EARLY, "NEEDS_INFO")
    if role is Role.HANDLER:
        return place not in ("RECEIVED", "CLOSED")
    return True


@cache
def wanted_reasons(status: Status, to: Status) -> set[Reason]:
    if to is Status.REJECTED:
        return {Reason.R02} if status is Status.NEEDS_INFO else REJECTIONS
    return ENDINGS if to is Status.CLOSED else set()


@cache
def must_name(to: Status, reason: Reason | None) -> Names | None:
    if (to, reason) == (Status.REJECTED, Reason.R01):
        return Names.ADDRESS
    return {Status.MERGED: Names.CASE, Status.REFERRED: Names.PARTNER}.get(to)


def expected(
    allowed: bool,  # noqa: FBT001 - a row of the table below
    reasons: set[Reason],
    reason: Reason | None,
    four: bool,  # noqa: FBT001 - as above
    nameless: bool,  # noqa: FBT001 - as above
) -> type[KentonganError] | None:
    if not allowed:
        return NotAllowed
    if reasons and reason not in reasons:
        return ReasonNeeded
    if reason and not reasons:
        return ReasonNotTaken
    if nameless:
        return NameNeeded
    return SecondOfficerNeeded if four else None


def decided(workflow: Workflow, status: Status, **asked: Any) -> None:
    """Compare what the workflow says to a step with what the law says."""
    to, reason = asked["to"], asked["reason"]
    second, named = asked["approved_by_second"], asked["is_named"]
    found = None
    try:
        workflow.check(status, **asked)
    except KentonganError as error:
        found = type(error)
    assert found is expected(
        lawful(status, to, asked["role"], asked["before"]),
        wanted_reasons(status, to),
        reason,
        to in TWO and not second,
        must_name(to, reason) is not None and not named,
    ), (status, asked)


@pytest.mark.parametrize("status", Status)
def test_every_pair_role_and_reason_is_decided_as_the_law_says(
    workflow: Workflow, status: Status
) -> None:
    """From nowhere, from a status that may ask and from one that may not."""
    before = [None, Status.REVIEW, Status.CLOSED]
    for to, role, came, reason, second, named in product(
        Status, Role, before, [None, *Reason], [False, True], [False, True]
    ):
        decided(
            workflow,
            status,
            to=to,
            role=role,
            before=came,
            reason=reason,
            approved_by_second=second,
            is_named=named,
        )


@pytest.mark.parametrize("status", Status)
def test_a_step_leads_back_to_whichever_status_asked(
    workflow: Workflow, status: Status
) -> None:
    for to, role, came, reason in product(
        Status, Role, [None, *Status], [None, Reason.R01, Reason.R02, Reason.C01]
    ):
        decided(
            workflow,
            status,
            to=to,
            role=role,
            before=came,
            reason=reason,
            approved_by_second=True,
            is_named=True,
        )


@pytest.mark.parametrize("role", Role)
def test_the_console_is_offered_exactly_what_the_check_lets_through(
    workflow: Workflow, role: Role
) -> None:
    for status, before in product(Status, [None, *Status]):
        offered = workflow.moves(status, role, before)
        assert len({move.to for move in offered}) == len(offered)
        assert {move.to for move in offered} == {
            to for to in Status if lawful(status, to, role, before)
        }
        for move in offered:
            assert set(move.reasons) == wanted_reasons(status, move.to)


def test_a_closed_case_is_reopened_by_a_supervisor_alone(workflow: Workflow) -> None:
    assert workflow.moves(Status.CLOSED, Role.HANDLER, None) == ()
    assert workflow.moves(Status.CLOSED, Role.SUPERVISOR, None) == (
        Move(Status.REVIEW, (), four_eyes=False),
    )


def test_what_ends_or_leaves_us_needs_two(workflow: Workflow) -> None:
    for status, role in product(Status, Role):
        for move in workflow.moves(status, role, None):
            assert move.four_eyes is (move.to in TWO), (status, move)


def test_a_table_may_ask_for_two_only_where_an_identity_goes_along() -> None:
    data = copy.deepcopy(read_rules("workflow.toml", None, "id"))
    data["into"]["REFERRED"]["four_eyes"] = "with_identity"
    edited = checked(data, Workflow.model_validate, "workflow.toml")
    needed = {
        identity: {
            move.to: move.four_eyes
            for move in edited.moves(
                Status.REVIEW, Role.HANDLER, None, with_identity=identity
            )
        }[Status.REFERRED]
        for identity in (False, True)
    }
    assert needed == {False: False, True: True}


def test_what_must_be_named_is_a_column_of_the_table(workflow: Workflow) -> None:
    for to, reason in product(Status, [None, *Reason]):
        assert workflow.names(to, reason) is must_name(to, reason), (to, reason)
    assert {names for names in Names if names.is_told} == set(Names) - {Names.CASE}


def test_withdrawal_ends_an_early_case_and_flags_a_later_one(
    workflow: Workflow,
) -> None:
    ends = {
        status for status in Status if workflow.withdrawal_effect(status) is not None
    }
    assert ends == {Status.RECEIVED, Status.VERIFICATION, Status.NEEDS_INFO}
    effect = workflow.withdrawal_effect
    assert effect(Status.RECEIVED) is Status.WITHDRAWN
    assert effect(Status.NEEDS_INFO, Status.VERIFICATION) is Status.WITHDRAWN
    for later in (Status.REVIEW, Status.INFO_GATHERING, Status.INVESTIGATION):
        assert effect(Status.NEEDS_INFO, later) is None


def test_the_reporter_hears_one_text_for_both_kinds_of_work(workflow: Workflow) -> None:
    for status in Status:
        assert workflow.hears(status) == f"S.{status}"


def test_a_referral_with_identity_does_not_claim_that_there_was_none(
    workflow: Workflow,
) -> None:
    assert workflow.hears(Status.REFERRED, with_identity=True) == ""
    assert workflow.hears(Status.REVIEW, with_identity=True) == "S.REVIEW"


def test_every_status_but_the_first_can_be_reached(workflow: Workflow) -> None:
    reached = {to for place in workflow.places.values() for to in place.next}

    assert set(Status) - reached == {Status.RECEIVED}


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "status left out": (lambda d: d["status"].pop("REVIEW"), "REVIEW is missing"),
    "entry left out": (lambda d: d["into"].pop("CLOSED"), "CLOSED is missing"),
    "unknown status": (lambda d: d["status"].update(LOST={}), "LOST"),
    "unknown next": (lambda d: d["status"]["REVIEW"].update(next=["LOST"]), "LOST"),
    "unknown role": (lambda d: d["status"]["REVIEW"].update(who=["boss"]), "boss"),
    "unknown reason": (lambda d: d["into"]["CLOSED"].update(reasons=["C99"]), "C99"),
    "unknown key": (lambda d: d["status"]["REVIEW"].update(whom=[]), "whom"),
    "unknown eyes": (lambda d: d["into"]["CLOSED"].update(four_eyes="two"), "two"),
    "names nothing known": (lambda d: d["into"]["CLOSED"].update(names="x"), "names"),
    "set by nobody known": (lambda d: d["into"]["CLOSED"].update(by="ghost"), "ghost"),
    "no table": (dict.clear, "status"),
}


@pytest.mark.parametrize(("breaks", "named"), BROKEN.values(), ids=BROKEN)
def test_a_broken_table_is_refused_by_name(
    breaks: Callable[[dict[str, Any]], object], named: str
) -> None:
    data = copy.deepcopy(read_rules("workflow.toml", None, "id"))
    breaks(data)

    with pytest.raises(RulesInvalid, match=rf"workflow\.toml: .*{named}"):
        checked(data, Workflow.model_validate, "workflow.toml")


def test_an_error_says_what_to_do() -> None:
    error = NotAllowed("REVIEW -> RECEIVED")

    assert str(error).endswith(
        "choose one of the steps on the case page. (REVIEW -> RECEIVED)"
    )
    assert str(SecondOfficerNeeded()).startswith("The step needs a second officer")
    for kind in KentonganError.__subclasses__():
        assert str(kind()).endswith(".")
        assert ";" in str(kind()), "what is wrong; what to do"
