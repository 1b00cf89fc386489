"""A marked version made by the real stages, and copies of it as somebody would make them."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import msgspec

from benches.specimen import CRF, KEYS, NOW, PRESET, Specimen, keep, specimen_of
from cuemark.contexts.encoding.model.chunks import chunk_plan
from cuemark.contexts.encoding.model.watermark import VARIANTS, Mark, key_id
from cuemark.contexts.encoding.stages import packaging, pictures
from cuemark.contexts.encoding.stages.packaging import Order, RungToPackage
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.ids import VersionId
from cuemark.contracts.protection import Scheme

COPY_S = 300


@dataclass(frozen=True)
class Marked:
    """A plain version, and one of the same rungs that is marked by ``key``."""

    plain: Specimen
    marked: Specimen
    key: bytes

    @property
    def version(self) -> Version:
        return self.marked.version


def marked_of(shop: Workshop, film: Path, heights: Sequence[int], key: bytes) -> Marked:
    """Make a version of renditions with these lines, and the same with a mark."""
    plain = specimen_of(shop, film, {}, heights)
    rungs = [in_variants(shop, plain.order.sha256, rung, key) for rung in plain.order.rungs]
    order = msgspec.structs.replace(
        plain.order, rungs=rungs, version_id=VersionId(f"{plain.order.version_id}-marked")
    )
    return Marked(plain, packaged(shop, order), key)


def in_variants(shop: Workshop, sha256: str, rung: RungToPackage, key: bytes) -> RungToPackage:
    """A rung of a specimen in both variants."""
    film = pictures.film_of(shop, sha256)
    shots = pictures.shots_of(shop, sha256)
    chunks = chunk_plan(shots.starts, film.master.frames, film.master.picture.rate)
    keys = []
    for variant in VARIANTS:
        mark = Mark(variant, key_id(key))
        recipe = Recipe(rung.width, rung.height, CRF, PRESET, mark=mark)
        encoded = [pictures.encode_chunk(shop, sha256, chunk, recipe, key) for chunk in chunks]
        keys.append(pictures.join_rung(shop, sha256, encoded))
    return msgspec.structs.replace(rung, key=keys[0], variants=tuple(keys))


def packaged(shop: Workshop, order: Order, scheme: Scheme = "cbcs") -> Specimen:
    version = packaging.package(shop, order, lambda _: KEYS, NOW, scheme=scheme)
    return Specimen(shop, order, version, KEYS)


def session_of(specimen: Specimen, turns: Sequence[str], target: Path) -> Path:
    """The file of a session of the uppermost rendition, whose segments are of the variants
    ``turns``, still encrypted; its key."""
    here = specimen.folder / specimen.version.renditions[-1].rendition_id
    files = [here / "init.mp4", *(here / f"{v}{n}.m4s" for n, v in enumerate(turns, 1))]
    target.write_bytes(b"".join(file.read_bytes() for file in files))
    return target


def key_of(specimen: Specimen) -> str:
    """The key (hex) of the uppermost rendition."""
    kid = specimen.version.renditions[-1].kid
    return next(each.key for each in specimen.keys if each.kid == kid)


def copied(specimen: Specimen, session: Path, filters: str, crf: float, target: Path) -> Path:
    """Encode a session again, as who gives it away does."""
    argv = [
        *[imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"],
        *["-decryption_key", key_of(specimen), "-i", str(session), "-vf", filters],
        *["-c:v", "libx264", "-preset", "veryfast", "-crf", str(crf), str(target)],
    ]
    subprocess.run(argv, check=True, timeout=COPY_S)
    return target


def kept_copy(shop: Workshop, file: Path) -> str:
    """Store and inspect a copy as an upload is; its SHA-256."""
    sha256 = keep(shop, file)
    pictures.inspect(shop, sha256)
    return sha256
