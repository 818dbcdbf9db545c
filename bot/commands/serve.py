"""``kentongan serve``: take reports until told to end."""

import os
from importlib import import_module

from bot.commands import desk
from bot.commands.desk import ConfigFile

NAME = "serve"


def run(config_file: ConfigFile = None) -> None:
    """Take reports and serve the officers' console until SIGTERM or Ctrl-C."""
    settings = desk.settings_of(config_file)
    # Loaded late: the other commands need no provider's library, which takes a second.
    app = import_module("bot.app")
    app.serve(settings, environ=os.environ)
