"""Signing in, and what stands beside the passphrase.

factor: set up an authenticator (QR code) and recovery codes
own_passphrase: change one's own passphrase
passkey_checks: WebAuthn: challenges, options for the browser, checks of its answers
passkeys: pages to add and remove a passkey
passphrase: checks a passphrase: throttled, few at a time, outside any transaction
prove: show passphrase and second factor again, for five minutes
second: the second step of signing in: code, recovery code or passkey
sign_in: the first step of signing in, cookies and session labels; sign out
"""
