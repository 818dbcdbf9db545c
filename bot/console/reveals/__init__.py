"""Two people open an identity or an original: the pages of both.

asking: the officer's form; opens the case's seal in that officer's session
deciding: the custodian's pages: what waits, grant or refuse
opening: the officer opens what was granted, and ends it
"""
