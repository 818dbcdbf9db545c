"""Changes of keys: of the server, a unit, a case; recovery by paper.

case_keys: a case's own key pair after a conflict of interest
case_recovery: recovery of cases that have a key of their own
places: every column that the server key wrote, and which id of it
recovery: what a holder's paper opens, and new papers
rewriting: how rows of each table are written anew under the newest server key
server_key: rotation of the server key, table by table
unit_keys: re-sealing of cases to a unit's present key
"""
