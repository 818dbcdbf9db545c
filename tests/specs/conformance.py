"""Hold requests and answers against the digest of the providers' published specs.

Every check returns complaints, so ``assert check_request(...) == []`` shows them all.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

DIGEST: dict[str, Any] = json.loads(Path(__file__).with_name("digest.json").read_text())
TELEGRAM = DIGEST["telegram"]
TWILIO = DIGEST["twilio"]

SCALARS: dict[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Float": (int, float),
    "Boolean": bool,
    "True": bool,
}


def check_request(
    api: str, method: str, params: Mapping[str, Any], files: Collection[str] = ()
) -> list[str]:
    """Complaints about a request of the bot: unknown, missing or mistyped parameters.

    ``api`` is ``telegram`` or ``twilio``; ``method`` a Bot API method or ``create``,
    ``list``, ``fetch``, ``update``, ``delete``. ``files`` names uploaded parameters.
    """
    known = TELEGRAM["methods"] if api == "telegram" else TWILIO["operations"]
    name = next(
        (known_name for known_name in known if known_name.lower() == method.lower()), ""
    )
    if not name:
        return [f"{method}: not in the digest"]
    spec = known[name]
    given = set(params) | set(files)
    found = [
        f"{name}: {key} is missing" for key in spec["required"] if key not in given
    ]
    found += [
        f"{name}: {key} is unknown"
        for key in sorted(given)
        if key not in spec["fields"]
    ]
    for key in sorted(set(params) & set(spec["fields"])):
        kind = spec["fields"][key]
        if api == "telegram":
            found += _check_parameter(f"{name}.{key}", kind, params[key])
        else:
            found += _check_form(f"{name}.{key}", kind, str(params[key]))
    return found


def check_recorded(requests: list[dict[str, Any]]) -> list[str]:
    """Complaints about what ``Simulator.requests()`` returned (files and media aside)."""
    return [
        complaint
        for request in requests
        if request["api"] in {"telegram", "twilio"}
        and request["method"] not in {"file", "media.content"}
        for complaint in check_request(
            request["api"],
            request["method"],
            request["params"],
            request.get("files", ()),
        )
    ]


def check_answer(api: str, method: str, answer: Mapping[str, Any]) -> list[str]:
    """Complaints about an answer of the simulator to a call that went well."""
    if api == "telegram":
        if answer.get("ok") is not True or "result" not in answer:
            return [f"{method}: not an ok answer"]
        kinds = TELEGRAM["methods"][method]["returns"]
        return _check_any(method, kinds, answer["result"])
    operation = TWILIO["operations"][method]
    resource = "Media" if method.startswith("media") else "Message"
    if "page" not in operation:
        return check_resource(resource, answer)
    missing = [
        f"{method}: {key} is missing" for key in operation["page"] if key not in answer
    ]
    items = answer.get("media_list" if resource == "Media" else "messages", [])
    return missing + [
        found for item in items for found in check_resource(resource, item)
    ]


def check_type(name: str, value: object, where: str = "") -> list[str]:
    """Complaints about a Telegram object: required fields, types, nothing unknown."""
    where = where or name
    if name in TELEGRAM["unions"]:
        return _check_any(where, TELEGRAM["unions"][name], value)
    if name not in TELEGRAM["types"]:
        return [] if isinstance(value, dict) else [f"{where}: not an object"]
    if not isinstance(value, dict):
        return [f"{where}: not a {name}"]
    spec = TELEGRAM["types"][name]
    found = [
        f"{where}.{key} is missing" for key in spec["required"] if key not in value
    ]
    for key, inner in value.items():
        kinds = spec["fields"].get(key)
        if kinds is None:
            found.append(f"{where}.{key} is unknown")
        else:
            found += _check_any(f"{where}.{key}", kinds.split("|"), inner)
    return found


def check_resource(name: str, value: Mapping[str, Any]) -> list[str]:
    """Complaints about a Twilio resource: every property there, of its type."""
    spec = TWILIO["resources"][name]
    found = [f"{name}.{key} is missing" for key in spec if key not in value]
    found += [f"{name}.{key} is unknown" for key in value if key not in spec]
    for key in set(spec) & set(value):
        found += _check_property(f"{name}.{key}", spec[key], value[key])
    return found


def _check_any(where: str, kinds: list[str], value: object) -> list[str]:
    """Complaints of the alternative that fits best."""
    return min((_check_kind(where, kind, value) for kind in kinds), key=len)


def _check_kind(where: str, kind: str, value: object) -> list[str]:
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{where}: not an array"]
        inner = kind.removeprefix("Array of ")
        return [found for item in value for found in _check_kind(where, inner, item)]
    if kind in SCALARS:
        fits = isinstance(value, SCALARS[kind])
        mistaken = isinstance(value, bool) and kind in {"Integer", "Float"}
        return [] if fits and not mistaken else [f"{where}: {value!r} is no {kind}"]
    return check_type(kind, value, where)


def _check_parameter(where: str, kinds: str, value: object) -> list[str]:
    """A parameter may come typed (JSON) or as text (forms); text is read first."""
    alternatives = kinds.split("|")
    if not isinstance(value, str) or "String" in alternatives:
        return _check_any(where, alternatives, value)
    try:
        read = json.loads(value)
    except ValueError:
        return [f"{where}: {value!r} is not JSON"]
    return _check_any(where, alternatives, read)


def _check_form(where: str, kind: str, text: str) -> list[str]:
    """A form value of Twilio's: numbers, booleans and enums have a shape."""
    if "/" in kind or kind in {"fixed", "free", "canceled"}:
        return (
            [] if text in kind.split("/") else [f"{where}: {text!r} is none of {kind}"]
        )
    if kind == "integer" and not text.lstrip("-").isdigit():
        return [f"{where}: {text!r} is no integer"]
    if kind == "boolean" and text.lower() not in {"true", "false"}:
        return [f"{where}: {text!r} is no boolean"]
    return []


def _check_property(where: str, kind: str, value: object) -> list[str]:
    kinds: dict[str, type] = {"string": str, "integer": int, "object": dict}
    bare = kind.removesuffix("?")
    if value is None:
        return [] if kind.endswith("?") else [f"{where}: null"]
    if bare in kinds:
        return (
            []
            if isinstance(value, kinds[bare])
            else [f"{where}: {value!r} is no {bare}"]
        )
    return [] if value in bare.split("/") else [f"{where}: {value!r} is none of {bare}"]
