"""Small catalogs for the tests of fill."""

import numpy as np

from cuemark.contexts.fill.model.catalog import Catalog, Region

REGIONS = (Region("here", 1), Region("there", -5))


def catalog(titles: int = 6, renditions: int = 2, released_h: int = -10_000) -> Catalog:
    """Titles of one kind and no series, long released; sizes of 1, 2, ... GB by rendition."""
    return Catalog(
        kind=np.zeros(titles, dtype=np.int64),
        series=np.full(titles, -1, dtype=np.int64),
        released_h=np.full(titles, released_h, dtype=np.int64),
        title=np.repeat(np.arange(titles), renditions),
        rendition=np.tile(np.arange(renditions), titles),
        size_bytes=np.tile(np.arange(1, renditions + 1) * 10**9, titles),
    )
