"""How a column may be read: clear, keyed or sealed; a test fails on an unmarked one.

*clear* anyone with the database reads it. *keyed* an HMAC or a ciphertext of the server
key. *sealed* only a holder of a secret key opens it, or it proves authenticity. Each mark
names the rule by which the value goes. Families: ``people`` and ``cases`` share nothing.
"""

from typing import Any

from sqlalchemy import LargeBinary
from sqlmodel import Field, MetaData

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names of constraints, so that migrations can find them."""


def named(metadata: MetaData) -> None:
    """Give the shared metadata our naming convention."""
    metadata.naming_convention = NAMES


def table(family: str, *constraints: Any, rowid: bool = False) -> tuple[Any, ...]:  # noqa: ANN401 - SQLAlchemy's constraints share no type
    """Return ``__table_args__``: the family, and no row id that would tell an order."""
    return (*constraints, {"info": {"family": family}, "sqlite_with_rowid": rowid})


def clear(purge: str, **options: Any) -> Any:  # noqa: ANN401 - the signature of Field
    """Mark a column that stands in clear."""
    return _marked("clear", purge, options)


def keyed(purge: str, **options: Any) -> Any:  # noqa: ANN401 - the signature of Field
    """Mark bytes that the server key makes or opens."""
    return _marked("keyed", purge, {"sa_type": LargeBinary, **options})


def sealed(purge: str, **options: Any) -> Any:  # noqa: ANN401 - the signature of Field
    """Mark bytes that only a key holder opens, or that prove who wrote a row."""
    return _marked("sealed", purge, {"sa_type": LargeBinary, **options})


def _marked(mark: str, purge: str, options: dict[str, Any]) -> Any:  # noqa: ANN401
    kwargs = {
        "info": {"mark": mark, "purge": purge},
        **options.pop("sa_column_kwargs", {}),
    }
    return Field(sa_column_kwargs=kwargs, **options)
