"""A small Telegram Bot API: ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.simulator import wire
from bot.simulator.rules.books import SENDS
from bot.simulator.rules.faults import ANSWERS, Fault
from bot.simulator.rules.storm import SILENCE
from bot.simulator.telegram import keyboards, shapes
from bot.simulator.telegram.chats import Chats
from bot.simulator.telegram.people import People
from bot.simulator.telegram.pusher import Pusher
from bot.simulator.telegram.updates import ApiError, Updates
from bot.simulator.world import StoredFile, World

DOWNLOAD_LIMIT = 20 * 2**20
COMMANDS = 100
COMMAND = re.compile(r"/?[a-z0-9_]{1,32}")
DESCRIPTION = 256
OK, TOO_MANY = 200, 429
COMPLEX = ("reply_markup", "allowed_updates", "message_ids", "commands", "scope")
"""Parameters that come as JSON text in a form."""

Method = Callable[[dict[str, Any], dict[str, StoredFile]], Awaitable[Any] | Any]


class Telegram:
    """The Bot API of one bot."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.updates = Updates(world)
        self.pusher = Pusher(self.updates)
        self.chats = Chats(world)
        self.people = People(self.chats, self.updates)
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.methods: dict[str, Method] = {
            "getme": lambda _p, _f: self.me(),
            "getupdates": lambda params, _f: self.updates.get(params),
            "setwebhook": lambda params, _f: self.updates.set_webhook(params),
            "deletewebhook": lambda params, _f: self.updates.delete_webhook(params),
            "getwebhookinfo": lambda _p, _f: self.updates.info(),
            "sendmessage": lambda params, _f: self.chats.send_message(params),
            "senddocument": lambda params, files: self.chats.send_file(
                "document", params, files
            ),
            "sendphoto": lambda params, files: self.chats.send_file(
                "photo", params, files
            ),
            "editmessagetext": lambda params, _f: self.chats.edit_text(params),
            "editmessagereplymarkup": lambda params, _f: self.chats.edit_markup(params),
            "deletemessage": lambda params, _f: self.chats.delete(params),
            "deletemessages": lambda params, _f: self.chats.delete_many(params),
            "answercallbackquery": lambda params, _f: self.chats.acknowledge(params),
            "sendchataction": lambda params, _f: bool(self.chats.reach(params)),
            "setmycommands": lambda params, _f: self.set_commands(params),
            "getmycommands": lambda params, _f: self.commands.get(_scope(params), []),
            "deletemycommands": lambda params, _f: self.forget_commands(params),
            "setmydescription": lambda _p, _f: True,
            "setmyshortdescription": lambda _p, _f: True,
            "getfile": lambda params, _f: self.file(params),
        }
        world.on_reset.append(self.forget)
        world.on_restart.append(self.updates.unhook)

    def forget(self) -> None:
        """Start again with empty chats."""
        self.updates.forget()
        self.pusher.pushes.clear()
        self.chats.forget()
        self.commands.clear()

    def routes(self) -> list[Route]:
        """Where the API listens."""
        return [
            Route("/file/bot{token}/{path:path}", self.download),
            Route("/bot{token}/{method}", self.call, methods=["GET", "POST"]),
        ]

    async def call(self, request: Request) -> Response:
        """One call: check the token, remember the request, let a fault happen, answer."""
        name = request.path_params["method"]
        if request.path_params["token"] != self.world.settings.telegram_token:
            return _refusal(ApiError(401, "Unauthorized"))
        try:
            params, files = await wire.parameters(request)
        except wire.TooLarge:
            return _refusal(ApiError(413, "Request Entity Too Large"))
        except wire.NotReadable:
            return _refusal(ApiError(400, "Bad Request: can't parse JSON object"))
        phone = self.world.phones.of_chat(str(params.get("chat_id", "")))
        known = phone.name if phone else ""
        uploads = sorted(files)
        self.world.record("telegram", name, params, files=uploads, phone=known)
        if self.world.settings.strict_pace:
            after = self.world.strict.telegram(name, params)
            if after:
                words = f"Too Many Requests: retry after {after}"
                return _refusal(ApiError(429, words, retry_after=after))
        fault = self.world.faults.take("telegram", name, ANSWERS, phone=known)
        if fault and (early := await self._early(fault, request)):
            return early
        answer = await self.answer(name, params, files)
        lost = fault.fault if fault else ""
        if name.lower() in SENDS and answer.status_code == OK:
            self._write_down(name, params, answer, known, lost)
        if lost == SILENCE:
            await wire.disconnected(request.receive)
        return wire.HangUp() if lost in {"lost_answer", SILENCE} else answer

    def _write_down(
        self, name: str, params: dict[str, Any], answer: Response, phone: str, lost: str
    ) -> None:
        result = json.loads(bytes(answer.body))["result"]
        sent = result["message_id"] if isinstance(result, dict) else ""
        markup = keyboards.parse(_decoded(params).get("reply_markup"))
        self.world.books.accepted(
            "telegram",
            name.lower(),
            phone,
            sent or params.get("callback_query_id", ""),
            str(params.get("text") or params.get("caption") or ""),
            answer=lost,
            buttons=keyboards.shown(markup),
        )
        self.world.ring()

    async def _early(self, fault: Fault, request: Request) -> Response | None:
        """Give the answer when a fault keeps the work from being done."""
        if fault.status:
            return _refusal(_planned(fault))
        return await wire.happen(fault, request)

    async def answer(
        self, name: str, params: dict[str, Any], files: dict[str, StoredFile]
    ) -> Response:
        """Run a method and wrap its result as Telegram does."""
        method = self.methods.get(name.lower())
        if method is None:
            return _refusal(ApiError(404, "Not Found"))
        try:
            result = method(_decoded(params), files)
            if asyncio.iscoroutine(result):
                result = await result
        except ApiError as error:
            return _refusal(error)
        except (TypeError, ValueError, AttributeError):
            return _refusal(ApiError(400, "Bad Request: wrong parameter"))
        if isinstance(result, str):
            return wire.Json({"ok": True, "result": True, "description": result})
        return wire.Json({"ok": True, "result": result})

    def me(self) -> dict[str, Any]:
        """``getMe``."""
        return shapes.bot(self.world.settings) | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": False,
            "allows_users_to_create_topics": False,
            "can_manage_bots": False,
        }

    def set_commands(self, params: dict[str, Any]) -> bool:
        """``setMyCommands``: names of 1-32 characters ``a-z0-9_``, at most 100."""
        commands = params.get("commands")
        if not isinstance(commands, list) or len(commands) > COMMANDS:
            raise ApiError(400, "Bad Request: expected an Array of BotCommand")
        for command in commands:
            if not COMMAND.fullmatch(str(command.get("command", ""))):
                raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= DESCRIPTION:
                raise ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[_scope(params)] = commands
        return True

    def forget_commands(self, params: dict[str, Any]) -> bool:
        """``deleteMyCommands``."""
        self.commands.pop(_scope(params), None)
        return True

    def file(self, params: dict[str, Any]) -> dict[str, Any]:
        """``getFile``: the path of a file of at most 20 MB."""
        file_id = str(params.get("file_id") or "")
        stored = self.world.files.get(file_id)
        if stored is None:
            raise ApiError(
                400, "Bad Request: wrong file_id or the file is temporarily unavailable"
            )
        if len(stored.content) > DOWNLOAD_LIMIT:
            raise ApiError(400, "Bad Request: file is too big")
        return {
            "file_id": file_id,
            "file_unique_id": shapes.unique_id(file_id),
            "file_size": len(stored.content),
            "file_path": f"files/{file_id}",
        }

    async def download(self, request: Request) -> Response:
        """Give the bytes of a file."""
        self.world.record("telegram", "file", {})
        fault = self.world.faults.take("telegram", "file", ANSWERS)
        if fault and (early := await self._early(fault, request)):
            return early
        stored = self.world.files.get(
            request.path_params["path"].removeprefix("files/")
        )
        if (
            request.path_params["token"] != self.world.settings.telegram_token
            or stored is None
        ):
            return _refusal(ApiError(404, "Not Found"))
        if fault and fault.fault == "lost_answer":
            return wire.HangUp()
        return Response(stored.content, media_type="application/octet-stream")


