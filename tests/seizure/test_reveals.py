"""Identities and originals in a thief's hands, and in a writer's, and in one person's."""

import ast
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from starlette.applications import Starlette

from bot.console.app import ConsoleContext
from bot.writer import Writer
from handlers import authority
from handlers.errors import (
    KentonganError,
    NotFound,
    NotYours,
    RevealOver,
    TwoPeopleNeeded,
)
from handlers.reveals import ending, verbs
from handlers.work import Work
from storage.cases import cases, history, items, reveals
from storage.crypto.sealing import Context, NotAuthentic, new_pair, open_seal
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import blobs, files, sealed_files
from storage.evidence.blobs import FolderStore
from storage.inspection import chains
from storage.models import Case, File, Item, Officer, Reveal, Unit, UnitGrant
from storage.people import officers
from storage.units import memberships, rotation, units
from storage.words import Audience, EventCode, RevealOf, RevealState, Role
from tests.support import founded, thief
from tests.support.browsers import ORIGIN, Clock, Desk, make_office
from tests.support.founded import Person
from tests.support.places import ROOT
from tests.support.revealing import (
    NAME,
    SCAN,
    Held,
    act,
    asks,
    case_secret,
    grants,
    held,
    opens,
    row,
)
from tests.support.unsealing import unit_secret

OPENS = {
    "identity_halves": {"handlers/reveals/seals.py"},
    "whole_identity": {"handlers/reveals/seals.py"},
    "open_original": {"handlers/reveals/seals.py"},
    "open_outer": {"handlers/reveals/verbs.py"},
    "open_inner": {"handlers/reveals/verbs.py"},
    "opened_request": {"handlers/reveals/verbs.py"},
    "opened_answer": {"handlers/reveals/verbs.py"},
    "open_answer": {"bot/console/reveals/opening.py"},
}
"""Who may call what opens a seal of an identity or an original."""


@pytest.fixture
def desk(database: Database, keys: ServerKeys, tmp_path: Path) -> Desk:
    with database.writing() as session:
        built = founded.build(session, keys)
    context = ConsoleContext(
        writer=Writer(database),
        database=database,
        office=make_office(keys),
        clock=Clock(),
        blob_store=FolderStore(tmp_path / "files"),
        public_url=ORIGIN,
    )
    return Desk(context, Starlette(), built, context.clock)  # type: ignore[arg-type]  # the same clock


@pytest.fixture
def here(desk: Desk) -> Held:
    return held(desk)


def vault_secret(desk: Desk, who: Person | None = None) -> bytes:
    """Open the vault's secret as a custodian does."""
    who = who or desk.house.custodian
    with desk.database.reading() as session:
        vault = units.vault(session, desk.keys)
        return unit_secret(session, desk.keys, vault, who.officer, who.secret)


def tried(desk: Desk, *secrets: bytes) -> set[bytes]:
    """Try these secrets on every seal, in its right place, as deep as they lead.

    Whoever has the database and the server key knows every place and makes any tag.
    """
    with desk.database.reading() as session:
        sealed: list[tuple[bytes | None, Context]] = [
            (item.blob, Context("items", item.id, "blob", item.report, item.seq))
            for item in session.exec(select(Item).where(Item.audience == "identity"))
        ]
        sealed += [
            (file.original_key, files.context(file, "original_key"))
            for file in session.exec(select(File))
        ]
        for one in session.exec(select(Reveal)):
            asker = session.get(Officer, one.officer)
            assert asker
            sealed.append((one.request, reveals.request_place(one, asker, 1)))
            sealed.append((one.answer, reveals.answer_place(one, asker)))
    return {
        plain
        for blob, place in sealed
        for plain in _peeled(blob or b"", place, secrets)
    }


def _peeled(blob: bytes, place: Context, secrets: tuple[bytes, ...]) -> set[bytes]:
    """Take off seal after seal; returns what is left when nothing is sealed any more."""
    for secret in secrets:
        try:
            inside = open_seal(blob, secret, place)
        except NotAuthentic:
            continue
        return _peeled(inside, place, secrets) or {inside}
    return set()


def shows(desk: Desk, found: set[bytes]) -> bool:
    """Tell whether the name or the key of the original is among the plain bytes."""
    with desk.database.reading() as session:
        keys = {_key_of(desk, file) for file in session.exec(select(File))}
    return any(NAME.encode() in one or one in keys for one in found)


def _key_of(desk: Desk, file: File) -> bytes:
    half = files.open_original(file, case_secret_of(desk, file.report))
    return files.open_original(file, vault_secret(desk), half)


def case_secret_of(desk: Desk, report: bytes) -> bytes:
    with desk.database.reading() as session:
        case = session.get(Case, report)
        assert case
    return case_secret(desk, case)


