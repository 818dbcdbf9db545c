"""Sends the letters of the outbox.

delivery: the loop of each channel: claims letters, lets them depart in turn
departures: sends one letter, or does what its error asks for
ledger: delivery's writes: claims and ends, repeated while the store is away
line: what one channel holds in memory, and which letter may go now
outcomes: the verbs of a letter's end: sent, dead, failed, unreachable
pace: token buckets for a channel and for each person; backoff
repeats: caps how often the same text goes to one person
"""
