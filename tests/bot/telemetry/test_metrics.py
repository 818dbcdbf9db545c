"""Counters are sums without ids or moments, and not everybody may read them."""

import re

import pytest
from pydantic import SecretStr

from bot.telemetry.metrics import Departure, Intake, Level, Metrics, allowed
from storage.words import Channel

TOKEN = SecretStr("a-token-of-some-length")
NONE = SecretStr("")
HERE = {"Host": "127.0.0.1:8080"}


def _series(metrics: Metrics) -> dict[str, float]:
    lines = metrics.render().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_every_series_stands_at_zero_from_the_start_and_keeps_its_birthday():
    metrics = Metrics()
    before = _series(metrics)
    metrics.came_in(Channel.SMS, Intake.TAKEN)
    metrics.came_in(Channel.SMS, Intake.TAKEN)
    metrics.went_out(Channel.TELEGRAM, Departure.UNREACHABLE)
    after = _series(metrics)
    assert set(after) == set(before)
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert changed == {
        'kentongan_incoming_total{channel="sms",outcome="taken"}': 2,
        'kentongan_outbox_sent_total{channel="telegram",outcome="unreachable"}': 1,
    }


def test_levels_are_read_when_asked_and_a_broken_one_hides_no_other():
    metrics = Metrics()
    waiting = [1, 7]
    metrics.watch(Level.OUTBOX_WAITING, lambda: waiting[-1])
    metrics.watch(Level.JOBS_WAITING, lambda: waiting[9])
    series = _series(metrics)
    assert series["kentongan_outbox_waiting"] == 7
    assert "kentongan_jobs_waiting" not in series
    waiting.append(8)
    assert _series(metrics)["kentongan_outbox_waiting"] == 8


@pytest.mark.parametrize("level", Level)
def test_every_level_explains_itself(level):
    metrics = Metrics()
    metrics.watch(level, lambda: 1)
    assert (
        f"# HELP kentongan_{level.value} {level.meaning}" in metrics.render().decode()
    )


def test_two_processes_in_one_do_not_share_counters():
    first, second = Metrics(), Metrics()
    first.came_in(Channel.SMS, Intake.FORGED)
    assert 'outcome="forged"} 1.0' not in second.render().decode()


def test_labels_are_words_never_ids():
    text = Metrics().render().decode()
    assert set(re.findall(r'(\w+)="', text)) == {"channel", "outcome", "cause"}


@pytest.mark.parametrize(
    ("headers", "peer", "token", "expected"),
    [
        (
            {"Authorization": f"Bearer {TOKEN.get_secret_value()}"},
            "203.0.113.9",
            TOKEN,
            True,
        ),
        ({"authorization": f"Bearer {TOKEN.get_secret_value()}"}, None, TOKEN, True),
        ({"Authorization": "Bearer wrong"}, "203.0.113.9", TOKEN, False),
        ({"Authorization": "Bearer \xff"}, "203.0.113.9", TOKEN, False),
        ({"Authorization": "Bearer "}, "203.0.113.9", NONE, False),
        ({}, "203.0.113.9", NONE, False),
        (HERE, None, NONE, False),
        (HERE, "unix:", NONE, False),
        (HERE, "203.0.113.9", NONE, False),
        (HERE, "127.0.0.1", TOKEN, True),
        (HERE, "::1", NONE, True),
        ({"host": "[::1]:8080"}, "::ffff:127.0.0.1", NONE, True),
        ({"Host": "LOCALHOST:8080"}, "127.0.0.1", NONE, True),
        ({}, "127.0.0.1", NONE, False),
        ({"Host": ""}, "127.0.0.1", NONE, False),
        ({"Host": "["}, "127.0.0.1", NONE, False),
        ({"Host": "lapor.example"}, "127.0.0.1", TOKEN, False),
        ({"Host": "127.0.0.1.lapor.example"}, "127.0.0.1", TOKEN, False),
        ({"Host": "lapor.example:8080"}, "::1", NONE, False),
        ({"Host": "127.0.0.1@lapor.example"}, "::1", NONE, False),
        *(
            ({**HERE, name: "127.0.0.1"}, "127.0.0.1", NONE, False)
            for name in (
                "X-Forwarded-For",
                "x-forwarded-host",
                "X-Forwarded-Proto",
                "Forwarded",
                "X-Real-IP",
                "Via",
                "CF-Connecting-IP",
            )
        ),
    ],
)
def test_who_may_read_the_counters(headers, peer, token, expected):
    assert allowed(headers, peer, token) is expected
