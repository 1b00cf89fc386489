"""Arithmetic of money: whole minor units (ISO 4217), never a float.

A rate of an amount is rounded to the nearest unit, halves away from zero, as invoices are by
custom. What is divided among several is divided by largest remainders, so that the parts make the
whole.
"""

from collections.abc import Sequence

WHOLE_BP = 10_000


def ratio(amount_minor: int, numerator: int, denominator: int) -> int:
    """``amount_minor * numerator / denominator``, halves away from zero; ``denominator`` > 0."""
    product = amount_minor * numerator
    magnitude = (2 * abs(product) + denominator) // (2 * denominator)
    return magnitude if product >= 0 else -magnitude


def shares(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """``amount_minor`` by weights of 0 or more, of which one is more, by largest remainders.

    The shares sum up to the amount, and each is within one unit of what is its due. Where
    remainders are equal, who stands first gets the unit. With an amount below zero the same, below
    zero.
    """
    total = sum(weights)
    sign, magnitude = (-1, -amount_minor) if amount_minor < 0 else (1, amount_minor)
    parts = [magnitude * weight // total for weight in weights]
    rests = sorted(range(len(weights)), key=lambda at: (-(magnitude * weights[at] % total), at))
    for at in rests[: magnitude - sum(parts)]:
        parts[at] += 1
    return [sign * part for part in parts]
