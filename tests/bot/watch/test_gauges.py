"""What waits is counted for the operator, and no minute of a reporter shows in it."""

from datetime import date, timedelta

import pytest

from bot.telemetry.metrics import Level, Metrics
from bot.watch.gauges import Levels
from bot.writer import Writer
from handlers.cases import officer as verbs
from storage import outbox
from storage.jobs import jobs, leases
from storage.letters.letter import Letter
from storage.words import Channel, JobKind, LetterKind
from tests.support.desk import STORY, Desk, desk

COPY = {"channel": "sms", "id": "SM1"}


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def levels(here: Desk) -> dict[str, float]:
    metrics = Metrics()
    writer = Writer(here.database)
    Levels(writer, "me", lambda: here.now, here.office.day, here.keys).feed(metrics)
    lines = metrics.render().decode().splitlines()
    found = dict(line.split(" ") for line in lines if not line.startswith("#"))
    return {
        level.value: float(found[f"kentongan_{level.value}"])
        for level in Level
        if f"kentongan_{level.value}" in found
    }


def test_every_level_is_fed_and_an_idle_house_shows_zero(here: Desk):
    assert levels(here) == dict.fromkeys(Level, 0.0)


def test_a_report_changes_no_level_on_the_day_it_comes(here: Desk):
    here.say("555", "LAPOR")
    here.say("555", STORY)
    assert not any(levels(here).values()), "letters and the receipt are on their way"
    _, slip = here.reports("666")
    assert not any(levels(here).values())
    here.later(days=1)
    here.makes_receipts()
    here.delivers()
    assert levels(here)["cases_open"] == 2
    case = here.case(slip.number)
    officer = here.house.supervisor.officer
    here.act(verbs.take, case.report, by=officer)
    assert levels(here)["cases_open"] == 2


def test_what_hangs_is_counted_and_its_age_is_coarse(here: Desk):
    letter = Letter(LetterKind.REPLY, Channel.TELEGRAM, "555", "halo")
    here.store(outbox.put, letter, now=here.now)
    here.store(jobs.put, JobKind.FETCH, COPY, now=here.now)
    here.later(minutes=4)
    assert not any(levels(here).values())
    here.later(minutes=33)
    found = levels(here)
    assert (found["outbox_waiting"], found["jobs_waiting"]) == (1, 1)
    assert found["outbox_oldest_due_seconds"] == 1800
    assert found["jobs_oldest_due_seconds"] == 1800


def test_a_letter_that_was_tried_in_vain_is_counted_at_once(here: Desk):
    letter = Letter(LetterKind.REPLY, Channel.TELEGRAM, "555", "halo")
    here.store(outbox.put, letter, now=here.now)
    with here.database.writing() as session:
        (claimed,) = outbox.claim(
            session, here.keys, Channel.TELEGRAM, limit=1, now=here.now
        )
        due = here.now + timedelta(minutes=10)
        outbox.later(session, claimed, due=due, doubtful=False)
    assert levels(here)["outbox_waiting"] == 1


def test_copies_that_a_provider_keeps_are_counted_with_their_age_in_hours(here: Desk):
    here.store(jobs.put, JobKind.ERASE, COPY, now=here.now)
    here.later(hours=3, minutes=50)
    here.store(jobs.put, JobKind.ERASE, COPY, now=here.now)
    found = levels(here)
    assert found["copies_owed"] == 2
    assert found["copies_oldest_seconds"] == 3 * 3600
    here.later(days=30)
    assert levels(here)["copies_oldest_seconds"] > 30 * 86400, "it is never let go"


def test_leases_are_those_of_this_process(here: Desk):
    with here.database.writing() as session:
        leases.hold(session, "scheduler", "me", seconds=60, now=here.now)
        leases.hold(session, "poller", "other", seconds=60, now=here.now)
    assert levels(here)["leases_held"] == 1
    here.later(minutes=2)
    assert levels(here)["leases_held"] == 0


def test_a_store_that_is_away_hides_no_other_series(here: Desk):
    def away(_: object) -> date:
        raise OSError

    metrics = Metrics()
    Levels(Writer(here.database), "me", lambda: here.now, away, here.keys).feed(metrics)
    text = metrics.render().decode()
    assert "kentongan_writer_waiting 0" in text
    assert "kentongan_cases_open" not in text
    assert "kentongan_incoming_total" in text
