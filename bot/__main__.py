"""``python -m bot`` is ``kentongan``."""

from bot.cli import main

if __name__ == "__main__":
    main()
