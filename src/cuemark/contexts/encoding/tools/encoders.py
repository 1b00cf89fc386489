"""The encoders, one for each family of codecs: how FFmpeg calls them, from a file of data each."""

from collections.abc import Mapping, Sequence
from importlib import resources

import msgspec

from cuemark.contexts.encoding.model.color import PLAIN, Color, Look
from cuemark.contexts.encoding.model.families import Family
from cuemark.contexts.encoding.model.master import Master
from cuemark.contracts.encoding.versions import Codec


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
    codec: Codec,
    crf: float,
    preset: str,
    master: Master,
    idrs: Sequence[int],
    look: Look = PLAIN,
    grain: int = 0,
) -> list[str]:
    """FFmpeg's options that encode one output; ``idrs`` are the frames that begin a segment.

    ``grain`` is the level at which the family synthesizes grain, 0 for not at all.
    """
    family, picture = FAMILIES[codec], master.picture
    parameters = ":".join(
        [
            family.parameters,
            *([family.crf_parameter.format(crf=crf)] if family.crf_parameter else []),
            *_light(family, master.color, look),
            *([family.grain.format(level=grain)] if grain else []),
        ]
    )
    frame_s = picture.rate_den / picture.rate_num
    forced = ",".join(f"{max(0.0, (idr - 0.25) * frame_s):.6f}" for idr in idrs)
    return [
        *["-c:v", family.encoder, "-preset", preset],
        *([] if family.crf_parameter else ["-crf", f"{crf:g}"]),
        *family.options,
        *["-force_key_frames", forced, family.parameters_option, parameters],
        *["-flags:v", "+bitexact"],
        *["-fps_mode", "cfr", "-r", f"{picture.rate_num}/{picture.rate_den}"],
    ]


def _light(family: Family, color: Color, look: Look) -> list[str]:
    """The encoder's own parameters that tell of the light of an HDR10 film."""
    how, display, said = family.light, color.mastering, []
    if look.dynamic_range != "pq" or how is None:
        return []
    if display is not None:
        points = {"red": display.red, "green": display.green, "blue": display.blue}
        places = {
            f"{name}_{axis}": round(value * how.chromaticity_per)
            for name, point in {**points, "white": display.white}.items()
            for axis, value in zip("xy", point, strict=True)
        }
        places["least"] = round(display.least_cd_m2 * how.luminance_per)
        places["most"] = round(display.most_cd_m2 * how.luminance_per)
        said.append(how.mastering.format(**places))
    if color.light is not None:
        light = color.light
        said.append(how.content.format(max_cll=light.max_cll, max_fall=light.max_fall))
    return said
