"""``python -m bot.simulator``: start, say where, serve until told to end."""

import argparse
import json
from dataclasses import fields
from pathlib import Path

from bot.simulator.server import LOOPBACK, serve
from bot.simulator.world import Settings

OPTIONS = {
    "telegram_token": "token of the one bot",
    "bot_username": "name of the bot in t.me links",
    "bot_name": "name of the bot on the phones",
    "account_sid": "Twilio account",
    "auth_token": "Twilio primary auth token: password and signing key",
    "sms_number": "the agency's number for SMS, E.164",
    "whatsapp_number": "the agency's number on WhatsApp, E.164",
    "sms_webhook": "where inbound SMS are posted",
    "whatsapp_webhook": "where inbound WhatsApp messages are posted",
    "officer_name": "who holds the officer's phone",
    "console_url": "officers' console, linked from the page",
    "seed": "makes other ids",
}


def arguments() -> argparse.ArgumentParser:
    """Tell what the command understands."""
    parser = argparse.ArgumentParser(
        prog="python -m bot.simulator", description=__doc__
    )
    parser.add_argument("--host", default="127.0.0.1", choices=LOOPBACK)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--announce", type=Path, help="file for url and port as JSON")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="scale of providers' waits"
    )
    parser.add_argument(
        "--authenticator", type=Path, help="file with officers' second factors"
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the parent ends"
    )
    defaults = {field.name: field.default for field in fields(Settings)}
    for name, text in OPTIONS.items():
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, default=defaults[name], help=text)
    return parser


def main() -> None:
    """Run the command."""
    given = arguments().parse_args()

    def ready(url: str, port: int) -> None:
        if given.announce is not None:
            draft = given.announce.with_suffix(".draft")
            draft.write_text(json.dumps({"url": url, "port": port}))
            draft.replace(given.announce)
        print(f"simulator {url}", flush=True)  # noqa: T201 - the command's one line

    serve(
        Settings(**{name: getattr(given, name) for name in OPTIONS}),
        host=given.host,
        port=given.port,
        scale=given.scale,
        with_parent=given.with_parent,
        authenticator=given.authenticator,
        ready=ready,
    )


if __name__ == "__main__":
    main()
