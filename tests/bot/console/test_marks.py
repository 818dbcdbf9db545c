"""What an officer sees of how words came: quoted, forwarded, reworded, in part."""

from storage.cases.items import Content
from storage.words import ItemKind, Mark
from tests.support.browsers import STORY, Desk

AT = "2026-03-01T08:15:00+00:00"


def said(kind: ItemKind, text: str, step: str, *marks: Mark) -> Content:
    return Content(kind, text, AT, step, marks=tuple(mark.value for mark in marks))


async def test_a_page_says_how_words_came(desk: Desk) -> None:
    items = (
        said(ItemKind.ANSWER, STORY, "Q10", Mark.OFTEN_FORWARDED),
        said(ItemKind.ANSWER, "Jalan Contoh 1", "Q11", Mark.VIA_BOT),
        said(ItemKind.ANSWER, "dan kemudian", "Q12", Mark.INCOMPLETE),
        said(ItemKind.REPLY, "After lunch.", "Q25", Mark.QUOTED, Mark.FORWARDED),
        said(ItemKind.EDIT, "After prayers.", "Q25", Mark.QUOTED),
    )
    case = desk.case(items=items)
    page = await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    quoted = "Came as a reply to a notice of ours, without number and code."
    for told in (
        f"{STORY} Forwarded many times",
        "Jalan Contoh 1 Made with the help of another bot",
        "dan kemudian A part of this SMS never came",
        f"After lunch. {quoted} Forwarded: somebody else",
        f"The reporter reworded this message: After prayers. {quoted}",
    ):
        assert told in page.text
    assert "Q25" not in page.text


async def test_what_came_plainly_says_nothing_of_it(desk: Desk) -> None:
    case = desk.case(items=(said(ItemKind.REPLY, "After lunch.", "Q25"),))
    page = await desk.signed_in(desk.house.supervisor).see(f"/cases/{case.number}")
    assert "After lunch." in page.text
    assert "without number and code" not in page.text
