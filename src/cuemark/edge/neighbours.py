"""Asking other appliances for files, under the tokens that steering gave for it.

They are asked as viewers ask, at the same address, so that their nginx serves them as it serves
viewers. A peer is told ``only-if-cached`` (RFC 9111, section 5.2.1.7): it answers at once from its
disk or says that it has not got the file, and asks nobody. So no two wait for one another.
"""

import re
from collections.abc import AsyncGenerator, Sequence

from cuemark.contracts.steering.reports import SnapshotSource
from cuemark.edge.nginx import MARKED_FORM
from cuemark.edge.sources import Kind, Ranks, Source
from cuemark.edge.upstream import SourceAway, Upstream, client, stream

PEER_SILENCE_S = 1.0
STORAGE_SILENCE_S = 3.0
_VARIANT = re.compile(f"(.*/)([ab])({MARKED_FORM})")


class Neighbours:
    """All sources of an appliance called ``name``: other appliances, and the ``origin``."""

    def __init__(self, origin: Upstream, name: str) -> None:
        self.ranks = Ranks()
        self._origin = origin
        self._addresses: dict[Source, SnapshotSource] = {}
        self._of_peers = client(name, PEER_SILENCE_S)
        self._of_storage = client(name, STORAGE_SILENCE_S)

    def learn(self, listed: Sequence[SnapshotSource]) -> None:
        """These are the neighbours now, the ones to prefer first."""
        self._addresses = {
            Source(each.appliance_id, Kind.PEER if each.held_only else Kind.STORAGE): each
            for each in listed
        }
        self.ranks.learn(list(self._addresses))

    def stream(self, source: Source, path: str, offset: int) -> AsyncGenerator[bytes, None]:
        """The bytes of ``<version_id>/<path>`` from ``offset`` on; raises ``SourceError``."""
        if source.kind is Kind.ORIGIN:
            return self._origin.stream(path, offset)
        address = self._addresses.get(source)
        if address is None:
            raise SourceAway(f"{source.name} is no neighbour any more")
        what = f"{source.name}, {path}"
        if source.kind is Kind.STORAGE:
            return stream(self._of_storage.get(address_of(address, path)), what, offset)
        request = self._of_peers.get(address_of(address, path))
        return stream(request.header("Cache-Control", "only-if-cached"), what, offset)

    async def close(self) -> None:
        await self._of_peers.close()
        await self._of_storage.close()


def address_of(source: SnapshotSource, path: str) -> str:
    """Where a neighbour has ``<version_id>/<path>``.

    A variant of a marked segment has no name of its own there: it is what a session gets whose row
    says so, and each of the two tokens has such a row.
    """
    variant = _VARIANT.fullmatch(path)
    if variant is None:
        return source.a_url + path
    prefix, which, rest = variant.groups()
    return f"{source.a_url if which == 'a' else source.b_url}{prefix}x{rest}"
