"""What left, held against what had to leave: each letter, each double, each notice."""

from collections.abc import Iterator

from bot.delivery.repeats import CAPS
from storage.words import LetterKind
from tests.tools.chaos import letters
from tests.tools.chaos.letters import Posted
from tests.tools.chaos.people import Reporter
from tests.tools.chaos.run import Town


def letters_of(here: Town, found: list[Posted]) -> Iterator[str]:
    """Yield letters that never left, sends of no letter, and doubles without a cause."""
    phones = phones_of(here, found)
    strange = letters.match(found, here.ledger.sent, phones)
    yield from (
        f"sent, but no letter: {one.api} {one.phone} {one.text!r}" for one in strange
    )
    told = letters.doubles(found, here.trouble.moments, here.trouble.away)
    here.figures |= {
        "sends accepted": told.accepted,
        "letters accepted": told.letters,
        "doubles": dict(told.causes),
    }
    if told.accepted - told.letters != told.total:
        yield f"{told.accepted} sends of {told.letters} letters, {told.total} doubles"
    for cause, n in told.causes.items():
        if "telegram" not in cause and "killed" not in cause and "store" not in cause:
            yield f"{n} doubles, though Twilio is asked first: {cause}"
    for ahead, one in letters.out_of_order(found, phones):
        yield f"out of order: {_life(one)}\n  after {_life(ahead)}"
    for one in told.unexplained:
        yield tell(
            here, person_of(here, phones[one.letter.to]), f"doubled: {_life(one)}"
        )
    for one in found:
        person = phones.get(one.letter.to, "")
        posted = one.letter.kind in letters.SENT_KINDS and not one.joined
        unsent = posted and not one.sends
        if unsent and _is_capped(found, one):
            here.figures["capped"] = here.figures.get("capped", 0) + 1
            continue
        if (
            unsent
            and person not in here.ledger.opted_out
            and not _taken_back(here, one)
        ):
            yield tell(here, person_of(here, person), f"never left: {_life(one)}")


def _is_capped(found: list[Posted], one: Posted) -> bool:
    """Tell whether the same words went to the same person too often (bot/delivery/repeats.py)."""
    cap = CAPS.get(one.letter.kind)
    if cap is None:
        return False
    since = one.gone - cap.span.total_seconds()
    times = [
        send.at
        for other in found
        if (other.letter.to, other.text) == (one.letter.to, one.text)
        for send in other.sends
        if since <= send.at <= one.gone
    ]
    return len(times) >= cap.times


def _taken_back(here: Town, one: Posted) -> bool:
    """Tell whether a notice was taken back because its person wanted no more."""
    person = person_of(here, phones_of(here, [one])[one.letter.to])
    return one.letter.kind is LetterKind.NOTICE and person.stopped


def _life(one: Posted) -> str:
    sends = [(round(send.at - one.put, 2), send.answer) for send in one.sends]
    claims = [round(at - one.put, 2) for at in one.claims]
    backs = [(round(at - one.put, 2), doubtful) for at, doubtful in one.backs]
    gone = round(one.gone - one.put, 2) if one.gone else None
    return (
        f"{one.letter.kind} {one.id} on {one.channel} put {one.put:.2f}: claims {claims}, "
        f"put back {backs}, sends {sends}, gone {gone}: {one.letter.text[:60]!r}"
    )


def notices_of(here: Town, found: list[Posted]) -> Iterator[str]:
    """Yield acts of officers of which somebody who wanted news was not told."""
    notices = [
        one for one in found if one.letter.kind is LetterKind.NOTICE and not one.joined
    ]
    due = 0
    for act in here.officers.told:
        for _, handle in act.people:
            due += 1
            told = [
                one
                for one in notices
                if one.letter.to == handle
                and one.letter.case == act.report.hex()
                and one.put <= act.ended + letters.SLACK
                and (not one.gone or one.gone >= act.began - letters.SLACK)
            ]
            if not told:
                yield f"no notice of {act.what} to {handle}"
    here.figures["notices due"] = due


def phones_of(here: Town, found: list[Posted]) -> dict[str, str]:
    """Map every handle to its phone."""
    known: dict[str, str] = here.figures["handles"]
    return {one.letter.to: known.get(one.letter.to, "") for one in found}


def person_of(here: Town, name: str) -> Reporter:
    return next((one for one in here.people if one.name == name), here.people[0])


def tell(here: Town, person: Reporter, what: str) -> str:
    """Tell a miss with all that belongs to it."""
    heard = [line.text[:50] for line in here.ledger.heard.get(person.name, [])]
    books = [
        f"{one.kind} {one.text[:30]!r} {one.tries} {'confirmed' if one.confirmed else ''}"
        for one in here.ledger.came.values()
        if one.phone == person.name
    ]
    return "\n  ".join(
        (
            f"{what}; {person.name}, seed {here.seed}",
            f"said: {person.said[-12:]}",
            f"heard: {heard[-12:]}",
            f"books: {books[-12:]}",
        )
    )
