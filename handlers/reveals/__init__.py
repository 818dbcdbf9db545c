"""Two people open an identity or an original.

ending: ends reveals by age, and those of an officer who left
seals: opens the two seals, each in its own person's session; nothing else may
standing: who may take part, whether a reveal still stands, who is alerted
verbs: ask, read, grant, refuse, open, end
"""
