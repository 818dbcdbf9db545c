"""Targets in what people write: receipts, commands, settings, rules, a browser's answer."""

import re
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from bot.console.signing import passkey_checks
from bot.settings import loading
from bot.settings.loading import BadConfig
from bot.settings.sections import Settings
from handlers.errors import RulesInvalid
from handlers.questionnaire import book
from handlers.questionnaire.keywords import Keywords, is_blank
from handlers.rules import numbering
from handlers.rules.rulebook import Rulebook
from tests.support.places import ROOT
from tests.tools.fuzzing.mutating import HOSTILE
from tests.tools.fuzzing.target import Shape, Target

LONGEST_TEXT = 65_536
ENVIRON = {
    "KENTONGAN_KEYS__SERVER_KEY": "x",
    "KENTONGAN_DATABASE__URL": "sqlite:///k.db",
}


@cache
def words() -> Keywords:
    return Keywords.load()


@cache
def folder() -> Path:
    """Return a folder of this process for files that are read by their path."""
    made = tempfile.TemporaryDirectory(prefix="kt-fuzz-")
    KEPT.append(made)
    return Path(made.name)


KEPT: list[Any] = []


def receipt(raw: bytes) -> None:
    """Find a receipt in a text; what is found is canonical and says itself again."""
    text = raw.decode("utf-8", "surrogateescape")
    for expects in (False, True):
        found = numbering.read_receipt(text, expects_code=expects, keywords={"STATUS"})
        if found is None:
            continue
        assert found.number or found.code
        if found.number:
            assert numbering.parse_case_number(found.number) == found.number
        if found.code:
            again = numbering.read_receipt(found.code, expects_code=True)
            assert again == numbering.Receipt("", found.code)
            assert re.fullmatch(r"[0-9]{4}(-[0-9]{4}){3}", found.code)
    whole = numbering.parse_case_number(text)
    assert whole is None or numbering.parse_case_number(whole.lower()) == whole


def command(raw: bytes) -> None:
    """Look for a command, an officer's deep link too (``/start TOKEN``)."""
    text = raw.decode("utf-8", "surrogateescape")
    is_blank(text)
    words().is_pass(text)
    for found in (words().whole(text), words().first(text), words().nearest(text)):
        assert found is None or found.command


def settings(raw: bytes) -> None:
    """Load a config.toml; the error is one line and shows no value of a secret."""
    path = folder() / "config.toml"
    path.write_bytes(raw)
    path.chmod(0o600)
    assert isinstance(loading.load(path, ENVIRON), Settings)


def variables(raw: bytes) -> None:
    """Load settings from variables, one a line: ``SECTION__KEY=value``."""
    environ = dict(ENVIRON)
    for line in raw.decode("utf-8", "surrogateescape").replace("\0", "").split("\n"):
        name, mark, value = line.partition("=")
        if mark:
            environ[f"KENTONGAN_{name}"] = value
    loading.load(folder() / "none.toml" if b"none.toml" in raw else None, environ)


RULES = (
    *("categories.toml", "deadlines.toml", "holidays.toml", "positions.toml"),
    *("reasons.toml", "regions.toml", "retention.toml", "reveal.toml", "workflow.toml"),
    *("places.toml", "regencies.toml"),
)
TALK = ("questionnaire.toml", "keywords.toml")


def shipped(*names: str) -> Iterator[bytes]:
    for name in names:
        source = resources.files("handlers") / "rules" / "id" / name
        yield f"# {name}\n".encode() + source.read_bytes()


def written(raw: bytes, among: tuple[str, ...], kind: str) -> Path:
    """Write an agency's copy; the first line says of which file, as in ``# workflow.toml``."""
    first = raw.partition(b"\n")[0].decode("ascii", "replace")
    name = next((one for one in among if one in first), among[-1])
    own = folder() / kind
    own.mkdir(exist_ok=True)
    for path in own.iterdir():
        path.unlink()
    (own / name).write_bytes(raw)
    return own


def rules(raw: bytes) -> None:
    Rulebook.load(written(raw, RULES, "rules"))


def talk(raw: bytes) -> None:
    own = written(raw, TALK, "talk")
    main = own / "questionnaire.toml"
    if not main.exists():
        main.write_bytes(next(shipped("questionnaire.toml")))
    book.load(main)


def browser(raw: bytes) -> None:
    """Read what a browser says of a passkey."""
    text = raw.decode("utf-8", "surrogateescape")
    given = passkey_checks._read(text)  # noqa: SLF001 - before anything is verified
    assert isinstance(passkey_checks._challenge(given), bytes)  # noqa: SLF001
    passkey_checks._transports(given)  # noqa: SLF001


def hostile() -> Iterator[bytes]:
    for text in HOSTILE:
        yield text.encode("utf-8", "surrogatepass")


def example() -> Iterator[bytes]:
    yield (ROOT / "config.example.toml").read_bytes()


TARGETS = (
    Target("receipt", receipt, (), Shape.BYTES, hostile),
    Target("command", command, (), Shape.BYTES, hostile, longest=4096),
    Target("config", settings, (BadConfig,), Shape.LINES, example, LONGEST_TEXT),
    Target("variables", variables, (BadConfig,), Shape.LINES, longest=LONGEST_TEXT),
    Target(
        "rules",
        rules,
        (RulesInvalid,),
        Shape.LINES,
        lambda: shipped(*RULES),
        LONGEST_TEXT,
        examples=12,
    ),
    Target(
        "talk",
        talk,
        (RulesInvalid,),
        Shape.LINES,
        lambda: shipped(*TALK),
        LONGEST_TEXT,
        examples=12,
    ),
    Target("passkey", browser, (), Shape.JSON, longest=LONGEST_TEXT),
)
