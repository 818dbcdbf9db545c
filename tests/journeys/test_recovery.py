"""The recovery drill: every passphrase is lost; two holders bring the house back.

Database, files and server key are restored from copies into a new folder. The holder of
``cases`` lets a new supervisor in, who reads a case in the console; names and originals
open only when the holder of ``identities`` has let a new custodian in too.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import make_url
from sqlmodel import Session, col, delete, select
from starlette.applications import Starlette

from bot.console.app import ConsoleContext, routes
from bot.operations import recovery_paper
from bot.writer import Writer
from handlers.cases import conflicts, reporter
from handlers.work import Work
from storage.audit import log
from storage.cases.items import Content
from storage.crypto import sealing, server_key
from storage.crypto.sealing import Context, NotAuthentic, new_pair
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.evidence import blobs, files, sealed_files
from storage.evidence.blobs import FolderStore
from storage.evidence.files import Taken
from storage.evidence.sealed_files import Sealer
from storage.models import Case, Grant, Item, UnitGrant
from storage.people import officers
from storage.rekeying import case_keys, case_recovery
from storage.rekeying import recovery as unit_recovery
from storage.units import memberships, recovery_keys, units
from storage.words import Audience, ItemKind, Recipient, Role, UnitKind
from tests.conftest import own_database
from tests.support import authenticator
from tests.support.browsers import ORIGIN, STORY, Clock, Page, arrive, make_office
from tests.support.founded import person
from tests.support.hashing import quick
from tests.support.terminal import PASSPHRASES, Terminal, init
from tests.support.unsealing import secret_for, unit_secret

NAME = "Ibu Wati Kusumawardani, 0812-3456-7890"
SCAN = b"%PDF-1.7 the letter as it was sent" * 3000
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is refused or sealed alike, whatever the store."""
SHOWN = re.compile(r"Passphrase of \S+ \(shown once\): (.*)")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_key, "Argon2id", quick)


@dataclass
class Place:
    """A house in a folder, its papers in two safes, and where its database is."""

    terminal: Terminal
    papers: dict[str, str]
    url: str

    def __call__(self, *words: str, stdin: str = "", **environ: str):
        return self.terminal(*words, stdin=stdin, DATABASE__URL=self.url, **environ)

    def refused(self, *words: str, stdin: str = "", **environ: str) -> str:
        return self.terminal.refused(
            *words, stdin=stdin, DATABASE__URL=self.url, **environ
        )

    def recover(self, login: str, purpose: str, *more: str) -> str:
        """Let somebody in with a paper; return the passphrase that was made."""
        words = ("keys", "recover", login, *more, "--generate")
        said = self(*words, stdin=self.papers[purpose])
        assert said.code == 0, said
        assert self.papers[purpose].splitlines()[1] not in said.out + said.err
        shown = SHOWN.search(said.out)
        assert shown is not None
        return shown[1]

    @property
    def keys(self) -> ServerKeys:
        return ServerKeys.from_text((self.terminal.folder / "server.key").read_text())

    @contextmanager
    def writing(self) -> Iterator[Session]:
        store = Database(self.url)
        try:
            with store.writing() as session:
                yield session
        finally:
            store.close()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        store = Database(self.url)
        try:
            with store.reading() as session:
                yield session
        finally:
            store.close()


def new_papers(path: Path) -> dict[str, str]:
    """Make two pairs as `keys new-recovery` does; return the papers."""
    pairs = {purpose: new_pair() for purpose in recovery_paper.PURPOSES}
    publics = {purpose: pair.public for purpose, pair in pairs.items()}
    path.write_text(recovery_paper.write_public(publics))
    return {
        purpose: recovery_paper.write_secret(purpose, pair.secret)
        for purpose, pair in pairs.items()
    }


