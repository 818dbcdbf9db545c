"""Pages about cases.

acts: forms on a case page: take, hand on, take over, note, annotate, answer a data request
case: one case: read it, with its history and the open steps
classification: correct what a case is about; confirm what a colleague proposed
conflicts: declare a conflict of interest; settle it with a new key for the case
data_requests: the data requests of a case, and the list of all open ones
handover: gives a case to another unit; tells the former one; finds a case by number
holds: legal hold: set, release, list
moves: a step: what it names, what the reporter will read, and then the step
questions: a question to the reporter, and whether somebody just asked it
queue: the queue with its filters, and "my work" of one officer
resealing: re-seals a few cases to the unit's present key in a member's session
"""
