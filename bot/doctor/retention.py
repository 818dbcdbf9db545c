"""Checks of the file of tombstones, which lists what must stay erased."""

import os
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import col, exists, select

from bot.doctor import findings
from bot.doctor.findings import Finding, Patient, ok, warn, wrong
from bot.retention import tombstones
from bot.settings import loading
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import BadServerKey, ServerKeys
from storage.models import Tombstone
from storage.retention.tombstones import from_line
from storage.retention.tombstones import waiting as unwritten


def stones(patient: Patient) -> Iterator[Finding]:
    """Look whether what was erased is written where no restored backup turns it back."""
    path = patient.settings.retention.tombstones_file
    place = path if path.exists() else path.absolute().parent
    if not os.access(place, os.W_OK) or path.is_dir():
        yield wrong("tombstones", f"{path} cannot be written; mend its folder or owner")
        return
    with findings.ready(patient) as store:
        if store is None:
            return  # told by database
        with store.reading() as session:
            waiting = unwritten(session)
            told = session.exec(
                select(exists().where(col(Tombstone.written).is_(True)))
            ).one()
    if told and not path.is_file():
        yield wrong("tombstones", f"{path} is gone; bring back the newest copy of it")
        return
    if waiting:
        says = (
            f"{waiting} wait to be written; `kentongan serve` writes them each minute"
        )
        yield warn("tombstones", says)
    strange = _strange(patient, path)
    if strange:
        says = (
            f"{path}: {strange} lines are not ours; see `kentongan tombstones replay`"
        )
        yield wrong("tombstones", says)
    elif not waiting:
        yield ok("tombstones", f"{tombstones.count(path)} in {path}")


def _strange(patient: Patient, path: Path) -> int:
    """Count lines that this server key did not write."""
    try:
        text = loading.server_key(patient.settings, patient.environ).get_secret_value()
        keys = ServerKeys.from_text(text)
    except (loading.BadConfig, BadServerKey):
        return 0  # told by server_key
    strange = 0
    for _, line in tombstones.every_line(path):
        try:
            from_line(keys, line)
        except NotAuthentic:
            strange += 1
    return strange


LOOKS = (("tombstones", stones),)
