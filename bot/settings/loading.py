"""Where settings come from: ``config.toml``, then the environment, then secret files.

``load`` reads them once at start. The environment wins over the file. A misspelt key or
variable is an error that names the nearest known one: a setting that is silently ignored
is how a safe system becomes an unsafe one. No error shows a secret's value.
"""

import difflib
import os
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource
from typing_extensions import override

from bot.settings.sections import PREFIX, Settings, Templates

DEFAULT_PATH = Path("config.toml")
NOT_SETTINGS = frozenset({"KENTONGAN_CONFIG", "KENTONGAN_PASSPHRASE"})
SECRET_BYTES = 65_536
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_TEMPLATE_DEPTH = 4

Layer: TypeAlias = dict[str, Any]
"""Values as they were written, section by section; their types are checked later."""


class BadConfig(Exception):
    """The configuration cannot be used; the line says which key, and what to do."""


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read all settings, or raise BadConfig with one line that says what to do.

    ``path`` None means ``KENTONGAN_CONFIG``, else ``config.toml`` here, if there is one.
    """
    chosen = _choose(path, environ)
    written = _read_toml(chosen) if chosen else {}
    for name in environ:
        _refuse_unknown_variable(name)
    given = _Environ(environ)()
    merged = _merge(written, given)
    _fetch_secrets(merged, environ)
    try:
        settings = Settings(**merged)
    except ValidationError as invalid:
        raise BadConfig(_line(invalid, given, chosen)) from None
    key_file = settings.keys.server_key_file
    if not settings.keys.server_key and key_file.exists():
        read_secret(key_file, environ)
    return settings


def server_key(settings: Settings, environ: Mapping[str, str]) -> SecretStr:
    """Return the server key's text from the environment or its file; raises BadConfig."""
    keys = settings.keys
    if not keys.server_key and not keys.server_key_file.exists():
        raise BadConfig(
            f"server key {keys.server_key_file}: no such file; restore your copy of it "
            "or correct keys.server_key_file, never make a new one"
        )
    return keys.server_key or SecretStr(read_secret(keys.server_key_file, environ))


def read_secret(path: Path, environ: Mapping[str, str]) -> str:
    """Return the text of a file that its owner alone may read; raises BadConfig."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            _refuse_open_to_others(path, os.fstat(file.fileno()), environ)
            content = file.read(SECRET_BYTES + 1)
        text = content.decode().rstrip("\r\n")
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise BadConfig(f"secret file {path}: {reason}; check path and owner") from None
    except UnicodeDecodeError:
        raise BadConfig(
            f"secret file {path}: is no text; write the secret as one line"
        ) from None
    if not text.strip() or len(content) > SECRET_BYTES:
        raise BadConfig(
            f"secret file {path}: is empty or too long; write the secret into it"
        )
    return text


def known_keys() -> dict[str, bool]:
    """Return every key as ``section.key``, with True where its value is a secret.

    Each secret brings a second key, ``…_file``, whose value is a path.
    """
    found: dict[str, bool] = {}
    for section, model in _sections():
        for key, field in model.model_fields.items():
            found[f"{section}.{key}"] = secret = field.annotation is SecretStr
            if secret:
                found[f"{section}.{key}_file"] = False
    return found


class _Environ(EnvSettingsSource):
    """The environment that ``load`` was given, split at ``__`` into sections."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._given = {name.lower(): value for name, value in environ.items()}
        super().__init__(Settings)

    @override
    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._given


def _choose(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    wanted = path or (Path(name) if (name := environ.get("KENTONGAN_CONFIG")) else None)
    if wanted is None:
        return DEFAULT_PATH if DEFAULT_PATH.exists() else None
    if not wanted.is_file():
        raise BadConfig(
            f"{wanted}: no such file; make one with `kentongan init` or fix the path"
        )
    return wanted


def _read_toml(path: Path) -> Layer:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno())
            written = tomllib.load(file)
    except OSError as error:
        raise BadConfig(
            f"{path}: {(error.strerror or 'cannot be read').lower()}"
        ) from None
    except (ValueError, RecursionError) as error:
        # The parser's own line may quote the file, so only its position is passed on.
        place = (
            str(error).rpartition("(")[2].rstrip(")")
            if "(at" in str(error)
            else "somewhere"
        )
        raise BadConfig(
            f"{path}: is not valid TOML {place}; check quotes and brackets"
        ) from None
    for name in _names(written):
        if not _is_known(name):
            raise BadConfig(f"{path}: unknown key {name}{_nearest(name)}")
    secret = next(
        (
            name
            for name, secret in known_keys().items()
            if secret and _hides(written, name)
        ),
        None,
    )
    if secret and mode.st_mode & _OTHERS:
        raise BadConfig(
            f"{path}: holds {secret} and others may read it; run: chmod 600 {path}"
        )
    return written


