"""Looking for an input that breaks a target; what is found is made small and kept."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.tools.fuzzing.mutating import changed
from tests.tools.fuzzing.target import Target

ROUND = 200
_SHRINKING = 20.0


class Broken(Exception):
    """An input made a target raise what it must not."""

    def __init__(self, raw: bytes, error: BaseException) -> None:
        self.raw, self.error = raw, error
        super().__init__(f"{error!r:.200}; input {raw[:200]!r}")


def tries(target: Target, *, examples: int, number: int | None = None) -> int:
    """Try changed inputs; returns how many were read. Raises Broken."""
    read = 0
    last = b""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(raw=changed(target.shape, target.inputs()))
    def one(raw: bytes) -> None:
        nonlocal read, last
        last = raw
        read += target.reads(raw)

    body: Callable[[], None] = seed(number)(one) if number is not None else one
    try:
        body()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Broken(last, error) from error
    return read


def smaller(target: Target, raw: bytes, error: BaseException) -> bytes:
    """Cut an input down as long as it breaks in the same way, for 20 seconds at most."""
    ends = time.monotonic() + _SHRINKING
    step = max(1, len(raw) // 2)
    while time.monotonic() < ends:
        found = next(
            (one for one in _cuts(raw, step) if _breaks(target, one, type(error))), None
        )
        if found is not None:
            raw = found
        elif step == 1:
            break
        else:
            step //= 2
    return raw


def keep(target: Target, raw: bytes) -> Path:
    """Write an input into the corpus, named by its content."""
    target.folder.mkdir(parents=True, exist_ok=True)
    path = target.folder / f"found-{sha256(raw).hexdigest()[:12]}"
    path.write_bytes(raw)
    return path


def every_bit(raw: bytes, places: Sequence[int]) -> Iterator[bytes]:
    """Yield the bytes with one bit changed, for each bit of these places."""
    for at in places:
        for bit in range(8):
            yield raw[:at] + bytes((raw[at] ^ (1 << bit),)) + raw[at + 1 :]


def _cuts(raw: bytes, step: int) -> Iterator[bytes]:
    for at in range(0, len(raw), step):
        yield raw[:at] + raw[at + step :]


def _breaks(target: Target, raw: bytes, kind: type[BaseException]) -> bool:
    with suppress(Exception):
        try:
            target.reads(raw)
        except kind:
            return True
    return False
