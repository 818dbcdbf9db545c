"""A message released from quarantine goes through parse and intake once more."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot.channels import base
from bot.intake.intake import Intake
from bot.telemetry import logs
from bot.telemetry.metrics import Intake as Counted
from bot.telemetry.metrics import Metrics
from bot.writer import StoreUnavailable, Writer
from handlers.cases.receipts import Opening
from handlers.conversation.exchange import names
from handlers.messages import Incoming
from handlers.office import Office
from handlers.quarantine import release
from handlers.quarantine.release import Became, Quarantined
from handlers.work import Work
from storage.database import transactions
from storage.words import Channel

NO_CHANNEL = "channel.off"
"""The channel of the message is not set up, or was never written down."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a message; ``reason`` is a code where it failed again."""

    became: Became
    reason: str = ""


class Releaser:
    """Takes released messages in, one at a time; ``channels`` are those that are set up."""

    def __init__(
        self,
        writer: Writer,
        office: Office,
        intake: Intake,
        channels: Mapping[Channel, Any],
        *,
        metrics: Metrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._office = office
        self._intake = intake
        self._channels = channels
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, name: bytes, message: Quarantined, by: bytes) -> Result:
        """Take a message in that a custodian opened; raises StoreUnavailable.

        What makes us stumble again stays in quarantine, with its new reason.
        """
        now = self._clock()
        known = {one.value: adapter for one, adapter in self._channels.items()}
        channel = known.get(message.channel)
        if channel is None:
            return await self._failed(name, NO_CHANNEL, by)
        try:
            parsed = channel.parse(_raw(channel.name, message.raw), now=now)
            found = [(one, await self._intake.opening(one, now)) for one in parsed]
        except base.Unparseable as error:
            return await self._failed(name, error.code, by)
        except Exception as error:  # noqa: BLE001 - told apart here
            if transactions.classify(error) is not transactions.Failure.MESSAGE:
                raise StoreUnavailable from None
            logs.failure("incoming.failed", error, channel=channel.name)
            return await self._failed(name, type(error).__name__, by)
        result = await self._release(name, found, by, now)
        if result.became is Became.TAKEN:
            self._metrics.came_in(channel.name, Counted.TAKEN)
        return result

    async def _release(
        self,
        name: bytes,
        found: list[tuple[Incoming, Opening]],
        by: bytes,
        now: datetime,
    ) -> Result:
        people = [one for incoming, _ in found for one in names(self._office, incoming)]

        def verb(session: Session) -> Result:
            became = release.release(
                Work(session, self._office, now), name, found, by=by
            )
            return Result(became)

        def spare(session: Session, error: BaseException) -> Result:
            logs.failure("incoming.failed", error)
            reason = type(error).__name__
            became = release.failed(
                Work(session, self._office, now), name, reason, by=by
            )
            return Result(became, reason)

        if not people:
            return await self._writer.run(verb)
        return await self._writer.run_message(verb, handles=people, spare=spare)

    async def _failed(self, name: bytes, reason: str, by: bytes) -> Result:
        became = await self._writer.act(
            self._office, self._clock(), release.failed, name, reason, by=by
        )
        return Result(became, reason)


def _raw(channel: Channel, raw: bytes) -> Mapping[str, Any] | bytes:
    """Return what a channel parses; bytes that are no update make it stumble again."""
    if channel is not Channel.TELEGRAM:
        return raw
    try:
        update = json.loads(raw)
    except (ValueError, RecursionError):
        raise base.Unparseable("telegram.json") from None
    if not isinstance(update, dict):
        raise base.Unparseable("telegram.json")
    return update
