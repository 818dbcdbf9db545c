"""Letters that failed, in the console: told without a person, tried once, dropped once."""

import pytest
from sqlmodel import col, select

from bot.delivery.outcomes import Written
from storage import outbox
from storage.audit import log
from storage.letters.letter import Letter
from storage.models import OutboxRow
from storage.words import Channel, LetterKind, Role
from tests.support.browsers import Browser, Desk
from tests.support.founded import person

HANDLE, WORDS = "+6281200000001", "rahasia 7K3M-9QXB"


def fails(
    desk: Desk, reason="twilio.21408", kind=LetterKind.REPLY, channel=Channel.SMS, n=1
) -> None:
    ends = Written(desk.context.office)
    with desk.database.writing() as session:
        for number in range(n):
            letter = Letter(kind, channel, f"{HANDLE}{number}", WORDS)
            outbox.put(session, desk.keys, letter, now=desk.clock())
        for one in outbox.claim(
            session, desk.keys, channel, limit=99, now=desk.clock()
        ):
            assert ends.failed(session, one, reason=reason, now=desk.clock())


def waiting(desk: Desk) -> list[str | None]:
    with desk.database.reading() as session:
        query = select(OutboxRow.failed).order_by(col(OutboxRow.id))
        return list(session.exec(query).all())


def ids(desk: Desk) -> list[int]:
    with desk.database.reading() as session:
        return [row.id or 0 for row in session.exec(select(OutboxRow)).all()]


def lines(desk: Desk) -> list[tuple[str, str, bool]]:
    with desk.database.reading() as session:
        found = log.lines(session)
        return [
            (line.code, line.detail, line.officer is not None)
            for line in reversed(found)
            if line.code.startswith("letters.")
        ]


@pytest.fixture
def admin(desk: Desk) -> Browser:
    with desk.database.writing() as session:
        ani = person(session, desk.keys, "ani", Role.ADMIN)
    return desk.signed_in(ani)


async def test_it_says_why_and_what_to_do_and_names_nobody(desk: Desk, admin: Browser):
    fails(desk, n=2)
    fails(desk, "whatsapp.window", LetterKind.NOTICE, Channel.WHATSAPP)
    fails(desk, "twilio.99999")
    fails(desk, "telegram.400", LetterKind.RECEIPT, Channel.TELEGRAM)
    page = await admin.see("/letters")
    assert "The Twilio account may not send SMS to that country 2" in page.text
    assert "enable Indonesia" in page.text
    assert "Fill in twilio.templates" in page.text
    assert "Twilio refused the message" in page.text
    assert "Code: twilio.99999" in page.text
    assert "Receipt" not in page.text, "a receipt is an answer here"
    for hidden in (HANDLE, "rahasia", "7K3M"):
        assert hidden not in (await admin.get("/letters")).text


async def test_nothing_failed(admin: Browser):
    assert "No letter has failed." in (await admin.see("/letters")).text


@pytest.mark.both_stores
async def test_all_of_a_reason_are_tried_once(desk: Desk, admin: Browser):
    fails(desk, n=3)
    fails(desk, "telegram.400", channel=Channel.TELEGRAM)
    page = await admin.do("/letters/retry", reason="twilio.21408", once="a")
    assert "Sent again now: 3." in page.text
    assert waiting(desk) == [None, None, None, "telegram.400"]
    page = await admin.do("/letters/retry", reason="twilio.21408", once="a")
    assert "This form was done already" in page.text
    page = await admin.do("/letters/retry", reason="twilio.21408", once="b")
    assert "There is nothing left to do" in page.text
    assert lines(desk) == [("letters.retried", "3:twilio.21408", True)]


@pytest.mark.both_stores
async def test_one_is_tried_and_one_is_dropped(desk: Desk, admin: Browser):
    fails(desk, n=3)
    first, second, _ = ids(desk)
    page = await admin.do("/letters/retry", letter=str(first), once="a")
    assert "Sent again now: 1." in page.text
    page = await admin.do("/letters/drop", letter=str(second), once="b")
    assert "Dropped: 1." in page.text
    assert waiting(desk) == [None, "twilio.21408"]
    assert [line[:2] for line in lines(desk)] == [
        ("letters.retried", "1:twilio.21408"),
        ("letters.dropped", "1:twilio.21408"),
    ]


async def test_dropping_all_wants_a_tick(desk: Desk, admin: Browser):
    fails(desk, n=2)
    response = await admin.send("/letters/drop", reason="twilio.21408", once="a")
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.text
    assert len(waiting(desk)) == 2
    await admin.do("/letters/drop", reason="twilio.21408", sure="yes", once="b")
    assert waiting(desk) == []


async def test_a_letter_whose_time_is_over_says_so(desk: Desk, admin: Browser):
    fails(desk)
    (letter,) = ids(desk)
    desk.clock.pass_time(hours=9)
    admin = desk.signed_in(desk.house.supervisor)
    await admin.see("/letters")
    desk.clock.pass_time(hours=15)
    admin = desk.signed_in(desk.house.supervisor)
    page = await admin.do("/letters/retry", letter=str(letter), once="a")
    assert "its time is over" in page.text
    assert waiting(desk) == ["twilio.21408"], "until the purge"


@pytest.mark.parametrize("what", ["", "0", "99", "1e3", "-1", "x", "9" * 40])
async def test_nonsense_does_nothing(desk: Desk, admin: Browser, what: str):
    fails(desk)
    await admin.do("/letters/retry", letter=what)
    assert waiting(desk) == ["twilio.21408"]


@pytest.mark.both_stores
@pytest.mark.parametrize("role", list(Role))
async def test_it_is_the_admins_and_the_supervisors(desk: Desk, role: Role):
    with desk.database.writing() as session:
        new = person(session, desk.keys, "somebody", role)
    who = desk.signed_in(new)
    allowed = role in {Role.ADMIN, Role.SUPERVISOR}
    fails(desk)
    assert (await who.get("/letters")).status_code == (200 if allowed else 404)
    answer = await who.send("/letters/retry", reason="twilio.21408")
    assert answer.status_code == (303 if allowed else 404)
    assert waiting(desk) == ([None] if allowed else ["twilio.21408"])


async def test_trying_again_wants_a_fresh_proof(desk: Desk, admin: Browser):
    fails(desk)
    desk.clock.pass_time(minutes=15)
    answer = await admin.send("/letters/retry", reason="twilio.21408", here="/letters")
    assert answer.headers["location"] == "/console/prove?next=/letters"
    assert waiting(desk) == ["twilio.21408"]
