"""Officers and what they sign in with.

cookies: the cookie of a session, and form tokens made from it
devices: the mark of a browser in which an officer signed in before
invitations: one-time links by which somebody makes an account
officers: accounts and their key pairs
one_time_codes: the authenticator's six digits (TOTP)
passkeys: passkeys as second factor
passphrases: a secret key wrapped by a passphrase (Argon2id)
recovery_codes: ten one-time codes for a lost second factor
sessions: console sessions: begin, resume, prove, end
telegram_links: an officer's own Telegram
"""
