"""One letter, and what is kept of it until its end is known.

letter: the content of a letter, encrypted in the outbox; lives and priorities
sent: letters that left and whose last status is to come
statements: the outbox's hot SQL, for both dialects
"""
