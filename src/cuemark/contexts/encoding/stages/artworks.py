"""What can stand for a title: pictures by their content, which reports of versions list.

All versions of one master name the same pictures, so that what an operator chose is known in the
next one.
"""

from cuemark.contexts.encoding.stages.pictures import ARTWORK, shots_key, shots_of
from cuemark.contexts.encoding.stages.reports import KeptArtwork
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.kit.objects import sha256_of


def store(shop: Workshop, sha256: str) -> list[KeptArtwork]:
    """Put the film's candidates into the object store, the best first."""
    kept = []
    for number, frame in enumerate(shots_of(shop, sha256).artworks, 1):
        picture = shop.path(shots_key(shop, sha256), ARTWORK % number)
        key = f"artworks/{sha256_of(picture)}.jpg"
        if not shop.has(key):
            shop.objects.put(key, picture.read_bytes())
        kept.append(KeptArtwork(key, frame))
    return kept
