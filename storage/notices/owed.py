"""News that somebody wants and could not be told: it stays owed until they write again."""

from dataclasses import replace

from sqlmodel import Session

from storage.crypto.server_key import ServerKeys
from storage.notices import subscriptions
from storage.words import Channel


def owe(
    session: Session, keys: ServerKeys, report: bytes, channel: Channel, handle: str
) -> bool:
    """Note that a person is owed news of a case; False if they were before, or want none."""
    names = subscriptions.case_names(keys, report)
    for row, known in subscriptions.held(session, keys, channel, handle):
        if row.case_name in names and not known.owed:
            owing = replace(known, report=report.hex(), owed=True)
            subscriptions.keep(session, keys, row, owing)
            return True
    return False


def window_closed(
    session: Session, keys: ServerKeys, channel: Channel, handle: str
) -> None:
    """Note that the provider calls the 24 h window closed, until this person writes again."""
    for row, known in subscriptions.held(session, keys, channel, handle):
        subscriptions.keep(session, keys, row, replace(known, last_inbound=0))


def reports_of(
    session: Session, keys: ServerKeys, channel: Channel, handle: str
) -> list[bytes]:
    """Return the reports of which a handle wants news, in order; reads only."""
    found = subscriptions.held(session, keys, channel, handle, lock=False)
    return sorted(bytes.fromhex(known.report) for _, known in found if known.report)
