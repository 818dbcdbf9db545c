"""Console sessions: what a cookie opens, and for how long.

The cookie is ``value.finder``, two random values. The row is found by the hash of the
finder; the officer's secret key in it is wrapped under HKDF(value, salt = server
sub-key), so neither the database nor the server key opens it without the browser. A
session after the passphrase alone (``Stage.FIRST``) lives ten minutes and opens nothing;
the second factor makes a new one of it, with a new cookie. Every row carries a tag.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlmodel import Session, and_, col, delete, or_, select

from storage.crypto.sealing import Context, NotAuthentic, encode
from storage.crypto.server_key import Purpose, ServerKeys, lock_with, unlock_with
from storage.models import Officer
from storage.models import Session as Row
from storage.people import cookies, officers
from storage.words import Stage

IDLE = timedelta(minutes=20)
LONGEST = timedelta(hours=10)
FIRST_LIVES = timedelta(minutes=10)
PROOF_LASTS = timedelta(minutes=5)
TOUCH_EVERY = timedelta(minutes=1)
MOST_TRIES = 5
"""Wrong second factors that end a session."""

form_token = cookies.form_token
is_form_token = cookies.is_form_token


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was resumed: who it is, and the officer's secret key.

    ``name`` is the row's; ``proved`` when passphrase and second factor were last shown.
    """

    officer: Officer = field(repr=False)
    secret: bytes = field(repr=False)
    name: bytes = field(repr=False)
    began: datetime
    stage: Stage
    proved: datetime | None
    touch_due: bool

    def is_proved(self, now: datetime) -> bool:
        """Tell whether passphrase and second factor were shown within five minutes."""
        if self.stage is not Stage.FULL or self.proved is None:
            return False
        return timedelta(0) <= now - self.proved < PROOF_LASTS


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as its officer sees it in a list; ``label`` names browser and system."""

    name: bytes
    label: str
    began: datetime
    seen: datetime


def begin(
    session: Session,
    keys: ServerKeys,
    officer: Officer,
    secret: bytes,
    *,
    stage: Stage = Stage.FIRST,
    label: str = "",
    now: datetime,
) -> str:
    """Store a session and return its cookie. Raises NotAuthentic for a changed account."""
    officers.check(keys, officer)
    cookie = cookies.new()
    value, name = cookies.parse(cookie)
    key = _key(keys, value, keys.newest)
    wrap = lock_with(key, secret, _context(name, officer.id, now))
    row = Row(
        hash=name,
        officer=officer.id,
        secret=bytes((keys.newest,)) + wrap,
        began=now,
        seen=now,
        stage=stage.value,
        proved=now if stage is Stage.FULL else None,
        label=keys.lock(Purpose.SESSION, label.encode(), _label_context(name)),
    )
    _write(session, keys, row)
    return cookie


def resume(
    session: Session, keys: ServerKeys, cookie: str, *, now: datetime
) -> SignedIn | None:
    """Return who is signed in, or None: unknown, over, or changed by somebody. Only reads."""
    try:
        value, name = cookies.parse(cookie)
        row = session.get(Row, name)
        if row is None or not _alive(row, now):
            return None
        _check(keys, row)
        officer = officers.by_id(session, keys, row.officer)
        key = _key(keys, value, row.secret[0])
        context = _context(name, row.officer, row.began)
        secret = unlock_with(key, row.secret[1:], context)
    except (NotAuthentic, officers.NoSuchOfficer):
        return None
    if not officer.active:
        return None
    return SignedIn(
        officer=officer,
        secret=secret,
        name=name,
        began=row.began,
        stage=Stage(row.stage),
        proved=row.proved,
        touch_due=now - row.seen >= TOUCH_EVERY,
    )


def hold(session: Session, keys: ServerKeys, name: bytes, *, now: datetime) -> bool:
    """Lock a session's row for a verb; False when it is over. Raises NotAuthentic."""
    row = session.get(Row, name, with_for_update=True, populate_existing=True)
    if row is None or not _alive(row, now):
        return False
    _check(keys, row)
    return True


def promote(
    session: Session, keys: ServerKeys, signed: SignedIn, *, now: datetime
) -> str:
    """Make a full session of one that has shown its second factor; return the new cookie.

    The old cookie opens nothing any more. Raises NotAuthentic.
    """
    row = _held(session, keys, signed.name)
    label = _label(keys, row)
    session.delete(row)
    session.flush()
    return begin(
        session,
        keys,
        signed.officer,
        signed.secret,
        stage=Stage.FULL,
        label=label,
        now=now,
    )


