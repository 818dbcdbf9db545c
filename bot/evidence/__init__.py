"""Fetches reporters' files and makes clean working copies of them.

``kinds.toml`` is the table of known kinds. Only ``sandbox`` opens strangers' bytes.

clamav: asks a ClamAV daemon about an original
converter: starts a sandbox process and streams original and copy through it
copying: what follows once a file is complete: scan it, have its copy made
facts: what a sandbox may say about a file; anything else is refused
fetching: the worker that fetches files and erases providers' copies
frames: the framing of the pipe between converter and sandbox
kinds: recognises the kind of a file by its content
refusals: the error by which a cleaner refuses a file, and what cleaners share
sandbox: the locked process that opens files; nothing of the server imports it
unseen: makes signs visible that nobody sees, in words and names of files
"""
