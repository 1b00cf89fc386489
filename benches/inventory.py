"""The inventory: how soon an appliance that holds a million files serves again."""

import asyncio
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.spread import median
from benches.stand import Stand
from cuemark.edge.inventory import FILE
from cuemark.edge.store import SHELVES, Store
from cuemark.edge.turnover import Turnover

ABOUT = """
An appliance's store with 1,000,000 files of one byte, on the disk of this machine. *Ready* is how
long a new process takes, with nothing of it in memory, until it knows what it holds: from the
inventory, and, as the anchor, from the files themselves, which is what it does where there is no
inventory that can be read. The kernel's caches of names and inodes are dropped before each where
this machine lets us (as root). *Gone through* is the comparison of inventory and shelves that
follows while the appliance serves already, without its pauses. *Memory* is the process's largest.
"""

FILES, QUICK_FILES = 1_000_000, 20_000
ROUNDS = 3


def measure(stand: Stand) -> list[Figure]:
    count = QUICK_FILES if stand.quick else FILES
    folder = stand.scratch("inventory")
    stand.tell(f"making {count} files")
    _make(folder, count)
    ready, scan, through, memory = [], [], [], []
    for number in range(1 if stand.quick else ROUNDS):
        stand.tell(f"starts: round {number + 1}")
        ready.append(_child(folder, "ready", count)[0])
        seconds, mebibytes = _child(folder, "through", count)
        through.append(seconds)
        memory.append(mebibytes)
        scan.append(_child(folder, "scan", count)[0])
    by_scan = Anchor("every file looked at", median(scan))
    of = f"{count:,} files"
    return [
        figure(f"inventory: ready with {of}", ready, "s", by_scan),
        figure(f"inventory: gone through {of}", through, "s"),
        figure(f"inventory: memory with {of}", memory, "MiB"),
    ]


def _make(folder: Path, count: int) -> None:
    for shelf in SHELVES:
        (folder / "store" / shelf).mkdir(parents=True)
    turnover = Turnover()
    for _ in range(count):
        name = secrets.token_hex(32)
        descriptor = os.open(folder / "store" / name[:2] / name, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, b"x")
        os.close(descriptor)
        turnover.add(bytes.fromhex(name), 1)
    store = Store(folder, 1 << 40)
    if len(store) != count:
        raise BenchFailed(f"the store holds {len(store)} of {count} files")
    asyncio.run(store.close())


def _child(folder: Path, what: str, count: int) -> tuple[float, float]:
    """Seconds and MiB that a process of its own takes for ``what``."""
    os.sync()
    if os.geteuid() == 0:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    argv = [sys.executable, "-m", "benches.inventory", str(folder), what, str(count)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise BenchFailed(f"the store could not be opened: {done.stderr[-300:]}")
    seconds, mebibytes = done.stdout.split()[-2:]
    return float(seconds), float(mebibytes)


def _open(folder: Path, what: str, count: int) -> None:
    if what == "scan":
        # Without an inventory the store looks at every file, as it did before there was one.
        (folder / FILE).unlink()
    begun_s = time.perf_counter()
    store = Store(folder, 1 << 40)
    if what == "through":
        begun_s = time.perf_counter()
        if asyncio.run(store.go_through(0)) != (0, 0):
            raise BenchFailed("the inventory and the shelves differ")
    took_s = time.perf_counter() - begun_s
    if len(store) != count:
        raise BenchFailed(f"the store holds {len(store)} of {count} files")
    print(took_s, _most_mebibytes())
    asyncio.run(store.close())


def _most_mebibytes() -> float:
    """The most memory that this program had. The rusage would tell of its parent's, too."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _open(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
