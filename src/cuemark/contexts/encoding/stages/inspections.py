"""What the stages that look at a master found out, in one typed report."""

from itertools import pairwise

from cuemark.contexts.encoding.model.master import Master
from cuemark.contexts.encoding.model.sound import Sound
from cuemark.contexts.encoding.stages import pictures, sounds
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contracts.encoding.inspections import InspectedSound, Inspection


def inspection_of(shop: Workshop, sha256: str) -> Inspection:
    """Of a master whose shots were found. A sound that was not measured yet has no loudness."""
    master: Master = pictures.film_of(shop, sha256).master
    shots = pictures.shots_of(shop, sha256)
    picture, color = master.picture, master.color
    lengths = [end - start for start, end in pairwise([*shots.starts, master.frames])]
    weighed = list(zip(lengths, shots.complexity, strict=True))
    return Inspection(
        container=master.container,
        codec=master.codec,
        width=picture.width,
        height=picture.height,
        frames=master.frames,
        frame_rate=f"{picture.rate_num}/{picture.rate_den}",
        duration_s=round(float(master.frames / picture.rate), 3),
        cadence="uneven" if master.shown else "even",
        repeats_every=0 if master.shown else shots.repeats_every,
        fields=master.interlaced,
        dynamic_range=color.dynamic_range,
        bit_depth=color.bit_depth,
        primaries=color.primaries,
        matrix=color.matrix,
        full_range=None if color.dynamic_range == "sdr" else color.full_range,
        mastering_peak_cd_m2=color.mastering.most_cd_m2 if color.mastering else None,
        max_cll=(color.light.max_cll or None) if color.light else None,
        max_fall=(color.light.max_fall or None) if color.light else None,
        sounds=[_heard(shop, sha256, each) for each in master.sounds],
        shots=len(shots.starts),
        longest_shot_s=round(float(max(lengths) / picture.rate), 3),
        spatial=round(sum(n * each.spatial for n, each in weighed) / master.frames, 2),
        temporal=round(sum(n * each.temporal for n, each in weighed) / master.frames, 2),
        notes=[f"{note[0].upper()}{note[1:]}." for note in master.notes],
    )


def _heard(shop: Workshop, sha256: str, sound: Sound) -> InspectedSound:
    loudness = sounds.loudness_of(shop, sha256, sound)
    return InspectedSound(
        stream=sound.stream,
        channels=sound.channels,
        layout=sound.layout,
        language=sound.language,
        role=sound.role,
        title=sound.title,
        lufs=None if loudness is None else loudness.lufs,
        peak_dbtp=None if loudness is None else loudness.peak_dbtp,
    )
