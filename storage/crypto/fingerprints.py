"""Six words that stand for a public key: two people compare them by telephone.

73 bits of SHA-256 over the key. Whoever wants to be admitted in somebody's place would
have to make 2^73 keys.
"""

from hashlib import sha256

_CONSONANTS, _VOWELS = "bdfghjklmnprst", "aeiou"
_SYLLABLES = [c + v for c in _CONSONANTS for v in _VOWELS]
_WORDS = 6


def words(public: bytes) -> str:
    """Return six pronounceable words, the same for the same key."""
    number = int.from_bytes(sha256(b"kentongan/1/fingerprint" + public).digest(), "big")
    found = []
    for _ in range(_WORDS):
        number, first = divmod(number, len(_SYLLABLES))
        number, second = divmod(number, len(_SYLLABLES))
        found.append(_SYLLABLES[first] + _SYLLABLES[second])
    return " ".join(found)
