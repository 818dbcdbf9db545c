"""``kentongan keys``: status, rotation, recovery.

keys: the group of commands; new recovery pairs, fingerprints
recovery: ``recover`` with a holder's paper, ``replace-recovery`` with new papers
rotation: ``rotate`` the server key or a unit's key, ``retire`` an old id
status: ``status``: what each key is still needed for
"""
