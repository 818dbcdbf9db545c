"""The accounts: every promise held against the books. A miss tells all there is to know."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from sqlmodel import col, select

from bot.clock import utc_now
from bot.jobs import scheduler
from handlers.cases import receipts
from handlers.messages import Proof
from handlers.work import Work
from storage.audit import log
from storage.evidence.blobs import FolderStore
from storage.inspection import rows as inspection
from storage.models import Case, Lease, Quarantine
from storage.words import FileState, LetterKind
from tests.journeys.telling import rows
from tests.support.phones import get
from tests.tools.chaos import contents, letters, outgoing
from tests.tools.chaos.contents import Contents
from tests.tools.chaos.ledger import Came
from tests.tools.chaos.letters import Posted
from tests.tools.chaos.outgoing import person_of, phones_of, tell
from tests.tools.chaos.people import PUZZLED, Mark, codes
from tests.tools.chaos.run import Town

MOST_MEMORY = 500_000
"""kB that a server may ever hold (with coverage of tests under way it needs more)."""
KEPT = frozenset({"story", "told", "answer", "addition", "edit", "identity", "caption"})


async def settle(here: Town) -> list[str]:
    """Hold everything against everything; returns the misses, one text each."""
    never = here.figures.get("never quiet")
    misses = [f"never quiet: {never}"] if never else []
    left = await asyncio.to_thread(here.store.leased)
    misses += [f"leased by a dead worker until {until}" for until in left]
    codes_ = [await server.end() for server in here.machine.living]
    misses += [f"a server ended with {code}" for code in codes_ if code]
    phones = (await get(here.simulator.client, "/control/phones"))["phones"]
    for person in here.people:
        person.note(here.ledger.heard.get(person.name, []))
    handles = {}
    for phone in phones:
        for name in (phone["address"], phone["external_id"]):
            prefix = "whatsapp:" if phone["channel"] == "whatsapp" else ""
            handles[f"{prefix}{name}"] = phone["name"]
    here.figures |= {"handles": handles}
    return misses + await asyncio.to_thread(_settle, here)


def _settle(here: Town) -> list[str]:
    database = here.store.database
    found = letters.read(here.store.journal(), here.keys)
    with patch.object(
        scheduler, "_OLD_SECONDS", -1
    ):  # the hourly sweep, before its hour
        place = SimpleNamespace(
            _writer=SimpleNamespace(database=database),
            _blob_store=FolderStore(here.store.folder / "files"),
        )
        scheduler.Scheduler._sweep(place)  # type: ignore[arg-type] # noqa: SLF001 - as it ticks
    with database.reading() as session:
        held = contents.read(session, here.keys, here.house, here.world.marks)
        misses = contents.on_disk(session, here.store.folder / "files")
        misses += [
            f"quarantined: {one.reason}" for one in session.exec(select(Quarantine))
        ]
        if log.verify(session, here.keys) is not None:
            misses.append("the audit log is broken")
        misses += inspection.problems(session, here.keys)
        # A killed process looks for what was missed at Twilio no more; its turn lasts two
        # minutes, whoever comes after it takes over then.
        held_on = select(Lease.name).where(
            col(Lease.until) > utc_now(), col(Lease.name).not_like("twilio.%")
        )
        misses += [f"lease {name} is held by nobody" for name in session.exec(held_on)]
    misses += _messages(here, held, found)
    misses += _files(here, held, found)
    misses += _reports(here, held)
    misses += _receipts(here, held, found)
    misses += outgoing.letters_of(here, found)
    misses += outgoing.notices_of(here, found)
    misses += _logs(here, held)
    _count(here, held, found)
    here.figures |= {"kills at": here.trouble.moments, "away": here.trouble.away}
    return misses


def _messages(here: Town, held: Contents, found: list[Posted]) -> Iterator[str]:
    """Yield what was acknowledged and is not there once, unless its person was told."""
    words = {
        word: came for came in here.ledger.came.values() for word in _words(here, came)
    }
    puzzled = _puzzled(here, found)
    kept: Counter[str] = Counter()
    for word, mark in here.world.marks.items():
        came, places = words.get(word), held.places.get(word, [])
        person = person_of(here, mark.reporter)
        if len(places) > 1:
            yield tell(
                here, person, f"{word} ({mark.purpose}) is stored {len(places)} times"
            )
        if came is None or not came.acknowledged:
            kept["stored, never acknowledged" if places else "never reached us"] += 1
        elif places:
            kept["stored once"] += 1
        elif mark.report in person.cancelled or person.stopped:
            kept["thrown away by their owner"] += 1
        elif puzzled[mark.reporter]:
            puzzled[mark.reporter] -= 1
            kept["not kept, and told so"] += 1
        else:
            yield tell(here, person, f"LOST {word} ({mark.purpose}), acknowledged")
    here.figures["words"] = dict(kept)
    if held.not_authentic:
        yield f"{held.not_authentic} items are not authentic"


def _files(here: Town, held: Contents, found: list[Posted]) -> Iterator[str]:
    """Yield files that were acknowledged and have no row, or two."""
    puzzled = _puzzled(here, found)
    owned: Counter[str] = Counter()
    for report, states in held.files.items():
        words = [word for word, places in held.places.items() if report in places]
        owner = here.world.marks[words[0]].reporter if words else ""
        owned[owner] += len(states)
    for person in here.people:
        if person.cancelled or person.stopped:
            continue
        came = [one for one in here.ledger.came.values() if one.phone == person.name]
        sent = sum(one.files for one in came)
        taken = sum(one.files for one in came if one.acknowledged)
        if not taken - puzzled[person.name] <= owned[person.name] <= sent:
            told = f"{sent} files sent, {taken} acknowledged, {owned[person.name]} rows"
            yield tell(here, person, told)
    if here.figures.get("never quiet") is None:
        waiting = [one for states in held.files.values() for one in states]
        yield from ["a file is still awaited"] * waiting.count(FileState.WAITING)


def _words(here: Town, came: Came) -> set[str]:
    return set(came.text.split()) & here.world.marks.keys()


def _puzzled(here: Town, found: list[Posted]) -> Counter[str]:
    """Count how often each person was told that something was not kept."""
    phones = phones_of(here, found)
    told: Counter[str] = Counter()
    for one in found:
        line = SimpleNamespace(text=one.text)
        if one.letter.text and set(codes(line)) & PUZZLED:  # type: ignore[arg-type]
            told[phones[one.letter.to]] += 1
    return told


def _reports(here: Town, held: Contents) -> Iterator[str]:
    """Yield what is wrong with cases and their numbers."""
    numbers = [case.number for case in held.cases.values()]
    registers = [
        (case.register_year, case.register_number)
        for case in held.cases.values()
        if case.register_number is not None
    ]
    for name, n in Counter([*numbers, *registers]).items():
        if n > 1:
            yield f"number {name} was given {n} times"
    late = {
        word
        for came in here.ledger.came.values()
        if not any(200 <= status < 300 for status in came.tries)
        for word in _words(here, came)
    }
    """No answer said that we have them: looked for at Twilio, kept beside what came since."""
    stories: dict[bytes, set[Mark]] = defaultdict(set)
    for word, places in held.places.items():
        for place in places:
            stories[place].add(here.world.marks[word])
    for report, case in held.cases.items():
        owners = {mark.reporter for mark in stories[report]}
        told = [one for one in stories[report] if one.purpose == "story"]
        told = [one for one in told if one.word not in late]
        if len(owners) != 1 or len(told) > 1:
            yield f"case {case.number}: words of {sorted(owners)}, {len(told)} stories"
    for person in here.people:
        if person.ended != "done":
            yield tell(here, person, f"stuck: {person.ended}")


def _receipts(here: Town, held: Contents, found: list[Posted]) -> Iterator[str]:
    """Yield cases without exactly one receipt whose code opens it."""
    posted = Counter(
        one.letter.text for one in found if one.letter.kind is LetterKind.RECEIPT
    )
    yield from ("a receipt was posted twice" for n in posted.values() if n > 1)
    if len(posted) != len(held.cases):
        yield f"{len(held.cases)} cases, {len(posted)} receipts"
    heard = {
        paper.number: (paper, person)
        for person in here.people
        for paper in person.receipts
    }
    for case in held.cases.values():
        if case.number not in heard:
            yield f"nobody heard of case {case.number}"
            continue
        paper, person = heard.pop(case.number)
        if not _opens(here, case, paper.code):
            yield tell(here, person, f"the code of {case.number} does not open it")
    for number, (_, person) in heard.items():
        yield tell(here, person, f"{number} is no case")


def _opens(here: Town, case: Case, code: str) -> bool:
    with here.store.database.reading() as session:
        asked = receipts.question(
            Work(session, here.office, utc_now()), case.number, code
        )
    opened = receipts.open_with(here.office, asked)
    return opened.proof is Proof.OPENED and opened.report == case.report


def _logs(here: Town, held: Contents) -> Iterator[str]:
    """Yield what stands in a log and must not; and servers that ate too much."""
    secret = set(here.world.marks)
    secret |= {case.number for case in held.cases.values()}
    secret |= {paper.code for person in here.people for paper in person.receipts}
    secret |= set(
        {one.removeprefix("whatsapp:") for one in here.figures["handles"]} - {""}
    )
    for server in here.machine.servers:
        text = server.log.read_text(errors="replace")
        yield from (f"{server.log.name} tells {one}" for one in secret if one in text)
        if "Traceback" in text:
            yield f"{server.log.name} has a traceback"
        if ".fault" in text:
            yield f"{server.log.name} has a fault of a loop"
        if server.most_memory > MOST_MEMORY:
            yield f"server {server.number} held {server.most_memory} kB"


def _count(here: Town, held: Contents, found: list[Posted]) -> None:
    came = here.ledger.came.values()
    trouble = here.trouble
    states = Counter(state for report in held.files.values() for state in report)
    here.figures |= {
        "reporters": len(here.people),
        "messages": len(came),
        "acknowledged": sum(one.acknowledged for one in came),
        "cases": len(held.cases),
        "drafts": len(held.drafts),
        "items": held.items,
        "files": {str(state): states[state] for state in map(str, FileState)},
        "letters": len(found),
        "happened": dict(trouble.happened),
        "faults": dict(sorted(here.ledger.fallen.items())),
        "memory kB": max(server.most_memory for server in here.machine.servers),
        "rows": {name: n for name, n in _rows(here).items() if n},
    }
    here.figures.pop("handles")


def _rows(here: Town) -> dict[str, Any]:
    found = rows(here.store.database)
    return {
        name: found[name] for name in ("outbox", "jobs", "departed", "subscriptions")
    }
