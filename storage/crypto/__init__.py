"""Seals, streams, the server key, fingerprints.

fingerprints: six words for a public key
sealing: HPKE seals to a public key, and padding
server_key: the server key: sub-keys, look-ups (HMAC), tags, short-lived encryption
streams: sealed streams of any length, in chunks of 64 KiB
"""
