"""What is counted, and who may read the counters.

What reporters do is known here as sums per channel and outcome only: no series carries an
id, and none carries the moment when it was first touched.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from urllib.parse import urlsplit

import prometheus_client
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pydantic import SecretStr
from typing_extensions import override

from bot.settings.values import is_loopback
from bot.telemetry.breaker import Cause
from storage.words import Channel

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
FORWARDING_HEADERS = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "client-ip", "true-client-ip"}
)
_FORWARDING_PREFIXES = ("x-forwarded", "cf-", "x-original-", "x-cluster-", "x-envoy-")


class Intake(StrEnum):
    """What became of something that came in."""

    TAKEN = "taken"
    REPEAT = "repeat"
    FORGED = "forged"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    MALFORMED = "malformed"
    RECOVERED = "recovered"


class Departure(StrEnum):
    """What became of something that was to leave."""

    SENT = "sent"
    DOUBTFUL = "doubtful"
    LATER = "later"
    BUSY = "busy"
    REPEATED = "repeated"
    NEVER = "never"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"


class Level(StrEnum):
    """A state that is looked up when somebody asks; the value is the series' name."""

    OUTBOX_OLDEST_DUE = "outbox_oldest_due_seconds"
    OUTBOX_WAITING = "outbox_waiting"
    OUTBOX_FAILED = "outbox_failed"
    JOBS_OLDEST_DUE = "jobs_oldest_due_seconds"
    JOBS_WAITING = "jobs_waiting"
    WRITER_WAITING = "writer_waiting"
    QUARANTINE_WAITING = "quarantine_waiting"
    CASES_OPEN = "cases_open"
    LEASES_HELD = "leases_held"
    COPIES_OWED = "copies_owed"
    COPIES_OLDEST = "copies_oldest_seconds"
    TELEGRAM_PENDING = "telegram_pending_updates"
    TELEGRAM_FAILED = "telegram_webhook_failed_seconds"
    QUARANTINE_OLDEST = "quarantine_oldest_days"
    LEASES_DEAD = "leases_dead"
    CANARY_AGE = "canary_age_seconds"
    CANARY_SECONDS = "canary_seconds"

    @property
    def meaning(self) -> str:
        """Return the help text of the series."""
        return _MEANINGS[self]


_MEANINGS = {
    Level.OUTBOX_OLDEST_DUE: "How long the oldest late letter is due, in steps of 600 s",
    Level.OUTBOX_WAITING: "Letters tried in vain or due for more than five minutes",
    Level.OUTBOX_FAILED: "Letters refused for good before this hour; one may try them again",
    Level.JOBS_OLDEST_DUE: "How long the oldest late job is due, in steps of 600 s",
    Level.JOBS_WAITING: "Jobs tried in vain or due for more than five minutes",
    Level.WRITER_WAITING: "Messages and verbs that wait for the writer",
    Level.QUARANTINE_WAITING: "Messages in quarantine, those of the days before today",
    Level.CASES_OPEN: "Cases of the days before today that are not closed",
    Level.LEASES_HELD: "Loops that this process leads",
    Level.COPIES_OWED: "Copies that a provider has not yet confirmed as erased",
    Level.COPIES_OLDEST: "Age of the oldest of these copies, in steps of 3600 s",
    Level.TELEGRAM_PENDING: "Updates that waited at Telegram at two looks in a row",
    Level.TELEGRAM_FAILED: "Since Telegram failed to call us, in steps of 600 s; 0: not for a day",
    Level.QUARANTINE_OLDEST: "Age of the oldest message in quarantine, in days",
    Level.LEASES_DEAD: "Letters and jobs that a dead process holds, not yet taken over",
    Level.CANARY_AGE: "Time since the last canary that came back, 0 before the first",
    Level.CANARY_SECONDS: "How long this process's last good canary took, 0 before it",
}


