"""The encoders, one for each family of codecs: how FFmpeg calls them, from a file of data each."""

from collections.abc import Mapping, Sequence
from importlib import resources

import msgspec

from cuemark.contexts.encoding.model.families import Family
from cuemark.contexts.encoding.model.master import Picture
from cuemark.contracts.encoding import Codec


def _read() -> Mapping[Codec, Family]:
    folder = resources.files("cuemark.contexts.encoding") / "families"
    found = [
        msgspec.toml.decode(file.read_bytes(), type=Family)
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    return {each.codec: each for each in found}


FAMILIES: Mapping[Codec, Family] = _read()


def encoder_flags(
    codec: Codec, crf: float, preset: str, picture: Picture, idrs: Sequence[int]
) -> list[str]:
    """FFmpeg's options that encode one output; ``idrs`` are the frames that begin a segment."""
    family = FAMILIES[codec]
    frame_s = picture.rate_den / picture.rate_num
    forced = ",".join(f"{max(0.0, (idr - 0.25) * frame_s):.6f}" for idr in idrs)
    return [
        *["-c:v", family.encoder, "-preset", preset, "-crf", f"{crf:g}", *family.options],
        *["-force_key_frames", forced, family.parameters_option, family.parameters],
        *["-flags:v", "+bitexact"],
        *["-fps_mode", "cfr", "-r", f"{picture.rate_num}/{picture.rate_den}"],
    ]
