"""Checks of evidence: where files lie, the virus scanner, the process that opens files."""

import shutil
from collections.abc import Iterator

from bot.assembly.office import make_blob_store
from bot.doctor import findings
from bot.doctor.findings import Finding, Patient, ok, warn, wrong
from bot.evidence import clamav, converter
from bot.retention import sweeping
from bot.terminal import refusals


def files(patient: Patient) -> Iterator[Finding]:
    """Look whether every file of a case lies where it should."""
    with findings.ready(patient) as store:
        if store is None:
            return  # told by database
        try:
            found = sweeping.look(store, make_blob_store(patient.settings))
        except OSError as error:
            yield wrong("files", refusals.line(error))
            return
    if found.lost:
        says = f"{found.lost} of cases are not where they should lie; take them from a backup"
        yield wrong("files", says)
    elif found.strays:
        says = f"{len(found.strays)} belong to no case; the server removes them"
        yield ok("files", says)
    else:
        yield ok("files", "every file of a case is there, and no other")


def scanner(patient: Patient) -> Iterator[Finding]:
    """Look whether the scanner answers, where there is to be one."""
    address = patient.settings.files.clamav
    if not address:
        yield ok("scanner", "none is set up (files.clamav)")
    elif clamav.answers(address):
        yield ok("scanner", f"{address} answers")
    else:
        says = "does not answer, files wait for it: is clamav-daemon running, may we?"
        yield wrong("scanner", f"{address} {says}")


def opening(_patient: Patient) -> Iterator[Finding]:
    """Look what opens strangers' files, and how well it is locked in."""
    if converter.bars_files():
        yield ok("sandbox", "what opens strangers' files reaches no others (Landlock)")
    else:
        says = "Landlock is missing: what plays sound and video can read files of this account"
        yield warn("sandbox", f"{says}; take a kernel of 5.13 or newer that has it on")
    if shutil.which("ffmpeg") and shutil.which("ffprobe"):
        yield ok("ffmpeg", "voices and films are played")
    else:
        yield warn("ffmpeg", "is missing: voices and films are kept and not played")


LOOKS = (("files", files), ("scanner", scanner), ("sandbox", opening))
"""Every check of this file, by the name under which its failure is told."""
