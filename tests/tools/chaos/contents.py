"""What the store holds in the end: every item opened, each traceable word with its place."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session, select

from storage.cases import items as report_items
from storage.cases import reports
from storage.cases.items import Content
from storage.crypto import sealing
from storage.crypto.server_key import Purpose, ServerKeys
from storage.evidence import blobs
from storage.models import Case, Draft, File, Grant, Item
from storage.units import units
from storage.words import Audience, FileState
from tests.support import founded as house
from tests.support.unsealing import secret_for, unit_secret
from tests.tools.chaos.people import Mark


@dataclass
class Contents:
    """Where each word was found (report ids), and what lies on disk and should not."""

    places: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    cases: dict[bytes, Case] = field(default_factory=dict)
    drafts: set[bytes] = field(default_factory=set)
    items: int = 0
    not_authentic: int = 0
    files: dict[bytes, list[str]] = field(default_factory=lambda: defaultdict(list))
    """States of each report's files."""


def read(
    session: Session,
    keys: ServerKeys,
    founded: house.House,
    marks: dict[str, Mark],
) -> Contents:
    """Open everything as unit and vault together can."""
    found = Contents()
    vault = unit_secret(
        session,
        keys,
        units.verified(session, keys, founded.vault.id),
        founded.custodian.officer,
        founded.custodian.secret,
    )
    secrets: dict[bytes, bytes] = {}
    for case in session.exec(select(Case)).all():
        if case.canary:
            continue
        found.cases[case.report] = case
        unit = units.verified(session, keys, founded.unit.id)
        secrets[case.report] = secret_for(
            session, keys, case.report, unit, founded.unit_secret
        )
    for draft in session.exec(select(Draft)).all():
        found.drafts.add(draft.report)
        secrets[draft.report] = _draft_secret(session, keys, founded, draft.report)
    for report, secret in secrets.items():
        for content in _told(session, keys, report, secret, vault, found):
            found.items += 1
            for word in set(content.text.split()) & marks.keys():
                found.places[word].append(report)
    for row in session.exec(select(File)).all():
        if row.report in secrets:
            found.files[row.report].append(row.state)
    return found


def _draft_secret(
    session: Session, keys: ServerKeys, founded: house.House, report: bytes
) -> bytes:
    query = select(Grant).where(
        Grant.report == report, Grant.recipient == founded.unit.id
    )
    row = session.exec(query).one()
    place = reports._grant_context(row.id, report, row.generation)  # noqa: SLF001 - its seal
    plain = keys.unlock(Purpose.DRAFT_GRANT, row.secret, place)
    return sealing.open_seal(plain, founded.unit_secret, place)


def _told(
    session: Session,
    keys: ServerKeys,
    report: bytes,
    secret: bytes,
    vault: bytes,
    found: Contents,
) -> list[Content]:
    told = []
    for item in report_items.read(session, keys, report, secret):
        if item.content is None:
            found.not_authentic += 1
        else:
            told.append(item.content)
    halves = report_items.identity_halves(session, keys, report, secret)
    told += [report_items.whole_identity(report, half, vault) for half in halves]
    query = select(Item).where(
        Item.report == report, Item.audience == Audience.IDENTITY.value
    )
    found.not_authentic += len(session.exec(query).all()) - len(halves)
    return told


def on_disk(session: Session, folder: Path) -> list[str]:
    """Return what is wrong between the rows of files and the disk."""
    wrong = []
    known: dict[str, str] = {}
    for row in session.exec(select(File)).all():
        known[row.id.hex()] = row.state
        there = blobs.place(folder, row.id, "original").is_file()
        if (row.state == FileState.TAKEN) != there:
            wrong.append(f"file {row.id.hex()}: {row.state}, on disk: {there}")
    for path in folder.rglob("*"):
        if path.is_file() and known.get(path.name.partition(".")[0]) is None:
            wrong.append(f"{path.name}: no row")
        elif path.name.endswith(".part"):
            wrong.append(f"{path.name}: half a file")
    return wrong
