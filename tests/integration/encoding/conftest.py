"""One small film of three shots, rendered once, and a workshop in a folder with an odd name."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.programs import from_wheels
from cuemark.kit.objects import Objects, sha256_of
from tests.e2e.installation import ffmpeg

RATE, SHOT_FRAMES, SHOTS = 25, 30, 3
SIZE = "256x144"


@dataclass(frozen=True)
class Studio:
    """A workshop with an inspected film in it."""

    shop: Workshop
    sha256: str

    @property
    def film(self) -> Film:
        return pictures.film_of(self.shop, self.sha256)

    @property
    def starts(self) -> list[int]:
        return pictures.shots_of(self.shop, self.sha256).starts

    @property
    def chunk_of_each_shot(self) -> list[Chunk]:
        bounds = [n * SHOT_FRAMES for n in range(SHOTS + 1)]
        return [Chunk(n, bounds[n], bounds[n + 1], [0]) for n in range(SHOTS)]

    def joined_rung(self, recipe: Recipe, chunks: list[Chunk]) -> str:
        """Encode what is missing, and join it in the order of ``chunks``."""
        keys = [pictures.encode_chunk(self.shop, self.sha256, chunk, recipe) for chunk in chunks]
        return pictures.join_rung(self.shop, self.sha256, keys)


def keep(shop: Workshop, file: Path) -> str:
    """Store a file as an uploaded master; its SHA-256."""
    sha256 = sha256_of(file)
    shop.objects.put(f"masters/{sha256}", file.read_bytes())
    return sha256


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(Objects(tmp_path_factory.mktemp("encoding") / "o'brien's data"), from_wheels())


@pytest.fixture(scope="session")
def clip(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3.6 s with two hard cuts and a tone."""
    target = tmp_path_factory.mktemp("clip") / "film.mp4"
    sources = [
        f"testsrc2=s={SIZE}:r={RATE}",
        f"mandelbrot=s={SIZE}:r={RATE}:start_scale=0.5",
        f"testsrc2=s={SIZE}:r={RATE},negate,hflip,vflip",
    ]
    inputs = [part for source in sources for part in ("-f", "lavfi", "-i", source)]
    cut = f"trim=end_frame={SHOT_FRAMES},format=yuv420p,setsar=1"
    graph = ";".join(f"[{n}:v]{cut}[v{n}]" for n in range(SHOTS))
    labels = "".join(f"[v{n}]" for n in range(SHOTS))
    seconds = SHOTS * SHOT_FRAMES / RATE
    ffmpeg(
        [*inputs, "-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"],
        ["-filter_complex", f"{graph};{labels}concat=n={SHOTS}[v]"],
        ["-map", "[v]", "-map", f"{SHOTS}:a", "-metadata:s:a:0", "language=ger"],
        ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "8", "-c:a", "aac", str(target)],
    )
    return target


@pytest.fixture(scope="session")
def studio(shop: Workshop, clip: Path) -> Studio:
    sha256 = keep(shop, clip)
    pictures.inspect(shop, sha256)
    pictures.find_shots(shop, sha256)
    return Studio(shop, sha256)
