"""What DASH and HLS both say of a play: appliances, rungs, segments, keys.

Both parsers end in a ``Manifest``. They are pure and take hostile text: whatever they are given,
they return a manifest within the bounds below or raise ``ManifestInvalid`` with one sentence.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from cuemark.player.errors import ManifestInvalid
from cuemark.player.ranges import DynamicRange
from cuemark.player.sound import Offered, SoundRole

MAX_MANIFEST_CHARS = 8 << 20
MAX_SEGMENTS = 50_000
MAX_SEGMENTS_OF_ALL = 400_000
MAX_PERIODS = 2048
MAX_RUNGS = 64
MAX_PATH_CHARS = 2048
MAX_NAME_CHARS = 128
MAX_LOCATIONS = 32
MAX_DURATION_S = 48 * 3600.0
CaptionRole = Literal["subtitles", "sdh", "forced"]
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_KID = re.compile(r"^[0-9a-f]{32}$")
_ALIGNMENT_S = 0.25


class Location(msgspec.Struct, frozen=True):
    """An appliance as the manifest names it. ``base_url`` ends in ``/``."""

    appliance_id: str
    base_url: str


class Segment(msgspec.Struct, frozen=True):
    """``path`` is relative to a location; times are seconds from the start of the film."""

    path: str
    start_s: float
    duration_s: float

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s


class DigestList(msgspec.Struct, frozen=True):
    """Where a rendition's list of digests is, relative to a location, and its SHA-256 in hex."""

    path: str
    sha256: str


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Segments of a rendition, from ``index`` on, that have one init segment and one key.

    The key is named by ``kid`` (32 hex digits; DASH) or by ``key_url`` (HLS, identity); both are
    empty where the rendition is clear.
    """

    index: int = 0
    init_path: str
    kid: str = ""
    key_url: str = ""

    @property
    def key_name(self) -> str:
        return self.kid or self.key_url


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One rendition, of video or audio; ``language`` and ``role`` are of a sound.

    ``later`` are the stretches that follow the ``first``, where keys change. ``digests`` is None
    where the version has none.
    """

    rung_id: str
    bandwidth_kbps: float
    width: int = 0
    height: int = 0
    codecs: str = ""
    dynamic_range: DynamicRange = "sdr"
    language: str = ""
    role: SoundRole = "main"
    first: Stretch
    later: tuple[Stretch, ...] = ()
    segments: tuple[Segment, ...]
    digests: DigestList | None = None

    def stretch(self, index: int) -> Stretch:
        """The one that the segment at ``index``, from 0, is in."""
        return next((each for each in reversed(self.later) if each.index <= index), self.first)

    @property
    def offered(self) -> Offered:
        """A sound as a viewer may choose it."""
        return Offered(self.rung_id, self.language, self.role)


