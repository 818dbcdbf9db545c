"""What ends by itself.

reports: erases what ended cases hold beyond their rule; replays tombstones
traces: deletes drafts, conversations, ids, letters, sessions, links past their time
"""
