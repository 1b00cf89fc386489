"""Files that leave last, by the tracks that a plan wants kept: the least wanted track first.

Within a track the last segments go first, so that what is left of it is its beginning. A turn
takes one step, whatever is held; a new plan takes a step for each track, and one for each file
whose track is named from then on, or not any more.
"""

import heapq
from collections.abc import Iterator, Mapping

from cuemark.edge.tracks import Track


class KeptTrack:
    """The files of one track: ``files`` are values by key, the first to leave at the end."""

    __slots__ = ("files", "number", "ranked", "worth")

    def __init__(self, worth: float, number: int) -> None:
        self.worth = worth
        self.number = number
        self.files: dict[bytes, int] = {}
        self.ranked = False


class Kept:
    """Keys with values by track. What is ``restored`` waits until a plan names its track."""

    def __init__(self) -> None:
        self._tracks: dict[Track, KeptTrack] = {}
        self._of: dict[bytes, KeptTrack] = {}
        self._numbered = 0
        self._restored = self._made(float("inf"))
        self._leaving: list[KeptTrack] = []
        self._heap: list[tuple[float, int, KeptTrack]] = []

    def __contains__(self, key: bytes) -> bool:
        return key in self._of

    def __len__(self) -> int:
        return len(self._of)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._restored.files
        for track in [*self._leaving, *self._tracks.values()]:
            yield from track.files

    def get(self, key: bytes) -> int | None:
        """The value of a key."""
        track = self._of.get(key)
        return None if track is None else track.files[key]

    def set(self, key: bytes, value: int) -> None:
        """Give a key that is here another value."""
        self._of[key].files[key] = value

    def restore(self, key: bytes, value: int) -> None:
        """Take up a key of the last run."""
        self._put(self._restored, key, value)

    def name(self, worths: Mapping[Track, float]) -> None:
        """These tracks are kept from now on, the least worth leaving first. Files of others leave
        by ``release``, and before all that is kept."""
        for track, kept in list(self._tracks.items()):
            if track not in worths:
                del self._tracks[track]
                kept.worth = float("-inf")
                self._leaving.append(kept)
        for track, worth in worths.items():
            named = self._tracks.get(track)
            if named is None:
                self._tracks[track] = self._made(worth)
            else:
                named.worth = worth
        self._rank_all()

    def is_named(self, track: Track) -> bool:
        return track in self._tracks

    def put(self, track: Track, key: bytes, value: int) -> None:
        """Hold a key with the last of a named track; one of another track goes over to this."""
        kept = self._tracks[track]
        there = self._of.get(key)
        if there is not None:
            if there is not self._restored and there.worth > kept.worth:
                return
            del there.files[key]
        self._put(kept, key, value)

    def let_go(self) -> None:
        """The tracks of a plan are all named and put: what is left of the last run leaves."""
        if self._restored.files:
            self._restored.worth = float("-inf")
            self._leaving.append(self._restored)
            self._restored = self._made(float("inf"))
            self._rank_all()

    def release(self, count: int) -> list[tuple[bytes, int]]:
        """Up to ``count`` keys that no plan wants kept, with their values, which are gone from
        here."""
        released: list[tuple[bytes, int]] = []
        while self._leaving:
            files = self._leaving[-1].files
            while files and len(released) < count:
                key, value = files.popitem()
                released.append((key, value))
                del self._of[key]
            if files:
                break
            self._leaving.pop()
        return released

    def forget(self, key: bytes) -> int | None:
        """Hold a key no more; its value."""
        track = self._of.pop(key, None)
        return None if track is None else track.files.pop(key)

    def evict(self, below: float | None) -> tuple[bytes, int] | None:
        """Hold no more the last key of the track that is worth least, if that is less than
        ``below``."""
        while self._heap:
            worth, _, track = self._heap[0]
            if not track.files:
                heapq.heappop(self._heap)
                track.ranked = False
            elif below is not None and worth >= below:
                return None
            else:
                key, value = track.files.popitem()
                del self._of[key]
                return key, value
        return None

    def _made(self, worth: float) -> KeptTrack:
        self._numbered += 1
        return KeptTrack(worth, self._numbered)

    def _put(self, track: KeptTrack, key: bytes, value: int) -> None:
        track.files[key] = value
        self._of[key] = track
        if not track.ranked:
            track.ranked = True
            heapq.heappush(self._heap, (track.worth, track.number, track))

    def _rank_all(self) -> None:
        every = [self._restored, *self._leaving, *self._tracks.values()]
        for track in every:
            track.ranked = bool(track.files)
        self._heap = [(each.worth, each.number, each) for each in every if each.ranked]
        heapq.heapify(self._heap)
