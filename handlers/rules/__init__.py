"""Law and practice of a jurisdiction as tables, and what they mean. Pure.

``id/*.toml`` are the tables for Indonesia; an agency may edit its own copies.

classification: what an officer may correct on a case, why, and what takes two
deadlines: when something is due, on the calendar of working days
gazetteer: the names of all places, found exactly or with one letter wrong
lifetimes: how long each kind of data is kept
numbering: case numbers, secret codes, register numbers: make, check, find in a text
regions: provinces, regencies and cities by code, and how people write their names
reveals: grounds on which an identity or original may be opened, and for how long
routing: which unit gets a report, and how urgent it is
rulebook: all tables of one jurisdiction, read and checked
rulefile: what a rule file must look like, and what is said of one that does not
workdays: weekends, public holidays and joint leave
workflow: which status may follow, who may set it, with which reason
"""
