"""Officers' accounts: a key pair each, its secret wrapped by a passphrase.

``prepare_account`` and ``unwrap`` hash slowly and run outside any transaction; ``add``
and the rest are short. Every row is tagged over what decides, and checked before use.
"""

import re
import secrets
import unicodedata
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import constant_time
from sqlmodel import Session, col, delete, select

from storage.audit import manifests
from storage.audit.manifests import Name, name_of
from storage.crypto.sealing import Context, NotAuthentic, encode, new_pair, public_of
from storage.crypto.server_key import ServerKeys
from storage.models import Membership, Officer, UnitGrant
from storage.models import Session as SignedIn
from storage.people import one_time_codes, passkeys, passphrases, recovery_codes
from storage.people.passphrases import Wrapped
from storage.words import Role

MIN_PASSPHRASE = passphrases.LEAST
PassphraseTooShort = passphrases.PassphraseTooShort
new_passphrase = passphrases.new
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_DUMMY = Officer(
    id=bytes(16),
    login="",
    name="",
    role="",
    public_key=b"",
    salt=bytes(16),
    secret=b"",
    tag=b"",
)


class BadLogin(Exception):
    """A login has 2 to 40 characters: a to z, 0 to 9, dot, hyphen, underscore."""


class LoginTaken(Exception):
    """There is an account with this login already; choose another."""


class NoSuchOfficer(Exception):
    """There is no active account with this login; see ``kentongan officer list``."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account that was prepared outside the transaction; give it to ``add``."""

    id: bytes
    login: str
    name: str
    role: Role
    language: str
    public_key: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    secret: bytes = field(repr=False)


def prepare_account(
    keys: ServerKeys,
    login: str,
    name: str,
    role: Role,
    passphrase: str,
    *,
    language: str = "id",
) -> NewAccount:
    """Make the pair and wrap its secret (slow: never in a transaction or on the loop).

    Raises BadLogin or PassphraseTooShort.
    """
    login = normal_login(login)
    if not _LOGIN.fullmatch(login):
        raise BadLogin
    pair, row_id = new_pair(), secrets.token_bytes(16)
    wrapped = passphrases.wrap(keys, row_id, pair.secret, passphrase)
    return NewAccount(
        id=row_id,
        login=login,
        name=name.strip() or login,
        role=role,
        language=language,
        public_key=pair.public,
        salt=wrapped.salt,
        secret=wrapped.secret,
    )


def add(session: Session, keys: ServerKeys, account: NewAccount) -> Officer:
    """Store a prepared account. Raises LoginTaken."""
    taken = session.exec(select(Officer).where(Officer.login == account.login)).first()
    if taken is not None:
        raise LoginTaken
    officer = Officer(
        id=account.id,
        login=account.login,
        name=account.name,
        role=account.role.value,
        language=account.language,
        public_key=account.public_key,
        salt=account.salt,
        secret=account.secret,
        tag=b"",
    )
    _sign(keys, officer)
    session.add(officer)
    session.flush()
    manifests.change(session, keys, Name.PEOPLE, into=[_row(officer)])
    return officer


def free_login(session: Session, login: str) -> str:
    """Return a login as it will be stored. Raises BadLogin, LoginTaken."""
    wanted = normal_login(login)
    if not _LOGIN.fullmatch(wanted):
        raise BadLogin
    if session.exec(select(Officer.id).where(Officer.login == wanted)).first():
        raise LoginTaken
    return wanted


def find(session: Session, keys: ServerKeys, login: str) -> Officer | None:
    """Return the active account with this login, or None. Raises NotAuthentic."""
    officer = session.exec(
        select(Officer).where(Officer.login == normal_login(login))
    ).first()
    if officer is None:
        return None
    require(session, keys, officer)
    return officer if officer.active else None


def verified(session: Session, keys: ServerKeys, login: str) -> Officer:
    """Return the active account with this login. Raises NoSuchOfficer, NotAuthentic."""
    officer = find(session, keys, login)
    if officer is None:
        raise NoSuchOfficer
    return officer


def by_id(session: Session, keys: ServerKeys, officer_id: bytes) -> Officer:
    """Return an account, active or not. Raises NoSuchOfficer, NotAuthentic."""
    officer = session.get(Officer, officer_id)
    if officer is None:
        raise NoSuchOfficer
    require(session, keys, officer)
    return officer


def everyone(session: Session) -> list[Officer]:
    """Return all accounts by login, unchecked: for lists of names."""
    return list(session.exec(select(Officer).order_by(col(Officer.login))))