def test_neither_key_alone_opens_anything(desk: Desk, here: Held):
    officer = (
        desk.house.supervisor.secret,
        desk.house.unit_secret,
        case_secret(desk, here.case),
        *desk.keys.ring.values(),
    )
    guard = (desk.house.custodian.secret, vault_secret(desk), *desk.keys.ring.values())
    assert not shows(desk, tried(desk, *officer)), "before it is asked for"
    assert tried(desk, *guard) == set(), "the case's seal lies around it"
    assert shows(desk, tried(desk, *officer, *guard)), "both together do"

    reveal = asks(desk, here)
    original = asks(desk, here, file=here.file)
    assert not shows(desk, tried(desk, *officer)), "before it is granted"
    grants(desk, reveal)
    grants(desk, original)
    opened = tried(desk, desk.house.supervisor.secret)
    assert len(opened) == 2, "the officer's own key, and no other, opens both answers"
    assert tried(desk, *guard) == set(), "a granted answer is no custodian's"
    other = desk.colleague("budi")
    assert tried(desk, other.secret) == set(), "nor a colleague's"


def test_what_was_deleted_cannot_be_opened_by_both(desk: Desk, here: Held):
    reveal = asks(desk, here)
    asked = row(desk, reveal)
    grants(desk, reveal)
    granted = row(desk, reveal)
    assert asked
    assert granted
    old = [asked.request or b"", granted.answer or b"", granted.tag]
    act(desk, verbs.end, reveal, desk.house.supervisor)
    assert row(desk, reveal) is None
    loot = thief.steal(desk.database)
    assert loot.rows["reveals"] == []
    if desk.database.is_sqlite:
        assert desk.database.scrub()
        loot = thief.steal(desk.database)
        assert thief.left_of(old, loot) == 0
    assert loot.finds({"name": NAME, "phone": "0812-3456-7890"}) == []
    both = tried(desk, case_secret(desk, here.case), vault_secret(desk))
    assert shows(desk, both), (
        "both together may ask again: the identity itself is still kept"
    )


@pytest.mark.parametrize("end", ["report", "officer", "purge", "removal", "erase"])
def test_it_ends_with_what_it_was_for(desk: Desk, here: Held, end: str):
    reveal, second = asks(desk, here), asks(desk, here, file=here.file)
    grants(desk, reveal)
    copy = row(desk, reveal)
    who, office = desk.house.supervisor.officer, desk.context.office
    desk.clock.pass_time(days=7 if end == "purge" else 0)
    with desk.database.writing() as session:
        if end == "report":
            assert reveals.end_for_report(session, here.case.report) == 2
        elif end == "officer":
            assert reveals.end_for_officer(session, who.id) == 2
        elif end == "purge":
            assert ending.purge(Work(session, office, desk.clock())) == 2
        elif end == "removal":
            work = Work(session, office, desk.clock())
            assert ending.end_for_officer(work, who.id) == 2
        else:
            only = RevealOf.IDENTITY
            assert reveals.end_for_report(session, here.case.report, what=only) == 1
            items.erase_identity(session, here.case.report)
    assert row(desk, reveal) is None
    assert (row(desk, second) is None) is (end != "erase")
    with desk.database.reading() as session:
        events = history.of_case(session, here.case.report)
        assert history.first_broken(session, desk.keys, desk.again(here.case)) is None
        if end != "erase":
            assert list(chains.problems(session, desk.keys)) == []
    told = [event.detail for event in events if event.code == "reveal_ended"]
    by_itself = {"purge": "EXPIRED", "removal": "REMOVED"}.get(end)
    assert {one.split(":")[1] for one in told} == ({by_itself} if by_itself else set())
    if end in {"purge", "removal", "erase"}:
        assert copy
        put_back(desk, copy)
        with pytest.raises(RevealOver):
            opens(desk, here, reveal)


def put_back(desk: Desk, copy: Reveal) -> None:
    """Insert a row that was kept, tag and all, as a writer with an old copy does."""
    fields = {name: getattr(copy, name) for name in Reveal.model_fields}
    with desk.database.writing() as session:
        session.add(Reveal(**fields))


@pytest.mark.parametrize("state", [RevealState.ASKED, RevealState.GRANTED])
def test_what_ended_is_not_put_back(desk: Desk, here: Held, state: RevealState):
    reveal = asks(desk, here)
    if state is RevealState.GRANTED:
        grants(desk, reveal)
    copy = row(desk, reveal)
    assert copy
    act(desk, verbs.end, reveal, desk.house.supervisor)
    put_back(desk, copy)
    again = partial(opens, desk, here) if copy.answer else partial(grants, desk)
    with pytest.raises(RevealOver):
        again(reveal)