@pytest.fixture
def home(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a founded house whose passphrases are known."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    papers = new_papers(folder / "recovery.public")
    terminal = Terminal(folder)
    said = init(
        terminal,
        DATABASE__URL=database_url,
        PASSPHRASE="\n".join(PASSPHRASES.values()),
    )
    assert said.code == 0, said
    return Place(terminal, papers, database_url)


@pytest.fixture
def restore(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Place], Place]]:
    """Return what brings a house back from copies, in another folder and database."""
    copies = ExitStack()

    def bring_back(home: Place) -> Place:
        folder = tmp_path / "restored"
        shutil.copytree(home.terminal.folder, folder)
        if home.url.startswith("sqlite"):
            old = Path(home.url.removeprefix("sqlite:///"))
            url = f"sqlite:///{folder / 'copy.db'}"
            shutil.copy2(old, folder / "copy.db")
            old.unlink()
        else:
            name = make_url(home.url).database or ""
            server = request.getfixturevalue("postgres_server")
            url = copies.enter_context(own_database(server, name))
        monkeypatch.chdir(folder)
        shutil.rmtree(home.terminal.folder)
        return Place(Terminal(folder), home.papers, url)

    with copies:
        yield bring_back


def fill(home: Place) -> tuple[Case, bytes]:
    """Let a report arrive whose reporter left a name and sent a file."""
    clock, keys = Clock(), home.keys
    store, office = Database(home.url), make_office(keys)
    with store.writing() as session:
        case = arrive(session, office, now=clock())
        vault = units.vault(session, keys).public_key or b""
        said = Content(ItemKind.ANSWER, NAME, "", "Q05b", language="en")
        kept = [(said, Audience.IDENTITY)]
        assert reporter.add(
            Work(session, office, clock()), case.report, kept, vault=vault
        )
        row = files.reserve(session, keys, case.report, day=case.day)
        path = blobs.place(home.terminal.folder / "files", row, "original")
        with Sealer(path) as sealer:
            sealer.write(SCAN)
        taken = Taken(sealer.key, None, {"name": "letter.pdf"})
        assert files.taken(
            session, keys, row, taken, public=case.public_key, vault=vault
        )
    store.scrub()
    store.close()
    return case, row


def with_own_key(home: Place, login: str = "budi") -> Case:
    """Let a report arrive on which one member steps back: it gets a key of its own."""
    clock, keys = Clock(), home.keys
    store, office = Database(home.url), make_office(keys)
    with store.writing() as session:
        case = arrive(session, office, now=clock())
        siti = officers.verified(session, keys, "siti")
        secret = officers.unwrap(keys, siti, PASSPHRASES["siti"])
        budi = person(session, keys, login).officer
        unit = units.named(session, keys, "Pengaduan")
        memberships.admit(session, keys, unit, budi, siti, secret)
    with store.writing() as session:
        assert conflicts.declare(Work(session, office, clock()), case.report, by=budi)
    with store.writing() as session:
        assert conflicts.settle(
            Work(session, office, clock()), case.report, secret, by=siti
        )
    with store.reading() as session:
        case = session.get_one(Case, case.report)
        assert recipients(session, case) == {Recipient.OFFICER, Recipient.RECOVERY}
    store.close()
    return case


def recipients(session: Session, case: Case) -> set[str]:
    rows = session.exec(select(Grant).where(Grant.report == case.report))
    return {row.recipient_kind for row in rows}


def own_secret(place: Place, login: str, passphrase: str, case: Case) -> bytes:
    """Open a case with what an officer knows."""
    keys = place.keys
    with place.reading() as session:
        case = session.get_one(Case, case.report)
        officer = officers.verified(session, keys, login)
        secret = officers.unwrap(keys, officer, passphrase)
        unit = units.verified(session, keys, case.unit)
        return case_keys.secret_of(session, keys, case, unit, officer, secret)


@asynccontextmanager
async def console(place: Place) -> AsyncIterator[ConsoleContext]:
    """Serve the console over a house, in this process."""
    store, clock = Database(place.url), Clock()
    writer = Writer(store)
    writer.start()
    yield ConsoleContext(
        writer=writer,
        database=store,
        office=make_office(place.keys),
        clock=clock,
        blob_store=FolderStore(place.terminal.folder / "files"),
        public_url=ORIGIN,
        bot_url=lambda: "",
        agency="Inspektorat Contoh",
    )
    await asyncio.to_thread(writer.stop)
    store.close()


