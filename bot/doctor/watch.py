"""Checks of the watches: what fails now, and how the canary is."""

from collections.abc import Iterator
from datetime import timedelta

from bot.doctor.findings import Finding, Patient, ok, warn
from storage.database.database import Database
from storage.jobs import watches
from storage.jobs.watches import Watched

_CANARY, _WATCHES = "canary", "watches"
_LATE = 3


def look(patient: Patient) -> Iterator[Finding]:
    """Say what fails, and when the canary came back last."""
    settings, now = patient.settings, patient.now
    store = Database(settings.database.url.get_secret_value())
    try:
        with store.reading() as session:
            rows = watches.read(session)
    finally:
        store.close()
    ringing = [
        name for name, row in rows.items() if name.startswith("alarm.") and row.bad
    ]
    failing = [
        f"{name} ({rows[name].code})"
        for name in Watched
        if name in rows and rows[name].bad is not None
    ]
    if ringing:
        names = ", ".join(name.removeprefix(watches.ALARM) for name in ringing)
        yield warn(_WATCHES, f"alarms ring: {names}; see docs/running.md, Alarms")
    if failing:
        yield warn(_WATCHES, f"failing: {', '.join(failing)}")
    if not ringing and not failing:
        yield ok(_WATCHES, "nothing that is watched fails")
    every = settings.watch.canary_minutes
    row = rows.get(Watched.CANARY)
    if not every:
        yield warn(_CANARY, "is off; set watch.canary_minutes to notice faults early")
    elif row is None or row.good is None:
        yield ok(
            _CANARY, "none came back yet; the first one leaves a minute after the start"
        )
    elif now - row.good > timedelta(minutes=_LATE * every):
        minutes = int((now - row.good).total_seconds() // 60)
        yield warn(
            _CANARY, f"the last one came back {minutes} minutes ago; is the server up?"
        )
    else:
        yield ok(_CANARY, "comes back")


LOOKS = ((_WATCHES, look),)
