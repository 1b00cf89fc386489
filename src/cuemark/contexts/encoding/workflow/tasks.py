"""One piece of work: what a worker takes from the queue, and how it is done."""

from typing import Literal, TypeVar

import msgspec

from cuemark.contexts.encoding.model import hindrance
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.color import Look
from cuemark.contexts.encoding.model.effort import VMAF_EVERY
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.sound import SoundRecipe
from cuemark.contexts.encoding.model.validation.policy import Policy
from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.stages import (
    graining,
    measuring,
    packaging,
    pictures,
    scoring,
    sounds,
    tracks,
    validating,
)
from cuemark.contexts.encoding.stages.packaging import Order
from cuemark.contexts.encoding.stages.validating import ManifestWriter
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import Hindered
from cuemark.contracts.encoding.jobs import Stage
from cuemark.contracts.encoding.versions import CaptionRole, Codec, Version
from cuemark.contracts.ids import VersionId
from cuemark.contracts.licensing import ContentKey, KeysNotGiven, Licensing, ProvisionKeys
from cuemark.contracts.protection import Scheme
from cuemark.kit.clock import Clock
from cuemark.kit.event_loop import EventLoopThread
from cuemark.kit.ids import Ids

T = TypeVar("T")

POLL_S = 0.1
KEYS_S = 10.0
PERIODS_AT_ONCE = 32

Kind = Literal[
    "inspect",
    "shots",
    "grain",
    "encode",
    "probe",
    "join",
    "score",
    "ceiling",
    "sound",
    "captions",
    "package",
    "validate",
    "find_mark",
]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work.

    ``parts`` are the keys of the chunks to join and ``codec`` is theirs, ``rung`` that of a joined
    rung of that ``look``, ``frames`` a stretch of it, scored ``without_grain`` or with it,
    ``stream`` a sound of the master and
    ``sound_recipes`` what is made of it, ``film_ms`` how long the film lasts that captions belong
    to, and ``version`` what was made to an order. ``made_for`` names the attempt at a rung, or the
    quality of the version, that the work is for; what serves the whole title has none. ``number``
    is its place in the queue, and ``start`` its start tag in the band at ``place``, charged by
    ``estimate_s``. A ``find_mark`` is made for a search, whose copy is ``sha256``.
    """

    kind: Kind
    version_id: VersionId
    stage: Stage
    urgency: Urgency
    sha256: str
    chunk: Chunk | None = None
    chunks: list[Chunk] = []
    recipe: Recipe | None = None
    parts: list[str] = []
    rung: str = ""
    frames: tuple[int, int] = (0, 0)
    stream: int = 0
    sound_recipes: list[SoundRecipe] = []
    language: str = ""
    role: CaptionRole = "subtitles"
    film_ms: int = 0
    order: Order | None = None
    version: Version | None = None
    trace_id: str = ""
    made_for: str = ""
    vmaf_every: int = VMAF_EVERY
    codec: Codec = "h264"
    number: int = 1
    place: int = 0
    start: int = 0
    estimate_s: float = 0.0
    look: Look | None = None
    without_grain: bool = False


class Parts:
    """What the workflows work with in this process. ``thumbnails`` go into the versions it makes,
    or do not; ``scheme`` encrypts them. ``worker`` is the name of this one."""

    def __init__(
        self,
        shop: Workshop,
        ledger: Ledger,
        licensing: Licensing,
        clock: Clock,
        loop: EventLoopThread,
        manifests: ManifestWriter,
        policy: Policy,
        thumbnails: bool = True,
        scheme: Scheme = "cbcs",
        worker: str = "",
    ) -> None:
        self.shop = shop
        self.ledger = ledger
        self.licensing = licensing
        self.clock = clock
        self.ids = Ids(clock)
        self.loop = loop
        self.thumbnails = thumbnails
        self.scheme = scheme
        self.manifests = manifests
        self.policy = policy
        self.worker = worker


class Pending:
    """A task on the queue."""

    def __init__(self, handle: "object") -> None:
        self._handle = handle

    def result(self) -> str:
        """Wait for the task; raises what it raised."""
        found = self._handle.get_result(polling_interval_sec=POLL_S)  # type: ignore[attr-defined]
        return str(found)


def do(parts: Parts, what: Task) -> str:
    """Run a task; the key of its result, or the result itself as JSON."""
    shop, sha256 = parts.shop, what.sha256
    match what.kind:
        case "sound":
            return sounds.encode_sound(shop, sha256, what.stream, what.sound_recipes)
        case "captions":
            return tracks.convert_captions(shop, what.language, sha256, what.role, what.film_ms)
        case "encode":
            return do_picture(shop, what, _mark_key(parts, what))
        case "package":
            return _package(parts, _of(what.order))
        case "validate":
            _validate(parts, _of(what.order), _of(what.version))
            return what.version_id
        case _:
            return do_picture(shop, what)


def do_picture(shop: Workshop, what: Task, mark_key: bytes = b"") -> str:
    """Run a task of the picture, which needs the workshop alone; the key of its result.

    ``mark_key`` is that of its recipe's mark.
    """
    sha256 = what.sha256
    match what.kind:
        case "inspect":
            return pictures.inspect(shop, sha256)
        case "shots":
            return pictures.find_shots(shop, sha256)
        case "grain":
            return graining.find_grain(shop, sha256)
        case "encode":
            return pictures.encode_chunk(shop, sha256, _of(what.chunk), _of(what.recipe), mark_key)
        case "probe":
            pictures.encode_chunk(shop, sha256, _of(what.chunk), _of(what.recipe))
            return scoring.score_chunk(
                *(shop, sha256, _of(what.chunk), _of(what.recipe), what.vmaf_every),
                without_grain=what.without_grain,
            )
        case "join":
            parts = what.parts or _parts(shop, what)
            return pictures.join_rung(shop, sha256, parts, what.codec)
        case "ceiling":
            return scoring.score_itself(shop, sha256, _of(what.chunk), what.vmaf_every)
        case "score":
            return scoring.score_rung(
                *(shop, sha256, what.rung, what.frames, what.vmaf_every, what.look),
                without_grain=what.without_grain,
            )
        case "sound" | "captions" | "package" | "validate" | "find_mark":
            raise ValueError(f"a task of the kind {what.kind} is not one of the picture")


def _mark_key(parts: Parts, what: Task) -> bytes:
    """The key of a task's mark. It is asked for here, since what is queued is kept for long."""
    if _of(what.recipe).mark is None:
        return b""
    ledger = parts.ledger
    return parts.loop.insist(lambda: ledger.mark_key(what.version_id), patience_s=None)


