"""A version made of a film by the real stages, and versions of it with a defect each."""

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import imageio_ffmpeg
import msgspec
import numpy as np
from numpy.typing import NDArray

from cuemark.contexts.encoding.model.chunks import chunk_plan
from cuemark.contexts.encoding.model.sound import named, recipes_of
from cuemark.contexts.encoding.model.validation.findings import Finding
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
from cuemark.contexts.encoding.model.validation.policy import Validation
from cuemark.contexts.encoding.stages import packaging, pictures, sounds, tracks
from cuemark.contexts.encoding.stages.packaging import (
    CaptionsToPackage,
    Order,
    RungToPackage,
    SoundToPackage,
)
from cuemark.contexts.encoding.stages.reports import validation_key
from cuemark.contexts.encoding.stages.validating import VersionRefused, validate
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.ffmpeg import Recipe, timescale
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.encoding.validation import Check
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.licensing import ContentKey
from cuemark.kit.objects import sha256_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = [
    ContentKey(label=label, kid=f"{n:02x}" * 16, key=f"{n + 16:02x}" * 16, iv=f"{n + 32:02x}" * 16)
    for n, label in enumerate(("AUDIO", "SD", "HD"), 1)
]
PRESET, CRF = "veryfast", 26.0
EDGE_S = 300
MUTED_S = (2.0, 2.6)
BLACK_AT_MOST = 20
"""Of luma, where black is 16: what an encoder may leave of it."""


@dataclass(frozen=True)
class Specimen:
    """A packaged version, and what it was made of."""

    shop: Workshop
    order: Order
    version: Version
    keys: Sequence[ContentKey]

    @property
    def rate(self) -> float:
        return float(pictures.film_of(self.shop, self.order.sha256).master.picture.rate)

    @property
    def frames(self) -> int:
        return pictures.film_of(self.shop, self.order.sha256).master.frames

    @property
    def folder(self) -> Path:
        return self.shop.objects.path(f"versions/{self.version.version_id}")


def specimen_of(
    shop: Workshop, film: Path, captions: Mapping[str, Path], heights: Sequence[int]
) -> Specimen:
    """Make a version of renditions with these lines, the lowest first, as a title's walk does."""
    sha256 = keep(shop, film)
    pictures.inspect(shop, sha256)
    pictures.find_shots(shop, sha256)
    inspected = pictures.film_of(shop, sha256)
    picture = inspected.master.picture
    chunks = chunk_plan(
        pictures.shots_of(shop, sha256).starts, inspected.master.frames, picture.rate
    )
    rungs = []
    for lines in heights:
        width = round(picture.width * lines / picture.height / 2) * 2
        recipe = Recipe(width, lines, CRF, PRESET)
        encoded = [pictures.encode_chunk(shop, sha256, chunk, recipe) for chunk in chunks]
        rungs.append(_rung(pictures.join_rung(shop, sha256, encoded), width, lines))
    film_ms = int(1000 * inspected.master.frames / picture.rate)
    order = Order(
        version_id=VersionId(f"ver_{sha256[:12]}"),
        title_id=TitleId("ttl_specimen"),
        quality="full",
        sha256=sha256,
        rungs=rungs,
        sounds=sounds_of(shop, sha256),
        captions=[
            CaptionsToPackage(
                language,
                tracks.convert_captions(shop, language, keep(shop, file), "subtitles", film_ms),
            )
            for language, file in captions.items()
        ],
    )
    return _packaged(shop, order, KEYS)


def sounds_of(shop: Workshop, sha256: str) -> list[SoundToPackage]:
    """Every rendition of every sound of an inspected film."""
    made = []
    for each in named(pictures.film_of(shop, sha256).master.sounds):
        recipes = recipes_of(each.sound)
        key = sounds.encode_sound(shop, sha256, each.sound.stream, recipes)
        made += [SoundToPackage(sound=each, recipe=recipe, key=key) for recipe in recipes]
    return made


def keep(shop: Workshop, file: Path) -> str:
    """Store a file as an uploaded master; its SHA-256."""
    sha256 = sha256_of(file)
    shop.objects.put(f"masters/{sha256}", file.read_bytes())
    return sha256


def _rung(key: str, width: int, lines: int) -> RungToPackage:
    return RungToPackage(
        key=key, width=width, height=lines, vmaf_mean=90.0, vmaf_p5=80.0, vmaf_predicted=None
    )


def _packaged(shop: Workshop, order: Order, keys: Sequence[ContentKey]) -> Specimen:
    return Specimen(shop, order, packaging.package(shop, order, lambda _: keys, NOW), keys)


