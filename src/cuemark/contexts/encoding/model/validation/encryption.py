"""How a version's tracks say that they are encrypted (ISO/IEC 23001-7), and where that is wrong.

What cannot be seen from outside, whether the samples are really encrypted with that key, is for
the decryption to show.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from cuemark.contexts.encoding.model.boxes import BoxesInvalid, boxes
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contracts.protection import Scheme

CENC_IV_BYTES = 8
_SUBSAMPLES = 0x2
_SUBSAMPLE_BYTES = 6
_MOST_STRETCHES = 100_000

Stretch = tuple[int, int]
"""The first and the last of IVs that count up by one."""


class Encryption(msgspec.Struct, frozen=True):
    """What an init segment says (its ``schm`` and ``tenc`` boxes): empty or 0 in the clear.

    ``iv_bytes`` are those of each sample, 0 where all samples share the ``constant_iv_bytes``.
    """

    scheme: str = ""
    kid: str = ""
    iv_bytes: int = 0
    constant_iv_bytes: int = 0


def of_tenc(scheme: str, tenc: memoryview) -> Encryption:
    """Read a ``tenc`` box (section 8.2); raises ``BoxesInvalid``."""
    if len(tenc) < 24:
        raise BoxesInvalid("a tenc box is cut off")
    constant = 0 if tenc[7] or len(tenc) < 25 else tenc[24]
    return Encryption(scheme, bytes(tenc[8:24]).hex(), tenc[7], constant)


def ivs_of(traf: memoryview, samples: int, iv_bytes: int) -> list[Stretch] | None:
    """The IVs of a fragment's samples (its ``senc`` box, section 7.2); none where all share one.

    None where the fragment does not say how its samples are encrypted. Raises ``BoxesInvalid``.
    """
    senc = next((body for kind, body in boxes(traf) if kind == b"senc"), None)
    if senc is None:
        return None
    if len(senc) < 8:
        raise BoxesInvalid("a senc box is cut off")
    told = int.from_bytes(senc[4:8], "big")
    if told != samples:
        raise BoxesInvalid(f"a senc box tells of {told} samples where there are {samples}")
    if not iv_bytes:
        return []
    found: list[Stretch] = []
    at = 8
    has_parts = int.from_bytes(senc[1:4], "big") & _SUBSAMPLES
    for _ in range(told):
        end = at + iv_bytes
        parts = int.from_bytes(senc[end : end + 2], "big") if has_parts else 0
        after = end + (2 + _SUBSAMPLE_BYTES * parts if has_parts else 0)
        if after > len(senc):
            raise BoxesInvalid("a senc box is cut off")
        found = joined(found, [(value := int.from_bytes(senc[at:end], "big"), value)])
        at = after
    return found


def joined(before: list[Stretch], after: Sequence[Stretch]) -> list[Stretch]:
    """Both, as one stretch where the second goes on from the first."""
    if before and after and before[-1][1] + 1 == after[0][0]:
        return [*before[:-1], (before[-1][0], after[0][1]), *after[1:]]
    return [*before, *after]


def stated_findings(name: str, stated: Encryption, kid: str, scheme: Scheme) -> list[Finding]:
    """Where a track does not state that it is encrypted by ``scheme`` with the key ``kid``."""
    if (stated.scheme, stated.kid) != (scheme, kid):
        told = f"{stated.scheme or 'no encryption'} with key {stated.kid or 'none'}"
        return [
            error("protection", f"{name} states {told} and should have {scheme} with key {kid}")
        ]
    right = stated.constant_iv_bytes > 0 if scheme == "cbcs" else stated.iv_bytes == CENC_IV_BYTES
    if right:
        return []
    wanted = "one IV for all samples" if scheme == "cbcs" else f"IVs of {CENC_IV_BYTES} bytes"
    return [error("protection", f"{name} does not state {wanted}, which {scheme} needs")]


def shared_iv_findings(
    ivs: Mapping[str, Sequence[Stretch]], kids: Mapping[str, str]
) -> list[Finding]:
    """Where two samples of tracks with one key have the same IV: in cenc each gives the other away.

    ``ivs`` and ``kids`` are by track; section 9.2 wants IVs of a key to be unique.
    """
    by_key: dict[str, list[tuple[int, int, str]]] = {}
    for name, stretches in ivs.items():
        if len(stretches) > _MOST_STRETCHES:
            return [error("protection", f"the IVs of {name} do not count up")]
        rows = by_key.setdefault(kids[name], [])
        rows += [(first, last, name) for first, last in stretches]
    for rows in by_key.values():
        for before, after in pairwise(sorted(rows)):
            if after[0] <= before[1]:
                both = f"{before[2]} and {after[2]}" if before[2] != after[2] else before[2]
                return [error("protection", f"two samples of {both} have one key and one IV")]
    return []
