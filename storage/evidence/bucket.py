"""A blob store in an S3-compatible bucket: the same sealed bytes, under other names.

A file is sealed into a folder of ours first and uploaded whole before its row is stored, so
no transaction waits for a network. Each try has a name of its own, which ends in a mark of
its key: two workers never write over each other. The bucket's owner sees sizes, and the
second of each upload.
"""

import io
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store
from typing_extensions import override

from storage.evidence import blobs, sealed_files
from storage.evidence.blobs import Away, Blob, BlobStore
from storage.evidence.sealed_files import Sealer

SECONDS: Final = timedelta(seconds=30)
"""How long one request may take; an upload has one for each piece."""
TRIES: Final = 3
_PIECE: Final = 5 << 20
"""What S3 takes as the smallest piece of an upload; so much is in memory."""
_BUFFER: Final = 1 << 20


def connect(
    bucket: str, *, endpoint: str, region: str, key_id: str, secret: str, prefix: str
) -> ObjectStore:
    """Name a bucket; nothing is asked yet. ``endpoint`` is where S3 is spoken, "": Amazon."""
    found: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    plain = endpoint.startswith("http:")
    return S3Store(
        bucket,
        **found,
        region=region,
        prefix=prefix or None,
        access_key_id=key_id,
        secret_access_key=secret,
        client_options={
            "allow_http": plain,
            "timeout": SECONDS,
            "connect_timeout": SECONDS / 6,
        },
        retry_config={"max_retries": TRIES, "retry_timeout": SECONDS},
    )


class BucketStore(BlobStore):
    """A blob store that is a bucket; in ``path`` files wait until they are uploaded."""

    def __init__(self, bucket: ObjectStore, path: Path) -> None:
        super().__init__(path)
        self.bucket = bucket
        self._waiting = blobs.FolderStore(path)

    @override
    def sealer(self, file_id: bytes, which: str) -> Sealer:
        return _Upload(self, file_id, which)

    @override
    def names(self, file_id: bytes, which: str) -> list[str]:
        name = f"{file_id.hex()}.{which}"
        found = {one.name for one in self._listed(f"{name[:2]}/")}
        ours = {one for one in found if one.startswith(name)}
        return sorted(ours | set(self._waiting.names(file_id, which)))

    @override
    def open(self, name: str) -> BinaryIO:
        """Open an object; what lay in the folder before there was a bucket, there."""
        try:
            raw = _Object(self.bucket, blobs.place_of(name))
        except FileNotFoundError:
            return self._waiting.open(name)
        return io.BufferedReader(raw, _BUFFER)

    @override
    def bring_back(self, name: str, pieces: Iterable[bytes], *, day: date) -> None:
        with sealed_files.written(self.path / blobs.place_of(name), pieces) as part:
            self.upload(part, name)

    def upload(self, part: Path, name: str) -> None:
        """Send a file; under its name it stands whole or not at all. Raises Away."""
        with _said(missing=Away):
            obstore.put(
                self.bucket,
                blobs.place_of(name),
                part,
                chunk_size=_PIECE,
                max_concurrency=1,
            )

    @override
    def discard(self, name: str) -> None:
        self._waiting.discard(name)
        with _said(), suppress(FileNotFoundError):
            obstore.delete(self.bucket, blobs.place_of(name))

    @override
    def blobs(self) -> Iterator[Blob]:
        yield from self._waiting.blobs()
        yield from self._listed("")

    def _listed(self, prefix: str) -> Iterator[Blob]:
        with _said(missing=Away):
            for page in obstore.list(self.bucket, prefix or None):
                for one in page:
                    name = one["path"].rpartition("/")[2]
                    if blobs.NAME.fullmatch(name):  # what else lies there is not ours
                        since = one["last_modified"].timestamp()
                        yield Blob(name, one["size"], since)


class _Upload(Sealer):
    """A file that is sealed here, then uploaded, then named by its row."""

    def __init__(self, blob_store: BucketStore, file_id: bytes, which: str) -> None:
        super().__init__(blobs.place(blob_store.path, file_id, which), apart=True)
        self._blob_store = blob_store
        self._told = (file_id, which)
        self._name = self.path.name + blobs.mark_of(self.key)
        self._is_there = self._is_dropped = False
        self._lock = threading.Lock()

    @override
    def publish(self) -> None:
        self._blob_store.upload(self.part, self._name)
        self._is_there = True

    @override
    def settle(self, day: date) -> None:
        """Name it for good. Raises Away once it was dropped, by whoever stops meanwhile."""
        with self._lock:
            if self._is_dropped or not self._is_there:
                raise Away
            self._settled = True

    @override
    def drop(self) -> None:
        super().drop()
        with self._lock:
            self._is_dropped = not self._settled
        if self._is_there and self._is_dropped:
            self._blob_store.discard(self._name)

    @override
    def tidy(self) -> None:
        for name in self._blob_store.names(*self._told):
            if name != self._name:
                self._blob_store.discard(name)


class _Object(io.RawIOBase):
    """An object, read by ranges; FileNotFoundError, Away."""

    def __init__(self, bucket: ObjectStore, path: str) -> None:
        self._bucket, self._path, self._at = bucket, path, 0
        with _said():
            self._size = obstore.head(bucket, path)["size"]

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}
        self._at = max(0, start[whence] + offset)
        return self._at

    @override
    def readinto(self, buffer: Any, /) -> int:
        length = min(len(buffer), self._size - self._at)
        if length <= 0:
            return 0
        with _said():
            found = obstore.get_range(
                self._bucket, self._path, start=self._at, length=length
            )
        buffer[: len(found)] = memoryview(found)
        self._at += len(found)
        return len(found)


@contextmanager
def _said(*, missing: type[OSError] = FileNotFoundError) -> Iterator[None]:
    """Say Away for whatever the library says; its words name places and answers.

    ``missing``: what to say for what is not there, where that can only be the bucket.
    """
    try:
        yield
    except FileNotFoundError:
        raise missing from None
    except BaseError:
        raise Away from None
