"""The canary: a report that the server sends to itself, and everything of it erased again.

``Walk`` goes through whatever questionnaire there is, by its data. ``counted`` looks at
what the server can know of a sealed report. ``erase`` takes all of it away in one verb, by
the channel's name alone, so that it finds what a crash left behind too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from handlers.conversation.memory import Memory
from handlers.messages import Kind
from handlers.notices import reporters
from handlers.office import Office
from handlers.questionnaire.steps import Option, Questionnaire, Step, StepKind
from handlers.work import Work
from storage import conversations
from storage.cases import history, items, reports, tags
from storage.crypto.sealing import NotAuthentic
from storage.crypto.server_key import Purpose
from storage.database import transactions
from storage.jobs import leases
from storage.models import Case
from storage.retention import canary as rows
from storage.units import units
from storage.words import Audience, Channel, Status

HANDLE = "canary"
LEASE = "canary"
LEASE_SECONDS = 120
MOST_MESSAGES = 256
"""Messages of one run: their names are known, so that they can be forgotten."""
WORDS = "kenari"
_TEXT = " ".join([WORDS] * 5)
_ASKED = frozenset({StepKind.CHOICE, StepKind.CONFIRM, StepKind.FILES})


@dataclass(frozen=True, slots=True)
class Say:
    """What to send next: a press of a choice of this step, or words."""

    kind: Kind
    step: str
    option: str = ""
    text: str = field(default="", repr=False)


@dataclass(slots=True)
class Walk:
    """One way through a questionnaire: the first choice everywhere, words elsewhere.

    ``step`` is the question that must be open now. ``texts`` counts the items that the
    words became.
    """

    book: Questionnaire
    step: Step
    answers: dict[str, str] = field(default_factory=dict)
    texts: int = 0
    told: bool = False

    @property
    def choices(self) -> bool:
        """Tell whether the open question must come with buttons."""
        return any(option.shown for option in self.step.options)

    def next(self) -> Say:
        """Return what to send to the open question; the walk goes on behind it."""
        step = self.step
        if step.kind in _ASKED:
            option = _first(step)
            if option is not None:
                self._on(option.code if step.kind is StepKind.CHOICE else "")
                return Say(Kind.PRESS, step.code, option.code)
        elif not self.told:
            self.told, self.texts = True, self.texts + 1
            if not step.multiple:
                self._on("")
            return Say(Kind.TEXT, step.code, text=_TEXT)
        elif any(option.code == "DONE" and option.shown for option in step.options):
            self._on("")
            return Say(Kind.PRESS, step.code, "DONE")
        self._on("")
        word = self.book.keywords.spoken("SKIP", self.book.languages[0])
        return Say(Kind.TEXT, step.code, text=word)

    @property
    def over(self) -> bool:
        """Tell whether the report was sent."""
        return self.step is self.book.review and self.told

    def _on(self, code: str) -> None:
        if self.step is self.book.review:
            self.told = True
            return
        if code:
            self.answers[self.step.code] = code
        self.step, self.told = self.book.following(self.step.code, self.answers), False


def walk(office: Office) -> Walk:
    """Return a walk that stands before the first question."""
    return Walk(office.questionnaire, office.questionnaire.report[0])


def word(office: Office, command: str) -> str:
    """Return a word that means a command; raises StopIteration where there is none."""
    words = office.questionnaire.keywords.commands[command]
    return min(word for row in words.values() for word in row).upper()


def counted(work: Work, number: str, *, texts: int) -> str:
    """Look at the canary's case as far as the server can; returns a code, "" when whole.

    It is there under its number, marked, tagged, with its history, one item for each text
    and one for the choices, a key sealed to a unit that exists, and a receipt.
    """
    try:
        case = rows.case(work.store, work.keys, number)
        if case is None or not _is_sealed(work, case):
            return "case.missing"
        found = rows.items_of(work.store, case)
        for item in found:
            items.check(work.keys, item)
    except (NotAuthentic, units.NoSuchUnit):
        return "case.changed"
    if case.receipt_wrap is None or case.reporter_key is None:
        return "receipt.missing"
    ours = [item for item in found if item.audience != Audience.REPORTER]
    if len(ours) != texts + 1 or history.missing_items(work.store, case):
        return "items.wrong"
    broken = history.first_broken(work.store, work.keys, case)
    return "" if broken is None else "history.broken"


def _is_sealed(work: Work, case: Case) -> bool:
    """Tell whether a unit that exists holds a key to the case. Raises NotAuthentic."""
    unit = units.verified(work.store, work.keys, case.unit)
    grants = reports.grants_of(work.store, case.report, unit)
    for grant in grants:
        reports.check_grant(work.keys, grant)
    return bool(grants)


def standing(work: Work, number: str, language: str) -> str:
    """Return what must be said of the canary's case when its status is asked for."""
    case = rows.case(work.store, work.keys, number)
    if case is None or case.status != Status.RECEIVED:
        return ""
    reply = reporters.standing(
        work.office, case, language=language, channel=Channel.CANARY
    )
    if reply is None:
        return ""
    return work.office.texts.render(
        reply, language=language, channel=Channel.CANARY
    ).text


def begin(work: Work, *, holder: str) -> bool:
    """Take the right to run, and erase what an earlier run left; False if one runs."""
    if not leases.hold(work.store, LEASE, holder, seconds=LEASE_SECONDS, now=work.now):
        return False
    _erase(work)
    return True


def erase(work: Work, *, holder: str) -> int:
    """Take away everything of this run, and the right to run; returns how many cases."""
    leases.let_go(work.store, LEASE, holder, now=work.now)
    return _erase(work)


def sweep(work: Work) -> int:
    """Take away what a run left behind that nobody holds any more; how many cases."""
    if leases.is_held(work.store, LEASE, now=work.now):
        return 0
    return _erase(work)


def _erase(work: Work) -> int:
    """Delete by the mark and by the channel; what is not ours as it stands is left alone."""
    names = conversations.names_of(work.keys, Channel.CANARY, HANDLE)
    transactions.hold_people(work.store, names)
    row = conversations.find(work.store, names)
    if row is not None:
        _discard(work, row)
        conversations.forget(work.store, names)
    rows.erase_letters(work.store)
    rows.forget_messages(work.store, _message_names(work))
    found, gone = rows.cases(work.store), 0
    if found:  # its jobs were put with it, or after it
        rows.erase_jobs(work.store, work.keys)
    for case in found:
        try:
            tags.check_case(work.keys, case)
        except NotAuthentic:
            continue  # somebody marked a case by hand: it stays, and the audit says so
        rows.erase_case(work.store, work.keys, case)
        gone += 1
    return gone


def _discard(work: Work, row: conversations.Kept) -> None:
    try:
        memory = Memory.from_bytes(conversations.read(work.keys, row))
    except (NotAuthentic, ValueError):
        return
    if memory.report:
        reports.discard(work.store, bytes.fromhex(memory.report))


def _message_names(work: Work) -> Iterator[bytes]:
    for number in range(MOST_MESSAGES):
        yield from work.keys.look_ups(Purpose.INBOX, Channel.CANARY, message_id(number))


def message_id(number: int) -> str:
    """Return the id of the canary's n-th message."""
    return f"canary.{number}"


def _first(step: Step) -> Option | None:
    """Return the first choice that goes on; of the review, the one that sends."""
    if step.kind is StepKind.CONFIRM:
        return step.option("SEND")
    plain = (o for o in step.options if o.shown and not o.ends and not o.says)
    return next(plain, None)
