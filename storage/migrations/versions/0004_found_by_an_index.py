"""Indexes by which ended, proposed, held and waiting rows are found; marks that they need.

Also the keyed name by which a letter that says the same to the same person is found. Letters
that wait already have none: one more of the kind may join them once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ORDER = ("urgency", "due", "day", "report")
_INDEXES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("ix_cases_category", "cases", ("is_open", "unit", "category", *_ORDER), ""),
    ("ix_cases_status", "cases", ("unit", "status", *_ORDER), ""),
    ("ix_cases_due", "cases", ("is_open", "unit", "due", "urgency", "report"), ""),
    (
        "ix_cases_figures",
        "cases",
        ("day", "unit", "status", "category", "position", "is_open", "due", "canary"),
        "",
    ),
    (
        "ix_cases_taken",
        "cases",
        ("officer", "is_open", "unit", *_ORDER),
        "officer IS NOT NULL",
    ),
    ("ix_cases_wanted", "cases", ("unit", *_ORDER), "wanted_by IS NOT NULL"),
    (
        "ix_cases_class_asked",
        "cases",
        ("is_open", "unit", *_ORDER),
        "class_asked IS {yes}",
    ),
    ("ix_cases_hold", "cases", ("day", "number"), "hold IS {yes}"),
    (
        "ix_cases_undated",
        "cases",
        ("is_open", "report"),
        "closed IS NULL AND is_open IS {no}",
    ),
    (
        "ix_cases_identity",
        "cases",
        ("status", "closed", "report"),
        "closed IS NOT NULL AND identity_swept IS {no}",
    ),
    (
        "ix_cases_files",
        "cases",
        ("status", "closed", "report"),
        "closed IS NOT NULL AND files_swept IS {no}",
    ),
    (
        "ix_cases_contents",
        "cases",
        ("status", "closed", "report"),
        "closed IS NOT NULL AND purged IS NULL",
    ),
    (
        "ix_cases_receipt",
        "cases",
        ("status", "purged", "report"),
        "purged IS NOT NULL AND receipt_wrap IS NOT NULL",
    ),
    ("ix_grants_report", "grants", ("report", "recipient", "generation"), ""),
    ("ix_audit_report", "audit", ("report", "code"), ""),
    ("ix_audit_code", "audit", ("code", "seq"), ""),
    ("ix_audit_officer", "audit", ("officer", "seq"), ""),
    ("ix_audit_at", "audit", ("at",), ""),
    ("ix_tombstones_written", "tombstones", ("written", "day"), ""),
    ("ix_tombstones_unwritten", "tombstones", ("id",), "written IS {no}"),
    ("ix_conflicts_officer", "conflicts", ("officer",), ""),
    ("ix_outbox_line", "outbox", ("channel", "priority", "id"), "failed IS NULL"),
    ("ix_outbox_tried", "outbox", ("lease_until", "due"), "attempts > 0"),
    ("ix_outbox_failed", "outbox", ("expires", "due"), "failed IS NOT NULL"),
    ("ix_outbox_twin", "outbox", ("twin",), "twin IS NOT NULL"),
)
"""Name, table, columns, and of which rows; nothing for all."""

_GAPS = """
UPDATE registers SET gaps = abs(last) - (
  SELECT count(*) FROM cases
  WHERE register_year = abs(registers.year)
    AND (register_number > 0) = (registers.year > 0))
"""

_ASKED = """
UPDATE cases SET class_asked = {yes} WHERE report IN (
  SELECT e.report FROM events AS e
  WHERE e.code = 'class_asked' AND NOT EXISTS (
    SELECT 1 FROM events AS l WHERE l.report = e.report AND l.seq > e.seq
      AND l.code IN ('class_agreed', 'class_dropped')))
"""

_SWEPT = """
UPDATE cases SET identity_swept = NOT EXISTS (
    SELECT 1 FROM items WHERE items.report = cases.report AND audience = 'identity'),
  files_swept = NOT EXISTS (SELECT 1 FROM files WHERE files.report = cases.report)
WHERE closed IS NOT NULL
"""
"""Of a case that ended, what holds nothing need not be looked at."""


def upgrade() -> None:
    with op.batch_alter_table("cases", schema=None) as batch_op:
        for name in ("class_asked", "identity_swept", "files_swept"):
            batch_op.add_column(
                sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
            )
    with op.batch_alter_table("registers", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("gaps", sa.Integer(), nullable=False, server_default="0")
        )
    op.add_column("outbox", sa.Column("twin", sa.LargeBinary(), nullable=True))
    op.execute(_SWEPT)
    op.execute(_GAPS)
    op.execute(_ASKED.format(yes=_words()["yes"]))
    op.drop_index("ix_cases_officer", table_name="cases")
    op.drop_index("ix_tombstones_written", table_name="tombstones")
    for table in ("audit", "grants"):
        op.drop_index(f"ix_{table}_report", table_name=table)
    for name, table, columns, where in _INDEXES:
        of_these = sa.text(where.format(**_words())) if where else None
        op.create_index(
            name,
            table,
            list(columns),
            sqlite_where=of_these,
            postgresql_where=of_these,
        )


def downgrade() -> None:
    for name, table, _, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    op.create_index("ix_cases_officer", "cases", ["officer"])
    op.create_index("ix_tombstones_written", "tombstones", ["written"])
    for table in ("audit", "grants"):
        op.create_index(f"ix_{table}_report", table, ["report"])
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("twin")
    with op.batch_alter_table("registers", schema=None) as batch_op:
        batch_op.drop_column("gaps")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        for name in ("files_swept", "identity_swept", "class_asked"):
            batch_op.drop_column(name)


def _words() -> dict[str, str]:
    """Return what the store calls yes and no."""
    if op.get_bind().dialect.name == "sqlite":
        return {"yes": "1", "no": "0"}
    return {"yes": "true", "no": "false"}
