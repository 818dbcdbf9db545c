"""Whatever breaks between any two steps: a machine of rules over inbox, dialogue, cases, outbox.

Reporters write scripted reports through a provider that keeps order and repeats until it
hears a yes; the process may die before a commit or after it, in every step, and so may the
receipt's maker and the way out. At the end every word stands in exactly one case, every case
has one receipt, every letter went, and what went twice is explained to the last one.
"""

import secrets
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import Session, col, select
from typing_extensions import override

from bot.delivery.outcomes import Written
from handlers import inbox
from handlers.cases import officer, receipts
from handlers.cases.receipts import Opening
from handlers.conversation import receipt_lookup
from handlers.messages import Incoming, Kind, Proof
from handlers.retention import traces
from handlers.work import Work
from storage import outbox
from storage.audit import log
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.inspection import rows as inspection
from storage.jobs import jobs
from storage.models import Case, Job, OutboxRow
from storage.outbox import Claimed
from storage.words import Channel, JobKind, LetterKind
from tests.support.desk import Desk, Slip, desk, office_of
from tests.support.spare import Spare

pytestmark = pytest.mark.faults

T = TypeVar("T")
PEOPLE = ("501", "502", "503")
LEASE_OVER = timedelta(seconds=61)
ROUNDS = 200
AT_A_TIME = 4
"""Messages of a person that a round of the end takes: letters must not heap up."""


class Crash(Enum):
    """Where the process dies."""

    NEVER = "never"
    BEFORE = "before the commit"
    AFTER = "after the commit, before anybody hears of it"


class Provider(Enum):
    """What a provider does with a letter."""

    TAKES = "takes it"
    LATER = "asks to wait"
    LOSES = "takes it, and the answer is lost"


class Died(Exception):
    """The process was killed."""


crashes = st.sampled_from([Crash.NEVER] * 3 + [Crash.BEFORE, Crash.AFTER])
CALM = (Provider.TAKES, Crash.NEVER)
answers = st.sampled_from([Provider.TAKES] * 4 + [Provider.LATER, Provider.LOSES])


handles = st.sampled_from(PEOPLE)
_DEATHS = (Crash.NEVER, Crash.NEVER, Crash.BEFORE, Crash.AFTER)
STEPS = (
    *(("arrives", who, [one, Crash.NEVER]) for who in PEOPLE for one in _DEATHS * 2),
    *(("arrives", who, [Crash.NEVER] * 8) for who in PEOPLE),
    *(("sends", Crash.NEVER, [(way, end)] * 2) for way in Provider for end in _DEATHS),
    *(("sends", one, [CALM] * 3) for one in _DEATHS),
    *(("makes_a_receipt", one, end) for one in _DEATHS for end in _DEATHS[1:]),
    *(("time_passes", seconds) for seconds in (1, 6, 61, 61)),
    *(("writes", who, news, 22) for who, news in zip(PEOPLE, "122", strict=True)),
    *(("an_officer_asks", one) for one in _DEATHS),
)
"""What may happen, by the name of its rule and what it is given."""


def script(mark: str, news: str) -> list[str]:
    """Return what a person writes, line by line, until the report is sent.

    Whoever wants no news sends it without a look at the last questions.
    """
    last = [*["lewat"] * 8, news] if news == "1" else []
    return [
        *("LAPOR", "ya", "ya", "ya", "lewat", "lewat"),
        f"Desa {mark}a",
        *("lewat", "lewat"),
        f"Uang dana desa diminta {mark}b",
        f"Saksinya dua orang {mark}c",
        "selesai",
        *last,
        "KIRIM",
    ]


@dataclass
class Person:
    """Who writes: what the provider holds of it, and what must come of it."""

    handle: str
    queue: deque[Incoming] = field(default_factory=deque)
    taken: list[Incoming] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    marks: deque[str] = field(default_factory=deque)
    sent: list[str] = field(default_factory=list)
    """Marks of the reports whose last line was acknowledged."""
    slips: list[Slip] = field(default_factory=list)
    """The receipts that came."""
    added: list[tuple[str, str]] = field(default_factory=list)
    """Number of a case, and the mark of what was added to it."""