EDITS: dict[str, Callable[[Desk, Reveal], dict[str, Any]]] = {
    "reason": lambda *_: {"reason": "LEGAL"},
    "time": lambda _, one: {"ends": one.ends.replace(year=2030)},
    "who asks": lambda desk, _: {"officer": desk.house.custodian.officer.id},
    "case": lambda desk, _: {"report": desk.case().report},
    "what": lambda *_: {"what": "original"},
    "file": lambda *_: {"file": b"f" * 16},
    "request": lambda _, one: {"request": (one.request or b"")[:-1] + b"x"},
    "state": lambda *_: {"state": "granted", "answer": b"planted"},
    "tag": lambda *_: {"tag": b"\x01" + bytes(32)},
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_request_that_a_writer_edited_is_refused(desk: Desk, here: Held, edit: str):
    reveal = asks(desk, here)
    edited(desk, reveal, **EDITS[edit](desk, row(desk, reveal) or Reveal()))
    with pytest.raises(NotAuthentic):
        grants(desk, reveal)
    with desk.database.reading() as session:
        assert reveals.everything(session, desk.keys) == [], "no list shows it"


def edited(desk: Desk, reveal: bytes, **values: Any) -> None:
    with desk.database.writing() as session:
        one = session.get(Reveal, reveal)
        assert one
        for name, value in values.items():
            setattr(one, name, value)
        session.add(one)


def test_an_answer_whose_time_a_writer_prolonged_is_refused(desk: Desk, here: Held):
    reveal = asks(desk, here)
    grants(desk, reveal)
    edited(desk, reveal, ends=desk.clock().replace(year=2030))
    with pytest.raises(NotAuthentic):
        opens(desk, here, reveal)


def test_a_planted_request_is_nothing(desk: Desk, here: Held):
    real = row(desk, asks(desk, here))
    assert real
    fields = {name: getattr(real, name) for name in Reveal.model_fields}
    with desk.database.writing() as session:
        session.add(Reveal(**(fields | {"id": b"p" * 16})))
    with pytest.raises(NotAuthentic):
        grants(desk, b"p" * 16)
    grants(desk, real.id)


def test_an_officers_key_that_was_replaced_gets_nothing(desk: Desk, here: Held):
    reveal, thiefs = asks(desk, here), new_pair()
    with desk.database.writing() as session:
        one = session.get(Officer, desk.house.supervisor.officer.id)
        assert one
        one.public_key = thiefs.public
        session.add(one)
    with pytest.raises((NotAuthentic, NotYours)):
        grants(desk, reveal)


def test_whoever_has_a_new_key_asks_again(desk: Desk, here: Held):
    """Even a key that we changed ourselves: the request names the key it was made with."""
    reveal = asks(desk, here)
    with desk.database.writing() as session:
        one = session.get(Officer, desk.house.supervisor.officer.id)
        assert one
        fresh = new_pair().public
        officers._change(session, desk.keys, one, public_key=fresh)  # noqa: SLF001 - as a new admission will
    with pytest.raises(NotAuthentic):
        grants(desk, reveal)


@pytest.mark.parametrize("before", [True, False])
def test_a_removed_officer_gets_nothing(desk: Desk, here: Held, before: bool):  # noqa: FBT001 - a case of the test
    colleague = desk.colleague("budi")
    reveal = asks(desk, here, colleague)
    if not before:
        grants(desk, reveal)
    with desk.database.writing() as session:
        officers.deactivate(session, desk.keys, colleague.officer.id)
    again = grants if before else partial(opens, here=here, who=colleague)
    with pytest.raises((NotYours, NotAuthentic, NotFound, RevealOver)):
        again(desk, reveal=reveal)


def test_it_takes_two_people_of_two_houses(desk: Desk, here: Held):
    officer, guard = desk.house.supervisor, desk.house.custodian
    colleague = desk.colleague("budi")
    stranger = stranger_of(desk)
    with pytest.raises((TwoPeopleNeeded, NotYours)):
        asks(desk, here, guard)
    with pytest.raises(NotYours):
        asks(desk, here, stranger)
    reveal = asks(desk, here, officer)
    for one in (officer, colleague, stranger):
        with pytest.raises(TwoPeopleNeeded):
            grants(desk, reveal, one)
    second = second_custodian(desk)
    grants(desk, reveal, second)
    for one in (colleague, guard, second):
        with pytest.raises(KentonganError):
            opens(desk, here, reveal, one)
    assert opens(desk, here, reveal, officer).identity[0].text == NAME


def stranger_of(desk: Desk) -> Person:
    """Make a custodian by role who was never admitted to the vault."""
    with desk.database.writing() as session:
        return founded.person(session, desk.keys, "mallory", Role.CUSTODIAN)


def second_custodian(desk: Desk, login: str = "putu") -> Person:
    """Admit another custodian to the vault."""
    with desk.database.writing() as session:
        new = founded.person(session, desk.keys, login, Role.CUSTODIAN)
        memberships.admit(
            session,
            desk.keys,
            units.vault(session, desk.keys),
            new.officer,
            desk.house.custodian.officer,
            desk.house.custodian.secret,
        )
    return new


def test_nobody_decides_about_their_own_request(desk: Desk, here: Held):
    """Even one whom somebody with the server key wrote into the row."""
    reveal = asks(desk, here)
    with desk.database.writing() as session:
        one = session.get(Reveal, reveal)
        assert one
        one.officer = desk.house.custodian.officer.id
        reveals.save(session, desk.keys, one)
    with pytest.raises(TwoPeopleNeeded):
        grants(desk, reveal)


def test_an_older_key_of_the_vault_still_opens(desk: Desk, here: Held):
    """Sealed before a rotation, opened by a custodian who was admitted after it."""
    reveal = asks(desk, here)
    with desk.database.writing() as session:
        rotation.rotate(session, desk.keys, units.vault(session, desk.keys))
    newcomer = second_custodian(desk)
    with desk.database.reading() as session:
        held = session.exec(
            select(UnitGrant.generation).where(
                UnitGrant.recipient == newcomer.officer.id
            )
        ).all()
        assert sorted(held) == [1, 2]
        assert (
            session.exec(select(Unit.generation).where(Unit.kind == "vault")).one() == 2
        )
    grants(desk, reveal, newcomer)
    assert opens(desk, here, reveal).identity[0].text == NAME
    later = asks(desk, here, file=here.file)
    grants(desk, later, newcomer)
    opened = opens(desk, here, later)
    place = blobs.place(desk.context.blob_store.path, here.file, "original")
    assert b"".join(sealed_files.chunks(place, opened.key)) == SCAN


def test_a_case_whose_history_was_cut_opens_nothing(desk: Desk, here: Held):
    reveal = asks(desk, here)
    grants(desk, reveal)
    with desk.database.writing() as session:
        events = history.of_case(session, here.case.report)
        session.delete(events[0])
    with pytest.raises(NotAuthentic):
        opens(desk, here, reveal)


def test_time_is_up_before_the_row_is_gone(desk: Desk, here: Held):
    reveal, other = asks(desk, here), asks(desk, here, file=here.file)
    grants(desk, reveal)
    desk.clock.pass_time(hours=71, minutes=59)
    with desk.database.writing() as session:
        assert ending.purge(Work(session, desk.context.office, desk.clock())) == 0
    desk.clock.pass_time(minutes=1)
    with pytest.raises(RevealOver):
        grants(desk, other)
    desk.clock.pass_time(days=4)
    with pytest.raises(RevealOver):
        opens(desk, here, reveal)


def test_a_conflict_ends_what_was_granted(desk: Desk, here: Held):
    reveal = asks(desk, here)
    grants(desk, reveal)
    who = desk.house.supervisor.officer
    with desk.database.writing() as session:
        case = cases.lock(session, desk.keys, here.case.report)
        assert case
        code, by = EventCode.CONFLICT, history.SYSTEM
        history.append(
            session,
            desk.keys,
            case,
            code,
            by=history.Actor(by.actor_class, who.id),
            day=case.day,
        )
        cases.save(session, desk.keys, case)
    with pytest.raises(NotYours):
        opens(desk, here, reveal)
    with desk.database.reading() as session:
        office = desk.context.office
        found = desk.again(here.case)
        with pytest.raises(NotYours):
            authority.require_handler(Work(session, office, desk.clock()), found, who)


def calls(path: Path) -> Iterator[str]:
    """Yield the names of what a module calls, imports or hands on."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.ImportFrom):
            yield from (name.name for name in node.names)


def test_no_other_code_opens_an_identity_or_an_original():
    sources = [
        path
        for part in ("bot", "handlers", "storage")
        for path in (ROOT / part).rglob("*.py")
    ]
    found: dict[str, set[str]] = {}
    for path in sources:
        for name in calls(path):
            if name in OPENS:
                found.setdefault(name, set()).add(path.relative_to(ROOT).as_posix())
    assert found == OPENS


def test_a_seal_of_two_is_made_in_two_places_only():
    made = {
        path.relative_to(ROOT).as_posix()
        for part in ("bot", "handlers", "storage")
        for path in (ROOT / part).rglob("*.py")
        if "seal_twice" in set(calls(path))
    }
    assert made == {"storage/evidence/files.py", "storage/cases/items.py"}


def test_reading_a_case_opens_no_identity(desk: Desk, here: Held):
    for secret in (case_secret(desk, here.case), vault_secret(desk)):
        with desk.database.reading() as session:
            report = here.case.report
            for audience in Audience:
                found = items.read(
                    session, desk.keys, report, secret, audience=audience
                )
                said = [one.content.text for one in found if one.content]
                assert NAME not in " ".join(said)
