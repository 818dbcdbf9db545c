"""A real S3 server on this machine, and a bucket of its own for each test."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.assembly.office import make_blob_store
from bot.settings.sections import Settings
from storage.evidence.bucket import BucketStore


@dataclass(frozen=True, slots=True)
class Named:
    """A bucket that stands, and how settings name it."""

    section: dict[str, str]

    def blob_store(self, path: Path) -> BucketStore:
        """Open it as the program does; ``path`` is where files wait."""
        settings = {"files": {"path": str(path)}, "bucket": self.section}
        made = make_blob_store(Settings.model_validate(settings))
        assert isinstance(made, BucketStore)
        return made

    @property
    def environment(self) -> dict[str, str]:
        """Return what points a server at it."""
        prefix = "KENTONGAN_BUCKET__"
        return {prefix + name.upper(): value for name, value in self.section.items()}


@contextmanager
def s3_server(port: int = 0) -> Iterator[str]:
    """Run a server for the time of the block; its address."""
    from moto.server import (  # noqa: PLC0415 - a second, and most tests have no bucket
        ThreadedMotoServer,
    )

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    host, found = server.get_host_and_port()
    try:
        yield f"http://{host}:{found}"
    finally:
        server.stop()


def new_bucket(server: str, *, prefix: str = "house/evidence") -> Named:
    name = f"evidence-{secrets.token_hex(4)}"
    make_bucket(server, name)
    return bucket_at(server, name, prefix=prefix)


def make_bucket(server: str, name: str) -> None:
    httpx.put(f"{server}/{name}").raise_for_status()


def bucket_at(server: str, name: str, *, prefix: str = "house/evidence") -> Named:
    return Named(
        {
            "name": name,
            "endpoint": server,
            "prefix": prefix,
            "access_key_id": "of-the-test",
            "secret_access_key": "kept-by-the-test",
        }
    )
