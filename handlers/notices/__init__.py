"""What reporters and officers are told.

joined: joins a new notice with the one that still waits for the same person and case
officers: what officers are told on Telegram, and who hears it: the one answer
piles: of alerts of one topic one waits for each officer, and tells of all
reporters: what reporters are told: neutrally, or with the words they asked for
resending: retries or drops failed letters for an officer
silence: ends all news to a contact, by whoever says so over it
statuses: applies a provider's delivery status to a letter
undelivered: what a notice that did not arrive does to subscription and case
"""
