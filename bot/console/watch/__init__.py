"""Pages for whoever watches: admins, supervisors, custodians, auditors.

figures: counts of reports, for auditors
health: alarms with advice, watches, levels
letters: letters that failed: why; retry or drop
log: the audit log: read, verify, export
quarantine: messages in quarantine, for custodians: read, release, drop
readings: how many cases each officer read, by day
"""