class Everything(RuleBasedStateMachine):
    """One house on one store; ``make_store`` gives an empty, migrated one."""

    make_store: Callable[[], Database]

    def __init__(self) -> None:
        super().__init__()
        self.database = type(self).make_store()
        self.keys = ServerKeys.new()
        self.here: Desk = desk(self.database, self.keys)
        self.people = {handle: Person(handle) for handle in PEOPLE}
        self.number = 0
        self.waiting: dict[int, str] = {}
        self.seen: set[str] = set()
        self.accepted: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.doubtful: Counter[str] = Counter()
        self.order: dict[str, list[str]] = {}
        self.expected: dict[str, list[str]] = {}

    @override
    def teardown(self) -> None:
        try:
            self._calm_down()
            for handle in PEOPLE:
                self.adds(handle)
                self.arrives(handle, [Crash.AFTER, Crash.BEFORE, *_DEATHS])
            self._calm_down()
            self._account()
        finally:
            self.database.close()

    # -- the process, which may die ------------------------------------------------------

    def _run(self, verb: Callable[[Session], T], crash: Crash = Crash.NEVER) -> T:
        """Run a verb in its own transaction; die where we are told to."""
        try:
            with self.database.writing() as session:
                result = verb(session)
                session.flush()
                _die_if(crash is Crash.BEFORE)
        except Died:
            self._restart()
            raise
        self._look_at_outbox()
        if crash is Crash.AFTER:
            self._restart()
        _die_if(crash is Crash.AFTER)
        return result

    def _restart(self) -> None:
        """Come up again: whatever lived in memory is gone."""
        self.here = replace(self.here, office=office_of(self.keys))

    def _look_at_outbox(self) -> None:
        """Write down every letter that was ever committed, and its place in the order."""
        with self.database.reading() as session:
            rows = session.exec(
                select(OutboxRow.id, OutboxRow.priority, OutboxRow.order_name).order_by(
                    col(OutboxRow.id)
                )
            ).all()
        here = {number or 0: self.waiting.get(number or 0) for number, *_ in rows}
        for number, priority, order_name in rows:
            if here[number or 0] is not None:
                continue
            name = f"{number}.{len(self.seen)}"  # a store may use a number again
            here[number or 0] = name
            self.seen.add(name)
            if priority > 0:
                self.expected.setdefault(order_name.hex(), []).append(name)
        self.waiting = {number: name for number, name in here.items() if name}

    # -- people --------------------------------------------------------------------------

    @rule(
        handle=handles,
        news=st.sampled_from(["1", "2"]),
        lines=st.sampled_from([1, 5, 22]),
    )
    def writes(self, handle: str, news: str, lines: int) -> None:
        """Somebody writes the next lines of a report, as fast as they like."""
        person = self.people[handle]
        if not person.rest:
            person.marks.append(f"Kotak{secrets.token_hex(4)}")
            person.rest = script(person.marks[-1], news)
        for _ in range(min(lines, len(person.rest))):
            self._sends(person, person.rest.pop(0))

    def _sends(self, person: Person, words: str) -> None:
        self.number += 1
        person.queue.append(
            Incoming(
                Channel.TELEGRAM,
                person.handle,
                str(self.number),
                self.here.now,
                Kind.TEXT,
                words,
                order=self.number,
                message_id=self.number,
            )
        )

    @initialize(hour=st.lists(st.sampled_from(STEPS), min_size=60, max_size=90))
    def begins(self, hour: list[tuple[Any, ...]]) -> None:
        """Everybody writes; the provider holds it until it was taken."""
        # Hypothesis tries the simplest hour first, in which the same happens 60 times.
        assume(len({name for name, *_ in hour}) > 1)
        for handle, news in zip(PEOPLE, "122", strict=True):
            self.writes(handle, news, 22)
        self.a_busy_hour(hour)

    @rule(
        handle=handles,
        deliveries=st.lists(crashes, min_size=12, max_size=24),
    )
    def arrives(self, handle: str, deliveries: list[Crash]) -> None:
        """The provider delivers the head of a person's queue, again until it was taken."""
        for crash in deliveries:
            self._deliver(self.people[handle], crash)

    def _deliver(self, person: Person, crash: Crash) -> None:
        if not person.queue:
            return
        incoming = person.queue[0]
        try:
            self._run(self._receive(incoming), crash)
        except Died:
            return
        person.taken.append(person.queue.popleft())
        if incoming.text == "KIRIM":
            person.sent.append(person.marks.popleft())

    @precondition(lambda self: any(p.taken for p in self.people.values()))
    @rule(data=st.data(), crash=crashes)
    def comes_twice(self, data: st.DataObject, crash: Crash) -> None:
        """The provider repeats something that was acknowledged long ago."""
        old = [one for person in self.people.values() for one in person.taken]
        incoming = data.draw(st.sampled_from(old))
        with self._mortal():
            outcome = self._run(self._receive(incoming), crash)
            assert outcome is inbox.Outcome.REPEAT

    @rule(handle=handles)
    def adds(self, handle: str) -> None:
        """Somebody adds to a report with its number and code, if they have them."""
        person = self.people[handle]
        if person.rest or person.queue or not person.slips:
            return
        slip, mark = person.slips[-1], f"Laci{secrets.token_hex(4)}"
        self._sends(person, f"TAMBAH {slip}")
        self._sends(person, f"Masih ada lagi {mark}")
        person.added.append((slip.number, mark))

    def _receive(self, incoming: Incoming) -> Callable[[Session], inbox.Outcome]:
        office, now = self.here.office, self.here.now
        opening = Opening(Proof.NONE)
        with self.database.reading() as session:
            asked = receipt_lookup.look(Work(session, office, now), incoming)
        if asked is not None:
            opening = receipts.open_with(office, asked)
        return lambda session: inbox.receive(
            Work(session, office, now), incoming, opening
        )

    def _mortal(self) -> "_Mortal":
        return _Mortal()

    # -- the house -----------------------------------------------------------------------

    @rule(claim=crashes, give=crashes)
    def makes_a_receipt(self, claim: Crash, give: Crash) -> None:
        """A receipt that is due is made, unless the process dies on the way."""
        with self._mortal():
            due = self._run(
                lambda session: jobs.claim(
                    session, self.keys, JobKind.RECEIPT, limit=1, now=self.here.now
                ),
                claim,
            )
            for job in due:
                self._make(job, give)

    def _make(self, job: jobs.Claimed, crash: Crash) -> None:
        with self.database.reading() as session:
            number = receipts.case_number(self.here.work(session), job.details)
        assert number is not None
        report = bytes.fromhex(job.details["report"])
        prepared = receipts.prepare(self.here.office, report, number)
        self._run(
            lambda session: receipts.give(
                Work(session, self.here.office, self.here.now), job, prepared
            ),
            crash,
        )

    @rule(
        claim=crashes,
        ways=st.lists(st.tuples(answers, crashes), min_size=3, max_size=12),
    )
    def sends(self, claim: Crash, ways: list[tuple[Provider, Crash]]) -> None:
        """Letters leave, or not, and the process may die on either side of the provider."""
        left = deque(ways)
        while left:
            with self._mortal():
                dies, claim = claim, Crash.NEVER
                held = self._run(self._claim, dies)
                if not held:
                    return
                for one in held:
                    self._send(one, *(left.popleft() if left else CALM))

    def _claim(self, session: Session) -> list[tuple[str, Claimed]]:
        claimed = outbox.claim(
            session, self.keys, Channel.TELEGRAM, limit=2, now=self.here.now
        )
        return [(self.waiting[one.id], one) for one in claimed]

    def _send(self, held: tuple[str, Claimed], answer: Provider, end: Crash) -> None:
        name, claimed = held
        ends, now = Written(self.here.office), self.here.now
        if answer is Provider.LATER:
            self._run(lambda session: self._later(session, claimed, doubtful=False))
            return
        self.accepted[name] += 1
        if self.accepted[name] == 1:
            if claimed.letter.kind is LetterKind.RECEIPT:
                slip = slip_in(claimed.letter.text)
                self.people[claimed.letter.to].slips.append(slip)
            self.order.setdefault(claimed.order_name.hex(), []).append(name)
        if answer is Provider.LOSES:
            self.doubtful[name] += 1
            self._run(lambda session: self._later(session, claimed, doubtful=True))
            return
        try:
            ours = self._run(
                lambda session: ends.sent(
                    session,
                    claimed,
                    provider_id=str(1_000_000 + sum(self.accepted.values())),
                    final=True,
                    now=now,
                ),
                end,
            )
        except Died:
            self.doubtful[name] += end is Crash.BEFORE
            self.finished[name] += end is Crash.AFTER
            raise
        assert ours
        self.finished[name] += 1

    def _later(self, session: Session, claimed: Claimed, *, doubtful: bool) -> bool:
        due = self.here.now + timedelta(seconds=5)
        return outbox.later(session, claimed, due=due, doubtful=doubtful)

    @rule(crash=crashes)
    def an_officer_asks(self, crash: Crash) -> None:
        """An officer asks the reporter of a case something."""
        with self.database.reading() as session:
            able = select(Case).where(col(Case.reporter_key).is_not(None))
            case = session.exec(able.order_by(col(Case.number))).first()
        if case is None:
            return
        with self._mortal():
            self._run(
                lambda session: officer.ask(
                    Work(session, self.here.office, self.here.now),
                    case.report,
                    "Kapan itu terjadi?",
                    by=self.here.house.supervisor.officer,
                ),
                crash,
            )

    @rule(seconds=st.sampled_from([1, 6, 61]))
    def time_passes(self, seconds: int) -> None:
        self.here.now += timedelta(seconds=seconds)

    @rule(crash=crashes)
    def keeps_house(self, crash: Crash) -> None:
        """The hourly purge runs; nothing here is old enough for it."""
        with self._mortal():
            self._run(
                lambda session: traces.purge(
                    Work(session, self.here.office, self.here.now)
                ),
                crash,
            )

    def a_busy_hour(self, steps: list[tuple[Any, ...]]) -> None:
        """Much happens at once; any of it may be cut off by a death."""
        for name, *drawn in steps:
            getattr(self, name)(*drawn)

    # -- what must hold ------------------------------------------------------------------

    @invariant()
    def no_letter_leaves_before_an_older_one(self) -> None:
        for person, left in self.order.items():
            expected = self.expected[person]
            assert left == [name for name in expected if name in set(left)]

    @invariant()
    def what_left_twice_was_in_doubt(self) -> None:
        for name, times in self.accepted.items():
            assert times == self.finished[name] + self.doubtful[name]
            assert self.finished[name] <= 1

    def _calm_down(self) -> None:
        """Let nothing break any more, and wait until all is done."""
        for _ in range(ROUNDS):
            self.here.now += LEASE_OVER
            for person in self.people.values():
                for _ in range(min(len(person.queue), AT_A_TIME)):
                    self._deliver(person, Crash.NEVER)
            self.makes_a_receipt(Crash.NEVER, Crash.NEVER)
            self.sends(Crash.NEVER, [CALM] * 50)
            with self.database.reading() as session:
                waits = session.exec(select(OutboxRow).limit(1)).first()
                # An opened case is forgotten by the purge, after its minutes.
                jobs_left = select(Job).where(Job.kind != JobKind.FORGET.value)
                owed = session.exec(jobs_left.limit(1)).first()
            queued = any(person.queue for person in self.people.values())
            if not (waits or owed or queued):
                return
        raise AssertionError("it does not come to rest")

    def _account(self) -> None:
        """Every word once, every report one case, every letter gone, all of it whole."""
        assert self.seen == set(self.finished), "a letter was lost"
        with self.database.reading() as session:
            cases = session.exec(select(Case)).all()
            assert log.verify(session, self.keys) is None
            assert list(inspection.problems(session, self.keys)) == []
        marks = [mark for person in self.people.values() for mark in person.sent]
        assert len(cases) == len(marks)
        assert len({case.number for case in cases}) == len(cases)
        added = [pair for person in self.people.values() for pair in person.added]
        found: Counter[str] = Counter()
        for case in cases:
            assert case.receipt_wrap is not None
            said = "\n".join(
                item.content.text for item in self.here.reads(case) if item.content
            )
            wanted = [f"{mark}{part}" for mark in marks for part in "abc"]
            wanted += [mark for number, mark in added if number == case.number]
            for mark in wanted:
                found[mark] += said.count(mark)
        assert len(found) == 3 * len(marks) + len(added) or not cases
        assert set(found.values()) <= {1}, found
        assert sum(len(person.slips) for person in self.people.values()) == len(cases)


