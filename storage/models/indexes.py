"""By what cases are found; nothing reads them all (``tests/storage/database/test_plans.py``).

Each index ends in the order that its list is asked for, and one over some rows says in its
condition, word for word, what the query says: a store without figures chooses by that.
"""

from collections.abc import Iterable

from sqlalchemy import Index, text

_ORDER = ("urgency", "due", "day", "report")
"""The queue's order."""


def some_of(name: str, columns: Iterable[str], where: str) -> Index:
    """Return an index over the rows where something holds, in both dialects' words."""
    return Index(
        name,
        *columns,
        sqlite_where=text(where.format(yes="1", no="0")),
        postgresql_where=text(where.format(yes="true", no="false")),
    )


FOUND = (
    Index("ix_cases_queue", "is_open", "unit", *_ORDER),
    Index("ix_cases_category", "is_open", "unit", "category", *_ORDER),
    Index("ix_cases_status", "unit", "status", *_ORDER),
    Index("ix_cases_due", "is_open", "unit", "due", "urgency", "report"),
    Index(
        "ix_cases_figures",
        *("day", "unit", "status", "category", "position"),
        *("is_open", "due", "canary"),
    ),
    some_of(
        "ix_cases_taken",
        ("officer", "is_open", "unit", *_ORDER),
        "officer IS NOT NULL",
    ),
    some_of("ix_cases_wanted", ("unit", *_ORDER), "wanted_by IS NOT NULL"),
    some_of(
        "ix_cases_class_asked", ("is_open", "unit", *_ORDER), "class_asked IS {yes}"
    ),
    Index(
        "ix_cases_canary",
        "canary",
        sqlite_where=text("canary = 1"),
        postgresql_where=text("canary"),
    ),
    some_of("ix_cases_hold", ("day", "number"), "hold IS {yes}"),
    some_of(
        "ix_cases_undated",
        ("is_open", "report"),
        "closed IS NULL AND is_open IS {no}",
    ),
    some_of(
        "ix_cases_identity",
        ("status", "closed", "report"),
        "closed IS NOT NULL AND identity_swept IS {no}",
    ),
    some_of(
        "ix_cases_files",
        ("status", "closed", "report"),
        "closed IS NOT NULL AND files_swept IS {no}",
    ),
    some_of(
        "ix_cases_contents",
        ("status", "closed", "report"),
        "closed IS NOT NULL AND purged IS NULL",
    ),
    some_of(
        "ix_cases_receipt",
        ("status", "purged", "report"),
        "purged IS NOT NULL AND receipt_wrap IS NOT NULL",
    ),
)
"""Those of a case; ``ix_cases_queue`` is the queue."""
