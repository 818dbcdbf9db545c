"""Pages about officers.

account: one's own account: language, Telegram link, second factors, sessions
acts: forms about others: invite, withdraw, admit, confirm, refuse, remove, end
join: join by a one-time link: choose a passphrase, see one's six words
people: colleagues with their six words, who waits, and all accounts for admins
"""
