"""Whether every row is ours and none is missing.

chains: compares histories, items and lists with the audit log
missing: rows that a history or list names and that are gone
rows: checks the tag of every row of every table
"""
