"""What Telegram sends, and what becomes of it: one line a recorded payload (``shapes.Row``)."""

import pytest

from tests.support import shapes
from tests.support.shapes import Row

TABLE = (
    Row("added_to_group", ""),
    Row("album_part", "media", "FILE0", "FILED", "Q15"),
    Row("animation", "media", "FILE0", "FILED", "Q15"),
    Row("audio", "media", "FILE0", "FILED", "Q15"),
    Row("blocked", "blocked"),
    Row("channel_post", ""),
    Row("checklist", "text", "NOTKEPT", "MORE", "Q10"),
    Row("contact_other", "contact", "FILE0", "FILED", "Q15"),
    Row("contact_own", "contact", "FILE0", "IDENTITY NOWCONF", "Q05b"),
    Row("controls", "text", "NOTKEPT", "MORE", "Q10"),
    Row("dice", "unsupported", "X13", "X13"),
    Row("document", "media", "FILE0", "FILED", "Q15"),
    Row("document_too_big", "media", "FILE0", "X04", "Q15"),
    Row("edit", "edit", "EDIT0", "EDIT0"),
    Row("edit_caption", "edit", "EDIT0", "EDIT0"),
    Row("edit_live_location", "moved"),
    Row("edit_photo", "edit", "EDIT0", "EDIT0"),
    Row("edit_receipt", "edit", "EDIT0", "EDIT0"),
    Row("forwarded_from_a_channel", "media", "FILE0", "FILED MORE", "Q10 Q15"),
    Row("forwarded_from_a_group", "media", "FILE0", "FILED", "Q15"),
    Row("forwarded_from_a_hidden_person", "text", "Q01", "MORE", "Q10"),
    Row("forwarded_from_a_person", "text", "LEFT", "MORE", "Q10"),
    Row("from_a_bot", ""),
    Row("game", "unsupported", "X13", "X13"),
    Row("giveaway", "unsupported", "X13", "X13"),
    Row("giveaway_completed", ""),
    Row("group_anonymous_admin", "group", "X14", "X14"),
    Row("group_came_from", ""),
    Row("group_chatter", ""),
    Row("group_command", "group", "X14", "X14"),
    Row("group_command_named", "group", "X14", "X14"),
    Row("group_command_other_bot", "group", "X14", "X14"),
    Row("group_mention", ""),
    Row("group_migrated", ""),
    Row("group_reply", "group", "X14", "X14"),
    Row("group_start_link", "group", "X14", "X14"),
    Row("invoice", "unsupported", "X13", "X13"),
    Row("live_location", "location", "FILE0", "FILED", "Q15"),
    Row("live_location_ended", "moved"),
    Row("live_photo", "media", "FILE0", "FILED", "Q15 Q15"),
    Row("location", "location", "FILE0", "FILED", "Q15"),
    Row("location_zero", "location", "FILE0", "FILED", "Q15"),
    Row("nothing_at_all", "unsupported", "X13", "X13"),
    Row("paid_media", "unsupported", "X13", "X13"),
    Row("photo_caption", "media", "FILE0", "FILED MORE", "Q10 Q15"),
    Row("pinned", ""),
    Row("poll", "unsupported", "X13", "X13"),
    Row("press", "press", "X12", "X12 Q10"),
    Row("press_inaccessible", "press", "X12", "X12 Q10"),
    Row("quoted_edit", "edit", "EDIT0", "EDIT0"),
    Row("quoted_from_elsewhere", "text", "Q01", "MORE", "Q10"),
    Row("quoted_keyword", "text", "STOPPED", "STOPPED"),
    Row("quoted_photo", "media", "FILE0", "FILED MORE", "Q10 Q15"),
    Row("quoted_reply", "text", "Q01", "MORE", "Q10"),
    Row("reaction", ""),
    Row("rich_message", "text", "Q01", "MORE", "Q10"),
    Row("start_deep_link", "text", "Q01", "Q10"),
    Row("sticker", "unsupported", "X13", "X13"),
    Row("story", "unsupported", "X13", "X13"),
    Row("text", "text", "NOTKEPT", "MORE", "Q10"),
    Row("timer_changed", ""),
    Row("title_changed", ""),
    Row("unblocked", "unblocked", "AGAIN Q01", "Q10"),
    Row("unheard_of", "unsupported", "X13", "X13"),
    Row("venue", "location", "FILE0", "FILED", "Q15"),
    Row("via_bot", "text", "Q01", "MORE", "Q10"),
    Row("video", "media", "FILE0", "FILED", "Q15"),
    Row("video_note", "media", "FILE0", "FILED", "Q15"),
    Row("voice", "media", "FILE0", "FILED", "Q15"),
)


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
async def test_what_becomes_of_a_payload(row: Row) -> None:
    parse, close = await shapes.parsing("telegram")
    assert shapes.row("telegram", row.name, parse) == row
    await close()


def test_everything_that_was_recorded_stands_in_the_table() -> None:
    assert [row.name for row in TABLE] == shapes.names("telegram")
