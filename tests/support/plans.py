"""How a store answers: the plan of every statement that is really sent.

SQLite keeps no figures of its tables, so its plan is the same however full it is. PostgreSQL
is forbidden to read a table from end to end: what it does so all the same has no index.
"""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event, text
from sqlmodel import Session

LARGE = frozenset(
    {"cases", "events", "items", "audit", "outbox", "conversations", "inbox"}
    | {"grants", "subscriptions", "tombstones", "departed"}
)
"""Tables that grow with the years or with the crowd."""
SMALL = frozenset(
    {"ix_cases_hold", "ix_cases_canary", "ix_cases_undated", "ix_cases_class_asked"}
    | {"ix_cases_wanted", "ix_outbox_failed", "ix_outbox_tried"}
    | {"ix_tombstones_unwritten"}
)
"""Indexes over few rows, which may be read whole."""
_ALIASES = dict.fromkeys("opqlh", "outbox")
_READS = ("SELECT", "UPDATE", "DELETE", "WITH")
_LAST_LINE = re.compile(r"ORDER BY audit.seq DESC\s+LIMIT")
_OF_SQLITE = re.compile(
    r"(?P<how>SCAN|SEARCH) (?P<table>\w+)"
    r"(?: USING (?:COVERING )?INDEX (?P<index>\w+))?(?: \((?P<by>.*)\))?"
)
_OF_POSTGRES = re.compile(
    r"(?P<how>Seq Scan|Index Scan|Index Only Scan|Bitmap Index Scan)"
    r"(?: Backward)?(?: using (?P<index>\w+))? on (?P<table>\w+)"
)
_VAGUE = re.compile(r"(is_open|unit|status|recipient)=\?")
"""One such condition alone holds for a great part of a table."""


def plans_of(session: Session, act: Callable[[], object]) -> dict[str, str]:
    """Run something and return the plan of each statement that it sent."""
    sent: list[tuple[str, Any]] = []

    def listen(*told: Any) -> None:
        _, _, statement, parameters, _, many = told
        if statement.lstrip().upper().startswith(_READS):
            sent.append((statement, parameters[0] if many else parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", listen)
    try:
        act()
    finally:
        event.remove(connection, "before_cursor_execute", listen)
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL enable_seqscan = off"))
    return {one: _plan(connection, one, values) for one, values in sent}


def _plan(connection: Connection, statement: str, parameters: Any) -> str:
    is_sqlite = connection.dialect.name == "sqlite"
    word = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN (COSTS OFF) "
    rows = connection.exec_driver_sql(word + statement, parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


def read_whole(statement: str, plan: str) -> list[str]:
    """Return the lines of a plan that read a large table, or much of it, from end to end."""
    if _LAST_LINE.search(statement):
        return []
    lines = plan.splitlines()
    found = []
    for number, line in enumerate(lines):
        step = _OF_SQLITE.search(line)
        if step is not None:
            whole = step["how"] == "SCAN" or (
                step["index"] is not None
                and _VAGUE.fullmatch(step["by"] or "") is not None
            )
        else:
            step = _OF_POSTGRES.search(line)
            if step is None:
                continue
            following = lines[number + 1 : number + 2]
            whole = not any("Index Cond" in one for one in following)
        table = _ALIASES.get(step["table"], step["table"])
        if whole and table in LARGE and step["index"] not in SMALL:
            found.append(line.strip())
    return found
