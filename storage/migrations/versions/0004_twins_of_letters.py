"""The keyed name by which a letter that says the same to the same person is found."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Letters that wait already have no name: one more of the kind may join them once."""
    op.add_column("outbox", sa.Column("twin", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_outbox_twin",
        "outbox",
        ["twin"],
        sqlite_where=sa.text("twin IS NOT NULL"),
        postgresql_where=sa.text("twin IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_twin", table_name="outbox")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("twin")
