"""The operator's look at the log: its head, and whether it is whole."""

import json

from bot.terminal import desk
from storage.models import AuditLine
from tests.support.terminal import Terminal


def test_the_head_alone_is_printed_and_fits_verify(terminal: Terminal):
    head = terminal("audit", "head").out.strip()
    assert terminal("audit", "verify", "--head", head).code == 0
    told = json.loads(terminal("audit", "head", "--json").out)
    assert told["head"] == head
    assert head.startswith(f"{told['lines']}:")


def test_a_machine_reads_what_verify_found(terminal: Terminal):
    said = terminal("audit", "verify", "--json")
    told = json.loads(said.out)
    assert said.code == 0
    assert told["broken_at"] is None
    assert told["problems"] == []
    assert told["head"] == terminal("audit", "head").out.strip()
    with desk.sit_down(None) as seat, seat.database.writing() as session:
        line = session.get_one(AuditLine, 1)
        line.code = "other"
        session.add(line)
    said = terminal("audit", "verify", "--json")
    assert said.code == 1
    assert json.loads(said.out)["broken_at"] == 1
