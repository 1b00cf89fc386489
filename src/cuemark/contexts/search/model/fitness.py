"""For whom titles are fit."""

from collections.abc import Sequence

from cuemark.contracts.catalog.gathering import FitFrom


def is_fit(fit_from: Sequence[FitFrom], territory: str, maturity: int) -> bool:
    """Whether a title is fit from this age on: by the bodies of the territory, of which the
    strictest counts, or else by all; what nobody has rated is not."""
    here = [each.age for each in fit_from if territory in each.territories]
    ages = here or [each.age for each in fit_from]
    return bool(ages) and max(ages) <= maturity
