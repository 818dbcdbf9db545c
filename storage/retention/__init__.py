"""What is overdue, the one place that deletes, tombstones.

canary: the rows of the server's test of itself, found by their mark and deleted
erasing: deletes identity, contact, contents, files, receipt of a case
overdue: ended cases that may hold something past its rule
tombstones: rows that say what was erased, and their lines for the file
"""
