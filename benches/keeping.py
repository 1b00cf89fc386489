"""Keeping: what it costs to keep all of a store's files for a plan, and to let one go."""

import random
import subprocess
import sys
import time
from pathlib import Path

from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.spread import median
from benches.stand import Stand
from cuemark.contracts.ids import VersionId
from cuemark.edge.tracks import Track
from cuemark.edge.turnover import MOST_USES, Turnover

ABOUT = """
The order in which 1,000,000 files leave, in memory, in a process of its own; no disk is in it. *All
kept* is under a plan that names all of their 10,000 tracks; the anchor, *no plan*, is S3-FIFO alone
with every file used three times, which is its dearest case. *Memory* is what the process grew by.
*Plan followed* is the time to name the tracks and to keep each of their files, in all, without the
pauses in which an appliance writes its inventory. *Longest eviction* is the longest of 1,000.
"""

FILES, QUICK_FILES = 1_000_000, 20_000
FILES_OF_TRACK = 100
EVICTIONS = 1000
ROUNDS = 3
_SIZE_BYTES = 1_000_000


def measure(stand: Stand) -> list[Figure]:
    count = QUICK_FILES if stand.quick else FILES
    kept, free = [], []
    for number in range(1 if stand.quick else ROUNDS):
        stand.tell(f"round {number + 1}")
        kept.append(_child("kept", count))
        free.append(_child("free", count))
    of = f"{count:,} files, all kept"

    def beside(place: int) -> Anchor:
        return Anchor("no plan", median([each[place] for each in free]))

    return [
        figure(f"keeping: memory of {of}", [each[0] for each in kept], "MiB", beside(0)),
        figure(f"keeping: plan followed with {of}", [each[1] for each in kept], "s"),
        figure(f"keeping: longest eviction of {of}", [each[2] for each in kept], "ms", beside(2)),
    ]


def _child(what: str, count: int) -> tuple[float, float, float]:
    """MiB, seconds and milliseconds of a process of its own."""
    argv = [sys.executable, "-m", "benches.keeping", what, str(count)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise BenchFailed(f"the files could not be kept: {done.stderr[-300:]}")
    mebibytes, seconds, milliseconds = map(float, done.stdout.split()[-3:])
    return mebibytes, seconds, milliseconds


def _keep(what: str, count: int) -> None:
    rng = random.Random(7)
    before = _mebibytes()
    turnover = Turnover()
    tracks: dict[Track, list[bytes]] = {}
    for number in range(count // FILES_OF_TRACK):
        track = Track(VersionId(f"ver_{number:026}"), "v1")
        tracks[track] = [rng.randbytes(32) for _ in range(FILES_OF_TRACK)]
        for key in tracks[track]:
            turnover.add(key, _SIZE_BYTES)
            turnover.use(key, MOST_USES)
        turnover.take_changes()
    followed_s = _followed_s(turnover, tracks) if what == "kept" else 0.0
    tracks.clear()
    print(_mebibytes() - before, followed_s, _longest_eviction_s(turnover) * 1000)


def _followed_s(turnover: Turnover, tracks: dict[Track, list[bytes]]) -> float:
    worths = {track: float(number) for number, track in enumerate(tracks)}
    begun_s = time.perf_counter()
    turnover.name_kept(worths)
    for track, keys in tracks.items():
        for key in keys:
            turnover.keep(track, key)
        turnover.take_changes()
    turnover.let_go()
    return time.perf_counter() - begun_s


def _longest_eviction_s(turnover: Turnover) -> float:
    longest_s = 0.0
    for _ in range(EVICTIONS):
        begun_s = time.perf_counter()
        if turnover.evict() is None:
            raise BenchFailed("nothing could leave")
        longest_s = max(longest_s, time.perf_counter() - begun_s)
        turnover.take_changes()
    return longest_s


def _mebibytes() -> float:
    """The memory that this program has now."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _keep(sys.argv[1], int(sys.argv[2]))
