"""An officer corrects a case: codes, deadlines, two for what is milder, above us for heads."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text as sql

from handlers.cases import classification, conflicts
from handlers.cases.classification import Correction
from handlers.errors import (
    AboveNeeded,
    Changed,
    CodeUnknown,
    Purged,
    ReasonNeeded,
    SecondOfficerNeeded,
)
from handlers.rules.rulebook import Rulebook
from storage.audit import log
from storage.cases import cases, codes, history, worklist
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Case
from storage.units import above, memberships, routes, units
from storage.words import EventCode, ItemKind, PositionClass, Role, Status, UnitKind
from tests.support import founded
from tests.support.desk import Desk, desk
from tests.support.founded import Person

BOOK = Rulebook.load()
WORDS = "Menurut lampiran ketiga"
AGENCY = "Dinas Perizinan Kabupaten Contoh"
CLEAR = ("category", "track", "urgency", "position", "province")


@dataclass
class Place:
    """A desk with a second officer of the unit, and two people above us."""

    here: Desk
    second: Person
    overseers: tuple[Person, Person]

    def case(self, handle: str = "555", words: str = "") -> Case:
        story = words or "LAPOR Kantor itu tutup terus sejak bulan lalu"
        case, _ = self.here.reports(handle, story)
        return case

    def again(self, case: Case) -> Case:
        with self.here.database.reading() as session:
            found = cases.get(session, self.here.keys, case.report)
            assert found is not None
            assert history.first_broken(session, self.here.keys, found) is None
        return found

    def corrects(
        self, case: Case, by: Person | None = None, **given: Any
    ) -> classification.Became:
        """Send a form that was made for the case as it is now."""
        more = {
            "reason": "K01",
            "version": classification.version(self.again(case)),
            **{name: given.pop(name) for name in list(given) if name in OTHERS},
        }
        who = by or self.here.house.supervisor
        return self.here.act(
            classification.classify,
            case.report,
            Correction(given, **more),
            by=who.officer,
        )

    def settles(self, verb: Any, case: Case, by: Person) -> None:
        seen = classification.version(self.again(case))
        self.here.act(verb, case.report, seen, by=by.officer)

    def fields(self, case: Case) -> dict[str, str]:
        with self.here.database.reading() as session:
            return classification.present(self.here.work(session), self.again(case))

    def codes(self, case: Case) -> dict[str, str]:
        return codes.read(self.here.keys, self.again(case))

    def waits(self) -> list[bytes]:
        """Return the reports that wait for a second officer of the unit."""
        unit = self.here.house.unit.id
        found = self.here.store(worklist.awaiting_class, [unit])
        return [case.report for case in found]

    def events(self, case: Case) -> list[str]:
        with self.here.database.reading() as session:
            return [
                f"{event.code} {event.detail}"
                for event in history.of_case(session, case.report)
                if event.code.startswith("class")
            ]


OTHERS = {"reason", "version", "words", "agency"}


@pytest.fixture
def place(database: Database, keys: ServerKeys) -> Place:
    here = desk(database, keys)
    with database.writing() as session:
        second = founded.person(session, keys, "second", Role.HANDLER)
        ours = units.verified(session, keys, here.house.unit.id)
        supervisor = here.house.supervisor
        memberships.admit(
            session, keys, ours, second.officer, supervisor.officer, supervisor.secret
        )
        named = founded.overseen(session, keys)
    return Place(here, second, (named.first, named.second))


def test_every_category_can_be_given(place: Place):
    case = place.case()
    assert len(BOOK.categories) == 58
    for code in BOOK.categories:
        if code != place.fields(case)["category"]:
            assert "category" in place.corrects(case, category=code).changed
        assert place.fields(case)["category"] == code
        assert place.again(case).category == code.partition("-")[0]


@pytest.mark.parametrize("code", BOOK.positions)
def test_every_level_of_post_can_be_given_and_our_own_are_never_in_clear(
    place: Place, code: str
):
    case = place.case()
    place.corrects(case, post=code)
    assert place.codes(case)["post"] == code
    told = BOOK.positions[code].position_class
    hidden = told is PositionClass.INS
    assert place.again(case).position == ("UNK" if hidden else told)


@pytest.mark.both_stores
def test_exact_codes_stand_under_the_server_key_and_never_in_clear(place: Place):
    case = place.case()
    place.corrects(
        case,
        category="PRC-05",
        further="DIS-03 COR-07",
        post="JPT-P",
        employment="NON_ASN",
        acting="PLT",
        sp4n="SUPERVISORY",
        regency="11.71",
        agency=AGENCY,
        words=WORDS,
    )
    held = place.codes(case)
    assert (
        held.items()
        >= {
            "subcategory": "PRC-05",
            "further": "DIS-03 COR-07",
            "post": "JPT-P",
            "employment": "NON_ASN",
            "acting": "PLT",
            "sp4n": "SUPERVISORY",
            "regency": "11.71",
        }.items()
    )
    row = place.again(case)
    assert [getattr(row, name) for name in CLEAR] == ["PRC", "TPK", 2, "JPT", "11"]
    with place.here.database.reading() as session:
        connection = session.connection()
        raw = "".join(
            str(one)
            for table in ("cases", "events", "audit", "items")
            for one in connection.execute(sql(f"SELECT * FROM {table}")).all()  # noqa: S608 - names of ours
        )
    hidden = ("PRC-05", "DIS-03", "JPT-P", "NON_ASN", "SUPERVISORY", "11.71")
    assert [code for code in (*hidden, AGENCY, WORDS) if code in raw] == []
    opened = [one.content for one in place.here.reads(case) if one.content]
    assert [(c.kind, c.text) for c in opened[-2:]] == [
        (ItemKind.AGENCY, AGENCY),
        (ItemKind.NOTE, WORDS),
    ]


def test_the_length_of_the_codes_tells_nothing(place: Place):
    case = place.case()
    before = len(place.again(case).figures)
    place.corrects(case, category="PRC-05", post="INS", employment="UNK")
    assert len(place.again(case).figures) == before


def test_history_and_log_name_the_field_and_the_reason_only(place: Place):
    case = place.case()
    place.corrects(case, category="COR-02", sp4n="SUPERVISORY", reason="K03")
    lines = ["category:K03", "track:K03", "sp4n:K03"]
    assert place.events(case) == [f"classified {line}" for line in lines]
    with place.here.database.reading() as session:
        told = [line.detail for line in log.lines(session) if line.code == "classified"]
    assert sorted(told) == sorted(lines)


DEADLINES = {
    "a complaint": ("SVC-01", "", "D06", date(2026, 3, 27)),
    "a request for information": ("SVC-01", "INFO", "D05", date(2026, 3, 9)),
    "an aspiration": ("INF-01", "ASPIRATION", "D06", date(2026, 3, 27)),
    "one that calls for supervision": ("SVC-01", "SUPERVISORY", "D12", None),
    "a corruption report without supervision": ("COR-02", "INFO", "D05", None),
}


@pytest.mark.parametrize("case_of", DEADLINES)
def test_the_deadline_follows_at_once(place: Place, case_of: str):
    code, sp4n, rule, day = DEADLINES[case_of]
    case = place.case()
    with place.here.database.writing() as session:
        row = cases.lock(session, place.here.keys, case.report)
        assert row is not None
        row.status = Status.VERIFICATION.value
        cases.save(session, place.here.keys, row)
    place.corrects(case, category=code, sp4n=sp4n)
    row = place.again(case)
    assert row.due_rule == rule
    assert day is None or row.due == day


MILDER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "urgency": ({"urgency": "URGENT"}, {"urgency": "NORMAL"}),
    "track": ({"category": "COR-02"}, {"track": "NON_TPK"}),
}


@pytest.mark.both_stores
@pytest.mark.parametrize("field", MILDER)
def test_what_is_milder_needs_a_second_officer(place: Place, field: str):
    stricter, milder = MILDER[field]
    case = place.case()
    place.corrects(case, **stricter)
    before = place.fields(case)
    became = place.corrects(case, **milder, sp4n="SUPERVISORY")
    assert became == classification.Became(("sp4n",), (field,))
    assert place.fields(case)[field] == before[field]
    assert place.fields(case)["sp4n"] == "SUPERVISORY"
    with pytest.raises(SecondOfficerNeeded):
        place.settles(classification.confirm, case, place.here.house.supervisor)
    assert place.fields(case)[field] == before[field]
    assert place.waits() == [case.report]
    place.settles(classification.confirm, case, place.second)
    assert place.waits() == []
    assert place.fields(case)[field] == milder[field]
    assert place.events(case)[-2:] == [
        f"class_asked {field}:K01",
        f"class_agreed {field}:K01",
    ]
    with pytest.raises(Changed):
        place.settles(classification.confirm, case, place.second)


def test_a_proposal_is_refused_or_taken_back(place: Place):
    case = place.case()
    place.corrects(case, urgency="URGENT")
    for who in (place.second, place.here.house.supervisor):
        place.corrects(case, urgency="HIGH")
        place.settles(classification.drop, case, who)
        assert place.fields(case)["urgency"] == "URGENT"
        with pytest.raises(Changed):
            place.settles(classification.confirm, case, place.second)


def test_a_proposal_lapses_when_its_field_changes_or_its_officer_steps_back(
    place: Place,
):
    case = place.case()
    place.corrects(case, urgency="HIGH")
    place.corrects(case, urgency="NORMAL")
    place.corrects(case, urgency="URGENT", by=place.second)
    assert place.events(case)[-2:] == [
        "class_dropped urgency:K01",
        "classified urgency:K01",
    ]
    assert "waiting" not in place.codes(case)
    with pytest.raises(Changed):
        place.settles(classification.confirm, case, place.second)
    place.corrects(case, urgency="NORMAL")
    place.here.act(
        conflicts.declare, case.report, by=place.here.house.supervisor.officer
    )
    with pytest.raises(Changed):
        place.settles(classification.confirm, case, place.second)
    assert place.fields(case)["urgency"] == "URGENT"


def test_a_head_is_taken_away_by_two_above_us_and_by_nobody_else(place: Place):
    case = place.case()
    place.corrects(case, post="KDH")
    for post in ("ADM", "INS", "UNK"):
        with pytest.raises(AboveNeeded):
            place.corrects(case, post=post, category="COR-02")
    assert place.fields(case)["post"] == "KDH"
    assert place.fields(case)["category"] != "COR-02", "nothing of the form was done"
    first, second = place.overseers
    assert place.corrects(case, by=first, post="ADM").waiting == ("post",)
    with pytest.raises(AboveNeeded):
        place.settles(classification.confirm, case, place.second)
    assert place.again(case).position == "KDH"
    place.settles(classification.confirm, case, second)
    assert place.again(case).position == "ADM"


@pytest.mark.parametrize(
    "words", ["LAPOR Inspektur minta uang", "LAPOR Bupati minta uang"]
)
def test_what_came_above_us_by_its_words_is_not_made_harmless_by_one(
    place: Place, words: str
):
    case = place.case(words=words)
    with place.here.database.reading() as session:
        assert case.unit == above.id_of(session, place.here.keys)
    first, second = place.overseers
    assert place.corrects(case, by=first, post="SWA").waiting == ("post",)
    assert place.again(case).position != "NON"
    place.settles(classification.confirm, case, second)
    assert place.again(case).position == "NON"


def test_a_change_of_route_names_a_unit_and_moves_nothing(place: Place):
    here, case = place.here, place.case()

    def elsewhere() -> str:
        with here.database.reading() as session:
            unit = classification.belongs_to(here.work(session), place.again(case))
            return unit.name if unit else ""

    assert elsewhere() == ""
    with here.database.writing() as session:
        unit = units.create(session, here.keys, "Pengadaan", UnitKind.HANDLING)
        routes.add_route(session, here.keys, unit, category="PRC")
    place.corrects(case, category="PRC-02")
    assert elsewhere() == "Pengadaan"
    place.corrects(case, post="INS")
    assert elsewhere() == "Above"
    assert place.again(case).unit == here.house.unit.id


def test_a_form_of_before_somebody_elses_change_does_nothing(place: Place):
    case = place.case()
    seen = classification.version(place.again(case))
    place.corrects(case, category="SVC-01", by=place.second)
    with pytest.raises(Changed):
        place.corrects(case, category="COR-02", version=seen)
    assert place.fields(case)["category"] == "SVC-01"


def test_what_is_not_changed_is_not_written(place: Place):
    case = place.case()
    seen = place.again(case).head
    assert place.corrects(case, words=WORDS) == classification.Became((), ())
    assert place.again(case).head == seen


WRONG: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "no reason": ({"category": "COR-02", "reason": ""}, ReasonNeeded),
    "another reason": ({"category": "COR-02", "reason": "C01"}, ReasonNeeded),
    "no code": ({"category": "COR-99"}, CodeUnknown),
}


@pytest.mark.parametrize("case_of", WRONG)
def test_a_wrong_form_changes_nothing(place: Place, case_of: str):
    given, error = WRONG[case_of]
    case = place.case()
    with pytest.raises(error):
        place.corrects(case, **given)
    assert place.events(case) == []


def test_a_purged_case_is_not_classed_anew(place: Place):
    case = place.case()
    with place.here.database.writing() as session:
        row = cases.lock(session, place.here.keys, case.report)
        assert row is not None
        row.purged = row.day
        cases.save(session, place.here.keys, row)
    with pytest.raises(Purged):
        place.corrects(case, category="COR-02")


def test_the_reporters_own_choices_stay(place: Place):
    case = place.case()
    before = {n: c for n, c in place.codes(case).items() if n.startswith("Q")}
    place.corrects(case, category="RET-02", post="KDS", province="33")
    assert {n: c for n, c in place.codes(case).items() if n.startswith("Q")} == before
    assert EventCode.CLASSIFIED in [line.split()[0] for line in place.events(case)]