class Caption(msgspec.Struct, frozen=True):
    """A WebVTT file, or (HLS) a playlist of such files.

    ``forced`` is shown while the viewer has captions off; ``sdh`` says what is heard, too. Times in
    the file count from ``from_s`` of the film.
    """

    language: str
    path: str
    role: CaptionRole = "subtitles"
    from_s: float = 0.0

    @property
    def name(self) -> str:
        """How a report calls it: ``en``, ``en:sdh``, ``en:forced``."""
        name = self.language or self.path
        return name if self.role == "subtitles" else f"{name}:{self.role}"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``video`` ascends in bandwidth and shares one timeline; the best location stands first.

    ``steering_url`` is empty where nothing steers the play.
    """

    duration_s: float
    locations: tuple[Location, ...]
    video: tuple[Rung, ...]
    audio: tuple[Rung, ...]
    captions: tuple[Caption, ...] = ()
    steering_url: str = ""


def joined(before: Rung, after: Rung) -> Rung:
    """One rendition of what two Periods say of it, which follow one another."""
    begins = [
        msgspec.structs.replace(each, index=len(before.segments) + each.index)
        for each in (after.first, *after.later)
    ]
    if len(before.segments) + len(after.segments) > MAX_SEGMENTS:
        raise ManifestInvalid(f"the manifest has more than {MAX_SEGMENTS} segments")
    return msgspec.structs.replace(
        before,
        bandwidth_kbps=max(before.bandwidth_kbps, after.bandwidth_kbps),
        segments=(*before.segments, *after.segments),
        later=(*before.later, *begins),
    )


def checked(manifest: Manifest) -> Manifest:
    """The manifest with its video in ascending order, where it can be played at all."""
    if not manifest.video:
        raise ManifestInvalid("the manifest has no video")
    if not manifest.locations:
        raise ManifestInvalid("the manifest names no appliance")
    if not 0 < manifest.duration_s <= MAX_DURATION_S:
        raise ManifestInvalid("the manifest's duration is not that of a film")
    if len(manifest.locations) > MAX_LOCATIONS:
        raise ManifestInvalid(f"the manifest names more than {MAX_LOCATIONS} appliances")
    if len(manifest.video) + len(manifest.audio) > MAX_RUNGS:
        raise ManifestInvalid(f"the manifest has more than {MAX_RUNGS} renditions")
    video = tuple(sorted(manifest.video, key=lambda rung: (rung.bandwidth_kbps, rung.rung_id)))
    for rung in (*video, *manifest.audio):
        _refuse_gaps(rung)
    _refuse_unaligned(video)
    return msgspec.structs.replace(manifest, video=video)


def _refuse_gaps(rung: Rung) -> None:
    """Where a segment ends the next begins, or the presentation could not run through."""
    for before, after in pairwise(rung.segments):
        if abs(after.start_s - before.end_s) > _ALIGNMENT_S:
            raise ManifestInvalid(f"{shown(rung.rung_id)} has a gap at {before.end_s:g} s")


def _refuse_unaligned(video: Sequence[Rung]) -> None:
    """A player can change rungs between segments only where all rungs cut at the same times."""
    first = video[0]
    for rung in video[1:]:
        if len(rung.segments) != len(first.segments) or any(
            abs(mine.start_s - other.start_s) > _ALIGNMENT_S
            for mine, other in zip(rung.segments, first.segments, strict=True)
        ):
            raise ManifestInvalid(
                f"the renditions {shown(first.rung_id)} and {shown(rung.rung_id)} are not cut at "
                "the same times"
            )


def name_of(text: str) -> str:
    """``text`` where it can name an appliance or a rendition in a report and on a terminal."""
    if not text or len(text) > MAX_NAME_CHARS or not text.isprintable():
        raise ManifestInvalid(f"{shown(text)} is not a name")
    return text


def relative_path(path: str) -> str:
    """``path`` where it stays under the version's root; an appliance is never left by it."""
    try:
        parts = urlsplit(path[: MAX_PATH_CHARS + 1])
    except ValueError:
        raise ManifestInvalid(f"{shown(path)} is not a path under the version's root") from None
    climbs = any(part in ("..", ".") for part in unquote(parts.path).split("/"))
    if (
        not parts.path
        or len(path) > MAX_PATH_CHARS
        or parts.scheme
        or parts.netloc
        or parts.query
        or parts.fragment
        or path.startswith("/")
        or "\\" in unquote(path)
        or climbs
        or not path.isprintable()
        or " " in path
    ):
        raise ManifestInvalid(f"{shown(path)} is not a path under the version's root")
    return path


def digest_list(text: str) -> DigestList:
    """``text`` where it is a path under the version's root and a SHA-256 in hex."""
    path, _, sha256 = text.partition(" ")
    if not _SHA256.match(sha256):
        raise ManifestInvalid(f"{shown(text)} is not a list of digests with its SHA-256")
    return DigestList(relative_path(path), sha256)


def base_url(url: str) -> str:
    """``url`` where it is an address of a folder over HTTP."""
    parts = _parted(url)
    if (
        not _over_http(url, parts, MAX_PATH_CHARS)
        or parts.query
        or parts.fragment
        or not parts.path.endswith("/")
    ):
        raise ManifestInvalid(f"{shown(parts.path)} is not the address of an appliance's folder")
    return url


def steering_address(url: str) -> str:
    """``url`` where it is an address over HTTP at which a play may be steered."""
    if not _over_http(url, _parted(url), 2 * MAX_PATH_CHARS) or not url.isascii():
        raise ManifestInvalid(f"{shown(url)} is not the address of a steering service")
    return url


def _parted(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # Looked at because it is read only then.
        parts.port  # noqa: B018
    except ValueError:
        raise ManifestInvalid(f"{shown(url)} is not an address") from None
    return parts


def _over_http(url: str, parts: SplitResult, most_chars: int) -> bool:
    """Whether it is an address of a server, of at most so many characters that can be shown."""
    return (
        parts.scheme in ("http", "https")
        and len(url) <= most_chars
        and bool(parts.hostname)
        and parts.port != 0
        and parts.username is None
        and url.isprintable()
        and " " not in url
    )


def kid_of(text: str) -> str:
    """A key id as 32 lower-case hex digits, from its UUID form or plain hex."""
    kid = text.strip().replace("-", "").lower()
    if not _KID.match(kid):
        raise ManifestInvalid(f"{shown(text)} is not a key id")
    return kid


def shown(text: str) -> str:
    """Foreign text, fit to stand in a sentence."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
