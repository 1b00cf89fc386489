"""The stage that validates a packaged version before anybody can see it.

Every version gets the checks that read its files and its manifests. A full version is also
decrypted, decoded and held against its master, frame by frame and moment by moment.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog
from blake3 import blake3

from cuemark.contexts.encoding.model import protection
from cuemark.contexts.encoding.model.boxes import BoxesInvalid
from cuemark.contexts.encoding.model.captions.webvtt import parse
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
from cuemark.contexts.encoding.stages import facts
from cuemark.contexts.encoding.stages.facts import EncryptedTrack, MasterFacts
from cuemark.contexts.encoding.stages.packaging import Order, SoundToPackage
from cuemark.contexts.encoding.stages.pictures import film_of
from cuemark.contexts.encoding.stages.reports import validation_key
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contexts.encoding.stages.tracks import CAPTIONS
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools.ffmpeg import Film
from cuemark.contexts.encoding.tools.language import LanguageReader
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contracts.encoding import Check, Version, VersionIndex
from cuemark.contracts.licensing import ContentKey

ManifestWriter = Callable[[Version], ManifestsOf]
"""Writes the manifests of a version as its plays will get them."""

GUESSED, REPORTED = "guessed.json", "validation.json"
_CHEAP: tuple[Check, ...] = (
    *structure.CHECKS,
    *trick_play.CHECKS,
    *manifests.CHECKS,
    *spoken.CHECKS,
)
_WHOLE: tuple[Check, ...] = (
    "decrypt",
    *color.CHECKS,
    *picture_rules.CHECKS,
    *picture_rules.MASTER_CHECKS,
    *sound_rules.CHECKS,
)


class VersionRefused(ToolFailed):
    """The policy keeps a version from being published; the text is one sentence."""


def validate(
    shop: Workshop,
    order: Order,
    version: Version,
    keys: Sequence[ContentKey],
    writer: ManifestWriter,
    rules: Policy = policy.DEFAULT,
) -> Validation:
    """Validate a version that is packaged and keep what was found for its report.

    Raises ``VersionRefused`` where the policy blocks it.
    """
    folder = shop.objects.path(f"versions/{version.version_id}")
    film = film_of(shop, order.sha256)
    tracks, found = _read_tracks(folder, version)
    found += _structure(tracks, version, film)
    found += _trick_play(folder, tracks, version)
    found += _manifests(folder, version, writer)
    found += _languages(shop, order)
    checks = _CHEAP
    if order.quality == "full":
        checks = tuple(dict.fromkeys((*_CHEAP, *_WHOLE)))
        found += _colors(shop, folder, version, film)
        found += _against_master(shop, order, folder, version, tracks, keys)
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
        raise VersionRefused(refused)
    return validation


def _read_tracks(folder: Path, version: Version) -> tuple[list[Track], list[Finding]]:
    """The tracks whose boxes can be read, and what is wrong with the others."""
    names = [(each.rendition_id, True) for each in version.renditions]
    names += [(each.track_id, False) for each in version.audio]
    tracks, found = [], []
    for name, is_picture in names:
        file = f"{name}/init.mp4"
        try:
            init = init_of((folder / file).read_bytes())
            segments = []
            for path in segments_of(folder / name):
                file = f"{name}/{path.name}"
                segments.append(structure.segment_of(path.read_bytes(), init))
        except FileNotFoundError:
            found.append(error("structure", f"{file} is not there"))
        except BoxesInvalid as cause:
            found.append(error("structure", f"{file} is not as it must be: {cause}"))
        else:
            if segments:
                track = Track(track_id=name, pictures=is_picture, init=init, segments=segments)
                tracks.append(track)
            else:
                found.append(error("structure", f"{name} has no segment"))
    return tracks, found


def _structure(tracks: Sequence[Track], version: Version, film: Film) -> list[Finding]:
    kids = {each.rendition_id: each.kid for each in version.renditions}
    kids |= {each.track_id: each.kid for each in version.audio}
    found = [
        finding
        for track in tracks
        for finding in structure.track_findings(track, kids[track.track_id], version.scheme)
    ]
    found += encryption.shared_iv_findings({each.track_id: each.ivs for each in tracks}, kids)
    found += structure.alignment_findings(tracks)
    film_s = float(film.master.frames / film.master.picture.rate)
    return found + structure.duration_findings(tracks, film.master.frames, film_s)


def _trick_play(folder: Path, tracks: Sequence[Track], version: Version) -> list[Finding]:
    """What is wrong with the I-frames of the renditions whose boxes can be read."""
    read = {track.track_id: track for track in tracks}
    found = []
    for rendition in version.renditions:
        track = read.get(rendition.rendition_id)
        if rendition.iframes is None or track is None:
            continue
        name = rendition.iframes.track_id
        frames = []
        try:
            for path in segments_of(folder / name):
                frames.append(structure.segment_of(path.read_bytes(), track.init))
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
    """Of each rendition, by its parameter sets: that is what a player sets its screen up by."""
    master = facts.tags_of(shop, film.path, film.master.video_stream)
    found = []
    for rendition in version.renditions:
        name = rendition.rendition_id
        try:
            with shop.scratch() as private:
                begin = private / "begin.mp4"
                begin.write_bytes(
                    b"".join((folder / name / part).read_bytes() for part in ("init.mp4", "1.m4s"))
                )
                tags = facts.tags_of(shop, begin, 0)
        except (ToolFailed, FileNotFoundError):
            found.append(error("structure", f"ffprobe cannot read how {name} begins"))
        else:
            found += color.findings(name, tags, master)
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
    keys: Sequence[ContentKey],
) -> list[Finding]:
    film, master = film_of(shop, order.sha256), facts.facts_of_master(shop, order.sha256)
    by_label = {key.label: key.key for key in keys}
    labels = {each.rendition_id: each.label for each in version.renditions}
    sounds = {each.track_id: each for each in order.sounds}
    found = list(master.findings)
    for name, stream in {each.sound.name: each.sound.sound.stream for each in order.sounds}.items():
        found += sound_rules.own_findings(name, master.levels[stream])
    for track in tracks:
        name = track.track_id
        label = labels.get(name, protection.AUDIO)
        parts = [folder / name / "init.mp4", *segments_of(folder / name)]
        try:
            with shop.scratch() as private:
                whole = facts.whole_track(private, parts, by_label[label])
                if track.pictures:
                    found += _watched(shop, film, track, whole, master)
                else:
                    found += _heard(shop, film, track, whole, sounds[name], master, private)
        except ToolFailed as cause:
            structlog.get_logger().warning("track_not_decoded", track=name, reason=str(cause))
            found.append(error("decrypt", f"{name} cannot be decrypted with its key and decoded"))
    return found


def _watched(
    shop: Workshop, film: Film, track: Track, whole: EncryptedTrack, master: MasterFacts
) -> list[Finding]:
    """What a viewer sees of a rendition, against the master."""
    trace = facts.trace_of(shop, film, whole, master.pictures)
    rate = float(film.master.picture.rate)
    found = picture_rules.findings(track.track_id, trace, track.samples, rate)
    return _or_wrong_key(track.track_id, found, trace)


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
    if sound_rules.is_garbage(heard):
        return [error("decrypt", f"{name} does not decrypt with its key: it is noise")]
    found = sound_rules.findings(name, levels, master.levels[made.sound.sound.stream])
    return found + sound_rules.loudness_findings(name, heard)


def _or_wrong_key(name: str, found: list[Finding], trace: picture_rules.Trace) -> list[Finding]:
    """Where nothing fits the master at all, the key is wrong, and the rest follows from it."""
    if picture_rules.is_garbage(trace):
        return [error("decrypt", f"{name} does not decrypt with its key: no picture is the film's")]
    return found
