"""The former unit's members with database, files and server key: nothing of what they gave."""

from pathlib import Path

import pytest

from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.words import Recipient
from tests.seizure.opening import Opening, opened
from tests.support import thief
from tests.support.handing import COPY, NAME, ORIGINAL, STORY, WHY, Handing, handing

Marks = dict[str, str | bytes]
MARKS: Marks = {"story": STORY.split()[1], "why": WHY, "copy": COPY}
HELD_BACK: Marks = {"name": NAME, "original": ORIGINAL}
"""What needs the vault too."""


@pytest.fixture
def there(database: Database, keys: ServerKeys, tmp_path: Path) -> Handing:
    return handing(database, keys, tmp_path / "files")


def tries(there: Handing, *secrets: bytes) -> Opening:
    loot = thief.steal(there.here.database, there.folder)
    return opened(loot, *secrets, keys=there.keys, folder=there.folder)


def of_the_case(found: Opening) -> set[str]:
    (case,) = found.loot.rows["cases"]
    return {one.place for one in found.reads if one.report == case["report"]}


def test_the_former_unit_reads_nothing_and_the_other_unit_all(there: Handing):
    budi = there.member("budi")
    theirs = (there.sari.secret, budi.secret, there.here.house.unit_secret)
    before = tries(there, *theirs)
    assert before.shows(MARKS) == {"story", "copy"}
    there.hand_over()
    found = tries(there, *theirs)
    assert of_the_case(found) == {"cases.figures"}, "codes, which the server key opens"
    assert found.shows(MARKS | HELD_BACK) == set()
    assert "unit_grants.secret" in found.places, "the attempt was made with real keys"
    now = tries(there, there.tini.secret)
    assert now.shows(MARKS | HELD_BACK) == set(MARKS)
    guard = there.here.house.custodian.secret
    both = tries(there, there.tini.secret, guard)
    assert both.shows(MARKS | HELD_BACK) == {*MARKS, *HELD_BACK}
    assert tries(there, *theirs, guard).shows(MARKS | HELD_BACK) == set()


def test_even_with_a_copy_of_the_grant_from_before(there: Handing):
    """The secret that it holds is tried on everything; nothing was sealed to it since."""
    there.hand_over()
    loot = thief.steal(there.here.database, there.folder)
    loot.rows["grants"].append(there.old_grant)
    house = there.here.house
    found = opened(loot, house.unit_secret, keys=there.keys, folder=there.folder)
    assert found.reports("grants.secret") == {there.case.report}
    assert of_the_case(found) == {"cases.figures", "grants.secret"}
    assert found.shows(MARKS | HELD_BACK) == set()


def test_the_vault_gets_no_grant_of_it(there: Handing):
    there.hand_over()
    loot = thief.steal(there.here.database)
    (grant,) = loot.rows["grants"]
    assert (grant["recipient_kind"], grant["recipient"]) == (
        Recipient.UNIT,
        there.health.id,
    )
