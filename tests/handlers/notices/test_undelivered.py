"""What did not arrive: told once more, owed until its person writes, or the end of a wish."""

import secrets
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlmodel import col, select

from bot import webhooks
from bot.channels import twilio_forms
from bot.delivery.outcomes import Written
from handlers.notices import statuses, undelivered
from handlers.retention import traces
from storage import outbox
from storage.cases import history
from storage.letters.letter import Letter
from storage.models import Departed, OutboxRow, Subscription
from storage.notices import subscriptions
from storage.notices.subscribers import Subscriber
from storage.words import Channel, LetterKind
from tests.handlers.notices.test_reporters import HANDLES, asks, notices, wanting
from tests.support.desk import STORY, Desk, desk, text
from tests.support.talking import texts

WHATSAPP = Channel.WHATSAPP
BUDI = HANDLES[WHATSAPP]


@pytest.fixture
def here(database, keys) -> Desk:
    return desk(database, keys)


def told(here: Desk, case) -> list[tuple[str, str]]:
    """Return the events of a case that tell of trouble, with their details."""
    with here.database.reading() as session:
        found = history.of_case(session, case.report)
        return [
            (one.code, one.detail)
            for one in found
            if one.code in {"unreachable", "untold"}
        ]


def takes(here: Desk, channel: Channel) -> str:
    """Let the provider take the only letter that may leave; returns its id."""
    provider_id = "SM" + secrets.token_hex(16)
    with here.database.writing() as session:
        (held,) = outbox.claim(session, here.keys, channel, limit=1, now=here.now)
        assert outbox.sent(
            session,
            here.keys,
            held,
            provider_id=provider_id,
            final=False,
            now=here.now,
        )
    return provider_id


def refuses(here: Desk, channel: Channel, reason: str, *, gone: bool = False) -> None:
    """Let the provider refuse the only letter that may leave."""
    ends = Written(here.office)
    with here.database.writing() as session:
        (held,) = outbox.claim(session, here.keys, channel, limit=1, now=here.now)
        verb = ends.unreachable if gone else ends.failed
        assert verb(session, held, reason=reason, now=here.now)


def says(here: Desk, provider_id: str, state: str, code: int = 0) -> bool:
    """Post a status callback as Twilio does."""
    form = {"MessageSid": provider_id, "MessageStatus": state}
    if code:
        form["ErrorCode"] = str(code)
    update = twilio_forms.parse_status(urlencode(form).encode())
    assert update is not None
    return here.act(statuses.apply, webhooks._news(update, WHATSAPP))  # noqa: SLF001 - what the door makes of it


def wish(here: Desk, case) -> Subscriber | None:
    with here.database.reading() as session:
        return next(iter(subscriptions.of_case(session, here.keys, case.report)), None)


def departed(here: Desk) -> int:
    with here.database.reading() as session:
        return len(session.exec(select(Departed)).all())


GONE, OWED, AGAIN, TEMPLATE, WELL = "gone", "owed", "again", "template", "well"
LATE = [
    ("delivered", 0, WELL),
    ("read", 0, WELL),
    ("partially_delivered", 0, WELL),
    ("undelivered", 63016, TEMPLATE),
    ("failed", 63016, TEMPLATE),
    ("undelivered", 30003, AGAIN),
    ("failed", 30008, AGAIN),
    ("failed", 30036, AGAIN),
    ("failed", 30001, AGAIN),
    ("failed", 63018, AGAIN),
    ("failed", 63038, AGAIN),
    ("undelivered", 30007, OWED),
    ("failed", 63028, OWED),
    ("failed", 63040, OWED),
    ("failed", 63041, OWED),
    ("failed", 63042, OWED),
    ("failed", 99999, OWED),
    ("canceled", 0, OWED),
    ("undelivered", 30004, GONE),
    ("undelivered", 30005, GONE),
    ("undelivered", 30006, GONE),
    ("failed", 21610, GONE),
    ("failed", 63014, GONE),
    ("failed", 63024, GONE),
]


@pytest.mark.parametrize(("state", "code", "outcome"), LATE)
def test_what_a_late_status_does(here: Desk, state: str, code: int, outcome: str):
    case, _ = wanting(here, WHATSAPP, "1")
    asks(here, case)
    provider_id = takes(here, WHATSAPP)
    assert says(here, provider_id, "sent")
    assert says(here, provider_id, state, code) == (state != "partially_delivered")
    assert not says(here, provider_id, state, code), "twice is once"
    assert not says(here, provider_id, "sending"), "nothing moves back"
    left = wish(here, case)
    events = {
        GONE: [("unreachable", undelivered.why(str(code)))],
        OWED: [("untold", undelivered.why(str(code or state)))],
    }
    assert told(here, case) == events.get(outcome, [])
    assert (left is None) == (outcome == GONE)
    assert (left is not None and left.owed) == (outcome == OWED)
    at_once = notices(here, WHATSAPP)
    here.later(hours=1)
    later = notices(here, WHATSAPP)
    assert len(at_once) == (outcome == TEMPLATE)
    assert len(later) == (outcome == AGAIN)
    for one in (*at_once, *later):
        assert one.again
        assert one.parameters == {"1": case.number}
        assert (one.last_inbound == 0) == (outcome == TEMPLATE)
    assert departed(here) == (state == "partially_delivered")


