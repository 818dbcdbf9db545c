"""``kentongan letters``: what failed is listed, tried again, dropped; by the operator."""

import pytest
from sqlmodel import select

from bot.clock import utc_now
from bot.terminal import desk
from storage import outbox
from storage.audit import log
from storage.letters.letter import Letter
from storage.models import OutboxRow
from storage.notices import failed as failed_letters
from storage.words import Channel, LetterKind
from tests.support.terminal import Terminal


@pytest.fixture
def failed(terminal: Terminal) -> Terminal:
    """Let three letters have failed, two of them for one reason."""
    now = utc_now()
    with desk.sit_down(None) as seat, seat.database.writing() as session:
        for to, reason in (("1", "twilio.21408"), ("2", "twilio.21408"), ("3", "x.1")):
            letter = Letter(LetterKind.RECEIPT, Channel.SMS, to, "rahasia")
            outbox.put(session, seat.keys, letter, now=now)
            (one,) = outbox.claim(session, seat.keys, Channel.SMS, limit=1, now=now)
            assert failed_letters.keep(session, one, reason, now=now)
    return terminal


def states() -> list[str | None]:
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        return [row.failed for row in session.exec(select(OutboxRow)).all()]


def test_the_list_names_nobody(failed: Terminal):
    rows = failed("letters", "list", "--json").json
    assert [row["reason"] for row in rows] == ["twilio.21408", "twilio.21408", "x.1"]
    assert set(rows[0]) == {
        "letter", "channel", "kind", "reason", "since", "tries", "until",
    }  # fmt: skip
    assert {row["kind"] for row in rows} == {"reply"}
    assert "rahasia" not in failed("letters", "list").out


def test_one_or_a_reason_or_all_are_tried(failed: Terminal):
    first = failed("letters", "list", "--json").json[0]["letter"]
    assert failed("letters", "retry", str(first)).out == (
        "Letters that are sent again: 1.\n"
    )
    assert states() == [None, "twilio.21408", "x.1"]
    assert failed("letters", "retry", "--reason", "twilio.21408").code == 0
    assert failed("letters", "retry", "--all").code == 0
    assert states() == [None, None, None]
    assert "no such letter" in failed.refused("letters", "retry", "--all")
    with desk.sit_down(None) as seat, seat.database.reading() as session:
        found = [(line.code, line.detail) for line in log.lines(session)]
    assert ("letters.retried", "1:twilio.21408") in found


def test_dropped_is_gone(failed: Terminal):
    assert failed("letters", "drop", "--reason", "twilio.21408").out == (
        "Letters that are dropped: 2.\n"
    )
    assert states() == ["x.1"]
    assert "no such letter" in failed.refused("letters", "drop", "999")
    assert states() == ["x.1"]


@pytest.mark.parametrize("act", ["retry", "drop"])
@pytest.mark.parametrize("words", [[], ["1", "--all"], ["--reason", "x", "--all"]])
def test_it_wants_to_know_which(terminal: Terminal, act: str, words: list[str]):
    assert "give letters, or --reason, or --all" in terminal.misused(
        "letters", act, *words
    )