def _refusal(error: ApiError) -> Response:
    """Give an answer that is not ok, in Telegram's form."""
    content: dict[str, Any] = {
        "ok": False,
        "error_code": error.code,
        "description": error.description,
    }
    headers = {}
    if error.parameters:
        content["parameters"] = error.parameters
    if "retry_after" in error.parameters:
        headers["Retry-After"] = str(error.parameters["retry_after"])
    return wire.Json(content, error.code, headers)


def _planned(fault: Fault) -> ApiError:
    """Give the error of a planned HTTP status."""
    after = fault.retry_after
    words = {
        403: "Forbidden: bot was blocked by the user",
        429: f"Too Many Requests: retry after {after}",
    }.get(fault.status, "Internal Server Error")
    parameters = {"retry_after": after} if fault.status == TOO_MANY else {}
    return ApiError(fault.status, fault.description or words, **parameters)


def _decoded(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters with JSON texts and the words true and false understood."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        found[name] = value
        if not isinstance(value, str):
            continue
        if name in COMPLEX:
            try:
                found[name] = json.loads(value)
            except ValueError:
                raise ApiError(
                    400, f"Bad Request: can't parse {name} JSON object"
                ) from None
        elif name != "text" and value.lower() in {"true", "false"}:
            found[name] = value.lower() == "true"
    return found


def _scope(params: dict[str, Any]) -> str:
    """One name for a scope and a language."""
    scope = json.dumps(params.get("scope") or {"type": "default"}, sort_keys=True)
    return f"{scope}:{params.get('language_code') or ''}"
