"""The stage that validates a packaged version before anybody can see it.

The files and the manifests of a version are read, and each of its tracks is decrypted, decoded and
held against the master, frame by frame and moment by moment. The master is read once for all of its
versions.

    VersionRefused           the policy keeps a version from being published
    `-- QuickVersionRefused  a quick one, by what another encode of the film need not have
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog
from blake3 import blake3

from cuemark.contexts.encoding.model import crypto_periods
from cuemark.contexts.encoding.model.boxes import BoxesInvalid, without_color
from cuemark.contexts.encoding.model.captions.webvtt import parse
from cuemark.contexts.encoding.model.crypto_periods import Stretch, init_name
from cuemark.contexts.encoding.model.names import captions_name
from cuemark.contexts.encoding.model.validation import (
    color,
    encryption,
    manifests,
    policy,
    spoken,
    structure,
    trick_play,
)
from cuemark.contexts.encoding.model.validation import pictures as picture_rules
from cuemark.contexts.encoding.model.validation import sound as sound_rules
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf, ManifestUnreadable
from cuemark.contexts.encoding.model.validation.policy import Policy, Validation
from cuemark.contexts.encoding.model.validation.samples import init_of
from cuemark.contexts.encoding.model.validation.structure import Track
from cuemark.contexts.encoding.stages import decrypting, facts
from cuemark.contexts.encoding.stages.facts import EncryptedTrack, MasterFacts
from cuemark.contexts.encoding.stages.packaging import Order, SoundToPackage
from cuemark.contexts.encoding.stages.pictures import film_of
from cuemark.contexts.encoding.stages.reports import validation_key
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contexts.encoding.stages.track_files import read, sessions_of, tracks_of
from cuemark.contexts.encoding.stages.tracks import CAPTIONS
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.decoding import coded_colors
from cuemark.contexts.encoding.tools.language import LanguageReader
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contracts.encoding.validation import Check
from cuemark.contracts.encoding.versions import DynamicRange, Version, VersionIndex
from cuemark.contracts.licensing import ContentKey

ManifestWriter = Callable[[Version], ManifestsOf]
"""Writes the manifests of a version as its plays will get them."""

GUESSED, REPORTED = "guessed.json", "validation.json"
_OF_FILES: tuple[Check, ...] = (
    *structure.CHECKS,
    *trick_play.CHECKS,
    *manifests.CHECKS,
    *spoken.CHECKS,
)
_WATCHED_AND_HEARD: tuple[Check, ...] = (
    "decrypt",
    *color.CHECKS,
    *picture_rules.CHECKS,
    *picture_rules.MASTER_CHECKS,
    *sound_rules.CHECKS,
)


class VersionRefused(ToolFailed):
    """The policy keeps a version from being published; the text is one sentence."""


class QuickVersionRefused(VersionRefused):
    """What blocks a quick version is its own: the full version may be well."""


def validate(
    shop: Workshop,
    order: Order,
    version: Version,
    keys: Sequence[ContentKey],
    writer: ManifestWriter,
    rules: Policy = policy.DEFAULT,
) -> Validation:
    """Validate a version that is packaged and keep what was found for its report.

    Raises ``VersionRefused`` where the policy blocks it, and ``QuickVersionRefused`` where that
    need not be so for the full version.
    """
    folder = shop.objects.path(f"versions/{version.version_id}")
    film = film_of(shop, order.sha256)
    keyed = crypto_periods.stretches(version)
    keyed |= {files.name: keyed[files.track_id] for files in tracks_of(version)}
    tracks, found = _read_tracks(folder, version, keyed)
    found += _structure(tracks, version, film, keyed)
    found += _trick_play(folder, tracks, version)
    found += _manifests(folder, version, writer)
    found += _languages(shop, order)
    found += _colors(shop, folder, version, film)
    found += _against_master(shop, order, folder, version, tracks, keyed, keys)
    checks = tuple(dict.fromkeys((*_OF_FILES, *_WATCHED_AND_HEARD)))
    validation = policy.judge(checks, found, rules)
    with shop.scratch() as private:
        save(private, REPORTED, validation)
        shop.objects.adopt(private / REPORTED, validation_key(version.version_id))
    for each in validation.judged:
        structlog.get_logger().warning(
            "validation_finding",
            version_id=version.version_id,
            check=each.finding.check,
            severity=each.finding.severity,
            action=each.action,
            finding=each.finding.text,
        )
    if refused := policy.refusal(validation):
        if order.quality == "quick" and all(map(_is_of_one_encode, validation.blocking)):
            raise QuickVersionRefused(refused)
        raise VersionRefused(refused)
    return validation


def _is_of_one_encode(finding: Finding) -> bool:
    """Whether another encode of the film need not have it: a warning is the master's own."""
    return finding.severity == "error" and finding.check in _WATCHED_AND_HEARD


