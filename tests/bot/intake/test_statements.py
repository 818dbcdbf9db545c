"""How many statements a message needs: the figure that no noise of a machine changes.

One more look-up in the way of every message is a quarter of a millisecond for each report
of a nation, so it is written down here first, with its reason in the commit.
"""

import pytest

from tests.support.measured import measured, talk

pytestmark = pytest.mark.both_stores
STORY = "LAPOR uang diminta di loket izin oleh pegawai"
A_TALK = [9, *[8] * 6, 17, 13, 9, 13, 9, *[13] * 4, *[9] * 5, 29]
"""For each message of ``benchmarks/talks/full.toml``; the transaction's begin is one of
them on SQLite, the person's lock on PostgreSQL."""
DRAFT, HELD = 7, 1
"""Where the draft begins and where it is sent, PostgreSQL holds the units' rows."""
REPORT, REPEAT = 32, 2
LETTER, BEGUN = 3, 3
"""One claim that finds it, its end, one claim that finds nothing; SQLite begins each."""


async def test_a_message_needs_no_statement_more_than_it_did(database):
    async with measured(database) as town:
        await town.say(1, STORY)
        await town.letters_go()
        needed = []
        for text in talk("full"):
            with town.counting() as counted:
                await town.say(2, text)
            needed.append(counted.total())
            await town.letters_go()
        if not database.is_sqlite:
            needed[DRAFT] -= HELD
            needed[-1] -= HELD
        assert needed == A_TALK

        with town.counting() as counted:
            raw = await town.say(3, STORY)
        assert counted.total() == REPORT + HELD * (not database.is_sqlite)
        with town.counting() as counted:
            await town.again(raw)
        assert counted.total() == REPEAT
        with town.counting() as counted:
            assert await town.letters_go() == 1
        assert counted.total() == LETTER + BEGUN * database.is_sqlite
