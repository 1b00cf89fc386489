"""Parts of any length, joined: one grid of times, whatever each part was reordered by."""

from itertools import pairwise

import av
import msgspec
import pytest

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.pictures import RUNG
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contracts.encoding.versions import Codec
from tests.integration.encoding.conftest import Studio

PRESETS: dict[Codec, str] = {"h264": "medium", "hevc": "ultrafast", "av1": "12"}
LENGTHS = ([1, 1, 2, 3, 5, 8, 30], [30, 1], [2, 2, 2, 2])


@pytest.mark.parametrize("codec", PRESETS)
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_short_pieces_are_joined_to_one_grid_of_times(
    studio: Studio, lengths: list[int], codec: Codec
) -> None:
    starts = [sum(lengths[:n]) for n in range(len(lengths))]
    frames = studio.film.master.frames
    turns = tuple((start, 30.0 + n % 2 * 2) for n, start in enumerate(starts[1:]))
    recipe = Recipe(160, 90, 30.0, PRESETS[codec], codec=codec)
    pieces = Chunk(0, 0, sum(lengths), starts)
    rest = Chunk(1, sum(lengths), frames, [0])
    keys = [
        pictures.encode_chunk(
            studio.shop, studio.sha256, pieces, msgspec.structs.replace(recipe, turns=turns)
        ),
        pictures.encode_chunk(studio.shop, studio.sha256, rest, recipe),
    ]
    rung = pictures.join_rung(studio.shop, studio.sha256, keys, codec)
    with av.open(str(studio.shop.path(rung, RUNG))) as container:
        packets = [each for each in container.demux(video=0) if each.size]
    shown = sorted(each.pts for each in packets if each.pts is not None)
    decoded = [each.dts for each in packets if each.dts is not None]
    assert len(shown) == len(decoded) == frames
    steps = {b - a for a, b in pairwise(shown)} | {b - a for a, b in pairwise(decoded)}
    assert len(steps) == 1
    assert all((each.pts or 0) >= (each.dts or 0) for each in packets)
    (step,) = steps
    idrs = [each.pts for each in packets if each.is_keyframe]
    assert idrs == [start * step for start in [*starts, sum(lengths)]]
