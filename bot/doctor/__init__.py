"""``kentongan doctor``: examines an installation and advises.

doctor: runs every check, each with a time limit
evidence: where files lie, the virus scanner, the sandbox
findings: the result of a check, and the patient: settings, clock, its store opened
installation: server key, store, disk, people, units, rules, how we are reached
numbers: a Twilio number: where its messages go and how often Twilio retries
providers: whether Telegram and Twilio know us and call the right address
retention: the file of tombstones
watch: what the watches report, and how the canary is
"""
