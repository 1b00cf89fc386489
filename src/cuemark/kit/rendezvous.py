"""Who of several a name belongs to, without a table: rendezvous hashing.

Each member draws a number for each name, weighed by what it can take, and the highest draw wins
(Thaler and Ravishankar, 1998; Schindelhauer and Schomaker, "Weighted distributed hash tables",
2005). Who comes or goes moves its own names alone, and everybody who knows the members and their
weights comes to the same.
"""

import math
from collections.abc import Mapping
from typing import TypeVar

import xxhash

M = TypeVar("M", bound=str)

_WORD = (1 << 64) - 1


def key_of(name: str) -> int:
    """The 64 bits of a name, or of a member."""
    return xxhash.xxh3_64_intdigest(name.encode())


def order(key: int, weights: Mapping[M, float]) -> list[M]:
    """The members in the order in which the name of this key is theirs; weights are above 0."""
    return sorted(weights, key=lambda each: (weights[each] / math.log(_drawn(key, each)), each))


def _drawn(key: int, member: str) -> float:
    """What a member draws for a name: between 0 and 1, and neither of them."""
    return ((_mixed(key ^ key_of(member)) >> 11) + 0.5) / 2.0**53


def _mixed(number: int) -> int:
    """SplitMix64's finalizer (Steele, Lea and Flood, 2014): any bit changes half of all."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & _WORD
    return number ^ (number >> 31)
