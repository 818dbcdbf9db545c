"""One's own account: language, alerts on Telegram, second factors, sessions."""

from sqlmodel import Session
from starlette.responses import Response

from bot.console.signing import second
from bot.console.signing.factor import qr
from bot.console.visit import SeeOther, Visit
from handlers.errors import NotYours
from handlers.people import officer_telegram
from storage.audit import log
from storage.crypto import fingerprints
from storage.crypto.server_key import ServerKeys
from storage.people import officers, passkeys, recovery_codes, sessions, telegram_links
from storage.units import memberships

_DONE = frozenset(
    {"language", "unlinked", "ended", "passkey", "passkey_removed", "passphrase"}
)


def account(visit: Visit) -> Response:
    """Show the account."""
    return _show(visit, done=visit.query.get("done", ""))


def choose_language(visit: Visit) -> Response:
    """Remember the officer's language."""
    wanted = visit.form.get("language", "")
    if wanted in visit.console.texts.languages:
        visit.write(officers.set_language, visit.officer.id, wanted)
    return SeeOther("/account?done=language")


def link(visit: Visit) -> Response:
    """Make a one-time link to the bot and show it, as a link and as a QR code.

    The token stands in this page only: never in an address of ours.
    """
    bot = visit.console.bot_url()
    if not bot:
        return _show(visit, problem="no_bot", status=409)
    try:
        token = visit.act(officer_telegram.offer_link, visit.officer)
    except NotYours:
        return _show(visit, problem="waits", status=409)
    address = f"{bot}?start={token}"
    return _show(visit, address=address, picture=qr(address))


def unlink(visit: Visit) -> Response:
    """Send no more alerts to the officer's Telegram."""
    visit.act(officer_telegram.unlink, visit.officer)
    return SeeOther("/account?done=unlinked")


def end_session(visit: Visit) -> Response:
    """End one of the officer's sessions; this one leads to the door."""
    try:
        name = bytes.fromhex(visit.form.get("session", ""))
    except ValueError:
        name = b""
    visit.write(_end_one, visit.console.office.keys, visit, name)
    if name == visit.arrived.name:
        return second.over()
    return SeeOther("/account?done=ended")


def end_others(visit: Visit) -> Response:
    """End all sessions of the officer but this one."""
    visit.write(_end_others, visit.console.office.keys, visit)
    return SeeOther("/account?done=ended")


def end_sessions(visit: Visit) -> Response:
    """Sign the officer out everywhere."""
    visit.write(_end_all, visit.console.office.keys, visit)
    return second.over()


def _show(
    visit: Visit,
    *,
    done: str = "",
    problem: str = "",
    address: str = "",
    picture: str = "",
    status: int = 200,
) -> Response:
    keys = visit.console.office.keys
    with visit.console.database.reading() as session:
        linked = telegram_links.is_linked(session, visit.officer.id)
        own = memberships.units_of(session, keys, visit.officer)
        open_ones = sessions.of_officer(session, keys, visit.officer.id, now=visit.now)
        left = recovery_codes.left(session, keys, visit.officer.id)
        known = passkeys.of_officer(session, keys, visit.officer.id)
    return visit.page(
        "people/account.html",
        status=status,
        linked=linked,
        waits=visit.waits,
        six=fingerprints.words(visit.officer.public_key),
        units=own,
        began=visit.arrived.began,
        done=done if done in _DONE else "",
        sessions=open_ones,
        this=visit.arrived.name,
        codes_left=left,
        few=left <= recovery_codes.FEW,
        passkeys=known,
        problem=problem,
        address=address,
        picture=picture,
        minutes=int(telegram_links.LIFE.total_seconds() // 60),
    )


def _end_one(session: Session, keys: ServerKeys, visit: Visit, name: bytes) -> None:
    if sessions.end_one(session, visit.officer.id, name):
        who = visit.officer.id
        log.record(session, keys, "session_ended", officer=who, now=visit.now)


def _end_others(session: Session, keys: ServerKeys, visit: Visit) -> None:
    who = visit.officer.id
    sessions.end_all(session, who, but=visit.arrived.name)
    log.record(session, keys, "session_ended", officer=who, now=visit.now)


def _end_all(session: Session, keys: ServerKeys, visit: Visit) -> None:
    sessions.end_all(session, visit.officer.id)
    log.record(session, keys, "signed_out", officer=visit.officer.id, now=visit.now)
