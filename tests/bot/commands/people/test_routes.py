"""A change of routes takes two people, and every supervisor hears of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import Session, select

from bot.clock import utc_now
from storage import outbox
from storage.audit import log
from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.letters.letter import Letter
from storage.models import OutboxRow
from storage.people import officers, telegram_links
from storage.words import Channel
from tests.support.terminal import PASSPHRASES

NEW = "kata sandi petugas baru"
BOTH = f"{PASSPHRASES['siti']}\n{NEW}"
PEOPLE = ("--by", "siti", "--second", "rini")


@contextmanager
def store() -> Iterator[tuple[Session, ServerKeys]]:
    keys = ServerKeys.from_text(Path("server.key").read_text())
    database = Database("sqlite:///kentongan.db")
    with database.writing() as session:
        yield session, keys
    database.close()


def heard() -> dict[str, Letter]:
    """Let everything leave; return what each handle got last."""
    with store() as (session, keys):
        found = outbox.claim(session, keys, Channel.TELEGRAM, limit=50, now=utc_now())
        assert all(outbox.dead(session, one) for one in found)
    return {one.letter.to: one.letter for one in found}


@pytest.fixture
def linked(terminal):
    """Three supervisors with a seat, one without and a handler, all with a Telegram."""
    seat = ("--unit", "Wilayah II", "--member", "rini")
    for words in (
        ("unit", "add", "Wilayah II", "--first", "rini"),
        ("officer", "add", "dewi", "--role", "supervisor", "--language", "en", *seat),
        ("officer", "add", "tono", "--role", "supervisor"),
        ("officer", "add", "budi", "--role", "handler"),
    ):
        said = terminal(*words, PASSPHRASE=f"{NEW}\n{NEW}")
        assert said.code == 0, said
    with store() as (session, keys):
        for handle, login in enumerate(
            ("siti", "rini", "dewi", "budi", "tono"), start=900
        ):
            officer = officers.verified(session, keys, login)
            token = telegram_links.issue(session, keys, officer.id, now=utc_now())
            place = (Channel.TELEGRAM, str(handle))
            assert telegram_links.redeem(session, keys, token, *place, now=utc_now())
    return terminal


def test_every_linked_supervisor_hears_of_a_change(linked):
    said = linked(
        "unit", "route", "add", "Wilayah II", "--position", "KDH", *PEOPLE,
        PASSPHRASE=BOTH,
    )  # fmt: skip
    assert said.code == 0, said
    assert "3 supervisors are told" in said.out
    letters = heard()
    assert set(letters) == {"900", "901", "902"}
    for letter in letters.values():
        for part in ("Wilayah II", "siti", "rini"):
            assert part in letter.text
        assert "KDH" not in letter.text
    assert letters["900"].text.startswith("Laporan kini")
    assert letters["902"].text.startswith("Reports now go to")
    assert linked("unit", "list", "--json").json[-1]["routes"] == ["KDH"]
    gone = linked(
        "unit", "route", "remove", "Wilayah II", "--position", "KDH", *PEOPLE,
        PASSPHRASE=BOTH,
    )  # fmt: skip
    assert gone.code == 0, gone
    letters = heard()
    assert set(letters) == {"900", "901", "902"}
    assert letters["902"].text.startswith("A route to Wilayah II is gone.")
    assert linked("unit", "list", "--json").json[-1]["routes"] == []
    with store() as (session, _):
        codes = [line.code for line in log.lines(session)]
    assert codes.count("route.added") == codes.count("route.removed") == 2
    assert linked("audit", "verify").code == 0


@pytest.mark.parametrize(
    ("words", "given", "line"),
    [
        (("Pengaduan", *PEOPLE), BOTH, "add a route without conditions"),
        (("Wilayah II", *PEOPLE), "", "no route to Wilayah II has just these"),
        (("Pengaduan", "--category", "COR", *PEOPLE), "", "has just these"),
        (("Nowhere", *PEOPLE), "", "no unit with this name"),
        (("Pengaduan",), "", "takes two people"),
        (("Pengaduan", "--by", "siti", "--second", "SITI"), "", "two different"),
        (
            ("Pengaduan", "--by", "budi", "--second", "siti"),
            f"{NEW}\n{PASSPHRASES['siti']}",
            "budi is no supervisor",
        ),
        (("Pengaduan", *PEOPLE), f"{PASSPHRASES['siti']}\nwrong", "is not right"),
    ],
)
def test_a_removal_is_refused_and_nobody_is_told(linked, words, given, line):
    environ = {"PASSPHRASE": given} if given else {}
    assert line in linked.refused("unit", "route", "remove", *words, **environ)
    assert len(linked("unit", "route", "list", "--json").json) == 1
    with store() as (session, _):
        assert session.exec(select(OutboxRow)).all() == []


def test_the_news_and_the_change_are_one(linked, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise OSError(5, "the plug was pulled")

    with monkeypatch.context() as patched:
        patched.setattr("storage.audit.manifests.witness", stop)
        line = linked.refused(
            "unit", "route", "add", "Wilayah II", "--position", "KDH", *PEOPLE,
            PASSPHRASE=BOTH,
        )  # fmt: skip
    assert "plug" in line
    assert len(linked("unit", "route", "list", "--json").json) == 1
    assert heard() == {}
