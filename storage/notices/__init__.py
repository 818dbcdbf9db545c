"""Who wants notices, and what becomes of them.

failed: letters that a provider refused for good, kept for a person to judge
owed: news that could not be told and is owed
subscribers: somebody who asked for notices, as sealed in a row
subscriptions: who asked for notices on which case
waiting: letters of one person that wait: read, join, drop
"""
