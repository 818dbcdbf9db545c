"""What every command uses.

desk: settings, server key and store of a command
passphrases: asks for passphrases, and for that of an officer who is present
printing: lists as table, lines or JSON; text made safe for a terminal
refusals: turns an exception into the one line that a command prints
"""
