"""What SMS sends, and what becomes of it: one line a recorded payload (``shapes.Row``)."""

import pytest

from tests.support import shapes
from tests.support.shapes import Row

TABLE = (
    Row("blank", "text", "Q01", "Q10"),
    Row("controls", "text", "SENT", "MORE", "Q10"),
    Row("gsm7_extension", "text", "SENT", "MORE", "Q10"),
    Row("help_advanced", "text", "Q28", "Q28"),
    Row("incomplete", "text", "INCOMPLETE Q01", "INCOMPLETE MORE", "Q10"),
    Row("long", "text", "SENT", "MORE", "Q10"),
    Row("mms", "media", "FILE0", "FILED MORE", "Q10 Q15 Q15"),
    Row("start", "opt_in", "AGAIN Q01", "Q10"),
    Row("start_advanced", "opt_in", "AGAIN Q01", "Q10"),
    Row("stop", "opt_out"),
    Row("stop_advanced", "opt_out"),
    Row("text", "text", "SENT", "MORE", "Q10"),
    Row("ucs2", "text", "SENT", "MORE", "Q10"),
    Row("unknown_fields", "text", "SENT", "MORE", "Q10"),
)


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
async def test_what_becomes_of_a_payload(row: Row) -> None:
    parse, close = await shapes.parsing("sms")
    assert shapes.row("sms", row.name, parse) == row
    await close()


def test_everything_that_was_recorded_stands_in_the_table() -> None:
    assert [row.name for row in TABLE] == shapes.names("sms")
