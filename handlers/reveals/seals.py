"""The two seals of what is revealed: the case's, then the vault's; each by its own person.

Nothing else opens an identity or an original; a test looks through the source for it.
"""

import base64
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from handlers.errors import NotFound
from handlers.work import Work
from storage.cases import items as report_items
from storage.cases.items import Content
from storage.cases.reveals import Half, Wish
from storage.crypto import sealing
from storage.crypto.sealing import NotAuthentic
from storage.evidence import files
from storage.models import File, Reveal
from storage.words import RevealOf

T = TypeVar("T")


def open_outer(
    work: Work, report: bytes, wish: Wish, case_secret: bytes
) -> tuple[Half, ...]:
    """Open the case's seal of whatever is asked for. Raises NotFound, NotAuthentic."""
    if wish.what is RevealOf.IDENTITY:
        items = report_items.identity_halves(work.store, work.keys, report, case_secret)
        halves = tuple(Half(*item) for item in items)
    else:
        row = _file(work, report, wish.file)
        halves = (Half(row.id, 0, files.open_original(row, case_secret)),)
    if not halves:
        raise NotFound
    return halves


def open_inner(
    work: Work, row: Reveal, halves: Sequence[Half], held: Sequence[tuple[int, bytes]]
) -> bytes:
    """Open the vault's seal of what is still kept; returns the answer's plain bytes."""
    if row.what == RevealOf.ORIGINAL:
        file = _file(work, row.report, row.file)
        return _first(
            held, lambda secret: files.open_original(file, secret, halves[0].blob)
        )
    items = []
    for half in halves:
        part = (half.row, half.seq, half.blob)
        opens = partial(report_items.whole_identity, row.report, part)
        items.append(base64.b64encode(_first(held, opens).to_bytes()).decode())
    return json.dumps(items).encode("ascii")


def _first(held: Sequence[tuple[int, bytes]], opens: Callable[[bytes], T]) -> T:
    """Return what the newest of the vault's secrets opens. Raises NotAuthentic."""
    for _, secret in held:
        try:
            return opens(secret)
        except NotAuthentic:
            continue
    raise NotAuthentic


def _file(work: Work, report: bytes, file_id: bytes | None) -> File:
    """Return a verified file of this report that has an original. Raises NotFound."""
    for row in files.of_report(work.store, work.keys, report):
        if row.id == file_id and row.original_key is not None:
            return row
    raise NotFound


def identity(answer: bytes) -> tuple[Content, ...]:
    """Read an answer's plain bytes back as the identity's items. Raises NotAuthentic."""
    with sealing.as_written():
        packed = [base64.b64decode(one) for one in json.loads(answer)]
    return tuple(map(Content.from_bytes, packed))