def names(session: Session, keys: ServerKeys) -> dict[bytes, str]:
    """Return the names of all accounts by id; one that was changed by hand has none."""
    found = {}
    for officer in everyone(session):
        try:
            check(keys, officer)
        except NotAuthentic:
            continue
        found[officer.id] = officer.name
    return found


def check(keys: ServerKeys, officer: Officer) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(officer.tag, _context(officer), _content(officer))


def unwrap(keys: ServerKeys, officer: Officer | None, passphrase: str) -> bytes:
    """Return the officer's secret key (slow: never in a transaction or on the loop).

    Raises NotAuthentic when the passphrase is wrong; for None too, after the same time,
    so that nobody learns which accounts exist.
    """
    account = officer or _DUMMY
    wrapped = Wrapped(account.salt, account.secret)
    secret = passphrases.unwrap(keys, account.id, wrapped, passphrase)
    if not constant_time.bytes_eq(public_of(secret), account.public_key):
        raise NotAuthentic
    return secret


def rewrap(session: Session, keys: ServerKeys, was: Officer, wrapped: Wrapped) -> bool:
    """Put the same pair under another passphrase; the old one opens nothing any more.

    ``was`` is the account whose wrap was opened with the old passphrase: False, and
    nothing done, when another has taken its place since. Raises NotAuthentic.
    """
    officer = session.get(Officer, was.id, with_for_update=True, populate_existing=True)
    if officer is None:
        raise NoSuchOfficer
    require(session, keys, officer)
    if not officer.active or officer.secret != was.secret:
        return False
    _change(session, keys, officer, salt=wrapped.salt, secret=wrapped.secret)
    return True


def set_language(session: Session, officer_id: bytes, language: str) -> None:
    """Remember in which language an officer reads. Raises NoSuchOfficer."""
    officer = session.get(Officer, officer_id)
    if officer is None:
        raise NoSuchOfficer
    officer.language = language
    session.add(officer)


def deactivate(session: Session, keys: ServerKeys, officer_id: bytes) -> None:
    """End an account: no sign-in, no session, no membership, no grant of a unit's key.

    The officer knew the units' secrets: ``handlers.people.leaving`` gives the units new keys.
    """
    officer = by_id(session, keys, officer_id)
    _change(session, keys, officer, active=False)
    ended = session.exec(select(Membership).where(Membership.officer == officer_id))
    counted = manifests.present(session, keys, Name.PEOPLE).rows
    members = [row for row in map(membership, ended) if name_of(row) in counted]
    manifests.change(session, keys, Name.PEOPLE, out=members)
    for noun in (one_time_codes, recovery_codes, passkeys):
        noun.forget(session, keys, officer_id)
    session.exec(delete(SignedIn).where(col(SignedIn.officer) == officer_id))
    session.exec(delete(Membership).where(col(Membership.officer) == officer_id))
    session.exec(delete(UnitGrant).where(col(UnitGrant.recipient) == officer_id))
    session.flush()


def require(session: Session, keys: ServerKeys, officer: Officer) -> None:
    """Raise NotAuthentic unless this row was written by us and counts now."""
    check(keys, officer)
    manifests.require(session, keys, Name.PEOPLE, _row(officer))


def counts(session: Session, keys: ServerKeys, officer: Officer) -> bool:
    """Tell whether this row was written by us and counts now."""
    try:
        require(session, keys, officer)
    except NotAuthentic:
        return False
    return True


def membership(row: Membership) -> bytes:
    """Return a membership as the list of people names it."""
    return encode(b"membership", row.unit, row.officer)


def normal_login(login: str) -> str:
    """Return a login as it is stored: trimmed, small letters."""
    return unicodedata.normalize("NFKC", login).strip().lower()


def _sign(keys: ServerKeys, officer: Officer) -> None:
    officer.tag = keys.tag(_context(officer), _content(officer))


def _context(officer: Officer) -> Context:
    return Context("officers", officer.id, "tag", generation=officer.generation)


def _change(
    session: Session, keys: ServerKeys, officer: Officer, **values: object
) -> None:
    """Change a row that counts; its old self counts no more."""
    was = _row(officer)
    for name, value in values.items():
        setattr(officer, name, value)
    _sign(keys, officer)
    session.add(officer)
    manifests.change(session, keys, Name.PEOPLE, out=[was], into=[_row(officer)])


def _row(officer: Officer) -> bytes:
    generation = str(officer.generation).encode()
    return encode(b"officer", officer.id, generation, _content(officer))


def _content(officer: Officer) -> bytes:
    return encode(
        officer.login.encode(),
        officer.name.encode("utf-8", "surrogatepass"),
        officer.role.encode(),
        b"active" if officer.active else b"ended",
        officer.public_key,
        officer.salt,
        officer.secret,
    )
