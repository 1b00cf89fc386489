"""One version of the small film, packaged once, and what orders another."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from benches.specimen import sounds_of
from cuemark.contexts.encoding.stages import tracks
from cuemark.contexts.encoding.stages.packaging import (
    CaptionsToPackage,
    Order,
    RungToPackage,
    SoundToPackage,
    package,
)
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contracts.encoding.versions import CaptionRole, Version
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.licensing import ContentKey
from tests.integration.encoding.conftest import RATE, SHOT_FRAMES, SHOTS, Studio, keep

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = [
    ContentKey(label=label, kid=f"{n:02x}" * 16, key=f"{n + 16:02x}" * 16, iv=f"{n + 32:02x}" * 16)
    for n, label in enumerate(("AUDIO", "SD", "HD"), 1)
]
RECIPES = [Recipe(128, 72, 30.0, "veryfast"), Recipe(256, 144, 26.0, "veryfast")]
FILM_MS = 1000 * SHOTS * SHOT_FRAMES // RATE
CAPTIONS: list[tuple[str, CaptionRole]] = [("en", "subtitles"), ("en", "sdh"), ("de", "forced")]
SRT = "1\n00:00:00,500 --> 00:00:02,000\nHello <font>there</font>\n"


@pytest.fixture(scope="session")
def captions_sha256(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("captions") / "en.srt"
    file.write_text(SRT)
    return keep(studio.shop, file)


@pytest.fixture(scope="session")
def sounds(studio: Studio) -> list[SoundToPackage]:
    return sounds_of(studio.shop, studio.sha256)


def order_of(
    studio: Studio, version: str, sounds: list[SoundToPackage], captions_sha256: str
) -> Order:
    rungs = [
        RungToPackage(
            key=studio.joined_rung(recipe, studio.chunk_of_each_shot),
            width=recipe.width,
            height=recipe.height,
            vmaf_mean=80.123,
            vmaf_p5=70.0,
            vmaf_predicted=None,
        )
        for recipe in RECIPES
    ]
    return Order(
        version_id=VersionId(version),
        title_id=TitleId("ttl_1"),
        quality="quick",
        sha256=studio.sha256,
        rungs=rungs,
        sounds=sounds,
        captions=[
            CaptionsToPackage(
                language,
                tracks.convert_captions(studio.shop, language, captions_sha256, role, FILM_MS),
                role,
            )
            for language, role in CAPTIONS
        ],
    )


@pytest.fixture(scope="session")
def order(studio: Studio, sounds: list[SoundToPackage], captions_sha256: str) -> Order:
    return order_of(studio, "ver_whole", sounds, captions_sha256)


@pytest.fixture(scope="session")
def version(studio: Studio, order: Order) -> Version:
    return package(studio.shop, order, lambda _: KEYS, NOW)


def root_of(studio: Studio, order: Order) -> Path:
    return studio.shop.objects.path(f"versions/{order.version_id}")


def files_of(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def segments_of(folder: Path) -> list[Path]:
    return [folder / f"{n}.m4s" for n in range(1, len(list(folder.glob("*.m4s"))) + 1)]
