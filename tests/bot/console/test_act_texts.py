"""Every code that the source writes into the log of acts has a text on the log's page.

The source is read: whatever leads to ``audit.record`` stands in ``DOORS``, and a code that
is not written out at the call stands in ``NAMED`` with all that it may be. Anything else
fails here, so that no act is ever shown as a bare code.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from bot.console.cases import classification
from bot.console.texts import LANGUAGES, ConsoleTexts
from handlers.watch import digest
from storage.audit.manifests import Name
from storage.evidence import custody
from storage.words import EventCode, RequestState
from tests.support.places import ROOT


class Door(NamedTuple):
    """A call that leads to the log: at which place its code stands, and what goes before."""

    place: int
    before: str = ""


EVERYWHERE = {
    "audit.record": Door(2),
    "log.record": Door(2),
    "record.witness": Door(2, "case."),
}
DOORS = {
    "bot/commands/people/officers.py": {"record": Door(2)},
    "bot/commands/people/routes.py": {"officers.record": Door(2)},
    "bot/commands/keys/recovery.py": {"_record": Door(2)},
    "handlers/breaches.py": {"_witness": Door(2, "breach.")},
    "handlers/people/leaving.py": {"_record": Door(1)},
    "handlers/people/joining.py": {"_record": Door(1)},
    "handlers/people/resealing.py": {"_record": Door(1)},
    "handlers/notices/resending.py": {"_record": Door(1)},
    "handlers/quarantine/release.py": {"_record": Door(1)},
}
"""Helpers of one file that pass a code on."""
PASSED_ON = {
    ("bot/commands/people/officers.py", "code"),
    ("bot/commands/keys/recovery.py", "code"),
    ("handlers/cases/record.py", "f'case.{act}'"),
    ("handlers/breaches.py", "f'breach.{act}'"),
    ("handlers/people/leaving.py", "code"),
    ("handlers/people/joining.py", "code"),
    ("handlers/people/resealing.py", "code"),
    ("handlers/notices/resending.py", "code"),
    ("handlers/quarantine/release.py", "code"),
}
"""What stands in ``log.record`` inside such a helper."""
NAMED = {
    ("bot/operations/founding.py", "code"): {"vault.first", "unit.first"},
    ("bot/commands/keys/recovery.py", "code"): {"keys.recovery_replaced"},
    ("bot/commands/people/routes.py", "code"): {"route.added", "route.removed"},
    ("handlers/cases/data_requests.py", "f'request_{state}'"): {
        f"request_{state}" for state in RequestState if state != RequestState.OPEN
    },
    ("handlers/cases/classification.py", "code.value"): {
        *(code.value for code in classification.EVENTS)
    },
    ("handlers/cases/classification.py", "act"): {
        *(code.value for code in classification.EVENTS)
    },
    ("handlers/watch/digest.py", "CODE"): {digest.CODE},
    ("handlers/cases/holds.py", "code.value"): {
        EventCode.HELD.value,
        EventCode.RELEASED.value,
    },
    ("storage/evidence/custody.py", "CODE"): {custody.CODE},
    ("storage/audit/manifests.py", "code"): {f"list.{name}" for name in Name},
}
"""Codes that are not written out where they are recorded, and all that they may be."""


def recorded() -> Iterator[tuple[str, Door, ast.expr]]:
    for folder in ("bot", "handlers", "storage"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            doors = EVERYWHERE | DOORS.get(place, {})
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in doors:
                    door = doors[ast.unparse(node.func)]
                    yield place, door, node.args[door.place]


@cache
def codes() -> set[str]:
    found: set[str] = set()
    for place, door, code in recorded():
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            found.add(f"{door.before}{code.value}")
            continue
        name = place, ast.unparse(code)
        assert name in NAMED or name in PASSED_ON, f"say in NAMED what {name} may be"
        found |= {f"{door.before}{one}" for one in NAMED.get(name, ())}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_act_has_a_text(language: str):
    known = ConsoleTexts().catalogue(language)
    missing = {code for code in codes() if f"act.{code}" not in known}
    assert missing == set()


def test_no_act_is_left_over():
    told = {m for m in ConsoleTexts().catalogue("en") if m.startswith("act.")}
    assert {m.removeprefix("act.") for m in told} - codes() == set()


def test_the_acts_are_found():
    assert {"signed_in", "case.status", "breach.told", "unit.rotated"} <= codes()
    assert len(codes()) > 60
