"""The doctor: every check runs, each bounded in time, whatever the others say."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from bot.doctor import evidence, installation, providers, retention, watch
from bot.doctor.findings import Finding, Patient, State, ok, wrong
from bot.settings import loading
from bot.telemetry import log_fields

SECONDS = 5.0
"""How long one check may take."""

Look: TypeAlias = Callable[[Patient], Iterable[Finding]]


def examine(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    clock: Callable[[], datetime],
    seconds: float = SECONDS,
) -> list[Finding]:
    """Run all checks at once and return what they found, in a fixed order.

    When the settings cannot be read there is nothing else to look at.
    """
    try:
        settings = loading.load(path, environ)
    except loading.BadConfig as error:
        return [wrong("config", str(error))]
    patient = Patient(settings, environ, clock())
    return [ok("config", "every key is known"), *asyncio.run(_all(patient, seconds))]


def is_well(findings: Iterable[Finding]) -> bool:
    """Tell whether nothing is wrong."""
    return all(finding.state is not State.WRONG for finding in findings)


async def _all(patient: Patient, seconds: float) -> list[Finding]:
    looks = (
        *installation.LOOKS,
        *evidence.LOOKS,
        *retention.LOOKS,
        *providers.LOOKS,
        *watch.LOOKS,
    )
    found = await asyncio.gather(
        *(_bounded(name, look, patient, seconds) for name, look in looks)
    )
    return [finding for findings in found for finding in findings]


async def _bounded(
    name: str, look: Look, patient: Patient, seconds: float
) -> list[Finding]:
    """Run one check in a thread that nobody waits for longer than ``seconds``."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Finding]] = loop.create_future()

    def settle(findings: list[Finding]) -> None:
        if not answer.done():
            answer.set_result(findings)

    def work() -> None:
        try:
            findings = list(look(patient))
        except Exception as error:  # noqa: BLE001 - a failing check is a finding
            kind = log_fields.class_name(type(error))
            findings = [wrong(name, f"could not be checked ({kind})")]
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, findings)

    threading.Thread(target=work, name=f"doctor-{name}", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError:
        return [wrong(name, f"no answer within {seconds:g} seconds; try again")]