def _die_if(now: bool) -> None:  # noqa: FBT001 - reads as a sentence
    if now:
        raise Died


def slip_in(words: str) -> Slip:
    """Read number and code from a receipt."""
    parts = words.replace(".", " ").split()
    (number,) = {w for w in parts if len(w) == 9 and w[4] == "-"}
    (code,) = {w for w in parts if len(w) == 19 and w.count("-") == 3}
    return Slip(number, code)


class _Mortal:
    """What is inside may die."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is Died


def check(make_store: Callable[[], Database], examples: int, steps: int) -> None:
    machine = type("Machine", (Everything,), {"make_store": staticmethod(make_store)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nothing_is_lost_or_doubled_on_sqlite(
    sqlite_template: Path, tmp_path: Path
) -> None:
    def make_store() -> Database:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        shutil.copyfile(sqlite_template, folder / "kentongan.db")
        return Database(f"sqlite:///{folder / 'kentongan.db'}")

    check(make_store, examples=2, steps=4)


def test_nothing_is_lost_or_doubled_on_postgresql(spare_postgres: Spare) -> None:
    with ExitStack() as stores:

        def make_store() -> Database:
            url = stores.enter_context(spare_postgres.lent())
            return Database(url, writers=2)

        check(make_store, examples=1, steps=3)
