"""Targets in what we store: seals, tags, streams, and what lies inside them."""

import io
from datetime import date

from handlers.conversation.memory import Memory
from handlers.reveals import seals
from handlers.talk.state import State
from storage.backups import encoding
from storage.backups.records import BackupDamaged
from storage.cases.items import Content
from storage.cases.reveals import Request
from storage.crypto import sealing, server_key, streams
from storage.crypto.sealing import Context, NotAuthentic
from storage.crypto.server_key import BadServerKey, Purpose, ServerKeys
from storage.jobs import jobs
from storage.letters.letter import Letter
from storage.models import Job, Subscription, Tombstone
from storage.notices import subscribers
from storage.people import cookies
from storage.retention import tombstones
from storage.words import Erased
from tests.conftest import NOW
from tests.tools.fuzzing.target import Shape, Target

RING = ServerKeys({1: bytes(range(32)), 2: bytes(range(32, 64))})
SECRET = bytes(range(sealing.SECRET_BYTES))
PLACE = Context("items", b"\x01" * 16, "blob", b"\x02" * 16, seq=3, generation=1)
KEY = bytes(range(100, 132))
PLAIN = b"what happened at the permit desk"
STONE = Tombstone(
    id=b"\x03" * 16, report=b"\x04" * 16, what=Erased.IDENTITY.value, day=date(2026, 3, 2), tag=b""
)  # fmt: skip


def seal(raw: bytes) -> None:
    assert sealing.open_seal(raw, SECRET, PLACE) == PLAIN


def padded(raw: bytes) -> None:
    plain = sealing.unpad(raw)
    assert len(plain) <= len(raw)
    assert sealing.unpad(sealing.pad(plain)) == plain


def lock(raw: bytes) -> None:
    assert RING.unlock(Purpose.JOB, raw, PLACE) == PLAIN


def bare_lock(raw: bytes) -> None:
    assert server_key.unlock_with(KEY, raw, PLACE) == PLAIN
    assert raw == server_key.lock_with(KEY, PLAIN, PLACE)


def tag(raw: bytes) -> None:
    RING.check_tag(raw, PLACE, PLAIN)
    assert raw == RING.tag(PLACE, PLAIN)


def ring(raw: bytes) -> None:
    read = ServerKeys.from_text(raw.decode("utf-8", "replace"))
    assert ServerKeys.from_text(read.to_text()) == read


def stream(raw: bytes) -> None:
    assert b"".join(streams.read(io.BytesIO(raw), KEY, PLACE)) == PLAIN


def letter(raw: bytes) -> None:
    read = Letter.from_bytes(raw)
    assert Letter.from_bytes(read.to_bytes()) == read


def memory(raw: bytes) -> None:
    read = Memory.from_bytes(raw)
    assert Memory.from_bytes(read.to_bytes()).to_bytes() == read.to_bytes()


def state(raw: bytes) -> None:
    read = State.from_json(raw.decode("utf-8", "surrogateescape"))
    assert State.from_json(read.to_json()) == read


def subscription(raw: bytes) -> None:
    """Read a wish whose plain content is this; None is a wish of nobody."""
    row = Subscription(id=b"\x05" * 16, subscriber=b"s", case_name=b"c", blob=b"")
    place = subscribers.context(row)
    row.blob = RING.lock(Purpose.SUBSCRIPTION, raw, place)
    known = subscribers.unlock(RING, row)
    assert known is None or known.channel


def job(raw: bytes) -> None:
    row = Job(id=b"\x06" * 16, kind="fetch", due=NOW, expires=NOW, blob=b"")
    row.blob = RING.lock(Purpose.JOB, raw, jobs._context(row))  # noqa: SLF001 - as above
    assert isinstance(jobs.details_of(RING, row), dict)


def item(raw: bytes) -> None:
    read = Content.from_bytes(raw)
    assert Content.from_bytes(read.to_bytes()) == read


def item_text(raw: bytes) -> None:
    item(sealing.pad(raw))


def request(raw: bytes) -> None:
    read = Request.from_bytes(sealing.pad(raw))
    assert Request.from_bytes(read.to_bytes()) == read


def identity(raw: bytes) -> None:
    for one in seals.identity(raw):
        assert isinstance(one, Content)


def values(raw: bytes) -> None:
    """Read rows of three columns; what was read is written the same again."""
    rows = encoding.unpacked(raw, 3)
    again = b"".join(map(encoding.packed, rows))
    assert encoding.unpacked(again, 3) == rows


def stone(raw: bytes) -> None:
    """Read a line of tombstones: only the one that we wrote tells of anything."""
    row = tombstones.from_line(RING, raw.decode("ascii", "replace").strip())
    assert (row.id, row.report, row.what, row.day) == (
        STONE.id, STONE.report, STONE.what, STONE.day,
    )  # fmt: skip


def cookie(raw: bytes) -> None:
    text = raw.decode("latin-1")
    assert not cookies.is_form_token(text, text)
    assert not cookies.is_form_token(text, raw.decode("utf-8", "surrogateescape"))
    value, name = cookies.parse(text)
    assert (len(value), len(name)) == (32, 32)
    assert cookies.is_form_token(text, cookies.form_token(text))


OURS = (NotAuthentic,)
TARGETS = (
    Target("seal", seal, OURS),
    Target("padded", padded, OURS),
    Target("lock", lock, OURS),
    Target("bare_lock", bare_lock, OURS),
    Target("tag", tag, OURS),
    Target("ring", ring, (BadServerKey,), Shape.LINES, longest=65_536),
    Target("stream", stream, OURS),
    Target("letter", letter, OURS, Shape.JSON),
    Target("memory", memory, OURS, Shape.JSON),
    Target("state", state, (), Shape.JSON),
    Target("subscription", subscription, (), Shape.JSON),
    Target("job", job, (), Shape.JSON),
    Target("item.padded", item, OURS),
    Target("item", item_text, OURS, Shape.JSON),
    Target("request", request, OURS, Shape.JSON),
    Target("identity", identity, OURS, Shape.JSON),
    Target("backup.values", values, (BackupDamaged,)),
    Target("tombstone", stone, OURS, Shape.LINES),
    Target("cookie", cookie, OURS, longest=65_536),
)
