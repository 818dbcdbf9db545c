"""Cases and what belongs to them.

case_version: what a form was made for: of each part of a case a short hash
cases: the queue: rows of cases, their order, filters, locks, register numbers
codes: the exact codes of a case, under the server key
conflicts: rows of conflicts of interest: who is barred from a case
data_requests: rows of requests that reporters make about their own data
figures: counts of cases, and counters by day
history: a case's history: one HMAC chain for each case
items: sealed items of a report: add, open, re-seal, erase
reports: drafts and grants: a report's key, and to whom it is sealed
reveals: rows of reveals: asked, granted or refused, ended
tags: the tag over a case row
worklist: what waits for one officer: approvals, cases taken, deadlines
"""