async def pages_of(
    place: Place, login: str, passphrase: str, *cases: Case
) -> list[Page]:
    """Sign in by HTTP, with passphrase and a new second factor, and look at cases."""
    async with console(place) as context:
        app = Starlette(routes=routes(context))
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 5000))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            now = context.clock()
            await authenticator.sign_in(client, login, passphrase, None, now=now)
            return [
                Page(await client.get(f"/console/cases/{case.number}"))
                for case in cases
            ]


def opened(
    session: Session, place: Place, login: str, passphrase: str, unit: str
) -> bytes:
    """Open a unit's secret with what an officer knows."""
    keys = place.keys
    officer = officers.verified(session, keys, login)
    secret = officers.unwrap(keys, officer, passphrase)
    return unit_secret(session, keys, units.named(session, keys, unit), officer, secret)


async def test_the_drill(home, restore):
    case, file = fill(home)
    apart = with_own_key(home)
    place = restore(home)
    phrase = place.recover("rina", "cases", "--name", "Rina")
    for page in await pages_of(place, "rina", phrase, apart, case):
        assert STORY in page.text
        assert NAME not in page.text
    keys = place.keys
    with place.reading() as session:
        mine = opened(session, place, "rina", phrase, "Pengaduan")
        unit = units.named(session, keys, "Pengaduan")
        of_case = secret_for(session, keys, case.report, unit, mine)
        item = session.exec(
            select(Item).where(Item.audience == Audience.IDENTITY.value)
        ).one()
        context = Context("items", item.id, "blob", item.report, item.seq)
        inner = sealing.open_seal(item.blob, of_case, context)
        assert NAME.encode() not in inner
        with pytest.raises(NotAuthentic):
            sealing.open_seal(inner, of_case, context)
        with pytest.raises(NotAuthentic):
            opened(session, place, "rina", phrase, "Penjaga Identitas")
    second = place.recover("wulan", "identities")
    assert len(place("officer", "list", "--json").json) == 5
    with place.reading() as session:
        guarded = opened(session, place, "wulan", second, "Penjaga Identitas")
        with pytest.raises(NotAuthentic):
            opened(session, place, "wulan", second, "Pengaduan")
        plain = sealing.open_seal(inner, guarded, context)
        assert Content.from_bytes(plain).text == NAME
        (row,) = files.of_report(session, keys, case.report)
        place_of = Context("files", row.id, "original_key", row.report)
        outer = sealing.open_seal(row.original_key or b"", of_case, place_of)
        key = sealing.open_seal(outer, guarded, place_of)
        path = blobs.place(place.terminal.folder / "files", file, "original")
        assert b"".join(sealed_files.chunks(path, key)) == SCAN
        codes = [line.code for line in log.lines(session)]
    assert codes.count("keys.recovered") == 2
    assert codes.count("case.recovered") == 1
    assert place("audit", "verify").code == 0
    roles = {r["login"]: r["role"] for r in place("officer", "list", "--json").json}
    assert (roles["rina"], roles["wulan"]) == ("supervisor", "custodian")


def wrong_letter(paper: str) -> str:
    first, _, rest = paper.partition("\n")
    return f"{first}\n{'B' if rest[0] == 'A' else 'A'}{rest[1:]}"


@ON_SQLITE
def test_what_is_no_paper_of_this_house_opens_nothing(home):
    cases, identities = home.papers["cases"], home.papers["identities"]
    strangers = recovery_paper.write_secret("cases", new_pair().secret)
    tries = {
        wrong_letter(cases): "compare it with the paper",
        cases.replace("cases", "identities"): "compare it with the paper",
        "\n".join(cases.splitlines()[:4]): "compare it with the paper",
        "": "compare it with the paper",
        strangers: "other recovery keys",
    }
    for paper, line in tries.items():
        words = ("keys", "recover", "rina", "--generate")
        assert line in home.refused(*words, stdin=paper)
    line = home.refused(
        "keys", "recover", "rina", "--unit", "Pengaduan", "--generate", stdin=identities
    )
    assert "does not open Pengaduan" in line
    line = home.refused(
        "keys", "recover", "rina", "--unit", "Penjaga Identitas", "--generate",
        stdin=cases,
    )  # fmt: skip
    assert "does not open Penjaga Identitas" in line
    assert len(home("officer", "list", "--json").json) == 2


