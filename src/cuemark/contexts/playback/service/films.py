"""Versions while they are in use, and their manifests, drafted once for all who have the same."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Literal, TypeVar

from cuemark.contexts.playback.model import dash, entitlement, hls, protection
from cuemark.contexts.playback.model.protection import Offer
from cuemark.contexts.playback.model.session import Session
from cuemark.contexts.playback.service.parts import VERSION, needed
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.versions import GetVersion, UnknownVersion, Version
from cuemark.contracts.ids import VersionId
from cuemark.contracts.playback import CannotPlay
from cuemark.contracts.protection import System

CACHED_VERSIONS = 256
CACHED_DRAFTS = 512

Draft = dash.Draft | hls.Draft
_Kind = tuple[VersionId, str, tuple[str, ...]]
_K = TypeVar("_K")
_V = TypeVar("_V")


class Films:
    """A version is immutable: it is asked for once while it is in use."""

    def __init__(self, encoding: Encoding, offer: Offer) -> None:
        self._encoding = encoding
        self._offer = offer
        self._versions: OrderedDict[VersionId, Version] = OrderedDict()
        self._drafts: OrderedDict[_Kind, Draft] = OrderedDict()

    async def version(self, version_id: VersionId) -> Version:
        """For a play; raises ``CannotPlay``."""
        try:
            return await needed(VERSION, self.asked(version_id))
        except UnknownVersion:
            raise CannotPlay("The published version of this title is gone.") from None

    async def asked(self, version_id: VersionId) -> Version:
        """Raises ``UnknownVersion`` and ``Unavailable``."""
        found = self._versions.get(version_id)
        if found is None:
            found = await self._encoding.get_version(GetVersion(version_id=version_id))
        return _kept(self._versions, version_id, found, CACHED_VERSIONS)

    async def draft(
        self, session: Session, form: Literal["dash", "hls"], system: System | None
    ) -> Draft:
        """The manifest of what a session may see; raises ``CannotPlay``."""
        version = await self.version(session.version_id)
        said = session.capabilities or entitlement.unasked(session.robustness)
        if form == "hls" and system is None:
            if not self._offer.clearkey:
                raise CannotPlay("This service gives no keys in the clear: ask for a DRM system's.")
            said = entitlement.in_clear(said)
        if form == "hls" and system and system not in protection.of_hls(version, self._offer):
            raise CannotPlay(f"This title has no playlists for {system}.")
        name = session.title or "This title"
        seen = entitlement.entitle(version, said, session.max_height, self._offer, name)
        if form == "dash":
            return self._drafted(seen, form, lambda: dash.draft(seen, self._offer))
        return self._drafted(seen, f"{form}.{system}", lambda: hls.draft(seen, system))

    def _drafted(self, seen: Version, form: str, make: Callable[[], Draft]) -> Draft:
        tracks = [*(each.rendition_id for each in seen.renditions)]
        tracks += [each.track_id for each in seen.audio]
        kind = seen.version_id, form, tuple(tracks)
        return _kept(self._drafts, kind, self._drafts.get(kind) or make(), CACHED_DRAFTS)


def _kept(cache: OrderedDict[_K, _V], key: _K, value: _V, most: int) -> _V:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > most:
        cache.popitem(last=False)
    return value
