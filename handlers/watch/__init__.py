"""What the server tells its operators and auditors.

alarms: posts alarms to admins: at the start, daily, at the end
canary: the canary's walk through the questionnaire, its check and its erasure
digest: the daily digest of the audit log for auditors
"""
