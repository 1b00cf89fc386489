"""When an appliance may be filled, and how fast.

Appliances are filled while their members sleep, from 02:00 to 14:00 of local time as Netflix does
it ("Netflix and Fill", 2016), so that fill never meets the evening.
"""

from dataclasses import dataclass

from cuemark.contexts.fill.model.catalog import DAY_H, Region


@dataclass(frozen=True)
class Window:
    """``from_h`` to before ``to_h``, local time; ``to_h`` below ``from_h`` goes past midnight.

    ``rate_bytes_h`` is what may be brought within an hour.
    """

    from_h: int
    to_h: int
    rate_bytes_h: int

    def __post_init__(self) -> None:
        if not (0 <= self.from_h < DAY_H and 0 <= self.to_h <= DAY_H and self.from_h != self.to_h):
            raise ValueError("a window is from an hour of 0 to 23 to another one, at most 24")
        if self.rate_bytes_h <= 0:
            raise ValueError("rate_bytes_h is more than 0")

    def allowance_bytes(self, region: Region, at_h: int) -> int:
        """What may be brought in the hour of UTC that begins at ``at_h``: 0 outside the window."""
        return self.rate_bytes_h if self.open(region.local_h(at_h)) else 0

    def open(self, local_h: int) -> bool:
        if self.from_h < self.to_h:
            return self.from_h <= local_h < self.to_h
        return local_h >= self.from_h or local_h < self.to_h
