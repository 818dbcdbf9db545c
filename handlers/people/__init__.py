"""Officers join, are confirmed, leave.

confirming: confirms invited admins and auditors, whom no unit admits
joining: invitation, account, admission to a unit
leaving: removal from a unit, end of an account
"""