@pytest.mark.parametrize("code", [63016, 30003])
def test_it_goes_once_more_and_not_for_ever(here: Desk, code: int):
    case, _ = wanting(here, WHATSAPP, "2")
    asks(here, case)
    for _ in range(2):
        provider_id = takes(here, WHATSAPP)
        assert says(here, provider_id, "undelivered", code)
        here.later(hours=1)
    assert notices(here, WHATSAPP) == []
    assert told(here, case) == [("untold", undelivered.why(str(code)))]
    here.say(BUDI, "halo", channel=WHATSAPP)
    (news,) = notices(here, WHATSAPP)
    assert news.last_inbound == int(here.now.timestamp())
    neutral = texts().say("Q24", language="id", channel=WHATSAPP, case=case.number)
    assert news.text == neutral
    left = wish(here, case)
    assert left is not None
    assert not left.owed


def test_a_status_before_the_first_and_an_unknown_id(here: Desk):
    case, _ = wanting(here, WHATSAPP, "1")
    asks(here, case)
    provider_id = "SM" + "0" * 32
    assert not says(here, provider_id, "undelivered", 21610)
    assert wish(here, case) is not None
    assert told(here, case) == []


def test_the_window_that_a_provider_calls_closed_stays_closed_until_a_message(
    here: Desk,
):
    case, _ = wanting(here, WHATSAPP, "1")
    asks(here, case)
    says(here, takes(here, WHATSAPP), "failed", 63016)
    here.delivers(WHATSAPP)
    asks(here, case)
    assert [one.last_inbound for one in notices(here, WHATSAPP)] == [0]
    here.say(BUDI, "halo", channel=WHATSAPP)
    here.delivers(WHATSAPP)
    asks(here, case)
    assert [one.last_inbound for one in notices(here, WHATSAPP)] == [
        int(here.now.timestamp())
    ]


@pytest.mark.both_stores
def test_without_a_template_the_wish_stays_and_the_news_is_told_later(here: Desk):
    case, slip = wanting(here, WHATSAPP, "1")
    for _ in range(3):
        asks(here, case)
        refuses(here, WHATSAPP, "whatsapp.window")
        here.later(hours=30)
    assert told(here, case) == [("untold", "refused")], "once, not thrice"
    here.say(BUDI, "halo", channel=WHATSAPP)
    assert len(notices(here, WHATSAPP)) == 1
    here.say(BUDI, "halo", channel=WHATSAPP)
    assert notices(here, WHATSAPP) == [], "it is owed no more"
    asks(here, case)
    refuses(here, WHATSAPP, "whatsapp.window")
    here.say(BUDI, f"BACA {slip}", channel=WHATSAPP)
    assert notices(here, WHATSAPP) == [], "who reads it now is not told of it"


@pytest.mark.parametrize("by", ["delivery", "purge", "backoff", "killed", "too late"])
def test_news_that_waited_until_its_end_is_owed(here: Desk, by: str):
    case, _ = wanting(here, WHATSAPP, "1")
    asks(here, case)
    if by == "backoff":
        with here.database.writing() as session:
            (held,) = outbox.claim(session, here.keys, WHATSAPP, limit=1, now=here.now)
            due = here.now + timedelta(days=9)
            outbox.later(session, held, due=due, doubtful=False)
    if by == "killed":  # whoever had claimed it does not live any more
        with here.database.writing() as session:
            assert outbox.claim(session, here.keys, WHATSAPP, limit=1, now=here.now)
    if by == "too late":  # its end comes while it is being sent
        with here.database.writing() as session:
            (held,) = outbox.claim(session, here.keys, WHATSAPP, limit=1, now=here.now)
            ends = held.expires
            assert outbox.later(session, held, due=ends, doubtful=True)
    here.later(hours=49)
    if by in {"purge", "killed"}:
        here.act(traces.purge)
    else:
        with here.database.writing() as session:
            (held,) = outbox.claim(session, here.keys, WHATSAPP, limit=1, now=here.now)
            assert held.expires <= here.now
            assert Written(here.office).dead(session, held, now=here.now)
    assert _rows(here) == []
    assert told(here, case) == [("untold", "late")]
    here.say(BUDI, "halo", channel=WHATSAPP)
    assert len(notices(here, WHATSAPP)) == 1


def test_a_second_part_that_does_not_leave_owes_nothing(here: Desk):
    case, _ = wanting(here, WHATSAPP, "2")
    asks(here, case, "kata " * 700)
    takes(here, WHATSAPP)
    refuses(here, WHATSAPP, "whatsapp.window")
    assert told(here, case) == []


