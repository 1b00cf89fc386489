"""Flashes that may harm: Recommendation ITU-R BT.1702-3, for luminance; red is not looked at."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from cuemark.contexts.encoding.model.validation.findings import Finding, Span, told, warning

STEP_CDM2, DARK_CDM2, AREA = 20.0, 160.0, 0.25
"""Annex 1: a change of 20 cd/m2 or more, the darker picture under 160, on a quarter of the
screen."""
MOST_TRANSITIONS = 6
"""Three flashes in a second, each a change and its opposite."""

Cdm2 = NDArray[np.float64]


def luminance_cdm2(luma: NDArray[np.uint8]) -> Cdm2:
    """The luminance of luma from 16 to 235 on a screen of 200 cd/m2.

    The formula is that of Ofcom's guidance on flashing images, annex 1, for luma from 0 to 255.
    """
    full = np.clip((luma.astype(np.float64) - 16) * 255 / 219, 0, 255)
    found: Cdm2 = 413.435 * (0.002745 * full + 0.0189623) ** 2.2
    return found


class Flashes:
    """Counts the opposing changes of luminance, frame after frame."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._frame = 0
        self._direction = 0
        self._least: Cdm2 | None = None
        self._most: Cdm2 | None = None
        self._transitions: deque[int] = deque()
        self._spans: list[Span] = []

    def add(self, pictures: NDArray[np.uint8]) -> None:
        """Take the next pictures of the film (n by h by w)."""
        for light in luminance_cdm2(pictures):
            self._add(light)
            self._frame += 1

    def _add(self, light: Cdm2) -> None:
        if self._least is None or self._most is None:
            self._least, self._most = light.copy(), light.copy()
            return
        rises = (light - self._least >= STEP_CDM2) & (self._least < DARK_CDM2)
        falls = (self._most - light >= STEP_CDM2) & (light < DARK_CDM2)
        up = rises.mean() >= AREA and self._direction <= 0
        down = falls.mean() >= AREA and self._direction >= 0
        if up or down:
            self._direction = 1 if up else -1
            self._least, self._most = light.copy(), light.copy()
            self._count()
        else:
            np.minimum(self._least, light, out=self._least)
            np.maximum(self._most, light, out=self._most)

    def _count(self) -> None:
        self._transitions.append(self._frame)
        while self._frame - self._transitions[0] >= self._rate:
            self._transitions.popleft()
        if len(self._transitions) <= MOST_TRANSITIONS:
            return
        first_s, end_s = self._transitions[0] / self._rate, (self._frame + 1) / self._rate
        if self._spans and first_s <= self._spans[-1][1]:
            self._spans[-1] = (self._spans[-1][0], end_s)
        else:
            self._spans.append((first_s, end_s))

    def findings(self) -> list[Finding]:
        if not self._spans:
            return []
        text = f"the film flashes more than three times a second {told(self._spans)}"
        return [warning("photosensitivity", f"{text}, which can harm viewers (ITU-R BT.1702)")]
