"""Before the vault has a key nothing can be kept in quarantine: then nothing gets a quiet 2xx."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers import inbox
from handlers.conversation import receipt_lookup
from storage.models import Unit
from tests.support.doors import Doors, doors


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(f"sqlite:///{tmp_path / 'k.db'}", tmp_path) as opened:
        yield opened


def _vault_key(door: Doors, key: bytes | None) -> None:
    with door.app.database.writing() as session:
        vault = session.get(Unit, door.founded.vault.id)
        assert vault is not None
        vault.public_key = key
        session.add(vault)


def _stumble(*_args: object, **_more: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("where", ["parse", "receive", "look"])
async def test_what_can_not_be_kept_comes_again(
    door: Doors, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    key = door.founded.vault.public_key
    body: bytes | dict[str, object] = b"{"
    if where != "parse":
        place = receipt_lookup if where == "look" else inbox
        monkeypatch.setattr(place, where, _stumble)
        body = door.update("STATUS 7K3M-9QXB")
    _vault_key(door, None)
    assert (await door.telegram(body)).status_code == 503
    assert door.rows()["quarantine"] == door.rows()["inbox"] == 0
    assert door.counted("telegram", "quarantined") == 0

    _vault_key(door, key)
    assert (await door.telegram(body)).status_code == 200
    assert door.rows()["quarantine"] == 1
