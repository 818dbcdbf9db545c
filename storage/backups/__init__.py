"""Backups: written, proved, restored.

encoding: values of rows as bytes, the same for every database
proof: proves a backup: restores it into a scratch store and checks every row
reading: reads a backup record by record and checks every byte
records: the file format: a head, then one sealed stream of records
restoring: puts rows and files into an empty store, in one transaction
scratch: a SQLite store in memory or in a nameless file
writing: writes one moment of every table, and every file that it names
"""
