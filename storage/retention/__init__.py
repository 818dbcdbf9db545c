"""What is overdue, the one place that deletes, tombstones.

erasing: deletes identity, contact, contents, files, receipt of a case
overdue: ended cases that may hold something past its rule
tombstones: rows that say what was erased, and their lines for the file
"""