@ON_SQLITE
def test_an_officer_who_is_here_may_be_let_in(home):
    added = home("officer", "add", "budi", "--role", "supervisor", "--generate")
    shown = SHOWN.search(added.out)
    assert shown is not None
    words = ("keys", "recover", "budi", "--unit", "Pengaduan")
    wrong = home.refused(*words, stdin=home.papers["cases"], PASSPHRASE="x" * 16)
    assert "not right" in wrong
    said = home(*words, stdin=home.papers["cases"] + shown[1] + "\n")
    assert said.code == 0, said
    assert "budi" in home("unit", "list").out
    line = home.refused(*words, stdin=home.papers["cases"] + shown[1] + "\n")
    assert "key already" in line
    custodian = home.refused(
        "keys", "recover", "budi", stdin=home.papers["identities"] + shown[1] + "\n"
    )
    assert "Custodians sit" in custodian


@ON_SQLITE
def test_every_generation_comes_back(home):
    case, _ = fill(home)
    assert home("keys", "rotate", "--unit", "Pengaduan").code == 0
    phrase = home.recover("rina", "cases")
    with home.reading() as session:
        keys = home.keys
        rina = officers.verified(session, keys, "rina")
        secret = officers.unwrap(keys, rina, phrase)
        unit = units.named(session, keys, "Pengaduan")
        old = unit_secret(session, keys, unit, rina, secret, 1)
        assert secret_for(session, keys, case.report, unit, old)
        assert unit_secret(session, keys, unit, rina, secret, 2) != old


def both(first: str = "siti", second: str = "wayan") -> str:
    return f"{PASSPHRASES[first]}\n{PASSPHRASES[second]}"


def test_new_papers_take_the_place_of_old_ones(home):
    assert home("keys", "rotate", "--unit", "Pengaduan").code == 0
    papers = new_papers(Path("next.public"))
    words = ("keys", "replace-recovery", "--public", "next.public")
    said = home(*words, "--member", "siti", "--member", "wayan", PASSPHRASE=both())
    assert said.code == 0, said
    for paper in home.papers.values():
        line = home.refused("keys", "recover", "rina", "--generate", stdin=paper)
        assert "other recovery keys" in line
    again = Place(home.terminal, papers, home.url)
    phrase = again.recover("rina", "cases")
    again.recover("wulan", "identities")
    with home.reading() as session:
        assert opened(session, again, "rina", phrase, "Pengaduan")
        grants = session.exec(
            select(UnitGrant).where(
                UnitGrant.recipient_kind == Recipient.RECOVERY.value
            )
        ).all()
        codes = [line.code for line in log.lines(session)]
    assert len(grants) == 3
    assert len({grant.recipient for grant in grants}) == 2
    assert codes.count("keys.recovery_replaced") == 4
    assert home("audit", "verify").code == 0


@ON_SQLITE
def test_whoever_stepped_back_gets_no_case_by_the_paper(home):
    case, other = with_own_key(home), fill(home)[0]
    with home.reading() as session:
        before = session.exec(select(Grant).where(Grant.report == case.report)).all()
    with home.writing() as session:
        keys = home.keys
        units_of_cases = unit_recovery.of_kind(session, "cases")
        budi = officers.verified(session, keys, "budi")
        _, paper = recovery_paper.read_secret(home.papers["cases"])
        now = Clock()()
        done = case_recovery.let_in(session, keys, paper, units_of_cases, budi, now=now)
        assert (done.opened, done.left, done.after) == (0, 0, None)
        after = session.exec(select(Grant).where(Grant.report == case.report)).all()
        assert {row.id for row in after} == {row.id for row in before}
        assert recipients(session, other) == {Recipient.UNIT}


