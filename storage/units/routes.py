"""Routes: which unit gets which reports. A changed route stops intake, it never misleads."""

import secrets

from sqlmodel import Session, col, select

from storage.audit import manifests
from storage.audit.manifests import Name
from storage.crypto.sealing import Context, encode
from storage.crypto.server_key import ServerKeys
from storage.database import transactions
from storage.models import Route, Unit


def add_route(
    session: Session,
    keys: ServerKeys,
    unit: Unit,
    *,
    category: str = "",
    province: str = "",
    position: str = "",
    priority: int = 0,
) -> Route:
    """Send matching reports to a unit; empty matches any.

    Of routes that are equally narrow the smaller ``priority`` wins.
    """
    route = Route(
        id=secrets.token_bytes(16),
        category=category,
        province=province,
        position=position,
        priority=priority,
        unit=unit.id,
        tag=b"",
    )
    route.tag = keys.tag(_context(route), _content(route))
    session.add(route)
    session.flush()
    manifests.change(session, keys, Name.ROUTES, into=[_row(route)])
    return route


def remove_route(session: Session, keys: ServerKeys, route: Route) -> None:
    """Take a route away. Raises NotAuthentic for one that does not count."""
    out = [_row(route)]
    session.delete(route)
    session.flush()
    manifests.change(session, keys, Name.ROUTES, out=out)


def verified_routes(session: Session, keys: ServerKeys) -> list[Route]:
    """Return every route, the smaller priority first.

    Raises NotAuthentic if a single one was not written by us, is missing or was put back:
    with a hole in the table a report about a unit could reach that unit.
    """
    return transactions.once(session, ("routes",), lambda: _find(session, keys))


def check(keys: ServerKeys, route: Route) -> None:
    """Raise NotAuthentic unless this row was written by us as it stands."""
    keys.check_tag(route.tag, _context(route), _content(route))


def _find(session: Session, keys: ServerKeys) -> list[Route]:
    routes = session.exec(
        select(Route).order_by(col(Route.priority), col(Route.id))
    ).all()
    for route in routes:
        check(keys, route)
    manifests.require_all(session, keys, Name.ROUTES, map(_row, routes))
    return list(routes)


def _row(route: Route) -> bytes:
    return encode(route.id, _content(route))


def _context(route: Route) -> Context:
    return Context("routes", route.id, "tag")


def _content(route: Route) -> bytes:
    return encode(
        route.category.encode(),
        route.province.encode(),
        route.position.encode(),
        str(route.priority).encode(),
        route.unit,
    )
