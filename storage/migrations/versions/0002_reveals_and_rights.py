"""Reveals, second factors, requests about data, tombstones."""

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM sessions")
    op.create_table(
        "applications",
        sa.Column("unit", sa.LargeBinary(), nullable=False),
        sa.Column("officer", sa.LargeBinary(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "officer", name=op.f("pk_applications")),
        info={"family": "house"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "breaches",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("known", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("told_authority", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("told_reporters", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breaches")),
        info={"family": "house"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conflicts",
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("officer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("report", "officer", name=op.f("pk_conflicts")),
        info={"family": "cases"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "data_requests",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("answer_due", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("officer", sa.LargeBinary(), nullable=True),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('erase', 'restrict', 'access', 'correct')",
            name=op.f("ck_data_requests_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'limited')", name=op.f("ck_data_requests_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_requests")),
        info={"family": "cases"},
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("data_requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_data_requests_report"), ["report"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_data_requests_state"), ["state"], unique=False
        )

    op.create_table(
        "invitations",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("login", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("role", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("language", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("unit", sa.LargeBinary(), nullable=True),
        sa.Column("officer", sa.LargeBinary(), nullable=True),
        sa.Column("expires", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_invitations")),
        info={"family": "house"},
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invitations_expires"), ["expires"], unique=False
        )

    op.create_table(
        "passkeys",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("officer", sa.LargeBinary(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_passkeys")),
        info={"family": "house"},
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("passkeys", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_passkeys_officer"), ["officer"], unique=False
        )

    op.create_table(
        "recovery_codes",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("officer", sa.LargeBinary(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recovery_codes")),
        info={"family": "house"},
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("recovery_codes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_recovery_codes_officer"), ["officer"], unique=False
        )

    op.create_table(
        "reveals",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("what", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=True),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("officer", sa.LargeBinary(), nullable=False),
        sa.Column("custodian", sa.LargeBinary(), nullable=True),
        sa.Column("asked", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ends", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'granted', 'refused')", name=op.f("ck_reveals_state")
        ),
        sa.CheckConstraint(
            "what IN ('identity', 'original')", name=op.f("ck_reveals_what")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveals")),
        info={"family": "cases"},
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("reveals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reveals_ends"), ["ends"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_reveals_officer"), ["officer"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_reveals_report"), ["report"], unique=False)
        batch_op.create_index(batch_op.f("ix_reveals_state"), ["state"], unique=False)

    op.create_table(
        "second_factors",
        sa.Column("officer", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("officer", name=op.f("pk_second_factors")),
        info={"family": "house"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tombstones",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("what", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("written", sa.Boolean(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstones")),
        info={"family": "cases"},
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("tombstones", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_tombstones_report"), ["report"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_tombstones_written"), ["written"], unique=False
        )

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("hold", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("purged", sa.Date(), nullable=True))

    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "stage",
                sqlmodel.sql.sqltypes.AutoString(),
                nullable=False,
                server_default="first",
            )
        )
        batch_op.add_column(
            sa.Column("proved", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True)
        )
        batch_op.add_column(
            sa.Column("tries", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column(
                "label", sa.LargeBinary(), nullable=False, server_default=sa.text("''")
            )
        )
        batch_op.add_column(
            sa.Column(
                "tag", sa.LargeBinary(), nullable=False, server_default=sa.text("''")
            )
        )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_report"), ["report"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_report"))
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_column("tag")
        batch_op.drop_column("label")
        batch_op.drop_column("tries")
        batch_op.drop_column("proved")
        batch_op.drop_column("stage")

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_column("purged")
        batch_op.drop_column("hold")
        batch_op.drop_column("closed")

    with op.batch_alter_table("tombstones", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tombstones_written"))
        batch_op.drop_index(batch_op.f("ix_tombstones_report"))

    op.drop_table("tombstones")
    op.drop_table("second_factors")
    with op.batch_alter_table("reveals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reveals_state"))
        batch_op.drop_index(batch_op.f("ix_reveals_report"))
        batch_op.drop_index(batch_op.f("ix_reveals_officer"))
        batch_op.drop_index(batch_op.f("ix_reveals_ends"))

    op.drop_table("reveals")
    with op.batch_alter_table("recovery_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recovery_codes_officer"))

    op.drop_table("recovery_codes")
    with op.batch_alter_table("passkeys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passkeys_officer"))

    op.drop_table("passkeys")
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitations_expires"))

    op.drop_table("invitations")
    with op.batch_alter_table("data_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_data_requests_state"))
        batch_op.drop_index(batch_op.f("ix_data_requests_report"))

    op.drop_table("data_requests")
    op.drop_table("conflicts")
    op.drop_table("breaches")
    op.drop_table("applications")
