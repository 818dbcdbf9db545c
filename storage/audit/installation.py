"""Facts about this installation: tagged rows, so that nobody plants one."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from storage.crypto.sealing import Context
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.database.statement import Statement
from storage.models import Setting


def set_setting(session: Session, keys: ServerKeys, name: str, value: str) -> None:
    """Write or replace one fact."""
    transactions.forget(session)
    row = session.get(Setting, name) or Setting(name=name, value="", tag=b"")
    row.value = value
    row.tag = keys.tag(_context(name), value.encode())
    session.add(row)
    session.flush()


def hold(session: Session, keys: ServerKeys, name: str) -> None:
    """Let another writer of this fact wait until we are done; it may be none yet."""
    transactions.forget(session)
    connection = session.connection()
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    tag = keys.tag(_context(name), b"")
    values = {"name": name, "value": "", "tag": tag}
    connection.execute(insert(Setting).values(**values).on_conflict_do_nothing())
    session.get(Setting, name, with_for_update=True, populate_existing=True)


def get_setting(session: Session, keys: ServerKeys, name: str) -> str:
    """Return a fact; empty when it was never set. Raises NotAuthentic."""
    return transactions.once(
        session, ("setting", name), lambda: _find(session, keys, name)
    )


def check(keys: ServerKeys, row: Setting) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(row.tag, _context(row.name), row.value.encode())


_READ = Statement("SELECT value, tag FROM settings WHERE name = :name")


def _find(session: Session, keys: ServerKeys, name: str) -> str:
    row = _READ(session, name=name).first()
    if row is None:
        return ""
    value, tag = row
    keys.check_tag(tag, _context(name), value.encode())
    return str(value)


def _context(name: str) -> Context:
    return Context("settings", name.encode(), "value")