def _parts(shop: Workshop, what: Task) -> list[str]:
    """A join that a release without ``parts`` put on the queue names its chunks instead."""
    recipe = _of(what.recipe)
    return [pictures.chunk_key(shop, what.sha256, chunk, recipe) for chunk in what.chunks]


def _of(value: T | None) -> T:
    assert value is not None
    return value


def _package(parts: Parts, order: Order) -> str:
    version = packaging.package(
        parts.shop,
        order,
        lambda periods: _keys(parts, order, parts.scheme, periods),
        parts.clock.now(),
        scheme=parts.scheme,
        with_thumbnails=parts.thumbnails,
    )
    if order.measured is not None:
        rungs = [rung.key for rung in order.rungs]
        notes = packaging.caption_notes(parts.shop, order.captions)
        measuring.keep_measures(parts.shop, order.sha256, version, rungs, order.measured, notes)
    return msgspec.json.encode(version).decode()


def _validate(parts: Parts, order: Order, version: Version) -> None:
    """Validate what is not published yet.

    A job that begins again after an upgrade comes by versions that an older release has published:
    their files stay as they are, and need not be what this release would make.
    """
    ledger = parts.ledger
    if parts.loop.insist(lambda: ledger.is_published(version.version_id), patience_s=None):
        return
    keys = _keys(parts, order, version.scheme, max(1, len(version.periods)))
    validating.validate(parts.shop, order, version, keys, parts.manifests, parts.policy)


def _keys(parts: Parts, order: Order, scheme: Scheme, periods: int) -> list[ContentKey]:
    """The content keys of a version: the same at every call. Raises ``Hindered``."""
    # A key server is asked for one period after the other: for a few in each call.
    for upto in [*range(PERIODS_AT_ONCE, periods, PERIODS_AT_ONCE), periods]:
        found = _keys_until(parts, order, scheme, upto)
    return found


def _keys_until(parts: Parts, order: Order, scheme: Scheme, periods: int) -> list[ContentKey]:
    request = ProvisionKeys(
        version_id=order.version_id, labels=order.labels, scheme=scheme, periods=periods
    )
    try:
        return parts.loop.insist(
            lambda: parts.licensing.provision_keys(request), patience_s=KEYS_S
        ).keys
    except KeysNotGiven as why:
        raise Hindered(hindrance.no_keys(why.message), why.message) from why
