"""Make ``digest.json`` from the providers' published specs.

``SPECS_DIR=/where/they/lie python tests/specs/make_digest.py`` reads
``telegram-bot-api-10.1.json`` and ``twilio_api_v2010.json`` and keeps what the bot and the
simulator say to each other: names, types and what is required.
"""

import json
import os
from pathlib import Path
from typing import Any

TELEGRAM = "telegram-bot-api-10.1.json"
TWILIO = "twilio_api_v2010.json"
DIGEST = Path(__file__).with_name("digest.json")

METHODS = [
    "answerCallbackQuery",
    "deleteMessage",
    "deleteMessages",
    "deleteMyCommands",
    "deleteWebhook",
    "editMessageReplyMarkup",
    "editMessageText",
    "getFile",
    "getMe",
    "getMyCommands",
    "getUpdates",
    "getWebhookInfo",
    "sendChatAction",
    "sendDocument",
    "sendMessage",
    "sendPhoto",
    "setMyCommands",
    "setMyDescription",
    "setMyShortDescription",
    "setWebhook",
]

TYPES = [
    "Animation",
    "Audio",
    "BotCommand",
    "CallbackQuery",
    "Chat",
    "ChatMemberBanned",
    "ChatMemberMember",
    "ChatMemberUpdated",
    "Contact",
    "CopyTextButton",
    "Document",
    "File",
    "InlineKeyboardButton",
    "InlineKeyboardMarkup",
    "Location",
    "Message",
    "MessageEntity",
    "PhotoSize",
    "ResponseParameters",
    "Sticker",
    "Update",
    "User",
    "Venue",
    "Video",
    "VideoNote",
    "Voice",
    "WebhookInfo",
]

UNIONS = {
    "ChatMember": ["ChatMemberMember", "ChatMemberBanned"],
    "MaybeInaccessibleMessage": ["Message"],
}
"""Types that are one of several; only those that the bot may meet."""

MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages"
OPERATIONS = {
    "create": (f"{MESSAGES}.json", "post", "201"),
    "list": (f"{MESSAGES}.json", "get", "200"),
    "fetch": (f"{MESSAGES}/{{Sid}}.json", "get", "200"),
    "update": (f"{MESSAGES}/{{Sid}}.json", "post", "200"),
    "delete": (f"{MESSAGES}/{{Sid}}.json", "delete", "204"),
    "media.list": (f"{MESSAGES}/{{MessageSid}}/Media.json", "get", "200"),
    "media.fetch": (f"{MESSAGES}/{{MessageSid}}/Media/{{Sid}}.json", "get", "200"),
    "media.delete": (f"{MESSAGES}/{{MessageSid}}/Media/{{Sid}}.json", "delete", "204"),
}
SCHEMAS = {
    "Message": "api.v2010.account.message",
    "Media": "api.v2010.account.message.media",
}

Fields = dict[str, Any]


def _fields(described: list[dict[str, Any]]) -> Fields:
    """Names with types joined by ``|``, and the required ones by name."""
    return {
        "fields": {field["name"]: "|".join(field["types"]) for field in described},
        "required": [field["name"] for field in described if field["required"]],
    }


def telegram(spec: dict[str, Any]) -> Fields:
    """Methods and types of the Bot API."""
    methods = {
        name: _fields(spec["methods"][name].get("fields", []))
        | {"returns": spec["methods"][name]["returns"]}
        for name in METHODS
    }
    types = {name: _fields(spec["types"][name].get("fields", [])) for name in TYPES}
    return {
        "version": spec["version"],
        "methods": methods,
        "types": types,
        "unions": UNIONS,
    }


def _type(schema: dict[str, Any], spec: dict[str, Any]) -> str:
    """One word for a schema; enums as ``a/b/c``."""
    if "$ref" in schema:
        return _type(
            spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]], spec
        )
    if "enum" in schema:
        return "/".join(schema["enum"])
    return str(schema.get("type", "any"))


def _properties(schema: dict[str, Any], spec: dict[str, Any]) -> Fields:
    """The properties of a resource; whether null is allowed is a question mark."""
    return {
        name: _type(described, spec) + ("?" if described.get("nullable") else "")
        for name, described in schema["properties"].items()
    }


def twilio(spec: dict[str, Any]) -> Fields:
    """Parameters and answers of the Messages API."""
    operations: Fields = {}
    for name, (path, verb, status) in OPERATIONS.items():
        described = spec["paths"][path][verb]
        found = {
            parameter["name"]: _type(parameter["schema"], spec)
            for parameter in described.get("parameters", [])
            if parameter["in"] == "query"
        }
        required: list[str] = []
        body = described.get("requestBody", {}).get("content", {})
        for content in body.values():
            found |= {
                key: _type(value, spec)
                for key, value in content["schema"]["properties"].items()
            }
            required += content["schema"].get("required", [])
        answer = (
            described["responses"][status]
            .get("content", {})
            .get("application/json", {})
        )
        page = list(answer.get("schema", {}).get("properties", {}))
        operations[name] = {"fields": found, "required": required, "status": status}
        if page:
            operations[name]["page"] = page
    schemas = spec["components"]["schemas"]
    resources = {name: _properties(schemas[key], spec) for name, key in SCHEMAS.items()}
    return {"operations": operations, "resources": resources}


def main() -> None:
    """Write the digest."""
    folder = Path(os.environ["SPECS_DIR"])
    digest = {
        "telegram": telegram(json.loads((folder / TELEGRAM).read_text())),
        "twilio": twilio(json.loads((folder / TWILIO).read_text())),
    }
    DIGEST.write_text(json.dumps(digest, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