def findings_of(specimen: Specimen) -> list[Finding]:
    """What validating finds in a version, under the default policy."""
    try:
        found = validate(
            specimen.shop,
            specimen.order,
            specimen.version,
            specimen.keys,
            lambda version: ManifestsOf(*manifests_of(version)),
        )
    except VersionRefused:
        key = validation_key(specimen.version.version_id)
        found = msgspec.json.decode(specimen.shop.objects.read(key), type=Validation)
    return [each.finding for each in found.judged]


def _ffmpeg(*arguments: str) -> None:
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(argv, check=True, timeout=EDGE_S)


def _raw(*arguments: str) -> NDArray[np.uint8]:
    """What FFmpeg writes to its output, byte by byte."""
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", *arguments, "-"]
    made = subprocess.run(argv, check=True, timeout=EDGE_S, stdout=subprocess.PIPE).stdout
    return np.frombuffer(made, np.uint8)


def ends_otherwise_than_black(specimen: Specimen) -> bool:
    """Whether the last second shows anything: any point that is brighter than black."""
    file = specimen.shop.path(specimen.order.rungs[-1].key, pictures.RUNG)
    first = specimen.frames - round(specimen.rate)
    last = f"trim=start_frame={first},format=gray"
    return bool((_raw("-i", str(file), "-vf", last, "-f", "rawvideo") > BLACK_AT_MOST).any())


def is_heard(specimen: Specimen) -> bool:
    """Whether its default sound is anything but digital silence."""
    return _sounds_in(specimen, "anull")


def is_heard_in_the_span(specimen: Specimen) -> bool:
    return _sounds_in(specimen, f"atrim={MUTED_S[0]}:{MUTED_S[1]}")


def _sounds_in(specimen: Specimen, chain: str) -> bool:
    first = specimen.order.sounds[0]
    file = specimen.shop.path(first.key, sounds.file_of(first.recipe))
    return bool(_raw("-i", str(file), "-af", chain, "-f", "s16le").any())


def _altered(specimen: Specimen, name: str, **changes: object) -> Specimen:
    """The version of a changed order, packaged anew."""
    version_id = VersionId(f"{specimen.order.version_id}-{name.replace(' ', '-')}")
    order = msgspec.structs.replace(specimen.order, version_id=version_id, **changes)
    return _packaged(specimen.shop, order, specimen.keys)


def _with_rungs(
    specimen: Specimen, name: str, flags: Callable[[RungToPackage], Sequence[str]]
) -> Specimen:
    """The version with every rung made anew from what it was, with these flags of FFmpeg."""
    shop = specimen.shop
    picture = pictures.film_of(shop, specimen.order.sha256).master.picture
    rungs = []
    for rung in specimen.order.rungs:
        key = shop.key("defect", name, rung.key)
        if not shop.has(key):
            with shop.making(key) as folder:
                _ffmpeg(
                    *["-i", str(shop.path(rung.key, pictures.RUNG)), *flags(rung)],
                    *["-movflags", "+negative_cts_offsets"],
                    *["-video_track_timescale", str(timescale(picture)[0])],
                    str(folder / pictures.RUNG),
                )
        rungs.append(msgspec.structs.replace(rung, key=key))
    return _altered(specimen, name, rungs=rungs)


_X264 = [
    *["-c:v", "libx264", "-preset", PRESET, "-crf", "24", "-g", "100000"],
    *["-x264-params", "scenecut=0:open-gop=0", "-fps_mode", "passthrough"],
]
_SAME_IDRS = ["-force_key_frames", "source"]


def _filtered(specimen: Specimen, name: str, graph: str) -> Specimen:
    return _with_rungs(specimen, name, lambda _: ["-filter_complex", graph, *_X264, *_SAME_IDRS])


def black_tail(specimen: Specimen) -> Specimen:
    """The last second is black, as after an encoder that ran out of input."""
    first = specimen.frames - round(specimen.rate)
    box = f"drawbox=c=black:t=fill:enable='gte(n,{first})'"
    return _filtered(specimen, "black tail", box)


def freeze(specimen: Specimen) -> Specimen:
    """Two seconds show one frame."""
    first = round(2 * specimen.rate)
    last = first + round(2 * specimen.rate) - 1
    graph = f"split[a][b];[a][b]freezeframes=first={first}:last={last}:replace={first - 1}"
    return _filtered(specimen, "2 s freeze", graph)


def missing_frame(specimen: Specimen) -> Specimen:
    """One frame in the middle is not there, and all that follow are a frame early."""
    rate = specimen.rate
    graph = f"select='not(eq(n,{specimen.frames // 2}))',setpts=N/({rate}*TB)"
    return _filtered(specimen, "missing frame", graph)


def wrong_color_tag(specimen: Specimen) -> Specimen:
    """Every rendition says that it is in the colors of BT.2020."""
    bits = "h264_metadata=colour_primaries=9:transfer_characteristics=14:matrix_coefficients=9"
    return _with_rungs(specimen, "wrong color tag", lambda _: ["-c", "copy", "-bsf:v", bits])


