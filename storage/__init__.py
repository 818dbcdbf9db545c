"""The storage remembers: tables, encryption, transactions, the queue and the outbox.

``outbox`` is the last of the five files of one message.

audit: the audit log, the lists of valid rows, facts of this installation
backups: backups: written, proved, restored
breaches: rows of data breaches
cases: cases and what belongs to them: drafts, items, history, reveals, requests
conversations: rows of conversations, and the inbox of ids that were taken
crypto: seals, streams, the server key, fingerprints
database: connections, transactions, schema
evidence: files of reporters: rows, sealed bytes, chain of custody
inspection: whether every row is ours and none is missing
jobs: durable jobs, leases, watches, backlog
letters: one letter, and what is kept of it until its end is known
migrations: the history of the schema (Alembic)
models: the tables
notices: who wants notices, what waits for them, what failed, what is owed
outbox: everything that leaves waits here; fifth of the five files
people: officers and what they sign in with
quarantine: messages that could not be understood, sealed to the vault for seven days
rekeying: changes of keys: of the server, a unit, a case; recovery by paper
retention: what is overdue, the one place that deletes, tombstones
units: units, their keys, grants, routes and admissions
words: the field's own words as enums, free of SQL
"""
