"""One module for each version of the schema.

0001_first_schema: the first release
0002_reveals_and_rights: reveals, conflicts, data requests, tombstones, second factors
0003_watches_and_letters_that_failed: watches, and letters that failed
0004_found_by_an_index: indexes and keyed names by which rows are found; marks for them
"""
