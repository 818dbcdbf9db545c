"""A file that a reporter sent: taken or refused, and what an officer says about it.

``taken`` and ``refused`` end the job that fetched it; ``annotate`` keeps an officer's
class and note, sealed to the case.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Final

from handlers.cases import record
from handlers.errors import NotFound, ReasonNeeded
from handlers.messages import Reply
from handlers.notices import reporters, statuses
from handlers.work import Work
from storage.cases import cases, history, reports
from storage.crypto.sealing import NotAuthentic
from storage.evidence import custody, files
from storage.evidence.files import Taken
from storage.jobs import jobs
from storage.jobs.jobs import Claimed
from storage.models import Officer
from storage.units import units
from storage.words import Channel, EventCode, FileState, ItemKind, JobKind

_TOLD: Final[Mapping[FileState, str]] = {
    FileState.REFUSED: "X04",
    FileState.GONE: "FILEGONE",
    FileState.LATE: "FILELATE",
}


class Outcome(Enum):
    """What became of a file that somebody fetched."""

    TAKEN = "taken"
    LOST = "lost"
    """The job is not ours any more: what lies on disk belongs to somebody else."""
    GONE = "gone"
    """The report is gone: nothing of the file may stay."""
    NOT_OURS = "not_ours"
    """The row was not written by us: it is neither filled nor signed."""


def still_wanted(work: Work, job: Claimed) -> bool:
    """Tell whether the file's report is still there."""
    report = bytes.fromhex(job.details["report"])
    return reports.public_key(work.store, work.keys, report) is not None


def taken(work: Work, job: Claimed, file: Taken) -> Outcome:
    """Settle a sealed file and record it, if the job is still ours.

    Files of one report end one after the other: the last of a message sees that it is.
    """
    report = bytes.fromhex(job.details["report"])
    reports.hold(work.store, report)
    if not jobs.done(work.store, job):
        return Outcome.LOST
    _erase_copy(work, job)
    file_id = bytes.fromhex(job.details["file"])
    try:
        public = reports.public_key(work.store, work.keys, report)
        vault = units.vault(work.store, work.keys).public_key
        if public is None or vault is None:
            return Outcome.GONE
        if not files.awaited(work.store, work.keys, file_id, report=report):
            return Outcome.LOST
        _event(work, report, EventCode.FILE_TAKEN)
    except NotAuthentic:
        return Outcome.NOT_OURS
    files.taken(work.store, work.keys, file_id, file, public=public, vault=vault)
    day = work.day
    custody.commit(work.store, work.keys, file_id, file.details, day=day)
    return Outcome.TAKEN


def refused(work: Work, job: Claimed, state: FileState) -> Outcome:
    """Record that a file will not come, and tell the reporter why and what else to do.

    ``GONE``: it does not come, nothing of it may stay on disk.
    """
    report = bytes.fromhex(job.details["report"])
    reports.hold(work.store, report)
    if not jobs.done(work.store, job):
        return Outcome.LOST
    _erase_copy(work, job)
    file_id = bytes.fromhex(job.details["file"])
    try:
        if not files.awaited(work.store, work.keys, file_id, report=report):
            return Outcome.LOST
        _event(work, report, EventCode.FILE_REFUSED)
    except NotAuthentic:
        return Outcome.NOT_OURS
    files.refused(work.store, work.keys, file_id, state)
    channel = Channel(job.details["channel"])
    reporters.say(
        work,
        Reply(_TOLD[state], {"n": str(work.office.file_limits.get(channel, 0))}),
        channel=channel,
        to=job.details["handle"],
        language=job.details["language"],
        heard=int(job.details.get("heard", 0)),
    )
    return Outcome.GONE


def _event(work: Work, report: bytes, code: EventCode) -> None:
    case = cases.lock(work.store, work.keys, report)
    if case is None:
        return
    history.append(work.store, work.keys, case, code, by=history.SYSTEM, day=work.day)
    cases.save(work.store, work.keys, case)


def _erase_copy(work: Work, job: Claimed) -> None:
    """Owe the erasure of a message once none of its files is still to be fetched."""
    message = job.details.get("erase")
    if not message:
        return
    others = jobs.waiting(work.store, work.keys, JobKind.FETCH)
    if any(other.get("erase") == message for other in others):
        return
    channel = Channel(job.details["channel"])
    statuses.erase_copy(work, channel, message)


def annotate(
    work: Work, report: bytes, text: str, *, file: str, label: str, by: Officer
) -> None:
    """Keep class and note of a file, sealed to the case; the latest one counts.

    ``file`` is its id as hex, ``label`` a code of ``evidence.toml``. Raises NotFound for a
    file of another case, ReasonNeeded for a code that the table does not know, Purged.
    """
    case = record.lock(work, report)
    known = {row.id.hex() for row in files.of_report(work.store, work.keys, report)}
    if file not in known:
        raise NotFound
    if label not in work.office.rulebook.evidence:
        raise ReasonNeeded
    content = record.content(ItemKind.NOTE, text, by, work.now)
    content = replace(content, file=file, step=label)
    record.seal_to_case(work, case, content, EventCode.NOTED, by)
    cases.save(work.store, work.keys, case)
    record.witness(work, case, "annotated", by)
