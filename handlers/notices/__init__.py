"""What reporters and officers are told.

joined: joins a new notice with the one that still waits for the same person and case
officers: tells every supervisor of a changed route
reporters: notices to reporters, alerts to officers
resending: retries or drops failed letters for an officer
statuses: applies a provider's delivery status to a letter
undelivered: what a notice that did not arrive does to subscription and case
"""
