"""Thumbnails on their way into a version: sheets in the clear, a playlist, digests."""

from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model import playlists
from cuemark.contexts.encoding.stages.digests import digests_sha256, write_digests
from cuemark.contexts.encoding.stages.pictures import film_of, sheets_of, tiling_of
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contracts.encoding.versions import ThumbnailTrack, Timeline

TRACK_ID = "thumbnails"


def add(shop: Workshop, sha256: str, folder: Path) -> ThumbnailTrack:
    """Put the film's thumbnails into the folder of a version, and describe them."""
    film = film_of(shop, sha256)
    picture, tiling = film.master.picture, tiling_of(film)
    (folder / TRACK_ID).mkdir()
    sheets = []
    for number, sheet in enumerate(sheets_of(shop, sha256), 1):
        sheets.append(folder / TRACK_ID / f"{number}.jpg")
        sheets[-1].write_bytes(sheet.read_bytes())
    spans = tiling.sheet_frames(film.master.frames)
    stand = Timeline(
        timescale=picture.rate_num,
        start=0,
        durations=[frames * picture.rate_den for frames in spans],
    )
    _, peak_kbps = playlists.bitrates_kbps([path.stat().st_size for path in sheets], stand)
    track = ThumbnailTrack(
        track_id=TRACK_ID,
        tile_width=tiling.tile_width,
        tile_height=tiling.tile_height,
        columns=tiling.columns,
        rows=tiling.rows,
        tiles=tiling.tiles,
        timescale=picture.rate_num,
        tile_ticks=tiling.every_frames * picture.rate_den,
        bitrate_kbps=round(peak_kbps, 1),
    )
    (folder / f"{TRACK_ID}.m3u8").write_text(playlists.thumbnails_playlist(track, stand))
    write_digests(folder, TRACK_ID, (sheet.read_bytes() for sheet in sheets))
    return msgspec.structs.replace(track, digests_sha256=digests_sha256(folder, TRACK_ID))
