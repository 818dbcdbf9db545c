"""The audit log, the lists of valid rows, facts of this installation.

installation: settings of this installation as tagged rows
log: the audit log: one HMAC chain over what officers and operators do
manifests: tagged lists of the rows that count, so that no old row comes back
"""