def prove(session: Session, keys: ServerKeys, name: bytes, *, now: datetime) -> None:
    """Remember that passphrase and second factor were shown again. Raises NotAuthentic."""
    row = _held(session, keys, name)
    if row.stage != Stage.FULL:
        raise NotAuthentic
    row.proved, row.tries = now, 0
    _write(session, keys, row)


def failed(session: Session, keys: ServerKeys, name: bytes) -> bool:
    """Count a wrong second factor; True when it was the last and the session has ended."""
    row = _held(session, keys, name)
    row.tries += 1
    if row.tries < MOST_TRIES:
        _write(session, keys, row)
        return False
    session.delete(row)
    session.flush()
    return True


def touch(session: Session, cookie: str, *, now: datetime) -> None:
    """Remember that the session is in use; call it when ``touch_due``, so reads rarely write."""
    try:
        _, name = cookies.parse(cookie)
    except NotAuthentic:
        return
    row = session.get(Row, name)
    if row is not None and _alive(row, now):
        row.seen = max(row.seen, now)
        session.add(row)


def of_officer(
    session: Session, keys: ServerKeys, officer_id: bytes, *, now: datetime
) -> list[Listed]:
    """Return the full sessions of an officer that live, the latest use first."""
    rows = session.exec(
        select(Row).where(col(Row.officer) == officer_id).order_by(col(Row.seen).desc())
    )
    found = []
    for row in rows:
        try:
            _check(keys, row)
            if _alive(row, now) and row.stage == Stage.FULL:
                found.append(Listed(row.hash, _label(keys, row), row.began, row.seen))
        except NotAuthentic:
            continue
    return found


def end(session: Session, cookie: str) -> None:
    """Delete a session; an unknown cookie is no error."""
    try:
        _, name = cookies.parse(cookie)
    except NotAuthentic:
        return
    session.exec(delete(Row).where(col(Row.hash) == name))


def end_one(session: Session, officer_id: bytes, name: bytes) -> bool:
    """Delete a session of this officer by its name; False for anything else."""
    its = (col(Row.hash) == name, col(Row.officer) == officer_id)
    return session.exec(delete(Row).where(*its)).rowcount == 1


def end_all(session: Session, officer_id: bytes, *, but: bytes = b"") -> None:
    """Delete every session of an officer, except the one named ``but``."""
    session.exec(
        delete(Row).where(col(Row.officer) == officer_id, col(Row.hash) != but)
    )


def purge(session: Session, *, now: datetime) -> None:
    """Delete what is over."""
    over = or_(
        col(Row.seen) <= now - IDLE,
        col(Row.began) <= now - LONGEST,
        and_(col(Row.stage) != Stage.FULL, col(Row.began) <= now - FIRST_LIVES),
    )
    session.exec(delete(Row).where(over))


def _alive(row: Row, now: datetime) -> bool:
    longest = LONGEST if row.stage == Stage.FULL else FIRST_LIVES
    return now - row.seen < IDLE and now - row.began < longest


def _held(session: Session, keys: ServerKeys, name: bytes) -> Row:
    row = session.get(Row, name, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotAuthentic
    _check(keys, row)
    return row


def _write(session: Session, keys: ServerKeys, row: Row) -> None:
    row.tag = keys.tag(_tag_context(row), _content(row))
    session.add(row)
    session.flush()


def _check(keys: ServerKeys, row: Row) -> None:
    keys.check_tag(row.tag, _tag_context(row), _content(row))


def _label(keys: ServerKeys, row: Row) -> str:
    return keys.unlock(Purpose.SESSION, row.label, _label_context(row.hash)).decode()


def _key(keys: ServerKeys, value: bytes, key_id: int) -> bytes:
    salt = keys.sub_key(Purpose.SESSION, key_id)
    return HKDF(hashes.SHA256(), 32, salt, b"kentongan/1/session").derive(value)


def _context(name: bytes, officer: bytes, began: datetime) -> Context:
    """Bind account and beginning, so that neither can be changed in the row."""
    micros = round(began.timestamp() * 1_000_000)
    return Context("sessions", name, "secret", seq=micros, key=officer)


def _label_context(name: bytes) -> Context:
    return Context("sessions", name, "label")


def _tag_context(row: Row) -> Context:
    return Context("sessions", row.hash, "tag")


def _content(row: Row) -> bytes:
    proved = row.proved.astimezone(UTC).isoformat() if row.proved else ""
    return encode(
        row.officer,
        row.secret,
        row.began.astimezone(UTC).isoformat().encode(),
        row.stage.encode(),
        proved.encode(),
        str(row.tries).encode(),
        row.label,
    )