def test_cases_are_opened_some_at_a_time_and_the_rest_later(home):
    cases = [with_own_key(home, login) for login in ("budi", "cici", "dewi")]
    keys = home.keys
    _, paper = recovery_paper.read_secret(home.papers["cases"])
    now = Clock()()
    with home.writing() as session:
        rina = person(session, keys, "rina", Role.SUPERVISOR).officer
        (unit,) = unit_recovery.of_kind(session, "cases")
        unit_recovery.let_in(session, keys, "cases", paper, unit, rina)
        assert case_recovery.is_due(session, keys, [unit], rina)
        done = case_recovery.let_in(
            session, keys, paper, [unit], rina, limit=2, now=now
        )
        assert (done.opened, done.left) == (2, 0)
        assert done.after is not None
        row = session.get_one(Case, sorted(case.report for case in cases)[2])
        row.urgency = 0 if row.urgency else 1
        session.add(row)
        session.flush()
        last = case_recovery.let_in(
            session, keys, paper, [unit], rina, limit=2, after=done.after, now=now
        )
        assert (last.opened, last.left, last.after) == (0, 1, None)
        assert case_recovery.is_due(session, keys, [unit], rina)
        session.rollback()


def test_new_papers_open_cases_with_a_key_of_their_own(home):
    case = with_own_key(home)
    secret = own_secret(home, "siti", PASSPHRASES["siti"], case)
    papers = new_papers(Path("next.public"))
    new = ("keys", "replace-recovery", "--member", "siti", "--member", "wayan")
    assert home(*new, "--public", "next.public", PASSPHRASE=both()).code == 0
    again = Place(home.terminal, papers, home.url)
    phrase = again.recover("rina", "cases")
    assert own_secret(again, "rina", phrase, case) == secret
    assert home("audit", "verify").code == 0
    new_papers(Path("third.public"))
    with home.writing() as session:
        siti = officers.verified(session, home.keys, "siti")
        session.exec(delete(Grant).where(col(Grant.recipient) == siti.id))
    words = (*new, "--public", "third.public")
    line = home.refused(*words, PASSPHRASE=both())
    assert f"nobody present opens case {case.number}" in line
    assert "rina" in line
    with home.writing() as session:
        session.exec(
            delete(Grant).where(
                col(Grant.recipient_kind) == Recipient.OFFICER.value,
            )
        )
    line = home.refused(*words, PASSPHRASE=both())
    assert "nobody but the old paper" in line
    said = home(*words, "--leave-lost", PASSPHRASE=both())
    assert said.code == 0, said
    assert "no new paper opens: 1" in said.out
    assert "the recovery key does not open it" in home("audit", "verify").err


@ON_SQLITE
def test_new_papers_take_a_member_of_every_unit_and_two_people(home):
    new_papers(Path("next.public"))
    words = ("keys", "replace-recovery", "--public", "next.public")
    alone = home.refused(*words, "--member", "siti", PASSPHRASE=both())
    assert "two people" in alone
    wrong = home.refused(
        *words,
        "--member",
        "siti",
        "--member",
        "wayan",
        PASSPHRASE=both("wayan", "siti"),
    )
    assert "not right" in wrong
    assert home("unit", "add", "Wilayah II", "--first", "budi", "--generate").code == 0
    missing = home.refused(
        *words, "--member", "siti", "--member", "wayan", PASSPHRASE=both()
    )
    assert "a member of Wilayah II must be present" in missing
    assert home.recover("rina", "cases", "--unit", "Pengaduan")
    Path("empty.public").write_text("")
    empty = home.refused(
        "keys", "replace-recovery", "--public", "empty.public", "--member", "siti"
    )
    assert "cannot be read" in empty


@ON_SQLITE
def test_an_old_recovery_key_that_is_put_back_counts_no_more(home):
    keys = home.keys
    store = Database(home.url)
    with store.writing() as session:
        old = recovery_keys.key_for(session, keys, UnitKind.HANDLING).model_dump()
        _, new = recovery_keys.replace(session, keys, "cases", new_pair().public)
        assert recovery_keys.key_for(session, keys, UnitKind.HANDLING).id == new.id
        session.delete(new)
        session.flush()
        session.add(type(new)(**old))
        session.flush()
        with pytest.raises(NotAuthentic):
            recovery_keys.key_for(session, keys, UnitKind.HANDLING)
        session.rollback()
    store.close()
