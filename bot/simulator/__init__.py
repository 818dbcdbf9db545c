"""Three phones in a page, and the providers' side of the wire: a process of its own.

``python -m bot.simulator`` answers as a small Telegram Bot API and a small Twilio
Messages API on loopback. It imports nothing of this project and nothing imports it.
Start reading at ``server``; ``world`` is what it remembers, all of it in memory.
"""
