"""Builds the house with everything in flight, on a migrated store.

Slow hashing only where a passphrase is the thing that is stolen.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from handlers import breaches
from handlers.cases import conflicts, data_requests, holds, officer
from handlers.messages import Kind, Media
from handlers.people import leaving
from handlers.reveals import verbs as asking
from storage import quarantine
from storage.cases import cases
from storage.cases.reveals import Request, Wish
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import blobs, files
from storage.evidence.files import Taken
from storage.evidence.sealed_files import Sealer
from storage.jobs import watches
from storage.letters import sent
from storage.letters.letter import Letter
from storage.models import Case
from storage.people import (
    invitations,
    officers,
    one_time_codes,
    passkeys,
    passphrases,
    recovery_codes,
    sessions,
    telegram_links,
)
from storage.rekeying import server_key
from storage.retention import erasing
from storage.units import admissions, memberships, routes, units
from storage.words import (
    Channel,
    Erased,
    LetterKind,
    RequestKind,
    RevealOf,
    Role,
    Stage,
    Status,
    UnitKind,
)
from tests.seizure.whole import (
    COPY,
    NAMED,
    PEOPLE,
    PROVIDERS,
    RECOVERY_CODE,
    TOLD,
    WAITS,
    WHO,
    Whole,
)
from tests.support import founded
from tests.support.desk import Desk, desk, with_keys
from tests.support.founded import Person
from tests.support.unsealing import secret_for

FIRST_LINES = ("LAPOR", "AMAN", "PAHAM", "SETUJU")


def whole_house(database: Database, folder: Path) -> Whole:
    """Build it all on a migrated store; evidence lies in ``folder``."""
    keys = ServerKeys.new()
    found = Whole(desk(database, keys), folder, keys)
    _people(found)
    for step in (_reported, _elsewhere, _stepped_back, _held, _ended):
        step(found)
    _evidence(found)
    _left(found)
    _reveals(found)
    _accounts(found)
    wider = keys.with_new()
    server_key.run(database, wider, now=found.here.now, day=found.here.now.date())
    found.here = with_keys(found.here, wider)
    _after(found)
    found.marks |= _first_words(TOLD) | _first_words(NAMED) | _first_words(WHO)
    found.marks |= {"copy": COPY, "waiting question": WAITS.split(maxsplit=1)[0]}
    return found


def _first_words(told: dict[str, str]) -> dict[str, str]:
    first = {
        name: text.removeprefix("LAPOR ").split()[0] for name, text in told.items()
    }
    return {name: word.strip(",+") for name, word in first.items()}


def _people(found: Whole) -> None:
    """Add people with passphrases, an officer who will leave, and one who waits."""
    here, keys = found.here, found.here.keys
    boss, guard = here.house.supervisor, here.house.custodian
    found.people |= {"sari": boss, "wayan": guard}
    for role, (login, passphrase) in PEOPLE.items():
        account, secret = founded.prepared(login, role)
        wrapped = passphrases.wrap(keys, account.id, secret, passphrase)
        account = replace(account, salt=wrapped.salt, secret=wrapped.secret)
        found.people[login] = Person(here.store(officers.add, account), secret)
        found.marks[f"passphrase of {login}"] = passphrase
    with here.database.writing() as session:
        unit, vault = here.house.unit, here.house.vault
        eko = found.people["eko"] = founded.person(session, keys, "eko")
        rini = found.people["rini"] = founded.person(session, keys, "rini")
        for one in (found.people["budi"], eko):
            memberships.admit(
                session, keys, unit, one.officer, boss.officer, boss.secret
            )
        putu = found.people["putu"].officer
        memberships.admit(session, keys, vault, putu, guard.officer, guard.secret)
        other = units.create(session, keys, "Health", UnitKind.HANDLING)
        memberships.admit_first(session, keys, other, rini.officer)
        waiting = founded.person(session, keys, "tini")
        admissions.apply(session, keys, unit, waiting.officer)


def _tells(here: Desk, handle: str, name: str, story: str, *, position: str) -> None:
    lines = [*FIRST_LINES, *(("RAHASIA", name) if name else ("ANONIM",)), "SUAP"]
    for words in [*lines, "LEWATI", "LEWATI", position, story]:
        here.say(handle, words)
    here.delivers()


def _reported(found: Whole) -> None:
    """A case with an identity, a question, a reply, a note, and a wish for notices."""
    here, handle, sari = found.here, WHO["neutral wish"], found.people["sari"].officer
    _tells(here, handle, NAMED["identity"], TOLD["story"], position="LEWATI")
    here.say(handle, "KIRIM")
    slip = found.slips["mine"] = here.receipt(handle)
    case = found.cases["mine"] = here.case(slip.number)
    here.say(handle, f"KABAR NETRAL {slip}")
    here.act(officer.ask, case.report, TOLD["question"], by=sari)
    here.act(officer.note, case.report, TOLD["note"], by=sari)
    for words in (f"JAWAB {slip}", TOLD["reply"]):
        here.say(handle, words)
    here.delivers()
    here.act(data_requests.ask, case.report, RequestKind.ACCESS)


def _elsewhere(found: Whole) -> None:
    """A case of the other unit, whose reporter left a name."""
    here = found.here
    with here.database.writing() as session:
        other = units.named(session, here.keys, "Health")
        routes.add_route(session, here.keys, other, category="COR", position="KDH")
    story = TOLD["other unit's story"]
    _tells(here, "7001234506", NAMED["other identity"], story, position="1")
    here.say("7001234506", "KIRIM")
    slip = found.slips["theirs"] = here.receipt("7001234506")
    found.cases["theirs"] = here.case(slip.number)


def _arrives(found: Whole, name: str, handle: str, story: str, **more) -> Case:
    case, found.slips[name] = found.here.reports(handle, story, **more)
    found.cases[name] = case
    return case


def _stepped_back(found: Whole) -> None:
    """A case with a pair of its own, which the supervisor's and the unit's key open not."""
    here = found.here
    case = _arrives(found, "conflict", "7001234507", TOLD["conflict's story"])
    here.act(conflicts.declare, case.report, by=found.people["sari"].officer)
    eko = found.people["eko"]
    assert here.act(conflicts.settle, case.report, eko.secret, by=eko.officer)


def _held(found: Whole) -> None:
    """A case under legal hold, with somebody who wants the full text by SMS."""
    here, handle, told = found.here, WHO["full wish"], TOLD["held story"]
    case = _arrives(found, "held", handle, told, channel=Channel.SMS)
    sari = found.people["sari"].officer
    here.act(holds.hold, case.report, TOLD["reason of the hold"], by=sari)
    here.say(handle, f"KABAR ISI {found.slips['held']}", channel=Channel.SMS)
    here.delivers(Channel.SMS)


def _ended(found: Whole) -> None:
    """Two cases that are over: one is kept as the rules say, one was erased."""
    here = found.here
    for name, handle in (("closed", "7001234508"), ("erased", "7001234509")):
        case = _arrives(found, name, handle, TOLD[f"{name} story"])
        with here.database.writing() as session:
            row = cases.lock(session, here.keys, case.report)
            assert row is not None
            day = here.now.date()
            row.status, row.is_open, row.closed = Status.CLOSED.value, False, day
            if name == "erased":
                assert erasing.erase_contents(session, here.keys, row, day=day)
                erasing.record(session, here.keys, row, Erased.CONTENTS, day=day)
            cases.save(session, here.keys, row)


def _evidence(found: Whole) -> None:
    """A file with its original and a working copy, and one that is still to come."""
    here, case = found.here, found.cases["mine"]
    row = here.store(files.reserve, case.report, day=case.day)
    made = []
    for which, text in (("original", NAMED["original"]), ("copy", COPY)):
        with Sealer(blobs.place(found.folder, row, which)) as sealer:
            sealer.write(text.encode() * 9)
        made.append(sealer.key)
    digest = hashlib.sha256(NAMED["original"].encode()).hexdigest()
    details = {"name": TOLD["file's name"], "type": "image/jpeg", "sha256": digest}
    with here.database.writing() as session:
        vault = units.vault(session, here.keys).public_key or b""
        taken, public = Taken(made[0], made[1], details), case.public_key
        assert files.taken(session, here.keys, row, taken, public=public, vault=vault)
    found.file = row


def _left(found: Whole) -> None:
    """An officer is removed: the unit has a new key, and open cases wait to be sealed to it."""
    here, eko = found.here, found.people["eko"].officer
    here.act(leaving.remove, here.house.unit.id, eko.id, by=None)
    for name in ("after", "reported later"):
        _arrives(
            found,
            name,
            f"70012345{len(found.cases):02}",
            f"LAPOR {name} {TOLD['story']}",
        )


def _asked(found: Whole, login: str, what: RevealOf, why: str) -> bytes:
    here, case, who = found.here, found.cases["mine"], found.people[login]
    file = found.file if what is RevealOf.ORIGINAL else None
    wish = Wish(what, "CHAIN" if file else "PROTECT", file)
    with here.database.reading() as session:
        unit = units.verified(session, here.keys, case.unit)
        secret = secret_for(
            session, here.keys, case.report, unit, here.house.unit_secret
        )
    return here.act(
        asking.ask, case.report, wish, Request(why, "", "id", ()),
        case_secret=secret, by=who.officer,
    )  # fmt: skip


def _reveals(found: Whole) -> None:
    """One granted to the supervisor, one that ended, one that waits for a custodian."""
    here, guard = found.here, found.people["wayan"]
    granted = _asked(found, "sari", RevealOf.IDENTITY, NAMED["why"])
    ended = _asked(found, "sari", RevealOf.ORIGINAL, NAMED["why"])
    for one in (granted, ended):
        here.act(asking.grant, one, untold="", secret=guard.secret, by=guard.officer)
    here.act(asking.end, ended, by=found.people["sari"].officer)
    _asked(found, "budi", RevealOf.ORIGINAL, NAMED["why"])


def _accounts(found: Whole) -> None:
    """Second factors, recovery codes, passkeys, an invitation, a linked Telegram."""
    here, sari = found.here, found.people["sari"]
    with here.database.writing() as session:
        keys, now = here.keys, here.now
        for login in ("sari", "budi"):
            seed = found.marks[f"factor of {login}"] = one_time_codes.new_seed()
            who = found.people[login]
            one_time_codes.put(session, keys, who.officer, seed, step=0)
            recovery_codes.replace(
                session, keys, who.officer.id, who.secret, [RECOVERY_CODE]
            )
        found.marks["recovery code"] = RECOVERY_CODE
        key = passkeys.Passkey(
            b"credential-of-sari", b"its-public-key", 0, "Laptop-Sarinya"
        )
        passkeys.add(session, keys, sari.officer.id, key)
        found.marks |= {"passkey": "Laptop-Sarinya"}
        found.marks["invitation"] = invitations.issue(
            session, keys, "tono", name="Tono", role=Role.HANDLER, language="en",
            unit=None, by=sari.officer.id, now=now,
        )  # fmt: skip
        token = telegram_links.issue(session, keys, sari.officer.id, now=now)
        telegram_links.redeem(
            session, keys, token, Channel.TELEGRAM, WHO["officer"], now=now
        )


def _after(found: Whole) -> None:
    """What is under way under the newest server key."""
    here, sari = found.here, found.people["sari"]
    _tells(
        here, WHO["drafting"], NAMED["identity"], TOLD["draft's story"], position="1"
    )
    media = (Media("file-id-Rahasia-0454", "image/jpeg", "foto.jpg", 900),)
    here.say(WHO["drafting"], "", kind=Kind.MEDIA, media=media)
    found.marks["file to fetch"] = "file-id-Rahasia-0454"
    _cleaning(found)
    slip = found.slips["after"]
    here.say(WHO["opened a moment ago"], f"TAMBAH {slip}")
    here.delivers()
    here.act(officer.ask, found.cases["held"].report, WAITS, by=sari.officer)
    here.act(breaches.record, known=here.now)
    with here.database.writing() as session:
        keys, now = here.keys, here.now
        gone = Letter(LetterKind.NOTICE, Channel.SMS, WHO["unreachable"], case="ab")
        sent.put(session, keys, gone, PROVIDERS, now=now)
        found.marks["provider's id"] = PROVIDERS
        vault = units.vault(session, keys).public_key or b""
        raw = NAMED["not understood"].encode()
        quarantine.put(session, keys, raw, "strange", vault=vault, day=now.date())
        watches.bad(session, "canary", "receipt.late", now=now)
        found.marks["link token"] = telegram_links.issue(
            session, keys, found.people["budi"].officer.id, now=now
        )
        for stage in Stage:
            found.cookies[stage] = sessions.begin(
                session, keys, sari.officer, sari.secret,
                stage=stage, label="Peramban-Sarinya", now=now,
            )  # fmt: skip
        found.marks["browser"] = "Peramban-Sarinya"
    for name, slip in found.slips.items():
        found.marks[f"code of {name}"] = slip.code
        found.marks[f"bare code of {name}"] = slip.code.replace("-", "")


def _cleaning(found: Whole) -> None:
    """Two chats of which message ids are kept; one is being cleaned."""
    here = found.here
    for n, words in enumerate(("LAPOR", "BERSIHKAN", "YA")):
        here.say(WHO["chat to clean"], words, message_id=77001 + n)
    here.say(WHO["wrote to us"], "LAPOR", message_id=88001)
    here.delivers()
