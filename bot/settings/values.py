"""The kinds of values that settings take, each with the advice it gives when refused."""

import ipaddress
import re
from functools import cache
from importlib import import_module
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, SecretStr


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def pattern(regex: str, advice: str) -> AfterValidator:
    """Refuse, with ``advice``, what does not match as a whole; empty means unset."""
    compiled = re.compile(regex, re.ASCII)

    def check(value: str | SecretStr) -> str | SecretStr:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text and not compiled.fullmatch(text):
            raise ValueError(advice)
        return value

    return AfterValidator(check)


def _parts(value: str) -> SplitResult:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError for a port that is none
    return parts


def _safe_url(value: str) -> str:
    parts = _parts(value)
    host = parts.hostname or ""
    if not host or parts.username or parts.query or parts.fragment:
        raise ValueError("must be a plain address such as https://host/path")
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return value.rstrip("/")
    raise ValueError("must begin with https:// (http:// only for this machine itself)")


def check_origin(value: str) -> str:
    """Take an address without a path: https, or this machine itself."""
    if not value:
        return value
    if _parts(value).path.strip("/"):
        raise ValueError("must end after the host, without a path")
    return _safe_url(value)


def check_heartbeat(value: str) -> str:
    """Take an address to call: https, or this machine itself; empty means nobody."""
    return _safe_url(value) if value else value


def check_web_page(value: str) -> str:
    """Take the address of a page that is only shown to people."""
    if value and not (
        _parts(value).scheme in {"http", "https"} and _parts(value).netloc
    ):
        raise ValueError("must be a web address such as https://example.go.id/privacy")
    return value


def check_installed(module: str, extra: str) -> None:
    """Raise ValueError unless the library is there that one of our extras brings."""
    try:
        import_module(module)
    except ImportError:
        raise ValueError(
            f"needs {module}, which is not installed: install kentongan[{extra}]"
        ) from None


def check_bucket(name: str) -> str:
    """Take a bucket's name where there is a library to reach it; empty means none."""
    if name:
        check_installed("obstore", "s3")
    return name


def check_database_url(value: SecretStr) -> SecretStr:
    """Take SQLite in a file or PostgreSQL by psycopg 3."""
    scheme, _, rest = value.get_secret_value().partition("://")
    if (
        scheme == "sqlite"
        and rest.startswith("/")
        and ":memory:" not in rest
        and rest != "/"
    ):
        return value
    if scheme in {"postgresql", "postgresql+psycopg"} and rest:
        check_installed("psycopg", "postgres")
        return value
    raise ValueError(
        "must be sqlite:///file.db or postgresql://user:password@host/name"
    )


@cache
def _timezones() -> set[str]:
    return available_timezones()  # it reads a thousand files


def check_timezone(value: str) -> str:
    """Take a name of the time zone database."""
    if value in _timezones():
        return value
    raise ValueError(
        f"{value!r} is no time zone; use a name such as Asia/Jakarta, Asia/Makassar "
        "or Asia/Jayapura"
    )


def check_languages(value: tuple[str, ...]) -> tuple[str, ...]:
    """Take at least one language code, none of them twice."""
    well_formed = all(re.fullmatch("[a-z]{2,3}", code) for code in value)
    if value and well_formed and len(set(value)) == len(value):
        return value
    raise ValueError(
        'must list each language once, as in ["id", "en"], the first is the default'
    )


Number = Annotated[
    str,
    pattern(
        r"\+[1-9][0-9]{6,14}",
        "must be the number alone with + and country code, as in +6281234567890",
    ),
]
SafeUrl = Annotated[str, AfterValidator(_safe_url)]
Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
