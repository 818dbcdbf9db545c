"""What an officer says of one file: its class, by the agency's own table, and a note."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from handlers.cases import record as acts
from handlers.errors import NotFound, ReasonNeeded
from handlers.office import Office
from storage.cases import cases
from storage.evidence import files
from storage.models import Officer
from storage.words import EventCode, ItemKind


def annotate(
    session: Session,
    office: Office,
    report: bytes,
    text: str,
    *,
    file: str,
    label: str,
    by: Officer,
    now: datetime,
) -> None:
    """Keep class and note of a file, sealed to the case; the latest one counts.

    ``file`` is its id as hex, ``label`` a code of ``evidence.toml``. Raises NotFound for a
    file of another case, ReasonNeeded for a code that the table does not know, Purged.
    """
    case = acts.lock(session, office, report)
    known = {row.id.hex() for row in files.of_report(session, office.keys, report)}
    if file not in known:
        raise NotFound
    if label not in office.rulebook.evidence:
        raise ReasonNeeded
    content = acts.content(ItemKind.NOTE, text, by, now)
    content = replace(content, file=file, step=label)
    acts.seal_to_case(session, office, case, content, EventCode.NOTED, by, now)
    cases.save(session, office.keys, case)
    acts.witness(session, office, case, "annotated", by, now)
