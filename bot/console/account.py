"""My account: language, alerts on Telegram, sessions."""

from sqlmodel import Session
from starlette.responses import Response

from bot.console.pictures import qr
from bot.console.visit import COOKIE, SeeOther, Visit
from storage import audit, links, officers, sessions, units
from storage.keys import ServerKeys


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
    token = visit.write(_issue, visit.console.office.keys, visit)
    address = f"{bot}?start={token}"
    return _show(visit, address=address, picture=qr(address))


def unlink(visit: Visit) -> Response:
    """Send no more alerts to the officer's Telegram."""
    visit.write(_unlink, visit.console.office.keys, visit)
    return SeeOther("/account?done=unlinked")


def end_sessions(visit: Visit) -> Response:
    """Sign the officer out everywhere."""
    visit.write(_end_all, visit.console.office.keys, visit)
    response = SeeOther("/sign-in")
    response.delete_cookie(
        COOKIE, path="/", secure=True, httponly=True, samesite="strict"
    )
    return response


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
        linked = links.is_linked(session, visit.officer.id)
        own = units.units_of(session, keys, visit.officer)
    return visit.page(
        "account.html",
        status=status,
        linked=linked,
        units=own,
        began=visit.signed.began if visit.signed else visit.now,
        done=done if done in {"language", "unlinked"} else "",
        problem=problem,
        address=address,
        picture=picture,
        minutes=int(links.LIFE.total_seconds() // 60),
    )


def _issue(session: Session, keys: ServerKeys, visit: Visit) -> str:
    token = links.issue(session, keys, visit.officer.id, now=visit.now)
    audit.record(session, keys, "link_made", officer=visit.officer.id, now=visit.now)
    return token


def _unlink(session: Session, keys: ServerKeys, visit: Visit) -> None:
    links.unlink(session, visit.officer.id)
    audit.record(session, keys, "unlinked", officer=visit.officer.id, now=visit.now)


def _end_all(session: Session, keys: ServerKeys, visit: Visit) -> None:
    sessions.end_all(session, visit.officer.id)
    audit.record(session, keys, "signed_out", officer=visit.officer.id, now=visit.now)
