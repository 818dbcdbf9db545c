"""Messages that could not be understood.

keeping: keeps a message sealed when receiving it failed
release: a custodian reads a message, releases it to the inbox, or drops it
"""
