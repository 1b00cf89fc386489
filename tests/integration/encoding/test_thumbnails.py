"""Thumbnails show the frames that they say, whatever the film is like."""

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cuemark.contexts.encoding.model.thumbnails import Tiling
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.workshop import Workshop
from tests.e2e.installation import ffmpeg
from tests.integration.encoding.conftest import RATE, SHOT_FRAMES, SHOTS, Studio, keep
from tests.integration.encoding.odd.films import FRAMES, levels, numbered

Picture = NDArray[np.float64]
LEAST_PSNR_DB, OTHERS_PSNR_DB = 30.0, 22.0


def tiles_of(shop: Workshop, sha256: str) -> tuple[Tiling, list[Picture]]:
    """The tiles of a film's sheets, in order, as luma."""
    tiling = pictures.tiling_of(pictures.film_of(shop, sha256))
    found: list[Picture] = []
    for path in pictures.sheets_of(shop, sha256):
        with Image.open(path) as sheet:
            size = (tiling.tile_width * tiling.columns, tiling.tile_height * tiling.rows)
            assert (sheet.format, sheet.size) == ("JPEG", size)
            whole = np.asarray(sheet.convert("L"), dtype=np.float64)
        for row in np.split(whole, tiling.rows, axis=0):
            found += np.split(row, tiling.columns, axis=1)
    return tiling, found


def frames_of(film: Path) -> list[Picture]:
    """The frames of a film by another decoder, as luma."""
    with av.open(str(film)) as container:
        return [
            np.asarray(Image.fromarray(frame.to_ndarray(format="rgb24")).convert("L"), np.float64)
            for frame in container.decode(video=0)
        ]


def psnr_db(one: Picture, other: Picture) -> float:
    error = float(np.mean((one - other) ** 2))
    return float(10 * np.log10(255**2 / error)) if error else 99.0


def made(shop: Workshop, film: Path) -> str:
    sha256 = keep(shop, film)
    pictures.inspect(shop, sha256)
    pictures.find_shots(shop, sha256)
    return sha256


def test_each_tile_is_the_frame_of_its_time_and_no_other(studio: Studio, clip: Path) -> None:
    tiling, tiles = tiles_of(studio.shop, studio.sha256)
    assert (tiling.every_frames, tiling.tiles) == (RATE, 4)
    frames = frames_of(clip)
    assert len(frames) == SHOTS * SHOT_FRAMES
    shown = range(0, len(frames), tiling.every_frames)
    for place, number in enumerate(shown):
        against = [psnr_db(tiles[place], frames[other]) for other in shown]
        assert against[place] >= LEAST_PSNR_DB, (number, against)
        assert max(np.delete(against, place)) <= OTHERS_PSNR_DB, (number, against)
    for rest in tiles[tiling.tiles :]:
        assert rest.max() < 16


@pytest.mark.parametrize(
    ("options", "frames"),
    [
        (["-vf", "format=yuv420p10le"], FRAMES),
        (["-vf", "setfield=tff", "-flags", "+ildct+ilme", "-x264-params", "tff=1"], FRAMES),
        (["-vf", "scale=192:108:out_range=pc,format=yuvj420p"], FRAMES),
    ],
    ids=["ten bits", "fields", "full range"],
)
def test_films_of_other_kinds_have_the_same_pictures(
    shop: Workshop, tmp_path: Path, options: list[str], frames: int
) -> None:
    sha256 = made(shop, numbered(tmp_path / "film.mkv", *options, frames=frames))
    tiling, tiles = tiles_of(shop, sha256)
    assert tiling.tiles == -(-frames // tiling.every_frames)
    seen = [tile.mean() for tile in tiles[: tiling.tiles]]
    wanted = levels(range(0, frames, tiling.every_frames))
    luma = [(24 + 13 * level - 16) * 255 / 219 for level in wanted]
    assert seen == pytest.approx(luma, abs=4)


def test_a_film_held_upright_has_upright_tiles(shop: Workshop, tmp_path: Path) -> None:
    corner = "color=black:s=640x360:r=25,drawbox=w=iw/2:h=ih/2:c=white:t=fill"
    lying = numbered(tmp_path / "lying.mp4", source=corner)
    film = tmp_path / "film.mp4"
    ffmpeg("-display_rotation", "90", "-i", str(lying), "-c", "copy", str(film))
    tiling, tiles = tiles_of(shop, made(shop, film))
    assert (tiling.tile_width, tiling.tile_height) == (102, 180)
    quarters = [half for side in np.split(tiles[0], 2) for half in np.split(side, 2, axis=1)]
    assert [round(quarter.mean() / 255) for quarter in quarters] == [0, 0, 1, 0]


def test_the_sheets_have_the_same_bytes_when_they_are_made_again(
    studio: Studio, shop: Workshop, clip: Path
) -> None:
    before = [path.read_bytes() for path in pictures.sheets_of(shop, studio.sha256)]
    key = pictures.shots_key(shop, studio.sha256)
    folder = shop.path(key, "shots.json").parent
    aside = folder.with_name("aside")
    folder.rename(aside)
    try:
        pictures.find_shots(shop, studio.sha256)
        again = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert again == {path.name: path.read_bytes() for path in aside.iterdir()}
        assert [path.read_bytes() for path in pictures.sheets_of(shop, studio.sha256)] == before
    finally:
        for path in aside.iterdir():
            path.unlink()
        aside.rmdir()


def test_a_master_with_a_long_film_has_several_sheets(shop: Workshop, tmp_path: Path) -> None:
    frames = 40 * RATE
    sha256 = made(shop, numbered(tmp_path / "film.mkv", frames=frames))
    tiling, tiles = tiles_of(shop, sha256)
    assert len(pictures.sheets_of(shop, sha256)) == tiling.sheets > 1
    seen = [tile.mean() for tile in tiles[: tiling.tiles]]
    luma = [(24 + 13 * level - 16) * 255 / 219 for level in levels(range(0, frames, RATE))]
    assert seen == pytest.approx(luma, abs=4)