def _read_tracks(
    folder: Path, version: Version, keyed: Mapping[str, Sequence[Stretch]]
) -> tuple[list[Track], list[Finding]]:
    """The tracks whose boxes can be read, and what is wrong with the others."""
    tracks, found = [], []
    for files in tracks_of(version):
        track, wrong = read(folder, files, keyed[files.name])
        tracks += [] if track is None else [track]
        found += wrong
    return tracks, found


def _structure(
    tracks: Sequence[Track], version: Version, film: Film, keyed: Mapping[str, Sequence[Stretch]]
) -> list[Finding]:
    kids = {name: [each.kid for each in stretches] for name, stretches in keyed.items()}
    found = [
        finding
        for track in tracks
        for finding in structure.track_findings(track, kids[track.track_id], version.scheme)
    ]
    ivs, of_key = {}, {}
    for track in tracks:
        for kid, (name, told) in zip(kids[track.track_id], track.ivs.items(), strict=False):
            ivs[name], of_key[name] = told, kid
    found += encryption.shared_iv_findings(ivs, of_key)
    found += structure.alignment_findings(tracks)
    film_s = float(film.master.frames / film.master.picture.rate)
    return found + structure.duration_findings(tracks, film.master.frames, film_s)


def _trick_play(folder: Path, tracks: Sequence[Track], version: Version) -> list[Finding]:
    """What is wrong with the I-frames of the renditions whose boxes can be read."""
    by_name = {track.track_id: track for track in tracks}
    first = {files.track_id: files.name for files in reversed(tracks_of(version))}
    found = []
    for rendition in version.renditions:
        track = by_name.get(first[rendition.rendition_id])
        if rendition.iframes is None or track is None:
            continue
        name = rendition.iframes.track_id
        frames = []
        try:
            for number, path in enumerate(segments_of(folder / name), 1):
                frames.append(structure.segment_of(path.read_bytes(), track.init_at(number)))
        except (FileNotFoundError, BoxesInvalid) as cause:
            text = f"I-frame {len(frames) + 1} of {name} is not as it must be: {cause}"
            found.append(error("trick_play", text))
        else:
            found += trick_play.findings(name, frames, track)
    return found


def _manifests(folder: Path, version: Version, writer: ManifestWriter) -> list[Finding]:
    there = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }
    try:
        encoded = (folder / manifests.INDEX).read_bytes()
        index = msgspec.json.decode(encoded, type=VersionIndex)
    except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError) as cause:
        return [error("manifests", f"the index cannot be read: {cause}")]
    if blake3(encoded).hexdigest() != version.index_blake3:
        return [error("manifests", "the index is not the one that the version names")]
    playlists = {
        name: (folder / name).read_text(encoding="utf-8", errors="replace")
        for name in there
        if name.endswith(".m3u8")
    }
    written = writer(version)
    try:
        reads = {
            "DASH": manifests.read_dash(written.dash, written.base_url, version.duration_s),
            "HLS": manifests.read_hls(written.hls, written.base_url, playlists),
            **{
                f"HLS ({system})": manifests.read_hls(text, written.base_url, playlists)
                for system, text in written.hls_of_systems.items()
            },
        }
    except ManifestUnreadable as cause:
        return [error("manifests", str(cause))]
    if version.marked:
        names = {each.rendition_id for each in version.renditions}
        reads = {kind: manifests.in_variants(each, names) for kind, each in reads.items()}
    indexed = {name: file.size_bytes for name, file in index.files.items()}
    ids = [each.rendition_id for each in version.renditions]
    ids += [each.track_id for each in version.audio]
    ids += [each.iframes.track_id for each in version.renditions if each.iframes is not None]
    sizes = {name: structure.sizes_of(there, name) for name in ids}
    return [
        *manifests.reference_findings(version, reads, there, indexed),
        *manifests.bandwidth_findings(version, reads, sizes),
    ]


