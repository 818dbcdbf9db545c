"""The verbs on cases: of officers, of reporters, and of the clock.

classification: an officer corrects what a case is about; what is lowered takes two
conflicts: an officer declares a conflict of interest; the case gets its own key
data_requests: a reporter's request about their own data: asked, promised, answered
due_dates: sets a case's status and its next deadline
handover: a case goes to another unit, with a new key that the former unit lacks
holds: legal hold: set by one supervisor, released by a second officer
named: what a step names: the case that goes on, who received it, where else to turn
officer: an officer's verbs: change status, ask, note, take, let go, record a reading
receipts: case number and secret code: made, given, opened
record: the parts of an officer's verb: lock, event, item, audit line
reporter: the verbs of whoever holds a receipt: status, add, withdraw, erase
submission: a draft becomes a case; routes and entry units that it needs
"""
