"""The canonical picture as FFmpeg's filters make it. Frames are named by their number in the film.

Every encode and every comparison starts from it: progressive, upright, cut to even sides, 4:2:0, in
one of the film's looks, and frame N stamped N ticks of one frame each. Without that stamp libvmaf
pairs frames by rounded times and misaligns them.

A film of high dynamic range is first brought to BT.2100 in 10 bits and limited range. Its standard
look is made from that by a table of colors (``model/tone_mapping.py``) and dithered to 8 bits, so
that a rendition in PQ or HLG can be brought to standard range in the same way.
"""

from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model.color import (
    HIGH_DEPTH,
    MATRIX,
    PRIMARIES,
    TRANSFERS,
    Look,
    standard_look,
)
from cuemark.contexts.encoding.model.master import Master, Picture
from cuemark.contracts.encoding.versions import DynamicRange

_TRANSFER_OF = {dynamic_range: transfer for transfer, dynamic_range in TRANSFERS.items()}
_ESCAPED = str.maketrans({each: f"\\{each}" for each in "\\':,;[]"})


class Film(msgspec.Struct, frozen=True):
    """The file that encodes read, with what is known of its frames.

    ``cube`` is the table that brings an HDR film to standard range.
    """

    path: Path
    master: Master
    cube: Path | None = None

    @property
    def reads(self) -> list[Path]:
        """The files that FFmpeg reads to make its pictures."""
        return [self.path] if self.cube is None else [self.path, self.cube]

    @property
    def standard(self) -> Look:
        """The look that every device can show."""
        return standard_look(self.master.color)


def seek(film: Film, frame: int) -> list[str]:
    """Input options with which decoding yields ``frame`` first: a quarter frame before its time.

    FFmpeg rounds the time to the container's ticks, and some containers have one tick a frame:
    half a frame before would then round to the frame before.
    """
    shown = film.master.shown_at(frame)
    if shown == 0:
        return []
    before_s, at_s = film.master.pts_s[shown - 1 : shown + 1]
    return ["-seek_timestamp", "1", "-ss", f"{at_s - (at_s - before_s) / 4:.6f}"]


def canonical(film: Film, start: int, look: Look | None = None) -> str:
    """The filters that make the canonical picture, where decoding begins with frame ``start``.

    Without a ``look`` it is the one that every device can show.
    """
    picture, master = film.master.picture, film.master
    look = look or film.standard
    fields = f"bwdif=mode=send_frame:parity={master.interlaced}:deint=all," * bool(
        master.interlaced
    )
    size = f"{picture.width}:{picture.height}"
    fit = f"scale={size}:flags=bicubic" if picture.scaled else f"crop={size}:0:0"
    graded = f"{high_range(film)}{standard_range(film, look)}"
    return (
        f"{fields}{even(film, start)}{fit},setsar=1,{graded}format={pixel_format(look)},"
        f"{stamp(picture)}"
    )


def pixel_format(look: Look) -> str:
    """FFmpeg's name of the samples of a look. Fewer bits than the master's are dithered."""
    return "yuv420p10le" if look.bit_depth == HIGH_DEPTH else "yuv420p"


def even(film: Film, start: int) -> str:
    """The filters that bring a film to a constant rate, from its frame ``start`` on.

    The times within one run are exact, but a run's first time is not, so that is set again. The
    last frame has no end where a container states none: it is shown once.
    """
    master, picture = film.master, film.master.picture
    if not master.shown:
        return ""
    at_s = master.pts_s[master.shown_at(start)] - master.pts_s[0]
    begin_s = start * picture.rate_den / picture.rate_num
    return (
        f"setpts=floor(PTS-STARTPTS+{at_s:.9f}/TB+0.5),"
        f"fps={picture.rate_num}/{picture.rate_den}:round=near:eof_action=pass:"
        f"start_time={begin_s:.9f},tpad=stop=1:stop_mode=clone,"
    )


def high_range(film: Film) -> str:
    """From an HDR film's own samples to BT.2100, 10 bits, limited range; nothing for others.

    What the file says beside its pictures (a display, dynamic metadata) goes: encoders are told
    what holds.
    """
    color = film.master.color
    if color.dynamic_range == "sdr":
        return ""
    transfer = _TRANSFER_OF[color.dynamic_range]
    own = f"primariesin={color.primaries}:transferin={transfer}:matrixin={color.matrix}"
    brought = (
        f"zscale={own}:rangein={'full' if color.full_range else 'limited'}:primaries={PRIMARIES}:"
        f"transfer={transfer}:matrix={MATRIX}:range=limited:dither=ordered,"
    )
    if (color.primaries, color.matrix, color.full_range) == (PRIMARIES, MATRIX, False):
        brought = ""
    tags = f"range=tv:color_primaries={PRIMARIES}:color_trc={transfer}:colorspace={MATRIX}"
    return f"{brought}format=yuv420p10le,setparams={tags},sidedata=mode=delete,"


def standard_range(film: Film, look: Look) -> str:
    """From BT.2100 to BT.709, where the look of an HDR film is of standard range."""
    color = film.master.color
    if film.cube is None or color.dynamic_range == "sdr" or look.dynamic_range != "sdr":
        return ""
    return by_cube(film.cube, color.dynamic_range)


def by_cube(cube: Path, dynamic_range: DynamicRange) -> str:
    """From BT.2100 in 10 bits to BT.709 in 8, dithered, by a table of colors."""
    # The path stands in an option's value, and that in a description of a graph.
    file = str(cube).translate(_ESCAPED).translate(_ESCAPED)
    high = f"primariesin={PRIMARIES}:transferin={_TRANSFER_OF[dynamic_range]}"
    standard = "primariesin=bt709:transferin=bt709:matrixin=gbr:rangein=full"
    return (
        f"zscale={high}:matrixin={MATRIX}:rangein=limited:matrix=gbr:range=full,"
        f"format=gbrp12le,lut3d=file={file}:interp=tetrahedral,"
        "setparams=range=pc:color_primaries=bt709:color_trc=bt709:colorspace=gbr,"
        f"zscale={standard}:primaries=bt709:transfer=bt709:matrix=bt709:range=limited:"
        "dither=ordered,format=yuv420p,"
    )


def stamp(picture: Picture) -> str:
    """Frame N at N ticks of one frame each."""
    return f"settb={picture.rate_den}/{picture.rate_num},setpts=N"
