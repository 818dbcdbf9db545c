"""Letters against sends: which send was which letter, and why some were sent twice.

The journal of the outbox says when each letter was put, claimed and gone; the provider's
books say what it took. A person's letters leave in order, so every send belongs to the
letter of its text that was claimed last before it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.channels.sms import Sms
from bot.channels.whatsapp import WhatsApp
from bot.delivery.departures import SEND_SECONDS
from storage import outbox
from storage.crypto.server_key import Purpose, ServerKeys
from storage.letters.letter import Letter
from storage.words import Channel, LetterKind
from tests.tools.chaos.ledger import Sent

SLACK = 0.002
"""Seconds by which two clocks of one machine may differ (SQLite's knows milliseconds)."""
COMMIT = 5.0
"""Seconds in which a finish is written, on a busy machine, unless something is wrong."""
LOST = frozenset({"lost_answer", "silence"})
SENT_KINDS = frozenset(
    {LetterKind.REPLY, LetterKind.RECEIPT, LetterKind.NOTICE, LetterKind.ALERT}
)


_LOOKS = {Channel.SMS: Sms.look_alikes, Channel.WHATSAPP: WhatsApp.look_alikes}


@dataclass
class Posted:
    """One letter's life, in seconds since 1970; ``gone`` 0 while it waits."""

    id: int
    channel: Channel
    letter: Letter
    put: float
    expires: float
    gone: float = 0.0
    joined: bool = False
    """Another notice joined it before it left: what went then said something else."""
    failed: bool = False
    """It was given up once, and kept for somebody to try again; the next ones go."""
    attempts: int = 0
    claims: list[float] = field(default_factory=list)
    backs: list[tuple[float, bool]] = field(default_factory=list)
    """When it was put back, and whether its end was in doubt."""
    sends: list[Sent] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return the text as its channel sends it."""
        looks = _LOOKS.get(self.channel, {})
        return self.letter.text.translate(looks)


def read(journal: Iterable[Any], keys: ServerKeys) -> list[Posted]:
    """Read the journal; letters of other channels than people have are left out."""
    found: list[Posted] = []
    waiting: dict[int, Posted] = {}
    for row in journal:
        if row.channel not in {"telegram", "sms", "whatsapp"}:
            continue
        at = float(row.at)
        match row.what:
            case "put":
                one = waiting[row.id] = _opened(row, keys, at)
                found.append(one)
            case "claimed":
                one = waiting[row.id]
                if (now := _opened(row, keys, at)).text != one.text:
                    one.gone, one.joined = at, True
                    now.put = one.put
                    one = waiting[row.id] = now
                    found.append(one)
                one.letter = now.letter
                one.claims.append(at)
            case "later":
                waiting[row.id].backs.append((at, bool(row.doubtful)))
                waiting[row.id].failed |= row.failed is not None
            case "gone":
                one = waiting.pop(row.id)
                one.gone, one.attempts = at, row.attempts
            case _:
                pass
    return found


def _opened(row: Any, keys: ServerKeys, at: float) -> Posted:
    expires = datetime.fromtimestamp(int(row.expires), UTC)
    place = outbox.context(bytes(row.order_name), expires)
    letter = Letter.from_bytes(keys.unlock(Purpose.OUTBOX, bytes(row.blob), place))
    return Posted(row.id, Channel(row.channel), letter, at, int(row.expires))


def match(
    letters: Sequence[Posted], sent: Sequence[Sent], phones: Mapping[str, str]
) -> list[Sent]:
    """Give every send its letter; return the sends that no letter explains.

    ``phones`` maps handles to phones.
    """
    lines: dict[tuple[str, str], list[Posted]] = defaultdict(list)
    for one in letters:
        if one.letter.kind in SENT_KINDS:
            lines[phones[one.letter.to], one.text].append(one)
    strange = []
    for send in sorted(sent, key=lambda one: one.at):
        fits = [
            (max(claims), number)
            for number, one in enumerate(lines.get((send.phone, send.text), []))
            if (claims := [at for at in one.claims if at <= send.at + SLACK])
        ]
        if fits:
            _, number = max(fits)
            lines[send.phone, send.text][number].sends.append(send)
        else:
            strange.append(send)
    return strange


def out_of_order(
    letters: Iterable[Posted], phones: Mapping[str, str]
) -> Iterator[tuple[Posted, Posted]]:
    """Yield a person's letters that were begun before the one ahead of them was done.

    Numbers are given before a commit: one that was put just now may not have been there.
    """
    last: dict[str, Posted] = {}
    for one in sorted(letters, key=lambda one: one.id):
        if one.letter.kind is LetterKind.ACK or not one.claims:
            continue
        phone = phones[one.letter.to]
        ahead = last.get(phone)
        last[phone] = one
        if ahead is None or ahead.failed or ahead.put + COMMIT > one.claims[0]:
            continue
        if not ahead.gone or ahead.gone > one.claims[0] + SLACK:
            yield ahead, one


@dataclass
class Doubles:
    """Why letters were taken more than once, per channel; ``unexplained`` must be empty."""

    causes: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    letters: int = 0
    unexplained: list[Posted] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.causes.total()


def doubles(
    letters: Iterable[Posted],
    kills: Sequence[float],
    away: Sequence[tuple[float, float]],
) -> Doubles:
    """Count every send but a letter's last, by its cause.

    ``kills`` are when servers died, ``away`` when a server was suspended or could not
    write: then a letter that was taken could not be finished.
    """
    found = Doubles()
    for one in letters:
        if not one.sends:
            continue
        found.letters += 1
        found.accepted += len(one.sends)
        for send, following in zip(one.sends, one.sends[1:], strict=False):
            cause = _cause(one, send, following, kills, away)
            found.causes[f"{one.channel}: {cause or 'UNEXPLAINED'}"] += 1
            if not cause:
                found.unexplained.append(one)
    return found


def _cause(
    one: Posted,
    send: Sent,
    following: Sent,
    kills: Sequence[float],
    away: Sequence[tuple[float, float]],
) -> str:
    if send.answer in LOST:
        return {"silence": "timeout after acceptance"}.get(send.answer, "answer lost")
    began = max((at for at in one.claims if at <= send.at + SLACK), default=one.put)
    gave_up = [at for at, in_doubt in one.backs if in_doubt and at >= send.at]
    if gave_up and SEND_SECONDS <= min(gave_up) - began < SEND_SECONDS + COMMIT:
        return "answer later than it is waited for"
    if any(began - SLACK <= moment <= following.at for moment in kills):
        return "killed between send and commit"
    if any(begun - COMMIT <= send.at <= ended for begun, ended in away):
        return "store away or suspended between send and commit"
    return ""