def _refuse_unknown_variable(name: str) -> None:
    if not name.upper().startswith(PREFIX) or name in NOT_SETTINGS:
        return
    key = name[len(PREFIX) :].lower().replace("__", ".")
    if not _is_known(key):
        raise BadConfig(f"unknown variable {name}{_nearest(key, _variable)}")


def _without_waiting(path: str, flags: int) -> int:
    """Open a file, and do not wait for ever where a pipe lies in its place."""
    return os.open(path, flags | os.O_NONBLOCK)


def _refuse_open_to_others(
    path: Path, status: os.stat_result, environ: Mapping[str, str]
) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadConfig(f"secret file {path}: is no file; give the path of a file")
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    # Who started us opens a credential to us alone, and that shows as group-read: systemd by an
    # access list, Kubernetes by the group of the pod (and behind a link of its own).
    ours = credentials and Path(credentials).resolve() in path.resolve().parents
    if status.st_mode & (_OTHERS & ~stat.S_IRGRP if ours else _OTHERS):
        raise BadConfig(
            f"secret file {path}: others may read it; run: chmod 600 {path}"
        )


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    for section, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(
            field.annotation, BaseModel
        ):
            yield section, field.annotation


def _names(layer: Layer, prefix: str = "") -> Iterator[str]:
    for key, value in layer.items():
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _hides(written: Layer, name: str) -> bool:
    section, key = name.split(".")
    value = str(written.get(section, {}).get(key, ""))
    return "@" in value if name == "database.url" else bool(value)


def _is_known(name: str) -> bool:
    parts = name.split(".")
    if parts[:2] == ["twilio", "templates"]:
        return len(parts) == _TEMPLATE_DEPTH and parts[-1] in Templates.model_fields
    return name in known_keys()


def _variable(name: str) -> str:
    return PREFIX + name.upper().replace(".", "__")


def _nearest(name: str, show: Callable[[str], str] = str) -> str:
    near = difflib.get_close_matches(name, known_keys(), n=1, cutoff=0.5)
    return f"; did you mean {show(near[0])}?" if near else "; see config.example.toml"


def _merge(written: Layer, given: Layer) -> Layer:
    """Lay the environment over the file; a secret and its file count as one setting."""
    merged = dict(written)
    for key, value in given.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) else value
        if key.removesuffix("_file") not in given:
            merged.pop(key.removesuffix("_file"), None)
        if f"{key}_file" not in given:
            merged.pop(f"{key}_file", None)
    return merged


def _fetch_secrets(merged: Layer, environ: Mapping[str, str]) -> None:
    for name in [name for name, secret in known_keys().items() if secret]:
        section, key = name.split(".")
        values = merged.get(section, {})
        if not isinstance(values, dict) or name == "keys.server_key":
            continue
        path = values.pop(f"{key}_file", "")
        if path and values.get(key):
            raise BadConfig(f"{name} and {name}_file are both set; keep one of them")
        if path:
            values[key] = read_secret(Path(str(path)), environ)


def _line(invalid: ValidationError, given: Layer, path: Path | None) -> str:
    first, *more = invalid.errors(
        include_url=False, include_context=False, include_input=False
    )
    names = [str(part) for part in first["loc"]]
    message = first["msg"].removeprefix("Value error, ")
    rest = f" ({len(more)} more to fix)" if more else ""
    if not names:
        return message + rest
    place = ".".join(names)
    section = given.get(names[0], {})
    if len(names) > 1 and isinstance(section, dict) and names[1] in section:
        place = _variable(place)
    elif path:
        place = f"{path}: {place}"
    return f"{place}: {message}{rest}"
