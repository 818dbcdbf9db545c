"""The accounts can tell: a double with and without a cause, a send of no letter."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from storage import outbox
from storage.crypto.server_key import Purpose, ServerKeys
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind
from tests.tools.chaos import letters
from tests.tools.chaos.ledger import Sent
from tests.tools.chaos.letters import Posted

PHONES = {"1": "telegram1"}


def posted(number: int, claims: list[float], gone: float = 0.0) -> Posted:
    letter = Letter(LetterKind.REPLY, Channel.TELEGRAM, "1", "Halo")
    return Posted(
        number, Channel.TELEGRAM, letter, number, 9e9, gone=gone, claims=claims
    )


def sent(at: float, answer: str = "") -> Sent:
    return Sent("1", "telegram1", "telegram", "Halo", at, answer, ())


@pytest.mark.parametrize(
    ("answer", "kills", "away", "cause"),
    [
        ("lost_answer", [], [], "answer lost"),
        ("silence", [], [], "timeout after acceptance"),
        ("", [12.0], [], "killed between send and commit"),
        ("", [10.5], [], "killed between send and commit"),
        ("", [], [(11.5, 20.0)], "store away or suspended between send and commit"),
        ("", [9.0, 80.0], [(30.0, 40.0)], "UNEXPLAINED"),
    ],
)
def test_every_double_has_a_cause_or_is_a_miss(answer, kills, away, cause):
    one = posted(1, [10.0, 70.0], gone=71.5)
    assert letters.match([one], [sent(11.0, answer), sent(71.0)], PHONES) == []
    found = letters.doubles([one], kills, away)
    assert found.causes == {f"telegram: {cause}": 1}
    assert (found.accepted, found.letters, found.total) == (2, 1, 1)
    assert bool(found.unexplained) is (cause == "UNEXPLAINED")


def test_the_same_words_twice_are_two_letters():
    first, second = posted(1, [10.0], gone=10.2), posted(2, [10.3], gone=10.5)
    assert letters.match([first, second], [sent(10.1), sent(10.4)], PHONES) == []
    assert [len(first.sends), len(second.sends)] == [1, 1]


def test_a_send_before_any_claim_belongs_to_no_letter():
    strange = letters.match([posted(1, [10.0])], [sent(9.0)], PHONES)
    assert [one.at for one in strange] == [9.0]


def test_a_send_that_was_given_up_explains_a_double_only_after_all_of_its_time():
    one = posted(1, [10.0, 40.0], gone=41.5)
    assert letters.match([one], [sent(11.0), sent(41.0)], PHONES) == []
    one.backs = [(12.0, True)]
    assert letters.doubles([one], [], []).unexplained
    one.backs = [(30.2, True)]
    causes = letters.doubles([one], [], []).causes
    assert causes == {"telegram: answer later than it is waited for": 1}


def test_a_notice_that_was_joined_is_two_things_to_say():
    keys, ends = ServerKeys.new(), datetime(2026, 11, 22, tzinfo=UTC)
    place = outbox.context(b"name", ends)

    def row(what: str, at: float, text: str) -> SimpleNamespace:
        letter = Letter(LetterKind.NOTICE, Channel.TELEGRAM, "1", text)
        blob = keys.lock(Purpose.OUTBOX, letter.to_bytes(), place)
        expires = ends.timestamp()
        return SimpleNamespace(
            what=what,
            at=at,
            id=1,
            channel="telegram",
            attempts=1,
            expires=expires,
            order_name=b"name",
            blob=blob,
            doubtful=0,
            failed=None,
        )

    journal = [
        row("put", 1.0, "One."),
        row("claimed", 2.0, "One."),
        row("later", 3.0, "One."),
        row("claimed", 5.0, "One. Two."),
        row("gone", 6.0, "One. Two."),
    ]
    first, second = letters.read(journal, keys)
    assert (first.joined, first.gone, first.text) == (True, 5.0, "One.")
    assert (second.joined, second.put, second.gone) == (False, 1.0, 6.0)
    assert (first.claims, second.claims) == ([2.0], [5.0])


def test_a_letter_that_was_begun_too_soon_is_told():
    first, second = posted(1, [10.0], gone=30.0), posted(2, [20.0], gone=21.0)
    first.put = 9.0
    assert list(letters.out_of_order([first, second], PHONES)) == [(first, second)]
    first.failed = True
    assert list(letters.out_of_order([first, second], PHONES)) == []
    first.failed, first.gone = False, 20.0
    assert list(letters.out_of_order([first, second], PHONES)) == []
