"""Buttons under a Telegram message: checked as Telegram checks them."""

from typing import Any

from bot.simulator.telegram.updates import ApiError

DATA_BYTES = 64
BUTTONS = 100
COPY_CHARACTERS = 256
ACTIONS = ("callback_data", "url", "copy_text")


def parse(raw: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever came over the wire
    """``reply_markup`` as an object; empty when there is none."""
    if raw in (None, "", {}):
        return {}
    if not isinstance(raw, dict):
        raise ApiError(400, "Bad Request: object expected as reply markup")
    if "inline_keyboard" in raw:
        return {"inline_keyboard": _inline(raw["inline_keyboard"])}
    return raw


def _inline(rows: Any) -> list[list[dict[str, Any]]]:  # noqa: ANN401 - whatever came
    """Rows of inline buttons, or ApiError."""
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ApiError(
            400, 'Bad Request: field "inline_keyboard" must be of type Array of Arrays'
        )
    if sum(len(row) for row in rows) > BUTTONS:
        raise ApiError(400, "Bad Request: reply markup is too long")
    return [[_button(button) for button in row] for row in rows if row]


def _button(button: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever came
    """One inline button, or ApiError."""
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise ApiError(
            400,
            'Bad Request: can\'t parse inline keyboard button: Field "text" must be of type String',
        )
    if not button["text"].strip():
        raise ApiError(
            400, "Bad Request: inline keyboard button text must be non-empty"
        )
    if not any(action in button for action in ACTIONS):
        raise ApiError(
            400, "Bad Request: text buttons are unallowed in the inline keyboard"
        )
    data = button.get("callback_data")
    if data is not None and not (
        isinstance(data, str) and 1 <= len(data.encode(errors="replace")) <= DATA_BYTES
    ):
        raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    url = button.get("url")
    if url is not None and not str(url).startswith(
        ("http://", "https://", "tg://", "t.me/")
    ):
        raise ApiError(
            400,
            f"Bad Request: inline keyboard button URL '{url}' is invalid: Wrong HTTP URL",
        )
    copy = button.get("copy_text")
    if copy is not None and not (
        isinstance(copy, dict)
        and 1 <= len(str(copy.get("text", ""))) <= COPY_CHARACTERS
    ):
        raise ApiError(400, "Bad Request: BUTTON_COPY_TEXT_INVALID")
    return button


def shown(markup: dict[str, Any]) -> list[list[dict[str, str]]]:
    """Give the rows as a phone shows them."""
    return [
        [
            {
                "text": button["text"],
                "data": str(button.get("callback_data") or ""),
                "url": str(button.get("url") or ""),
                "copy": str((button.get("copy_text") or {}).get("text") or ""),
            }
            for button in row
        ]
        for row in markup.get("inline_keyboard", [])
    ]
