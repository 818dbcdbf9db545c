"""What an operator types, one module for each noun; ``bot/cli.py`` lists them.

audit: ``kentongan audit``: verify logs and histories, show the head
backup: ``kentongan backup``: make, prove and rotate encrypted backups
breach: ``kentongan breach``: record a data breach, tell the authority and reporters
cases: ``kentongan case``: the queue without any content
chat: ``kentongan chat``: talk to the bot on the terminal, over a throw-away store
check: ``kentongan check`` proves rules and texts, ``doctor`` examines an installation
init: ``kentongan init``: settings, server key, database and the first officers
keys: ``kentongan keys``: status, rotation, recovery
letters: ``kentongan letters``: letters that failed; retry or drop them
migrate: ``kentongan migrate``: bring the database to this version's schema
people: ``kentongan officer`` and ``kentongan unit``
restore: ``kentongan restore``: put a backup into an empty store
retention: ``kentongan retention`` and ``kentongan tombstones``
serve: ``kentongan serve`` runs the server, ``kentongan demo`` a demonstration
"""
