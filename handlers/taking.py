"""What becomes of a file that a reporter sent: taken, or refused with the reason."""

from datetime import datetime

from sqlmodel import Session

from handlers import notices, statuses
from handlers.messages import Reply
from handlers.office import Office
from storage import cases, files, history, jobs, reports, units
from storage.files import Taken
from storage.jobs import Claimed
from storage.words import Channel, EventCode, FileState, JobKind


def still_wanted(session: Session, office: Office, job: Claimed) -> bool:
    """Tell whether the file's report is still there."""
    report = bytes.fromhex(job.details["report"])
    return reports.public_key(session, office.keys, report) is not None


def taken(
    session: Session, office: Office, job: Claimed, file: Taken, *, now: datetime
) -> bool:
    """Record that a file lies sealed on disk; False when it is wanted no more."""
    if not jobs.done(session, job):
        return False
    report = bytes.fromhex(job.details["report"])
    public = reports.public_key(session, office.keys, report)
    vault = units.vault(session, office.keys).public_key
    _erase_copy(session, office, job, now)
    if public is None or vault is None:
        return False
    file_id = bytes.fromhex(job.details["file"])
    kept = files.taken(session, office.keys, file_id, file, public=public, vault=vault)
    if kept:
        _event(session, office, report, EventCode.FILE_TAKEN, now)
    return kept


def refused(
    session: Session,
    office: Office,
    job: Claimed,
    state: FileState,
    *,
    text: str,
    now: datetime,
) -> None:
    """Record that a file will not come, and tell the reporter why and what else to do."""
    if not jobs.done(session, job):
        return
    _erase_copy(session, office, job, now)
    file_id = bytes.fromhex(job.details["file"])
    if not files.refused(session, office.keys, file_id, state):
        return
    report = bytes.fromhex(job.details["report"])
    _event(session, office, report, EventCode.FILE_REFUSED, now)
    channel = Channel(job.details["channel"])
    notices.say(
        session,
        office,
        Reply(text, {"n": str(office.file_limits.get(channel, 0))}),
        channel=channel,
        to=job.details["handle"],
        language=job.details["language"],
        now=now,
    )


def _event(
    session: Session, office: Office, report: bytes, code: EventCode, now: datetime
) -> None:
    case = cases.lock(session, office.keys, report)
    if case is None:
        return
    history.append(
        session, office.keys, case, code, by=history.SYSTEM, day=office.day(now)
    )
    cases.save(session, office.keys, case)


def _erase_copy(session: Session, office: Office, job: Claimed, now: datetime) -> None:
    """Owe the erasure of a message once none of its files is still to be fetched."""
    message = job.details.get("erase")
    if not message:
        return
    others = jobs.waiting(session, office.keys, JobKind.FETCH)
    if any(other.get("erase") == message for other in others):
        return
    channel = Channel(job.details["channel"])
    statuses.erase_copy(session, office, channel, message, now=now)
