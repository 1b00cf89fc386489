"""How often something may be asked for from one place, counted by `limits` in a moving window.

Each route that anyone may write to declares ``opt={"limit": ...}``, a name of ``LIMITS``; the
gateway cannot be built with one that does not. What is counted is an IPv4 address, the 64 bits that
a home has of IPv6, or a device that is known. Each gateway process counts for itself: where several
run behind one address, each lets through as much.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Mapping

from limits import RateLimitItem, parse
from limits.storage.base import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from cuemark.kit.clock import Clock

LIMITS: Mapping[str, RateLimitItem] = {
    "login": parse("60/minute"),
    "code": parse("600/minute"),
    "letter": parse("20/minute"),
    "device": parse("600/minute"),
    "webhook": parse("6000/minute"),
}
"""``code``: what opens with a secret that nobody guesses; ``device``: televisions, which ask anew
every few seconds; ``webhook``: the payment provider, whose signature is checked."""

MOST_KEYS, MOST_ENTRIES = 65_536, 500_000


class Windows(Storage, MovingWindowSupport):
    """The moments of the last asks of each key, by an injected clock.

    Of all keys those stay that asked last: ``most_keys`` of them with ``most_entries`` moments. Who
    has more addresses than that asks as often as they like, as far as this goes.
    """

    STORAGE_SCHEME = None

    def __init__(
        self, clock: Clock, most_keys: int = MOST_KEYS, most_entries: int = MOST_ENTRIES
    ) -> None:
        super().__init__()
        self._clock = clock
        self._most_keys = most_keys
        self._most_entries = most_entries
        self._entries = 0
        self._windows: OrderedDict[str, deque[float]] = OrderedDict()

    @property
    def entries(self) -> int:
        return self._entries

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        window = self._current(key, expiry)
        if len(window) + amount > limit:
            return False
        now_s = self._clock.monotonic_s()
        window.extend([now_s] * amount)
        self._entries += amount
        while len(self._windows) > self._most_keys or self._entries > self._most_entries:
            self._entries -= len(self._windows.popitem(last=False)[1])
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        window = self._current(key, expiry)
        return (window[0] if window else self._clock.monotonic_s()), len(window)

    def _current(self, key: str, expiry: int) -> deque[float]:
        window = self._windows.setdefault(key, deque())
        self._windows.move_to_end(key)
        begins_s = self._clock.monotonic_s() - expiry
        while window and window[0] <= begins_s:
            window.popleft()
            self._entries -= 1
        return window

    @property
    def base_exceptions(self) -> type[Exception]:
        return Exception

    def get(self, key: str) -> int:
        return len(self._windows.get(key, ()))

    def get_expiry(self, key: str) -> float:
        window = self._windows.get(key)
        return window[-1] if window else self._clock.monotonic_s()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError("this storage has moving windows only")

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        count = len(self._windows)
        self._windows.clear()
        self._entries = 0
        return count

    def clear(self, key: str) -> None:
        self._entries -= len(self._windows.pop(key, ()))


class Limiter:
    """Counts asks; one process has one."""

    def __init__(self, clock: Clock, limits: Mapping[str, RateLimitItem] = LIMITS) -> None:
        self._clock = clock
        self._limits = limits
        self._windows = MovingWindowRateLimiter(Windows(clock))

    def hit(self, name: str, subject: str) -> int:
        """0 where one more is let pass, else after how many seconds to ask again."""
        limit = self._limits[name]
        if self._windows.hit(limit, name, subject):
            return 0
        frees_s = self._windows.get_window_stats(limit, name, subject).reset_time
        return max(1, math.ceil(frees_s - self._clock.monotonic_s()))
