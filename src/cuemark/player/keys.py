"""The content keys of a play: those with which it begins, and those of each period that it reaches.

A service that changes keys gives those of the next period with those that are asked for, so a
boundary waits for nothing; a play that seeks asks for the period that it comes to.
"""

import asyncio
from collections.abc import Sequence

from cuemark.kit.clock import Clock
from cuemark.player.api import Api
from cuemark.player.errors import ApiAway, ApiRefused
from cuemark.player.manifest import Manifest, Stretch

GIVE_UP_S = 30.0
_PAUSE_S = 0.5


class Keys:
    """Opens stretches of a manifest at the service that grants its keys."""

    def __init__(self, api: Api, licence_url: str, clock: Clock) -> None:
        self._api = api
        self._licence_url = licence_url
        self._clock = clock
        self._keys: dict[str, str] = {}
        self._together: list[list[Stretch]] = []

    async def begin(self, manifest: Manifest) -> ApiRefused | None:
        """Ask for the keys with which a film begins; why one was refused."""
        rungs = (*manifest.video, *manifest.audio)
        count = max(1 + len(rung.later) for rung in rungs)
        self._together = [
            [(rung.first, *rung.later)[n] for rung in rungs if n <= len(rung.later)]
            for n in range(count)
        ]
        return await self._ask(self._together[0])

    def has(self, stretch: Stretch) -> bool:
        """Whether what it names can be opened, or needs no key."""
        return not stretch.key_name or stretch.key_name in self._keys

    def keep(self, manifest: Manifest) -> None:
        """Ask no more for keys of other renditions than those of ``manifest``."""
        names = {
            each.key_name
            for rung in (*manifest.video, *manifest.audio)
            for each in (rung.first, *rung.later)
        }
        self._together = [
            [each for each in row if each.key_name in names] for row in self._together
        ]

    async def of(self, stretch: Stretch) -> str:
        """The key of a stretch in hex, empty where it is clear.

        Raises ``ApiRefused``, or ``ApiAway`` once the service was away for ``GIVE_UP_S``.
        """
        give_up_s = self._clock.monotonic_s() + GIVE_UP_S
        while not self.has(stretch):
            row = next(row for row in self._together if stretch in row)
            try:
                refusal = await self._ask(row)
            except ApiAway:
                if self._clock.monotonic_s() >= give_up_s:
                    raise
                await asyncio.sleep(_PAUSE_S)
                continue
            if not self.has(stretch):
                raise refusal or not_granted()
        return self._keys.get(stretch.key_name, "")

    async def _ask(self, stretches: Sequence[Stretch]) -> ApiRefused | None:
        wanted = [each for each in stretches if not self.has(each)]
        if kids := list(dict.fromkeys(each.kid for each in wanted if each.kid)):
            self._keys.update(await self._api.licence(self._licence_url, kids))
        refusal: ApiRefused | None = None
        for url in dict.fromkeys(each.key_url for each in wanted if not each.kid):
            try:
                self._keys[url] = await self._api.key(url)
            except ApiRefused as refused:
                refusal = refused
        return refusal


def not_granted() -> ApiRefused:
    return ApiRefused("the licence holds no key for what is to be played", code="licence_refused")
