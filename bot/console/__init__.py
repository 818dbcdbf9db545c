"""The officers' web pages: server-rendered, usable without a script.

access: which cases an officer may reach, and the reading line of the history
app: the table of addresses and the endpoint of each
cases: queue, case page, forms about a case, conflicts, legal holds, data requests
changes: what a form was made for, and what changed in its case since then
context: what every page knows: writer, database, office, throttles
evidence: the contents of a case, and working copies of files
gate: checks each request: session, role, form token, fresh proof
headers: security headers of every answer
menu: the main menu of each role, and its first page
people: colleagues, invitations, admissions, one's own account
reveals: ask for an identity or original, decide as a custodian, open it
signing: sign in and out, second factor, passkeys, passphrase
texts: the console's gettext catalogues
throttle: limits tries to sign in, in memory
visit: one request as a page sees it, and how a page is rendered
watch: health, failed letters, quarantine, and the auditors' log and figures
words: names of codes in the officer's language
"""
