import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.operations import recovery_paper
from storage.crypto.sealing import new_pair, public_of
from tests.support.places import ROOT


def test_secrets_go_to_files_only_when_asked(empty):
    said = empty("keys", "new-recovery", "--public", "new.public", "--to", "offline")
    assert said.code == 0
    publics = recovery_paper.read_public(Path("new.public").read_text())
    for purpose in recovery_paper.PURPOSES:
        path = Path("offline") / f"recovery-{purpose}.secret"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        found, secret = recovery_paper.read_secret(path.read_text())
        assert found == purpose
        assert public_of(secret) == publics[purpose]
        assert path.read_text().splitlines()[1] not in said.out
        checked = empty(
            "keys", "check-recovery", "--public", "new.public", stdin=path.read_text()
        )
        assert checked.code == 0
        assert purpose in checked.out


def test_nothing_secret_goes_into_a_pipe(empty):
    line = empty.refused("keys", "new-recovery", "--public", "new.public")
    assert "terminal only" in line
    assert not Path("new.public").exists()


def test_public_halves_are_never_overwritten(empty):
    before = Path("recovery.public").read_bytes()
    assert "exists already" in empty.refused("keys", "new-recovery", "--to", "offline")
    assert Path("recovery.public").read_bytes() == before
    assert not Path("offline").exists()


def test_a_terminal_shows_the_secrets(tmp_path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "keys", "new-recovery"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = ""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part.decode()
    os.close(ours)
    assert process.wait(30) == 0, shown
    papers = re.findall(
        r"(kentongan recovery (?:cases|identities)(?:\r?\n[A-Z2-7 ]+)+)", shown
    )
    publics = recovery_paper.read_public((tmp_path / "recovery.public").read_text())
    found = dict(recovery_paper.read_secret(paper) for paper in papers)
    assert {name: public_of(secret) for name, secret in found.items()} == publics


def wrong_letter(paper):
    first, _, rest = paper.partition("\n")
    return f"{first}\n{'B' if rest[0] == 'A' else 'A'}{rest[1:]}"


def other_purpose(paper):
    return paper.replace("cases", "identities")


@pytest.mark.parametrize("spoil", [wrong_letter, other_purpose, str.lower, str.title])
def test_a_wrong_letter_on_paper_shows(spoil):
    secret = new_pair().secret
    paper = recovery_paper.write_secret("cases", secret)
    if spoil in {str.lower, str.title}:
        assert recovery_paper.read_secret(spoil(paper)) == ("cases", secret)
        return
    with pytest.raises(recovery_paper.BadPaper):
        recovery_paper.read_secret(spoil(paper))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cases",
        "kentongan recovery cases\nAAAA",
        "x\n!!!",
        "\N{SNOWMAN}\n\N{SNOWMAN}",
    ],
)
def test_what_is_no_paper_is_refused(empty, text):
    line = empty.refused("keys", "check-recovery", stdin=text)
    assert "compare it with the paper" in line


def test_a_paper_of_other_keys_is_refused(empty):
    paper = recovery_paper.write_secret("cases", new_pair().secret)
    line = empty.refused("keys", "check-recovery", stdin=paper)
    assert "does not belong" in line


@pytest.mark.parametrize("text", ["", "cases:", "other:AAAA", "cases:!!!!", "cases"])
def test_what_are_no_public_halves(text):
    if not text:
        assert recovery_paper.read_public(text) == {}
        return
    with pytest.raises(recovery_paper.BadPublic):
        recovery_paper.read_public(text)


def test_two_keys_of_one_purpose_are_refused():
    text = recovery_paper.write_public({"cases": new_pair().public})
    with pytest.raises(recovery_paper.BadPublic):
        recovery_paper.read_public(text + text)