def _colors(shop: Workshop, folder: Path, version: Version, film: Film) -> list[Finding]:
    """Of each rendition, by its parameter sets and its box: players go by either."""
    master = facts.tags_of(shop, film.path, film.master.video_stream)
    found = []
    ranges = {each.rendition_id: each.dynamic_range for each in version.renditions}
    for files in tracks_of(version):
        if not files.pictures:
            continue
        name = files.name
        try:
            init = (folder / files.track_id / init_name(0)).read_bytes()
            first = b"".join(part.read_bytes() for part in files.segments(folder)[:1])
            box, bare = init_of(init).color, without_color(init)
            with shop.scratch() as private:
                begin = private / "begin.mp4"
                begin.write_bytes(init + first)
                tags = facts.tags_of(shop, begin, 0)
                if box is not None:
                    begin.write_bytes(bare + first)
                    found += color.contradictions(name, box, coded_colors(begin))
        except (ToolFailed, FileNotFoundError, BoxesInvalid):
            found.append(error("structure", f"the colors of {name} cannot be read where it begins"))
        else:
            found += color.findings(files.name, tags, master, ranges[files.track_id])
    return found


def _languages(shop: Workshop, order: Order) -> list[Finding]:
    reader: LanguageReader | None = None
    found = []
    for captions in order.captions:
        key = shop.key("caption language", captions.key)
        if not shop.has(key):
            reader = reader or LanguageReader()
            text = shop.path(captions.key, CAPTIONS).read_text(encoding="utf-8")
            guessed = reader.read(spoken.parts_of(parse(text).cues))
            with shop.making(key) as folder:
                save(folder, GUESSED, guessed)
        guessed = shop.load(key, GUESSED, spoken.Guessed)
        name = captions_name(captions.language, captions.role)
        found += spoken.findings(name, captions.language, guessed)
    return found


def _against_master(
    shop: Workshop,
    order: Order,
    folder: Path,
    version: Version,
    tracks: Sequence[Track],
    keyed: Mapping[str, Sequence[Stretch]],
    keys: Sequence[ContentKey],
) -> list[Finding]:
    film, master = film_of(shop, order.sha256), facts.facts_of_master(shop, order.sha256)
    by_kid = {key.kid: key for key in keys}
    ranges = {each.rendition_id: each.dynamic_range for each in version.renditions}
    sounds = {each.track_id: each for each in order.sounds}
    found = list(master.findings)
    for name, stream in {each.sound.name: each.sound.sound.stream for each in order.sounds}.items():
        found += sound_rules.own_findings(name, master.levels[stream])
    by_name = {track.track_id: track for track in tracks}
    others = decrypting.others(shop, order, folder, version, keyed, by_kid, set(by_name))
    found += [error("decrypt", text) for text in others.values()]
    wrong = {files.track_id for files in tracks_of(version) if files.name in others}
    first = {files.track_id: files.name for files in reversed(tracks_of(version))}
    for files in sessions_of(version):
        name, track = files.track_id, by_name.get(first[files.track_id])
        if track is None or name in wrong:
            continue
        parts = decrypting.parts_of(folder, files, keyed[name], by_kid)
        try:
            with shop.scratch() as private:
                whole = facts.whole_track(private, [(files, key.key) for files, key in parts])
                if track.pictures:
                    here = msgspec.structs.replace(track, track_id=files.name)
                    found += _watched(shop, film, here, whole, master, ranges[name])
                else:
                    found += _heard(shop, film, track, whole, sounds[name], master, private)
        except ToolFailed as cause:
            structlog.get_logger().warning("track_not_decoded", track=files.name, reason=str(cause))
            text = f"{files.name} cannot be decrypted with its key and decoded"
            found.append(error("decrypt", text))
    return found


def _watched(
    shop: Workshop,
    film: Film,
    track: Track,
    whole: EncryptedTrack,
    master: MasterFacts,
    dynamic_range: DynamicRange,
) -> list[Finding]:
    """What a viewer sees of a rendition, against the master."""
    trace = facts.trace_of(shop, film, whole, master.pictures, dynamic_range)
    rate = float(film.master.picture.rate)
    return picture_rules.findings(track.track_id, trace, track.samples, rate)


def _heard(
    shop: Workshop,
    film: Film,
    track: Track,
    whole: EncryptedTrack,
    made: SoundToPackage,
    master: MasterFacts,
    private: Path,
) -> list[Finding]:
    """What a viewer hears of a sound track, against the sound of the master."""
    work = private / "work"
    work.mkdir()
    channels = made.recipe.channels
    levels, heard = facts.heard_in(shop, film, whole, channels, track.begins_s, work)
    name = track.track_id
    found = sound_rules.findings(name, levels, master.levels[made.sound.sound.stream])
    return found + sound_rules.loudness_findings(name, heard)
