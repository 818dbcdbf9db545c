"""The exact codes of a case, under the server key: for figures, deadlines and routing.

What stands in clear on the row is coarse (the group, the class of a position). The blob is
padded, so that its length tells none of what it holds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.crypto import sealing
from storage.crypto.sealing import Context
from storage.crypto.server_key import Purpose, ServerKeys
from storage.models import Case

_WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Codes that wait for a second officer: as they would be, and as they were."""

    to: Mapping[str, str] = field(repr=False)
    before: Mapping[str, str] = field(repr=False)
    reason: str
    officer: bytes


def proposal(codes: Mapping[str, str]) -> Proposal | None:
    """Return what was proposed among a case's codes, None where nothing was."""
    if _WAITING not in codes:
        return None
    told = json.loads(codes[_WAITING])
    return Proposal(**{**told, "officer": bytes.fromhex(told["officer"])})


def propose(codes: dict[str, str], proposed: Proposal | None) -> None:
    """Put a proposal among codes in place of the one before, or take it away."""
    codes.pop(_WAITING, None)
    if proposed is not None:
        codes[_WAITING] = json.dumps(
            {
                "to": dict(proposed.to),
                "before": dict(proposed.before),
                "reason": proposed.reason,
                "officer": proposed.officer.hex(),
            }
        )


def read(keys: ServerKeys, case: Case) -> dict[str, str]:
    """Return the codes of a verified case by their names. Raises NotAuthentic."""
    blob = keys.unlock(Purpose.FIGURES, case.figures, _place(case.report))
    return dict(json.loads(blob))


def write(keys: ServerKeys, case: Case, codes: Mapping[str, str]) -> None:
    """Put codes on a case, and mark whether something waits; the caller saves the row."""
    case.figures = sealed(keys, case.report, codes)
    case.class_asked = _WAITING in codes


def sealed(keys: ServerKeys, report: bytes, codes: Mapping[str, str]) -> bytes:
    """Return codes as the column ``figures`` of a report's case holds them."""
    text = sealing.spaced(json.dumps(dict(codes)).encode())
    return keys.lock(Purpose.FIGURES, text, _place(report))


def _place(report: bytes) -> Context:
    return Context("cases", report, "figures")
