"""Officers join, are confirmed, leave; what that means for their unit's key.

confirming: confirms invited admins and auditors, whom no unit admits
joining: invitation, account, admission to a unit
leaving: removal from a unit, end of an account
officer_telegram: an officer's own Telegram: link it; buttons of alerts
resealing: a member's session seals what an older key of the unit opens to the newer one
"""
