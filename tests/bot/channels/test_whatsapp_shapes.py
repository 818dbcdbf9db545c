"""What WhatsApp sends, and what becomes of it: one line a recorded payload (``shapes.Row``)."""

import pytest

from tests.support import shapes
from tests.support.shapes import Row

TABLE = (
    Row("button", "press", "X12", "X12 Q10"),
    Row("button_text_only", "text", "Q01", "MORE", "Q10"),
    Row("document", "media", "FILE0", "FILED MORE", "Q10 Q15"),
    Row("forwarded", "text", "LEFT", "MORE", "Q10"),
    Row("help_advanced", "text", "Q28", "Q28"),
    Row("image", "media", "FILE0", "FILED MORE", "Q10 Q15"),
    Row("list", "press", "X12", "X12 Q10"),
    Row("location", "location", "FILE0", "FILED", "Q15"),
    Row("location_label", "location", "FILE0", "FILED", "Q15"),
    Row("location_zero", "location", "FILE0", "FILED", "Q15"),
    Row("metadata_broken", "text", "Q01", "Q10"),
    Row("no_number", "text", "Q01", "Q10"),
    Row("number_only", "text", "Q01", "Q10"),
    Row("often_forwarded", "text", "Q01", "MORE", "Q10"),
    Row("order", "unsupported", "X13", "X13"),
    Row("quoted_image", "media", "FILE0", "FILED MORE", "Q10 Q15"),
    Row("quoted_reply", "text", "Q01", "MORE", "Q10"),
    Row("reaction", "unsupported", "X13", "X13"),
    Row("referral", "text", "Q01", "Q10"),
    Row("scoped_bare", "text", "Q01", "Q10"),
    Row("scoped_only", "text", "Q01", "Q10"),
    Row("start_advanced", "opt_in", "AGAIN Q01", "Q10"),
    Row("sticker", "media", "FILE0", "FILED", "Q15"),
    Row("stop_advanced", "opt_out"),
    Row("text", "text", "Q01", "MORE", "Q10"),
    Row("unknown_fields", "text", "Q01", "Q10"),
    Row("vcard", "media", "FILE0", "FILED", "Q15"),
    Row("voice", "media", "FILE0", "FILED", "Q15"),
)


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
async def test_what_becomes_of_a_payload(row: Row) -> None:
    parse, close = await shapes.parsing("whatsapp")
    assert shapes.row("whatsapp", row.name, parse) == row
    await close()


def test_everything_that_was_recorded_stands_in_the_table() -> None:
    assert [row.name for row in TABLE] == shapes.names("whatsapp")
