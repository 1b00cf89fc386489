"""The reactive caches of libcachesim, fed the requests of a world hour by hour."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from benches.failure import BenchFailed
from cuemark.contexts.fill.model.catalog import Floats, Ints
from cuemark.lab.demand.trial import Backbone
from cuemark.lab.demand.weeks import PIECES, Hour, asked
from cuemark.lab.demand.world import World

UNIT_BYTES = 1 << 20
"""libcachesim sizes its sketches by the capacity as a number: in bytes it overflows."""
NAMES = ("S3FIFO", "WTinyLFU")
_RECORD = np.dtype([("at_s", "<u4"), ("key", "<u8"), ("size", "<u4"), ("next", "<i8")])


class Replaying(Protocol):
    """A cache of libcachesim: ``(misses, missed bytes)`` as parts of what was asked for."""

    def process_trace(
        self, reader: object, start_req: int, max_req: int
    ) -> tuple[float, float]: ...


def reactive(
    of: World, hours: Sequence[Hour], capacity_bytes: int, folder: Path
) -> Mapping[str, Backbone]:
    """What each of ``NAMES`` asks the backbone; raises ``BenchFailed`` without libcachesim."""
    try:
        import libcachesim
    except ImportError as error:
        raise BenchFailed(
            "libcachesim is missing: run .venv/bin/uv pip install --no-deps -r locks/caches.lock"
        ) from error
    size = np.repeat(of.catalog.size_bytes // PIECES, PIECES)
    units = np.maximum(np.round(size / UNIT_BYTES), 1).astype(np.int64)
    missed = {name: np.zeros((len(of.regions), len(hours))) for name in NAMES}
    for region in range(len(of.regions)):
        keys = [asked(of, hour, region) for hour in hours]
        ends = np.cumsum([len(each) for each in keys])
        path = folder / "requests.oracleGeneral.bin"
        _write(path, keys, units)
        for name in NAMES:
            cache = getattr(libcachesim, name)(cache_size=capacity_bytes // UNIT_BYTES)
            reader = libcachesim.TraceReader(str(path), libcachesim.TraceType.ORACLE_GENERAL_TRACE)
            missed[name][region] = _missed(cache, reader, keys, ends.tolist(), units)
        path.unlink()
    return {name: Backbone(each, np.zeros_like(each)) for name, each in missed.items()}


def _missed(
    cache: Replaying,
    reader: object,
    keys: Sequence[Ints],
    ends: Sequence[int],
    units: Ints,
) -> Floats:
    row = []
    for each, end in zip(keys, ends, strict=True):
        share = 0.0
        if len(each):
            _, share = cache.process_trace(reader, start_req=end - len(each), max_req=len(each))
        row.append(share * float(units[each].sum()) * UNIT_BYTES)
    return np.array(row)


def _write(path: Path, keys: Sequence[Ints], units: Ints) -> None:
    every = np.concatenate(list(keys))
    records = np.zeros(len(every), dtype=_RECORD)
    records["at_s"] = np.repeat(np.arange(len(keys)) * 3600, [len(each) for each in keys])
    records["key"], records["size"], records["next"] = every, units[every], -2
    records.tofile(path)
