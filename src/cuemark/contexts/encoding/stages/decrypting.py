"""Whether tracks decrypt to what was encoded, sample by sample."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from cuemark.contexts.encoding.model.crypto_periods import Stretch
from cuemark.contexts.encoding.stages import variants
from cuemark.contexts.encoding.stages.encrypting import decrypted_samples
from cuemark.contexts.encoding.stages.packaging import Order, sources_of
from cuemark.contexts.encoding.stages.track_files import TrackFiles, tracks_of
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.decoding import samples_of
from cuemark.contexts.encoding.tools.packager import Stream
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.licensing import ContentKey


def others(
    shop: Workshop,
    order: Order,
    folder: Path,
    version: Version,
    keyed: Mapping[str, Sequence[Stretch]],
    by_kid: Mapping[str, ContentKey],
    names: Collection[str],
) -> dict[str, str]:
    """By its name, what is other in each track of ``names`` that does not decrypt to its source."""
    sources = _sources(shop, order)
    found = {}
    for files in tracks_of(version):
        if files.name in names:
            source = sources[files.track_id, files.turns]
            parts = parts_of(folder, files, keyed[files.track_id], by_kid)
            if text := _other_samples(shop, files.name, source, parts):
                found[files.name] = text
    return found


def parts_of(
    folder: Path, files: TrackFiles, keyed: Sequence[Stretch], by_kid: Mapping[str, ContentKey]
) -> list[tuple[list[Path], ContentKey]]:
    """The files of a track under each of its keys, the init segment first."""
    segments = files.segments(folder)
    ends = [*(each.first - 1 for each in keyed[1:]), len(segments)]
    return [
        (
            [folder / files.track_id / each.init, *segments[each.first - 1 : end]],
            by_kid[each.kid],
        )
        for each, end in zip(keyed, ends, strict=True)
    ]


def _sources(shop: Workshop, order: Order) -> dict[tuple[str, str], Stream]:
    """What each track was made of, by its id and its variant, which is empty where it has none."""
    sources = sources_of(shop, order)
    second = variants.others(shop, order.rungs, sources)
    first = {(each.track_id, "a" if each.track_id in second else ""): each for each in sources}
    return {**first, **{(track_id, "b"): each for track_id, each in second.items()}}


def _other_samples(
    shop: Workshop,
    name: str,
    source: Stream,
    parts: Sequence[tuple[Sequence[Path], ContentKey]],
) -> str:
    encoded = samples_of(source.source, source.kind)
    got = [
        sample
        for files, key in parts
        for sample in decrypted_samples(shop, files, source.kind, key)
    ]
    if differing := sum(ours != theirs for ours, theirs in zip(got, encoded, strict=False)):
        return (
            f"{name} does not decrypt with its key to what was encoded: {differing} of its "
            f"{len(got)} samples are others"
        )
    if len(got) != len(encoded):
        return f"{name} has {len(got)} samples, and {len(encoded)} were encoded"
    return ""
