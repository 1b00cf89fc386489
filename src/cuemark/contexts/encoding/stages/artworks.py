"""What can stand for a title, kept in its version for an operator to choose from.

The pictures lie in the version's folder and not in its index: no appliance gets them.
"""

from pathlib import Path

from cuemark.contexts.encoding.stages.pictures import ARTWORK, shots_key, shots_of
from cuemark.contexts.encoding.stages.reports import ARTWORK_FOLDER, ARTWORKS, artwork_name
from cuemark.contexts.encoding.stages.workshop import Workshop, save


def keep(shop: Workshop, sha256: str, folder: Path) -> None:
    """Put the film's candidates into the folder of a version."""
    found = shots_of(shop, sha256).artworks
    (folder / ARTWORK_FOLDER).mkdir()
    for number in range(1, len(found) + 1):
        picture = shop.path(shots_key(shop, sha256), ARTWORK % number)
        (folder / artwork_name(number)).write_bytes(picture.read_bytes())
    save(folder, ARTWORKS, found)
