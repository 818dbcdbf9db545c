"""How the rows of each table are written anew under the newest server key.

A row is first checked under the key that wrote it, so that no planted row becomes ours.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlmodel import Session, SQLModel, select
from typing_extensions import override

from storage import breaches, conversations, models, outbox, quarantine
from storage.audit import installation
from storage.cases import conflicts, data_requests, items, reports, reveals, tags
from storage.crypto.sealing import Context
from storage.crypto.server_key import Purpose, ServerKeys
from storage.evidence import files
from storage.jobs import jobs
from storage.letters.letter import Letter
from storage.notices import subscriptions
from storage.people import (
    officers,
    one_time_codes,
    passkeys,
    recovery_codes,
    telegram_links,
)
from storage.retention import tombstones
from storage.units import admissions, grants, memberships, recovery_keys, routes, units

Rewrite: TypeAlias = Callable[[Session, ServerKeys, Any], None]
"""Writes one row anew; raises NotAuthentic for one that is not ours."""


@dataclass(frozen=True, slots=True)
class Step:
    """How the rows of one table are written anew."""

    model: type[SQLModel]
    rewrite: Rewrite


@dataclass(frozen=True, slots=True)
class _Recording(ServerKeys):
    """A ring that notes, of each tag it finds good, the tag under its newest id."""

    fresh: list[bytes] = field(default_factory=list, repr=False)

    @override
    def check_tag(self, tag: bytes, context: Context, content: bytes) -> None:
        ServerKeys.check_tag(self, tag, context, content)
        self.fresh.append(self.tag(context, content))


def _tagged(check: Callable[[ServerKeys, Any], None]) -> Rewrite:
    """Return what gives a row its tag anew: over just what its own check looks at."""

    def rewrite(session: Session, keys: ServerKeys, row: Any) -> None:  # noqa: ANN401 - a row of any table
        recording = _Recording(keys.ring)
        check(recording, row)
        (row.tag,) = recording.fresh
        session.add(row)

    return rewrite


def _case(session: Session, keys: ServerKeys, row: models.Case) -> None:
    tags.check_case(keys, row)
    place = Context("cases", row.report, "figures")
    row.figures = keys.relock(Purpose.FIGURES, row.figures, place)
    tags.tag_case(keys, row)
    session.add(row)


def _grant(session: Session, keys: ServerKeys, row: models.Grant) -> None:
    _tagged(reports.check_grant)(session, keys, row)
    reports.rewrap(keys, row)


def _subscription(session: Session, keys: ServerKeys, row: models.Subscription) -> None:
    """Find the wish's case by trying all; a wish about a case that is gone goes too."""
    names = session.info.get(_subscription) or _case_names(session, keys)
    session.info[_subscription] = names
    name = names.get(row.case_name)
    if name is None:
        session.delete(row)
        return
    subscriptions.rename(keys, row, name)
    session.add(row)


def _case_names(session: Session, keys: ServerKeys) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for report in session.exec(select(models.Case.report)):
        newest, *older = subscriptions.case_names(keys, report)
        found |= dict.fromkeys((newest, *older), newest)
    return found


def _letter(session: Session, keys: ServerKeys, row: models.OutboxRow) -> None:
    was = outbox.context(row.order_name, row.expires)
    letter = Letter.from_bytes(keys.unlock(Purpose.OUTBOX, row.blob, was))
    row.order_name = keys.look_up(Purpose.ORDER, letter.channel, letter.to)
    row.twin = letter.twin_name(keys)
    now = outbox.context(row.order_name, row.expires)
    row.blob = keys.relock(Purpose.OUTBOX, row.blob, was, now)
    session.add(row)


def _renamed(rename: Callable[[ServerKeys, Any], None]) -> Rewrite:
    def rewrite(session: Session, keys: ServerKeys, row: Any) -> None:  # noqa: ANN401 - a row of any table
        rename(keys, row)
        session.add(row)

    return rewrite


STEPS = (
    Step(models.Setting, _tagged(installation.check)),
    Step(models.Officer, _tagged(officers.check)),
    Step(models.Unit, _tagged(units.check)),
    Step(models.Membership, _tagged(memberships.check)),
    Step(models.UnitGrant, _tagged(grants.check)),
    Step(models.RecoveryKey, _tagged(recovery_keys.check)),
    Step(models.Route, _tagged(routes.check)),
    Step(models.SecondFactor, _tagged(one_time_codes.check)),
    Step(models.RecoveryCode, _tagged(recovery_codes.check)),
    Step(models.Passkey, _renamed(passkeys.rename)),
    Step(models.Passkey, _renamed(passkeys.rename)),
    Step(models.Application, _tagged(admissions.check)),
    Step(models.Breach, _tagged(breaches.check)),
    Step(models.OfficerLink, _renamed(telegram_links.rename)),
    Step(models.Quarantine, _tagged(quarantine.check)),
    Step(models.Draft, _tagged(reports.check_draft)),
    Step(models.Case, _case),
    Step(models.Grant, _grant),
    Step(models.Item, _tagged(items.check)),
    Step(models.File, _tagged(files.check)),
    Step(models.Reveal, _tagged(reveals.check)),
    Step(models.Conflict, _tagged(conflicts.check)),
    Step(models.DataRequest, _tagged(data_requests.check)),
    Step(models.Tombstone, _tagged(tombstones.check)),
    Step(models.Subscription, _subscription),
    Step(models.Conversation, conversations.rename),
    Step(models.OutboxRow, _letter),
    Step(models.Job, _renamed(jobs.relock)),
)
"""Every table that is written anew, in this order."""
