"""What Twilio keeps is erased, however long Twilio refuses; nobody gives up in silence."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from bot.jobs import worker
from bot.telemetry import breaker
from bot.telemetry.metrics import Level
from storage.models import Job
from storage.words import JobKind
from tests.journeys.telling import copies, is_quiet, until
from tests.support.phones import Simulator
from tests.support.running import Running, running


def owed(town: Running) -> list[Job]:
    """Return the erasures that are not confirmed."""
    with town.app.database.reading() as session:
        query = select(Job).where(Job.kind == JobKind.ERASE.value)
        return list(session.exec(query).all())


async def tried(town: Running, times: int) -> float:
    """Wait until each copy was tried so often; return the shortest pause, in seconds."""

    def refused() -> bool:
        rows = owed(town)
        late = all(job.attempts >= times and job.due > town.clock() for job in rows)
        return len(rows) == 2 and late

    await until(refused, f"both copies were tried {times} times")
    return min((job.due - town.clock()).total_seconds() for job in owed(town))


async def level(town: Running, name: Level) -> float:
    """Return one level as ``/metrics`` tells it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{town.url}/metrics")).text
    series = f"kentongan_{name.value} "
    (line,) = [one for one in text.splitlines() if one.startswith(series)]
    return float(line.removeprefix(series))


async def refuse(simulator: Simulator, fault: str) -> None:
    """Let Twilio refuse every deletion from now on."""
    await simulator.control(
        "faults", api="twilio", method="delete", fault=fault, times=999
    )


async def asks_for_help(town: Running) -> None:
    """Leave two copies at Twilio: what was asked, and the answer."""
    budi = town.phone("sms")
    await budi.say("PANDUAN")
    await budi.hears("LAPOR STATUS")


def later(town: Running, **span: float) -> None:
    """Move the clock and let everybody look."""
    town.clock.shift += timedelta(**span)
    town.app.notify()


async def test_twilio_fails_for_days_and_recovers(
    hamlet: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The days are moved by hand, the rests of a provider that is away are not.
    monkeypatch.setitem(breaker.SPANS, breaker.Cause.AWAY, (0.05, 0.2))
    monkeypatch.setattr(worker, "FULL_SECONDS", 0.1)
    monkeypatch.setattr(worker, "_LOOK_SECONDS", 0.1)
    await refuse(hamlet.simulator, "500")
    await asks_for_help(hamlet)
    pauses = [await tried(hamlet, 1)]
    for times in (2, 3, 4):
        later(hamlet, seconds=pauses[-1] + 2)
        pauses.append(await tried(hamlet, times))
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0]
    assert await level(hamlet, Level.COPIES_OWED) == 2

    later(hamlet, hours=50)
    last = await tried(hamlet, 5)
    assert last > timedelta(hours=23).total_seconds(), "once a day, for good"
    assert await level(hamlet, Level.COPIES_OLDEST) >= 49 * 3600
    later(hamlet, hours=25)
    await tried(hamlet, 6)

    await hamlet.simulator.client.delete("/control/faults")
    later(hamlet, hours=25)
    await is_quiet(hamlet)
    assert await copies(hamlet.simulator, hamlet.simulator.settings) == []
    assert await level(hamlet, Level.COPIES_OWED) == 0


async def test_a_revoked_token_and_a_restart_lose_no_erasure(
    tmp_path: Path, simulator: Simulator
) -> None:
    url = f"sqlite:///{tmp_path / 'kentongan.db'}"
    await refuse(simulator, "401")
    async with running(url, tmp_path, simulator) as before:
        await asks_for_help(before)
        await tried(before, 1)
        known: dict[str, Any] = {"keys": before.keys, "founded": before.house}
    await simulator.client.delete("/control/faults")

    wrong: dict[str, Any] = {"TWILIO__AUTH_TOKEN": "0" * 32}
    async with running(url, tmp_path, simulator, **known, **wrong) as revoked:
        later(revoked, hours=1)
        await tried(revoked, 2)
        assert len(await copies(simulator, simulator.settings)) == 2

    async with running(url, tmp_path, simulator, **known) as after:
        later(after, hours=3)
        await is_quiet(after)
        assert await copies(simulator, simulator.settings) == []
