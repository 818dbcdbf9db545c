"""Tables that touch a person; nothing in them points at a case in clear.

There is no table of contacts: a person exists here while a conversation lives, while
something waits to be sent, or while they want notices.
"""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from storage.models.marks import clear, keyed, named, table

named(SQLModel.metadata)


class Inbox(SQLModel, table=True):
    """That a message was taken, or a letter is done: a keyed name, a day, 7 days long."""

    __tablename__ = "inbox"
    __table_args__ = table("people")
    name: bytes = keyed("7 days", primary_key=True)
    day: date = clear("7 days", index=True)


class Conversation(SQLModel, table=True):
    """The dialogue with one handle; gone on submit, on cancel, or after idle hours."""

    __tablename__ = "conversations"
    __table_args__ = table("people")
    handle: bytes = keyed("conversation", primary_key=True)
    alias: bytes | None = keyed("conversation", default=None, index=True)
    state: bytes = keyed("conversation")
    expiry_hour: int = clear("conversation", index=True)


class Subscription(SQLModel, table=True):
    """That a handle asked for notices on a case; both are keyed, the rest encrypted."""

    __tablename__ = "subscriptions"
    __table_args__ = table("people")
    id: bytes = keyed("until stop, forget, withdraw or retention", primary_key=True)
    subscriber: bytes = keyed("until stop", index=True)
    case_name: bytes = keyed("until stop", index=True)
    blob: bytes = keyed("until stop")


class OutboxRow(SQLModel, table=True):
    """What waits to leave; deleted when it left, at the latest after 48 h."""

    __tablename__ = "outbox"
    __table_args__ = table(
        "people",
        Index("ix_outbox_claim", "channel", "due"),
        Index(
            "ix_outbox_line",
            *("channel", "priority", "id"),
            sqlite_where=text("failed IS NULL"),
            postgresql_where=text("failed IS NULL"),
        ),
        Index(
            "ix_outbox_failed",
            *("expires", "due"),
            sqlite_where=text("failed IS NOT NULL"),
            postgresql_where=text("failed IS NOT NULL"),
        ),
        Index(
            "ix_outbox_tried",
            *("lease_until", "due"),
            sqlite_where=text("attempts > 0"),
            postgresql_where=text("attempts > 0"),
        ),
        Index("ix_outbox_order", "order_name", "id"),
        Index(
            "ix_outbox_twin",
            "twin",
            sqlite_where=text("twin IS NOT NULL"),
            postgresql_where=text("twin IS NOT NULL"),
        ),
        rowid=True,
    )
    id: int | None = clear("terminal status, 48 h", default=None, primary_key=True)
    channel: str = clear("terminal status, 48 h")
    priority: int = clear("terminal status, 48 h")
    due: datetime = clear("terminal status, 48 h")
    expires: datetime = clear("terminal status, 48 h", index=True)
    lease_until: datetime | None = clear("terminal status, 48 h", default=None)
    lease_token: bytes | None = keyed("terminal status, 48 h", default=None)
    attempts: int = clear("terminal status, 48 h", default=0)
    doubtful: bool = clear("terminal status, 48 h", default=False)
    failed: str | None = clear("terminal status, 48 h", default=None)
    order_name: bytes = keyed("terminal status, 48 h")
    twin: bytes | None = keyed("terminal status, 48 h", default=None)
    blob: bytes = keyed("terminal status, 48 h")


class Departed(SQLModel, table=True):
    """A letter that the provider took and whose last status is still to come."""

    __tablename__ = "departed"
    __table_args__ = table("people")
    name: bytes = keyed("terminal status, 48 h", primary_key=True)
    day: date = clear("terminal status, 48 h", index=True)
    rank: int = clear("terminal status, 48 h", default=0)
    blob: bytes = keyed("terminal status, 48 h")


class Job(SQLModel, table=True):
    """Durable work that is no letter: a receipt due, a file to fetch, a copy to erase."""

    __tablename__ = "jobs"
    __table_args__ = table("people", Index("ix_jobs_claim", "kind", "due"))
    id: bytes = keyed("done", primary_key=True)
    kind: str = clear("done")
    due: datetime = clear("done")
    expires: datetime = clear("done")
    lease_until: datetime | None = clear("done", default=None)
    lease_token: bytes | None = keyed("done", default=None)
    attempts: int = clear("done", default=0)
    blob: bytes = keyed("done")