class Metrics:
    """The counters of one process; every series stands at zero from the start."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._levels = _Levels()
        self._registry.register(self._levels)
        self._incoming = Counter(
            "kentongan_incoming",
            "What came in, by channel and outcome",
            ["channel", "outcome"],
            registry=self._registry,
        )
        self._sent = Counter(
            "kentongan_outbox_sent",
            "What left or did not, by channel and outcome",
            ["channel", "outcome"],
            registry=self._registry,
        )
        self._mended = Counter(
            "kentongan_telegram_webhook_mended",
            "How often the webhook at Telegram was not ours and was registered again",
            registry=self._registry,
        )
        self._rests = Counter(
            "kentongan_channel_rests",
            "How often a whole channel began to rest, by what its provider did",
            ["channel", "cause"],
            registry=self._registry,
        )
        self._spoilt = Counter(
            "kentongan_jobs_spoilt",
            "Jobs that do not open any more, each time one is met; they stay",
            registry=self._registry,
        )
        self._turned_away = Counter(
            "kentongan_gate_refused",
            "Requests of providers that were refused because too much was at work",
            registry=self._registry,
        )
        # All at once: a series that appears later tells, by its birth, when its first came.
        for channel in Channel:
            for intake in Intake:
                self._incoming.labels(channel.value, intake.value)
            for departure in Departure:
                self._sent.labels(channel.value, departure.value)
            for cause in Cause:
                self._rests.labels(channel.value, cause.value)

    def came_in(self, channel: Channel, outcome: Intake) -> None:
        """Count one incoming message or callback."""
        self._incoming.labels(channel.value, outcome.value).inc()

    def went_out(self, channel: Channel, outcome: Departure) -> None:
        """Count one try to send a letter."""
        self._sent.labels(channel.value, outcome.value).inc()

    def mended(self) -> None:
        """Count a webhook at Telegram that was not ours and was registered again."""
        self._mended.inc()

    def stood_still(self, channel: Channel, cause: Cause) -> None:
        """Count that a whole channel began to rest."""
        self._rests.labels(channel.value, cause.value).inc()

    def turned_away(self) -> None:
        """Count a provider's request that found no room."""
        self._turned_away.inc()

    def spoilt(self, count: int) -> None:
        """Count jobs that do not open."""
        self._spoilt.inc(count)

    def watch(self, level: Level, read: Callable[[], float]) -> None:
        """Let ``read`` tell a level at each reading; when it raises, the series is absent."""
        self._levels.readers[level] = read

    def tell(
        self,
        name: str,
        meaning: str,
        label: str,
        read: Callable[[], Mapping[str, float]],
    ) -> None:
        """Let ``read`` tell a family of levels, one for each value of ``label``.

        The values are words of ours, the same ones at each reading.
        """
        self._levels.families[name] = (meaning, label, read)

    def render(self) -> bytes:
        """Return all series as Prometheus text, of type CONTENT_TYPE; may read the store."""
        return prometheus_client.generate_latest(self._registry)


class _Levels(Collector):
    """Asks for the levels at each reading."""

    def __init__(self) -> None:
        self.readers: dict[Level, Callable[[], float]] = {}
        self.families: dict[
            str, tuple[str, str, Callable[[], Mapping[str, float]]]
        ] = {}

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        for level, read in tuple(self.readers.items()):
            try:
                value = read()
            except Exception:  # noqa: BLE001, S112 - a store that is down must not hide the rest
                continue
            yield GaugeMetricFamily(f"kentongan_{level.value}", level.meaning, value)
        for name, (meaning, label, tell) in tuple(self.families.items()):
            family = GaugeMetricFamily(f"kentongan_{name}", meaning, labels=[label])
            for word, value in tell().items():
                family.add_metric([word], value)
            yield family


def allowed(
    headers: Mapping[str, str], peer_host: str | None, token: SecretStr
) -> bool:
    """Tell whether a request may read the counters.

    It may with ``Authorization: Bearer <token>``, compared in constant time, or when it
    comes from this machine itself, asks it by a name of this machine (a page in a browser
    here may be led to us under its own name), and no proxy has passed it on.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    expected = token.get_secret_value()
    shown = lowered.get("authorization", "").removeprefix("Bearer ")
    if expected and hmac.compare_digest(shown.encode(), expected.encode()):
        return True
    forwarded = any(
        name in FORWARDING_HEADERS or name.startswith(_FORWARDING_PREFIXES)
        for name in lowered
    )
    here = peer_host is not None and is_loopback(peer_host)
    return here and _is_asked_here(lowered.get("host", "")) and not forwarded


def _is_asked_here(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
