"""What an operator types: one file a noun; ``bot/cli.py`` puts them together."""
