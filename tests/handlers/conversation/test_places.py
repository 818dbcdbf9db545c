"""The place question decides which unit gets the report, whatever the place is called."""

from dataclasses import replace

import pytest

from storage.models import Case
from storage.units import memberships, routes, units
from storage.words import UnitKind
from tests.support.desk import Desk, desk

BEGIN = ("LAPOR", "AMAN", "PAHAM", "SETUJU", "ANONIM", "SUAP")
STORY = "Kepala dinas minta uang sebelum izin keluar"


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def reported(here: Desk, place: str) -> Case:
    for words in [*BEGIN, place, "LEWATI", "LEWATI", STORY, "KIRIM"]:
        here.say("555", words)
    return here.case(here.receipt("555").number)


def lampung(here: Desk) -> bytes:
    """Open a unit for reports from Lampung; returns its id."""
    with here.database.writing() as session:
        unit = units.create(session, here.keys, "Lampung", UnitKind.HANDLING)
        officer = here.house.supervisor.officer
        memberships.admit_first(session, here.keys, unit, officer)
        routes.add_route(session, here.keys, unit, province="18")
        return unit.id


@pytest.mark.parametrize(
    "place",
    [
        "Kota Metro",
        "Kab. Way Kanan",
        "tuba",
        "Dinas PU, Lamteng",
        "kab pringsewo lampug",
    ],
)
def test_a_report_goes_by_its_place(here: Desk, place: str):
    unit = lampung(here)
    case = reported(here, place)
    assert (case.province, case.unit) == ("18", unit)


@pytest.mark.parametrize(
    ("place", "province"),
    [("Tangsel", "36"), ("Bandung", "32"), ("Banjar", ""), ("kantor pusat", "")],
)
def test_another_place_and_none_go_to_the_unit_for_everything(
    here: Desk, place: str, province: str
):
    lampung(here)
    case = reported(here, place)
    assert (case.province, case.unit) == (province, here.house.unit.id)


def test_the_agencys_own_province_decides_between_equals(here: Desk):
    here.office = replace(here.office, province="63")
    assert reported(here, "Banjar").province == "63"
