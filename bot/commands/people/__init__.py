"""``kentongan officer`` and ``kentongan unit``.

officers: accounts: add, invite, admit, remove, end, list
routes: ``unit route``: which unit gets which reports; a change needs two officers
units: units: add, list
"""
