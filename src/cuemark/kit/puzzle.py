"""Puzzles that cost their solver work and their judge one hash, as hashcash has them (Back, 2002).

An answer to a challenge is a decimal number such that SHA-256 of ``challenge:answer`` begins with
so many zero bits. Finding one takes ``2 ** bits`` hashes on average.
"""

import hashlib
import re
from itertools import count

MOST_BITS = 24
_ANSWER = re.compile(r"[0-9]{1,16}")


def solves(challenge: str, answer: str, bits: int) -> bool:
    """Whether ``answer`` solves the puzzle of ``bits`` zero bits."""
    return _ANSWER.fullmatch(answer) is not None and _zeros(challenge, answer) >= bits


def solve(challenge: str, bits: int) -> str:
    """An answer, after as many hashes as it takes: never in an event loop."""
    begun = hashlib.sha256(f"{challenge}:".encode())
    limit = 1 << (256 - bits)
    for number in count():
        tried = begun.copy()
        tried.update(b"%d" % number)
        if int.from_bytes(tried.digest(), "big") < limit:
            return str(number)
    raise AssertionError("numbers do not end")


def _zeros(challenge: str, answer: str) -> int:
    digest = hashlib.sha256(f"{challenge}:{answer}".encode()).digest()
    return 256 - int.from_bytes(digest, "big").bit_length()
