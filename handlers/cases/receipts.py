"""The receipt: a number and a secret code that alone open the way back.

The slow part (``prepare``, ``open_with``) runs outside any transaction and off the
loop; the verb ``give`` stores what it made, once per case. The code is right when it
opens a seal: nothing is stored that a code could be compared with.
"""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.messages import Proof, Reply
from handlers.notices import reporters
from handlers.office import Office
from handlers.rules import numbering
from handlers.talk import followup
from handlers.work import Work
from storage.cases import cases, items
from storage.cases.items import Content
from storage.crypto import sealing, server_key
from storage.crypto.sealing import Context, NotAuthentic
from storage.jobs import jobs
from storage.jobs.jobs import Claimed
from storage.models import Case
from storage.words import Audience, Channel, ItemKind, LetterKind


@dataclass(frozen=True, slots=True)
class Prepared:
    """A receipt as it was made for one case; the code is forgotten after posting."""

    code: str = field(repr=False)
    salt: bytes = field(repr=False)
    wrap: bytes = field(repr=False)
    public: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A number and a code that somebody sent, with what is needed to try them.

    For an unknown number the salt and the wrap are random: it costs and says the same.
    ``code`` is empty when only a number was sent. ``whole``: the message held both itself,
    with no number from before.
    """

    number: str = field(repr=False)
    code: str = field(repr=False)
    report: bytes = field(default=b"", repr=False)
    salt: bytes = field(default=b"", repr=False)
    wrap: bytes = field(default=b"", repr=False)
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """What became of a question. ``secret`` is the reporter's own key while this turn runs."""

    proof: Proof
    number: str = field(default="", repr=False)
    report: bytes = field(default=b"", repr=False)
    secret: bytes = field(default=b"", repr=False)
    whole: bool = False

    @property
    def number_only(self) -> bool:
        """Tell whether a number came without a code."""
        return self.proof is Proof.NONE and bool(self.number)


def prepare(office: Office, report: bytes, number: str) -> Prepared:
    """Make code and reporter's pair for a case. Slow: tens of milliseconds."""
    code = numbering.new_code(secrets.randbelow)
    pair, salt = sealing.new_pair(), secrets.token_bytes(16)
    key = server_key.receipt_key(office.keys, number, code, salt)
    wrap = server_key.lock_with(key, pair.secret, _context(report))
    return Prepared(code, salt, bytes((office.keys.newest,)) + wrap, pair.public)


def give(work: Work, job: Claimed, prepared: Prepared) -> bool:
    """Store a receipt and post it; False when the case has one already or is gone."""
    if not jobs.done(work.store, job):
        return False
    owed = job.details
    case = cases.lock(work.store, work.keys, bytes.fromhex(owed["report"]))
    if case is None or case.receipt_wrap is not None:
        return False
    day = work.day
    case.reporter_key = prepared.public
    case.receipt_salt, case.receipt_wrap = prepared.salt, prepared.wrap
    cases.save(work.store, work.keys, case)
    items.add_item(
        work.store,
        work.keys,
        case.report,
        Content(
            kind=ItemKind.ANSWER, text="", step="language", language=owed["language"]
        ),
        audience=Audience.REPORTER,
        public=prepared.public,
        day=day,
    )
    reporters.say(
        work,
        Reply(
            "Q20",
            {"case": case.number, "code": prepared.code},
            followup.receipt_choices(),
        ),
        channel=Channel(owed["channel"]),
        to=owed["handle"],
        language=owed["language"],
        heard=int(owed.get("heard", 0)),
        kind=LetterKind.RECEIPT,
    )
    return True


def case_number(work: Work, details: Mapping[str, str]) -> str | None:
    """Return the number of the case that a receipt is owed for; None if it has one."""
    case = cases.get(work.store, work.keys, bytes.fromhex(details["report"]))
    if case is None or case.receipt_wrap is not None:
        return None
    return case.number


def question(work: Work, number: str, code: str, *, whole: bool = False) -> Question:
    """Look up what is needed to try a receipt; costs the same for unknown numbers.

    A case that was changed by hand is as good as unknown.
    """
    case: Case | None = None
    with contextlib.suppress(NotAuthentic):
        if number:
            case = cases.by_number(work.store, work.keys, number, canary=True)
    if case is None or case.receipt_wrap is None or case.receipt_salt is None:
        noise = secrets.token_bytes(1 + sealing.SECRET_BYTES + 16)
        return Question(number, code, b"", secrets.token_bytes(16), noise, whole)
    return Question(
        number, code, case.report, case.receipt_salt, case.receipt_wrap, whole
    )


def open_with(office: Office, asked: Question) -> Opening:
    """Try a code. Slow: tens of milliseconds, for unknown numbers too.

    Nothing is counted and nothing locked: a forged SMS would lock the true reporter out.
    """
    if not asked.code:
        return Opening(Proof.NONE, asked.number)
    key_id = asked.wrap[0] if asked.report else office.keys.newest
    try:
        key = server_key.receipt_key(
            office.keys, asked.number, asked.code, asked.salt, key_id
        )
        secret = server_key.unlock_with(key, asked.wrap[1:], _context(asked.report))
    except NotAuthentic:
        return Opening(Proof.WRONG)
    return Opening(Proof.OPENED, asked.number, asked.report, secret, asked.whole)


def keywords(office: Office) -> frozenset[str]:
    """Return the words, in upper case, after which a case number is expected."""
    book = office.questionnaire.keywords
    purposes = ("STATUS", "READ", "ADD", "WITHDRAW", "ERASE", "SUBSCRIBE")
    return frozenset(word.upper() for name in purposes for word in book.of(name))


def _context(report: bytes) -> Context:
    return Context("cases", report, "receipt_wrap")
