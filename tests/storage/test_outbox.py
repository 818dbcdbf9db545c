"""The outbox as a machine of states: whatever order things come in, these hold."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlmodel import Session, SQLModel, col, select

from storage import outbox
from storage.crypto.server_key import Purpose, ServerKeys
from storage.database.database import Database
from storage.letters import sent as sent_letters
from storage.letters.letter import LIVES, Letter, expiry
from storage.models import Departed, OutboxRow
from storage.notices import failed as failed_letters
from storage.outbox import LEASE, Claimed
from storage.words import Channel, LetterKind

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEYS = ServerKeys.new()
PEOPLE = st.sampled_from(["1", "2", "3"])
CHANNEL = Channel.SMS


class Outbox(RuleBasedStateMachine):
    """What may happen to letters, in any order, with clocks that run on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.database = Database(f"sqlite:///{Path(self.folder.name) / 'k.db'}")
        SQLModel.metadata.create_all(self.database.write_engine)
        self.now = START
        self.made = 0
        self.held: list[tuple[Claimed, datetime]] = []
        self.finished: dict[str, list[int]] = {}
        self.ranks: dict[str, int] = {}
        self.gone: set[str] = set()
        self.late: set[str] = set()

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def write(self, verb, *args, **kwargs):
        with self.database.writing() as session:
            return verb(session, *args, **kwargs)

    @rule(to=PEOPLE, kind=st.sampled_from([LetterKind.REPLY, LetterKind.NOTICE]))
    def put(self, to: str, kind: LetterKind) -> None:
        self.made += 1
        letter = Letter(kind, CHANNEL, to, str(self.made))
        self.write(outbox.put, KEYS, letter, now=self.now)

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        for one in self.write(outbox.claim, KEYS, CHANNEL, limit=limit, now=self.now):
            holders = [
                other
                for other, until in self.held
                if other.id == one.id and until >= self.now
            ]
            assert not holders, "two hold one letter"
            with self.database.reading() as session:
                older = session.exec(
                    select(OutboxRow).where(
                        OutboxRow.order_name == one.order_name,
                        col(OutboxRow.id) < one.id,
                        col(OutboxRow.failed).is_(None),
                    )
                ).all()
                row = session.get_one(OutboxRow, one.id)
            assert not older, "an older letter of this person waits"
            assert row.failed is None, "a letter that failed never goes by itself"
            self.held.append((one, self.now + LEASE))

    def take(self, data: st.DataObject) -> Claimed | None:
        if not self.held:
            return None
        return self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))[0]

    @rule(data=st.data(), final=st.booleans())
    def sent(self, data: st.DataObject, final: bool) -> None:  # noqa: FBT001 - drawn
        one = self.take(data)
        if one is None:
            return
        name = f"SM{one.id}-{one.token.hex()}"
        ours = self.is_ours(one)
        done = self.write(
            outbox.sent, KEYS, one, provider_id=name, final=final, now=self.now
        )
        assert done == ours, "only the holder finishes"
        if done:
            self.finished.setdefault(one.letter.to, []).append(int(one.letter.text))
            if not final:
                self.ranks[name] = 0

    @rule(data=st.data(), seconds=st.integers(0, 4000))
    def later(self, data: st.DataObject, seconds: int) -> None:
        one = self.take(data)
        if one is None:
            return
        ours = self.is_ours(one)
        due = self.now + timedelta(seconds=seconds)
        done = self.write(outbox.later, one, due=due, doubtful=False)
        assert done == ours

    @rule(data=st.data())
    def dead(self, data: st.DataObject) -> None:
        one = self.take(data)
        if one is not None:
            ours = self.is_ours(one)
            assert self.write(outbox.dead, one) == ours

    @rule(data=st.data())
    def failed(self, data: st.DataObject) -> None:
        one = self.take(data)
        if one is not None:
            ours = self.is_ours(one)
            done = self.write(failed_letters.keep, one, "x.400", now=self.now)
            assert done == ours
            self.late.add(one.letter.text)

    @rule()
    def retry(self) -> None:
        with self.database.reading() as session:
            kept = len(failed_letters.listed(session, now=self.now, limit=1000))
        assert len(self.write(failed_letters.retry, now=self.now)) == kept
        assert self.write(failed_letters.retry, now=self.now) == []

    def is_ours(self, one: Claimed) -> bool:
        with self.database.reading() as session:
            row = session.get(OutboxRow, one.id)
            return row is not None and row.lease_token == one.token

    @rule(data=st.data(), rank=st.integers(1, 5))
    def status(self, data: st.DataObject, rank: int) -> None:
        if not self.ranks:
            return
        name = data.draw(st.sampled_from(sorted(self.ranks)))
        rest = self.write(sent_letters.status, KEYS, CHANNEL, name, rank)
        assert (rest is not None) == (rank > self.ranks[name] and name not in self.gone)
        if rest is not None:
            assert rest.text == ""
            assert rest.to == "", "a row that was sent leads to nobody"
            self.ranks[name] = rank

    @rule(seconds=st.sampled_from([1, 30, 61, 3600, 90_000]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def purge(self) -> None:
        self.write(outbox.drop_expired, now=self.now)
        self.write(sent_letters.drop_expired, KEYS, now=self.now)
        with self.database.reading() as session:
            for row in session.exec(select(OutboxRow)):
                held = row.lease_until is not None and row.lease_until >= self.now
                assert row.expires >= self.now or held
        with self.database.reading() as session:
            rows = session.exec(select(Departed)).all()
        assert all(self.now.date() - row.day <= timedelta(days=1) for row in rows)
        names = {row.name for row in rows}
        for name in self.ranks:
            if KEYS.look_up(Purpose.PROVIDER, CHANNEL, name) not in names:
                self.gone.add(name)

    @invariant()
    def order_is_kept(self) -> None:
        for done in self.finished.values():
            plain = [one for one in done if str(one) not in self.late]
            assert plain == sorted(plain)
            assert len(done) == len(set(done)), "each went once"


class Reader:
    """Rows as they lie."""

    @staticmethod
    def all(session: Session) -> list[OutboxRow]:
        return list(session.exec(select(OutboxRow)).all())


Outbox.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=list(HealthCheck),
)
TestOutbox = Outbox.TestCase


def test_a_letter_lives_its_life_and_no_longer(database, keys):
    for kind, life in LIVES.items():
        assert life <= timedelta(hours=48), kind
        letter = Letter(kind, CHANNEL, "1", "x")
        with database.writing() as session:
            outbox.put(session, keys, letter, now=START)
            ends = expiry(kind, START)
            assert timedelta() <= START + life - ends < timedelta(hours=1)
            assert outbox.drop_expired(session, now=ends) == 0
            assert outbox.drop_expired(session, now=ends + timedelta(seconds=1)) == 1


def test_a_waiting_letter_does_not_tell_its_second(database, keys):
    """Beside a keyed handle no time stands that an officer's act in the history has too."""
    now = START.replace(minute=31, second=17, microsecond=4711)
    with database.writing() as session:
        outbox.put(session, keys, Letter(LetterKind.NOTICE, CHANNEL, "1", "x"), now=now)
    with database.reading() as session:
        (row,) = session.exec(select(OutboxRow)).all()
    assert (row.due.second, row.due.microsecond) == (0, 0)
    assert (row.expires.minute, row.expires.second) == (0, 0)


def test_two_claimers_never_hold_one_letter(database, keys):
    with database.writing() as session:
        for n in range(40):
            letter = Letter(LetterKind.REPLY, CHANNEL, str(n % 20), "x")
            outbox.put(session, keys, letter, now=START)
    seen: list[int] = []
    for _ in range(10):
        with database.writing() as session:
            found = outbox.claim(session, keys, CHANNEL, limit=7, now=START)
            seen += [one.id for one in found]
    assert len(seen) == len(set(seen)) == 20, "one for each person"


def test_who_lost_the_lease_finishes_nothing(database, keys):
    letter = Letter(LetterKind.REPLY, CHANNEL, "1", "x")
    late = START + LEASE + timedelta(seconds=1)
    with database.writing() as session:
        outbox.put(session, keys, letter, now=START)
        (first,) = outbox.claim(session, keys, CHANNEL, limit=1, now=START)
        (second,) = outbox.claim(session, keys, CHANNEL, limit=1, now=late)
        assert (second.attempts, second.doubtful) == (2, True)
        assert not outbox.dead(session, first)
        assert not outbox.later(session, first, due=late, doubtful=False)
        assert not outbox.sent(
            session, keys, first, provider_id="SM1", final=False, now=late
        )
        assert len(Reader.all(session)) == 1
        assert outbox.dead(session, second)


def test_a_letter_put_back_after_its_end_is_none(database, keys):
    letter = Letter(LetterKind.REPLY, CHANNEL, "1", "x")
    with database.writing() as session:
        outbox.put(session, keys, letter, now=START)
        row = session.exec(select(OutboxRow)).one()
        row.expires = START + timedelta(days=9)
        session.add(row)
        session.flush()
        assert outbox.claim(session, keys, CHANNEL, limit=1, now=START) == []
        assert Reader.all(session) == []


@pytest.mark.parametrize("final", [True, False])
def test_what_was_sent_is_wiped(database, keys, final):
    letter = Letter(LetterKind.REPLY, CHANNEL, "1", "rahasia")
    with database.writing() as session:
        outbox.put(session, keys, letter, now=START)
        (one,) = outbox.claim(session, keys, CHANNEL, limit=1, now=START)
        assert outbox.sent(
            session, keys, one, provider_id="SM1", final=final, now=START
        )
        assert not outbox.sent(
            session, keys, one, provider_id="SM1", final=final, now=START
        )
        assert Reader.all(session) == []
        rest = sent_letters.status(session, keys, CHANNEL, "SM1", 3)
        assert rest == (None if final else Letter(LetterKind.REPLY, CHANNEL, ""))
