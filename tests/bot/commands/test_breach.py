"""A data breach at the terminal: until when, a draft in figures, texts from stdin."""

import json

from tests.support.terminal import Terminal

WORDS = "Salinan hilang.\n---\nA copy was lost.\n"


def opened(terminal: Terminal) -> str:
    said = terminal("breach", "open", "--known", "2026-03-02T09:30")
    assert said.code == 0, said.err
    assert "until 2026-03-05 09:30" in said.out
    (row,) = json.loads(terminal("breach", "list", "--json").out)
    assert row["id"] in said.out
    assert row["authority"] is row["reporters"] is None
    return str(row["id"])


def test_a_breach_is_opened_told_and_listed(terminal: Terminal):
    breach = opened(terminal)
    said = terminal("breach", "tell-authority", breach)
    assert said.code == 0
    assert "Pasal 46" in said.out
    assert "0 laporan" in said.out
    said = terminal("breach", "tell-reporters", breach, stdin=WORDS)
    assert said.code == 0, said.err
    assert "0 reporters are told" in said.out
    (row,) = json.loads(terminal("breach", "list", "--json").out)
    assert row["authority"]
    assert row["reporters"]


def test_what_cannot_be_told_is_refused(terminal: Terminal):
    breach = opened(terminal)
    for stdin, more in [
        ("only one", ()),
        (WORDS, ("--language", "id", "--language", "fr")),
        ("x" * 1001 + "\n---\ny", ()),
        ("one", ("--language", "id")),
    ]:
        said = terminal("breach", "tell-reporters", breach, *more, stdin=stdin)
        assert said.code == 1, stdin
    assert terminal("breach", "tell-reporters", "zz", stdin=WORDS).code == 1
    assert terminal("breach", "tell-reporters", "00", stdin=WORDS).code == 1
    assert terminal("breach", "open", "--known", "2999-01-01T00:00").code == 1
