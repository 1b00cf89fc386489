"""How good a version is and what it took to make."""

from typing import Annotated

import msgspec
from msgspec import Meta

from cuemark.contracts.encoding.artwork import ArtworkCandidate
from cuemark.contracts.encoding.inspections import Inspection
from cuemark.contracts.encoding.jobs import Effort, Stage
from cuemark.contracts.encoding.validation import ValidationFinding
from cuemark.contracts.encoding.versions import Codec, DynamicRange, Version
from cuemark.contracts.ids import VersionId


class EnergyModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How watt-hours are estimated from CPU seconds and bytes; nothing is measured.

    ``core_w`` is what a busy core draws, ``stored_tb_w`` what 10^12 stored bytes draw, and ``pue``
    what the building draws for each watt of the machine (power usage effectiveness). The values
    that hold without a setting are those of Cloud Carbon Footprint's methodology: the mean maximum
    of a vCPU, SSDs, and the PUE of a large data center (cloudcarbonfootprint.org, "Methodology").
    """

    core_w: Annotated[float, Meta(ge=0, le=1000)] = 3.5
    pue: Annotated[float, Meta(ge=1, le=10)] = 1.135
    stored_tb_w: Annotated[float, Meta(ge=0, le=1000)] = 1.2


class GetReport(msgspec.Struct, frozen=True, kw_only=True):
    version_id: VersionId


class EncodePoint(msgspec.Struct, frozen=True, kw_only=True):
    """An encode of the film at one place: measured, where it is a probe, else predicted.

    ``crf`` is on the scale of the codec's own encoder.
    """

    height: int
    crf: float
    rate_kbps: float
    vmaf: float
    codec: Codec = "h264"
    dynamic_range: DynamicRange = "sdr"


class ShotReport(msgspec.Struct, frozen=True, kw_only=True):
    """A shot of a rendition: its first frame, the crf it was encoded with, and its mean VMAF as
    measured and as predicted from probes; none where no frame was scored or no probe saw it."""

    start: int
    crf: float
    vmaf: float | None
    vmaf_predicted: float | None


class ShotComplexity(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is in a shot's pictures and how much of it moves: the means of its spatial
    and its temporal information (ITU-T P.910), of a picture of 128 by 72. ``start`` is its first
    frame."""

    start: int
    spatial: float
    temporal: float


class RenditionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one rendition measured. VMAF is on the 0 to 100 scale.

    ``frames`` ascend; ``vmaf_mean`` and ``vmaf_least`` are those of the scored frames from each
    of them up to the next one. The picture keys are of JPEGs in the object store, of the worst
    frame and of the master's; empty where they were not kept. A quick version has no ``shots``.
    VMAF NEG leaves out what sharpening and contrast gain; CAMBI tells of banding, from 0 (none)
    on, about 5 being annoying (Netflix libvmaf, ``cambi.md``).
    VMAF of a rendition of high dynamic range is measured in standard range; ``psnr_mean`` (dB, of
    luma) is of its own codes.
    Of a film with grain a rendition that has a ``grain_level``, at which players synthesize it (0:
    it has too little left for that), is measured without grain against the film without grain;
    ``vmaf_with_grain_mean`` is as it is shown, against the film as it is.
    """

    rendition_id: str
    frames: list[int]
    vmaf_mean: list[float]
    vmaf_least: list[float]
    worst_frame: int
    segment_bytes: list[int]
    picture_key: str = ""
    master_picture_key: str = ""
    shots: list[ShotReport] = []
    vmaf_neg_mean: float | None = None
    cambi_mean: float | None = None
    psnr_mean: float | None = None
    grain_level: int | None = None
    vmaf_with_grain_mean: float | None = None


class StageTime(msgspec.Struct, frozen=True, kw_only=True):
    """``wall_s`` and ``cpu_s`` add up the stage's units, and the attempts at them that ended with
    no result; ``lost_cpu_s`` is the CPU of those alone. ``elapsed_s`` is from the first unit's
    beginning to the last one's end, other titles' work between them included. ``written_bytes``
    are those of the stage's results. ``energy_wh`` is an estimate."""

    stage: Stage
    units: int
    wall_s: float
    cpu_s: float
    elapsed_s: float
    lost_cpu_s: float = 0.0
    written_bytes: int = 0
    energy_wh: float = 0.0


class CostPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what a job cost. ``energy_wh`` is an estimate.

    ``kind`` says what it went into: a ``rung`` of the version (``name`` is the rendition's), the
    ``mark`` of one (its two variants), the ``title`` as a whole (probes, sound, packaging), the
    ``other_version`` of the job (``name`` is its quality), ``thrown_away`` (``name`` says what: a
    rung that was encoded anew or dropped, or attempts that ended with no result), or ``in_hand``:
    an attempt that still runs.
    """

    kind: str
    name: str
    stage: Stage
    cpu_s: float
    written_bytes: int
    energy_wh: float


class StoredPart(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a version: ``kind`` is ``rendition``, ``audio``, ``captions``,
    ``thumbnails``, ``other`` (the index) or ``master``, the file that it was made from.

    ``energy_wh_per_year`` is an estimate for one copy.
    """

    kind: str
    name: str
    size_bytes: int
    energy_wh_per_year: float


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What a version cost, with the other version of its job. Watt-hours are estimates by
    ``model``.

    The ``parts`` add up to ``cpu_s``, ``written_bytes`` and ``energy_wh``. ``title_jobs`` are all
    jobs of the title until now, this one among them, and ``title_cpu_s`` is what all of them cost.
    """

    model: EnergyModel
    cpu_s: float
    written_bytes: int
    energy_wh: float
    parts: list[CostPart]
    stored: list[StoredPart]
    title_jobs: int
    title_cpu_s: float
    title_energy_wh: float


class VersionReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a version came about and what it measures.

    ``shots`` are first frames. A quick version, and one that was made before measurements were
    kept, has no probes; ``findings`` are sentences. ``artworks`` are what can stand for the title.
    ``checks`` names the checks that the version passed through, and ``validation`` has what they
    found. A version of an older release has none of these three.
    ``effort`` is what was chosen for its job, and ``costs`` what that took. ``grain_sigma`` is the
    standard deviation of the film's grain, in codes of 8 bits of luma, where it is synthesized.
    ``complexity`` is that of each shot, and ``master`` what the version was made from; a version of
    an older release has neither.
    """

    version: Version
    trace_id: str
    probes: list[EncodePoint]
    hull: list[EncodePoint]
    planned: list[EncodePoint]
    shots: list[int]
    renditions: list[RenditionReport]
    stages: list[StageTime]
    findings: list[str]
    artworks: list[ArtworkCandidate] = []
    checks: list[str] = []
    validation: list[ValidationFinding] = []
    effort: Effort = "balanced"
    costs: Costs | None = None
    grain_sigma: float | None = None
    complexity: list[ShotComplexity] = []
    master: Inspection | None = None