def _with_sound(specimen: Specimen, name: str, graph: str) -> Specimen:
    """The version with what everything plays of its default sound made anew."""
    shop, first = specimen.shop, specimen.order.sounds[0]
    key = shop.key("defect", name, first.key)
    if not shop.has(key):
        seconds = specimen.frames / specimen.rate
        chain = f"{graph},apad,atrim=end={seconds:.6f}"
        file = sounds.file_of(first.recipe)
        with shop.making(key) as folder:
            _ffmpeg(
                *["-i", str(shop.path(first.key, file)), "-af", chain],
                *["-c:a", "aac", "-b:a", "128k", str(folder / file)],
            )
    altered = msgspec.structs.replace(first, key=key)
    return _altered(specimen, name, sounds=[altered, *specimen.order.sounds[1:]])


def mute_span(specimen: Specimen) -> Specimen:
    """Six tenths of a second are silent."""
    return _with_sound(
        specimen, "mute span", f"volume=0:enable='between(t,{MUTED_S[0]},{MUTED_S[1]})'"
    )


def late_sound(specimen: Specimen) -> Specimen:
    """The sound is 40 ms late."""
    return _with_sound(specimen, "late sound", "adelay=40:all=1")


def swapped_captions(specimen: Specimen) -> Specimen:
    """Two languages have one another's captions."""
    first, second, *rest = specimen.order.captions
    swapped = [
        msgspec.structs.replace(first, key=second.key),
        msgspec.structs.replace(second, key=first.key),
    ]
    return _altered(specimen, "swapped captions", captions=[*swapped, *rest])


def misaligned_idr(specimen: Specimen) -> Specimen:
    """The upper rendition has its IDR frames, and so its segments, somewhere else.

    The packaging refuses that, so its files are put into a version that was packaged well.
    """
    rate = specimen.rate
    times = ",".join(f"{n * 1.25 + 0.4 / rate:.4f}" for n in range(1, 1 + specimen.frames))
    upper = specimen.order.rungs[-1]
    moved = _with_rungs(
        replace(specimen, order=msgspec.structs.replace(specimen.order, rungs=[upper])),
        "other IDRs",
        lambda _: [*_X264, "-force_key_frames", times],
    )
    grafted = _altered(specimen, "misaligned IDR")
    name = grafted.version.renditions[-1].rendition_id
    _graft(moved.folder, grafted.folder, name)
    rungs = [*grafted.order.rungs[:-1], *moved.order.rungs]
    return replace(grafted, order=msgspec.structs.replace(grafted.order, rungs=rungs))


def _graft(source: Path, target: Path, name: str) -> None:
    shutil.rmtree(target / name)
    shutil.copytree(source / name, target / name)
    for ending in (".m3u8", ".digests"):
        shutil.copy(source / f"{name}{ending}", target / f"{name}{ending}")


def wrong_key(specimen: Specimen) -> Specimen:
    """What licensing gives out is not what the files were encrypted with."""
    other = [msgspec.structs.replace(key, key="ee" * 16) for key in specimen.keys]
    return replace(_altered(specimen, "wrong key"), keys=other)


Needs = Literal["", "sound", "captions"]


@dataclass(frozen=True)
class Defect:
    """A defect by its name, how it is made, what must find it, and what it needs of a film.

    ``changes`` tells whether it changes anything of a film that has what it needs.
    """

    name: str
    make: Callable[[Specimen], Specimen]
    checks: frozenset[Check]
    needs: Needs = ""
    changes: Callable[[Specimen], bool] = lambda _: True

    def fits(self, specimen: Specimen) -> bool:
        """Whether the film has what the defect is made in."""
        has = {"": True, "sound": specimen.order.sounds, "captions": specimen.order.captions[1:]}
        return bool(has[self.needs])


DEFECTS: tuple[Defect, ...] = (
    Defect("black tail", black_tail, frozenset({"black"}), changes=ends_otherwise_than_black),
    Defect("2 s freeze", freeze, frozenset({"freeze"})),
    Defect("mute span", mute_span, frozenset({"mute"}), "sound", is_heard_in_the_span),
    Defect("+40 ms A/V", late_sound, frozenset({"av_offset"}), "sound", is_heard),
    Defect("wrong color tag", wrong_color_tag, frozenset({"color"})),
    Defect("missing frame", missing_frame, frozenset({"frames"})),
    Defect(
        "swapped caption language", swapped_captions, frozenset({"caption_language"}), "captions"
    ),
    Defect("misaligned IDR", misaligned_idr, frozenset({"alignment", "idr", "trick_play"})),
    Defect("wrong key", wrong_key, frozenset({"decrypt"})),
)
