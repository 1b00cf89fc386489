"""What a title is like: its genres, themes, people and the words about it, as one vector.

Features are hashed into a fixed number of places with a sign (Weinberger et al., ICML 2009), so
that a new word, person or theme needs no list and no new index.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import xxhash

PLACES = 192
Vector = npt.NDArray[np.float32]
_GENRE, _THEME, _PERSON, _WORD, _TIME = 3.0, 4.0, 2.0, 0.6, 1.0
_LONG_WORD = re.compile(r"[a-z]{5,}")


def vector(
    genres: Sequence[str],
    themes: Sequence[str],
    people: Sequence[str],
    told: Iterable[str],
    year: int | None,
) -> bytes:
    """A unit vector as bytes, one for each place."""
    found = np.zeros(PLACES, dtype=np.float32)
    weighed = [
        *((f"g:{each}", _GENRE) for each in genres),
        *((f"t:{each}", _THEME) for each in themes),
        *((f"p:{each}", _PERSON / (1 + place / 4)) for place, each in enumerate(people[:12])),
        *((f"w:{each}", _WORD) for each in set(told) if _LONG_WORD.fullmatch(each)),
        *([(f"y:{year // 10}", _TIME)] if year else []),
    ]
    for name, weight in weighed:
        digest = xxhash.xxh64_intdigest(name.encode())
        for part in (digest & 0xFFFFFFFF, digest >> 32):
            found[part % PLACES] += weight if part & 0x80000000 else -weight
    length = float(np.linalg.norm(found))
    packed: bytes = np.rint(found * (127 / length if length else 0)).astype(np.int8).tobytes()
    return packed


def unpacked(packed: Sequence[bytes]) -> Vector:
    """Vectors as the rows of a matrix, each of length 1 or 0."""
    rows = np.frombuffer(b"".join(packed), dtype=np.int8).reshape(len(packed), PLACES)
    matrix = rows.astype(np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: Vector = (matrix / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit


def likeness(packed: Sequence[bytes], wanted: Sequence[bytes]) -> list[float]:
    """How like each is to all of ``wanted`` together: 1 the same, 0 nothing in common."""
    if not packed or not wanted:
        return [0.0] * len(packed)
    middle: Vector = unpacked(wanted).sum(axis=0)
    found = unpacked(packed) @ middle / max(float(np.linalg.norm(middle)), 1e-9)
    return [float(each) for each in found]
