"""Rules as data: when an alarm rings, when it is over, and that nothing hides another."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.telemetry.metrics import Level
from bot.watch.alarms import QUIET, Alarm, Board, Facts, load
from storage.jobs.watches import Watched
from storage.models import Watch

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OWN = {
    "unready_store",
    "unready_loops",
    "unready_house",
    "disk_free_percent",
    "scheduler_idle_seconds",
}
SPANS = {"canary": 30 * MINUTE, "backup": timedelta(days=2)}


def facts(minutes: float, *, watches=(), spans=SPANS, **levels) -> Facts:
    """Say what is known so many minutes after the start; no watches when None."""
    known = None if watches is None else {row.name: row for row in watches}
    return Facts(BEGAN + minutes * MINUTE, BEGAN, known, levels, spans)


def bad(name: str, minutes: float, failures: int = 1) -> Watch:
    return Watch(name=name, bad=BEGAN + minutes * MINUTE, failures=failures, code="x")


def good(name: str, minutes: float) -> Watch:
    return Watch(name=name, good=BEGAN + minutes * MINUTE)


def test_every_alarm_has_one_rule_that_looks_at_something_real():
    rules = load()
    assert [rule.name for rule in rules] == list(Alarm)
    for rule in rules:
        if rule.watch is None:
            assert rule.level in OWN | {level.value for level in Level}, rule.name
            assert (rule.above is None) != (rule.below is None)
        else:
            assert rule.watch in set(Watched)
            assert not rule.silent or rule.silent in SPANS


CASES = [
    # alarm, facts in which it rings, facts in which it does not
    (Alarm.CANARY_FAILED, {"watches": [bad("canary", 1, 3)]}, {"watches": [bad("canary", 1, 2)]}),
    (Alarm.CANARY_OLD, {"watches": []}, {"watches": [good("canary", 35)]}),
    (Alarm.CANARY_OLD, {"watches": [good("canary", -90)]}, {"watches": [], "spans": {}}),
    (Alarm.BACKUP_OLD, {"watches": [good("backup", -2 * 1440)]}, {"watches": []}),
    (Alarm.BACKUP_OLD, {"watches": [good("backup", -3 * 1440)]}, {"watches": [good("backup", -1440)]}),
    (Alarm.SMS_SENDING, {"watches": [bad("sms.sending", 29)]}, {"watches": [bad("sms.sending", 31)]}),
    (Alarm.TELEGRAM_WEBHOOK, {"watches": [bad("telegram.webhook", 39, 3)]}, {"watches": [bad("telegram.webhook", 1, 1)]}),
    (Alarm.OUTBOX_OLD, {"outbox_oldest_due_seconds": 1800}, {"outbox_oldest_due_seconds": 1200}),
    (Alarm.JOBS_OLD, {"jobs_oldest_due_seconds": 3600}, {"jobs_oldest_due_seconds": 0}),
    (Alarm.DISK_FULL, {"disk_free_percent": 9.9}, {"disk_free_percent": 10.1}),
    (Alarm.SCHEDULER_IDLE, {"scheduler_idle_seconds": 200}, {"scheduler_idle_seconds": 100}),
]  # fmt: skip


@pytest.mark.parametrize(("alarm", "rings", "quiet"), CASES)
def test_a_rule_rings_when_it_holds(alarm, rings, quiet):
    assert alarm in Board().look(facts(40, **rings))[0]
    assert alarm not in Board().look(facts(40, **quiet))[0]


def test_what_must_last_rings_only_after_it_did():
    board = Board()
    away = {"watches": None, "unready_store": 1}
    assert board.look(facts(0, **away)) == ([], [])
    assert board.look(facts(0.9, **away)) == ([], [])
    assert board.look(facts(1, **away)) == ([Alarm.STORE_AWAY], [])
    assert board.look(facts(2, **away)) == ([], []), "it is said once"
    assert board.rings == {Alarm.STORE_AWAY: BEGAN}


def test_what_flickers_rings_once_and_is_over_after_a_quiet_while():
    board = Board()
    full, free = {"disk_free_percent": 5.0}, {"disk_free_percent": 50.0}
    assert board.look(facts(0, **full))[0] == [Alarm.DISK_FULL]
    for minute in (1, 3, 5):
        assert board.look(facts(minute, **free)) == ([], []) or minute == 5
        board.look(facts(minute + 0.5, **full))
    assert Alarm.DISK_FULL in board.rings
    after = 5.5 + QUIET / MINUTE
    assert board.look(facts(after, **free)) == ([], [Alarm.DISK_FULL])


def test_what_nobody_can_know_neither_begins_nor_ends():
    board = Board()
    assert (
        Alarm.SMS_SENDING in board.look(facts(40, watches=[bad("sms.sending", 1)]))[0]
    )
    assert board.look(facts(90, watches=None)) == ([], [])
    assert Alarm.SMS_SENDING in board.rings


def test_a_machine_that_was_off_counts_from_its_start():
    board = Board()
    begun, _ = board.look(facts(29, watches=[good("canary", -600)]))
    assert Alarm.CANARY_OLD not in begun
    begun, _ = board.look(facts(31, watches=[good("canary", -600)]))
    assert Alarm.CANARY_OLD in begun