def test_an_alias_is_told_what_is_owed(here: Desk):
    case, _ = wanting(here, WHATSAPP, "1")
    asks(here, case)
    refuses(here, WHATSAPP, "whatsapp.window")
    here.say("whatsapp:ID.45", "halo", channel=WHATSAPP, aliases=(BUDI,))
    assert [one.case for one in notices(here, WHATSAPP)] == [case.report.hex()]


def _rows(here: Desk) -> list[tuple[LetterKind, str | None]]:
    with here.database.reading() as session:
        rows = session.exec(select(OutboxRow).order_by(col(OutboxRow.id))).all()
        letters = [(outbox.letter_of(here.keys, row), row.failed) for row in rows]
    return [(letter.kind, failed) for letter, failed in letters if letter]


@pytest.mark.both_stores
@pytest.mark.parametrize("channel", list(HANDLES))
def test_an_opt_out_that_a_reply_hears_of_ends_all_and_asks_no_more(
    here: Desk, channel: Channel
):
    handle = HANDLES[channel]
    first, _ = wanting(here, channel, "1")
    second, _ = wanting(here, channel, "2")
    assert here.say(handle, STORY, channel=channel)
    here.makes_receipts()
    here.say(handle, "PANDUAN", channel=channel)
    asks(here, first)
    refuses(here, channel, "twilio.21610", gone=True)
    for case in (first, second):
        assert told(here, case) == [("unreachable", "stopped")]
        assert wish(here, case) is None
    with here.database.reading() as session:
        assert session.exec(select(Subscription)).all() == []
    assert here.delivers(channel) == [], "nothing else is tried in vain"
    assert (LetterKind.RECEIPT, "twilio.21610") in _rows(here)
    here.later(hours=2)
    here.say(handle, "MULAI", channel=channel)
    again = here.delivers(channel)
    assert [one.kind for one in again].count(LetterKind.RECEIPT) == 1
    slip = here.slip(handle)
    assert here.case(slip.number).number == slip.number
    assert any("KABAR nomor kode" in one.text for one in again)
    assert not any(one.kind is LetterKind.NOTICE for one in again)
    assert not any("PANDUAN" in one.text for one in again[:-1])


@pytest.mark.both_stores
def test_a_late_opt_out_tells_every_case(here: Desk):
    first, _ = wanting(here, WHATSAPP, "1")
    second, _ = wanting(here, WHATSAPP, "1")
    asks(here, first)
    provider_id = takes(here, WHATSAPP)
    asks(here, second)
    assert says(here, provider_id, "failed", 21610)
    for case in (first, second):
        assert told(here, case) == [("unreachable", "stopped")]
    assert here.delivers(WHATSAPP) == []


def test_each_letter_counts_from_when_its_person_wrote(here: Desk):
    wrote = here.now
    case, slip = wanting(here, WHATSAPP, "1")
    assert {one.last_inbound for one in here.letters} == {int(wrote.timestamp())}
    here.later(hours=3)
    late = text(
        "PANDUAN", handle=BUDI, channel=WHATSAPP, received=wrote.replace(hour=10)
    )
    here.take(late)
    (help_text,) = here.delivers(WHATSAPP)
    assert help_text.last_inbound == int(late.received.timestamp()), "its own time"
    here.say(BUDI, f"STATUS {slip}", channel=WHATSAPP)
    here.delivers(WHATSAPP)
    older = replace(late, provider_id="older", received=wrote)
    here.take(older)
    here.delivers(WHATSAPP)
    asks(here, case)
    (news,) = notices(here, WHATSAPP)
    assert news.last_inbound == int(here.now.timestamp()), "never backwards"


def test_what_waits_learns_that_its_person_wrote_again(here: Desk):
    case, _ = wanting(here, WHATSAPP, "1")
    here.later(hours=30)
    asks(here, case)
    here.say(BUDI, "halo", channel=WHATSAPP)
    letters: list[Letter] = here.delivers(WHATSAPP)
    assert {one.last_inbound for one in letters} == {int(here.now.timestamp())}


def test_no_history_tells_the_channel_by_why_somebody_was_not_told(here: Desk):
    """A history is never erased; a provider's code would name the provider."""
    for channel, codes in {
        WHATSAPP: ("21610", "63014", "63016", "63024", "30003", "canceled"),
        Channel.SMS: ("21610", "30003", "30005", "30006", "30007"),
        Channel.TELEGRAM: ("telegram.403", "telegram.chat", "telegram.400"),
    }.items():
        words = {undelivered.why(code) for code in codes}
        assert words <= {"stopped", "gone", "late", "refused"}, channel
    assert undelivered.why("expired") == undelivered.why("30003") == "late"
    assert {
        undelivered.why(word) for word in ("stopped", "gone", "late", "refused")
    } == {*("stopped", "gone", "late", "refused")}
    case, _ = wanting(here, WHATSAPP, "1")
    asks(here, case)
    says(here, takes(here, WHATSAPP), "failed", 63040)
    assert told(here, case) == [("untold", "refused")]
