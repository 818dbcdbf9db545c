"""Erases what outlived its rule and keeps it erased.

keeper: hourly purge, tombstones and their replay after a restore, removal of files
sweeping: compares files with rows: files without rows, rows without files
tombstones: the file of tombstones: append, read, count
"""
