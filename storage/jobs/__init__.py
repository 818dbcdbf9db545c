"""Durable jobs, leases, watches, backlog.

backlog: counts and coarse ages of what waits
jobs: rows of jobs: put, claim, done, retry
leases: leases: what one process does at a time, and its cursor
watches: rows of watches: since when something works, or fails and why
"""
