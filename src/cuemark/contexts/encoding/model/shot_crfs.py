"""From the probes of a title to a crf for each shot of a rung: one slope across all shots.

A shot is worth its next bit where that bit buys as much quality as it would in any other shot:
at the optimum all shots have one slope, dD/dR = -1/lambda (Shoham, Gersho: "Efficient Bit
Allocation for an Arbitrary Set of Quantizers", IEEE Trans. ASSP 36(9), 1988; for shots of a
film: Katsavounidis, "Dynamic Optimizer", and Manohara, Moorthy, De Cock, Katsavounidis, Aaron,
"Optimized Shot-Based Encodes", Netflix Technology Blog, 2018). The resolution of a rung is one
for all its shots, so of a shot's hull that resolution's curve is left.

A shot's curve is that of ``ladder.Curve``: log2 of the rate, and log of what is lost of a
ceiling, as straight lines over crf. VMAF rewards motion, so its ceiling is not the same for all
shots: what a shot measures against itself says where it is. Scores are taken unclipped, or a
curve through two points would be flat where both are at 100. What lies above 100 buys nothing: a
shot's frames are taken to lie about its mean as a normal distribution does, cut off there.

The quality is the mean VMAF, which is bought where it is cheap: hard shots are let go. Where that
goes too far, a plan goes a part of the way only. A shot's crf at a slope, and the slope at which
the film measures its target, are found by halving.
"""

import bisect
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from cuemark.contexts.encoding.model.curves import Curve, curve_at, curves_of
from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.model.probes import Point, Probed

SHARES = (1.0, 0.75, 0.5, 0.25)
"""How much of the way from one crf to one slope a plan may go."""
SPREAD_CRF = 6.0
"""How far a shot's crf may lie from the one that the whole film would have."""
LEAST_GAIN = math.log2(1 / 0.99)
"""One percent of the rate, in doublings: curves through two points promise no finer."""
ABOVE_ITSELF_VMAF = 1.5
"""How far a shot's ceiling lies above what it measures against itself."""
FAIR_VMAF = 0.2
"""What the worst may lose to one crf of as many bits: what a quarter of a crf is worth at most."""
STEP_CRF = 0.25
LEAST_CRF, MOST_CRF = 12.0, 45.0
_TOP = 100.0
_STEEPER = 2.0
_HALVINGS, _CRF_HALVINGS = 28, 14
_NONE_BELOW = 1e-12
_LN2 = math.log(2)
_SAME_VMAF = 1e-6


class Shot(msgspec.Struct, frozen=True):
    """A shot of ``frames`` with its curve at a rung's resolution, if it has one.

    ``probed`` of its frames were in the probes: all, none, or some of a shot that ends in another
    chunk. ``spread`` is the standard deviation of its frames' VMAF, and ``crfs`` the least and the
    most that it may get.
    """

    frames: int
    curve: Curve | None
    probed: int
    spread: float = 0.0
    crfs: tuple[float, float] = (LEAST_CRF, MOST_CRF)

    def vmaf_at(self, crf: float) -> float | None:
        """What it is to measure, 0 to 100."""
        if self.curve is None:
            return None
        mean = self.curve.ceiling - self.curve.loss_at(crf)
        below = self._below(mean)
        found = mean * below + _TOP * (1 - below)
        if self.spread > 0:
            away = (_TOP - mean) / self.spread
            found -= self.spread * math.exp(-away * away / 2) / math.sqrt(2 * math.pi)
        return min(_TOP, max(0.0, found))

    def log_price_at(self, crf: float) -> float:
        """The log of the rate that a point of its mean VMAF costs there, in kbit/s."""
        assert self.curve is not None
        loss = self.curve.loss_at(crf)
        below = max(_NONE_BELOW, self._below(self.curve.ceiling - loss))
        falls = -_LN2 * self.curve.rate_per_crf * self.curve.rate_at(crf)
        return math.log(falls) - math.log(self.curve.loss_per_crf * loss * below)

    def _below(self, mean: float) -> float:
        """The share of its frames that lie below the end of VMAF."""
        if self.spread <= 0:
            return float(mean < _TOP)
        return math.erfc((mean - _TOP) / (self.spread * math.sqrt(2))) / 2


class ShotPlan(msgspec.Struct, frozen=True):
    """A crf for each shot, and what the film is predicted to give with them.

    ``shot_vmaf`` is each shot's mean, none where the shot has no curve. ``probed_vmaf`` is the
    mean over the frames of the probes alone, on which a rung is held against its prediction; none
    where a rung's own prediction holds.
    """

    crfs: list[float]
    rate_kbps: float
    vmaf: float
    shot_vmaf: list[float | None]
    probed_vmaf: float | None = None


class Seen(msgspec.Struct, frozen=True):
    """What one encode gave by frame: ``size_bytes`` of each frame of the film that it has."""

    point: Point
    size_bytes: dict[int, int]
    scores: Scores


class Shots(msgspec.Struct, frozen=True):
    """At one resolution: the shots, and the curve of the film as a whole."""

    shots: list[Shot]
    title: Curve


def ceilings_of(itself: Scores, starts: Sequence[int], frames: int) -> list[float]:
    """Where VMAF ends for each shot, and at last for the film; ``itself`` are the scores of the
    master against itself, as far as that was looked at."""
    found = [_raw_within(itself, start, end) for start, end in pairwise([*starts, frames])]
    return [ABOVE_ITSELF_VMAF + statistics.fmean(raw or itself.raw) for raw in [*found, itself.raw]]


def shots_of(
    seen: Sequence[Seen],
    ceilings: Sequence[float],
    starts: Sequence[int],
    frames: int,
    rate: float,
) -> dict[int, Shots]:
    """By height, each shot with its curve. ``ceilings`` are those of ``ceilings_of``.

    A shot has a curve where every probe has scores of it. It is held between half and twice the
    film's own steepness: a short or a still shot's two points say little of what lies between.
    """
    title = curves_of(within(seen, 0, frames, rate), ceilings[-1])
    shots: dict[int, list[Shot]] = {curve.height: [] for curve in title}
    for (start, end), ceiling in zip(pairwise([*starts, frames]), ceilings, strict=False):
        probes = within(seen, start, end, rate)
        probed = sum(n in seen[0].size_bytes for n in range(start, end)) if probes else 0
        own = {each.height: each for each in curves_of(probes, ceiling)} if probes else {}
        spread = spread_within(seen, start, end)
        for curve in title:
            found = own.get(curve.height)
            shots[curve.height].append(
                Shot(end - start, found and _held(found, curve), probed, spread)
            )
    return {curve.height: Shots(shots[curve.height], curve) for curve in title}


def with_between(
    shots: Mapping[int, Sequence[Shot]], heights: Iterable[int]
) -> dict[int, list[Shot]]:
    """The shots at their heights, and at those of ``heights`` between them that no probe saw."""
    found = {height: [*there] for height, there in shots.items()}
    highest_first = sorted(shots, reverse=True)
    for lines in set(heights) - set(shots):
        nearest = min(shots, key=lambda height: abs(height - lines))
        for number, shot in enumerate(shots[nearest]):
            own = [curve for height in highest_first if (curve := shots[height][number].curve)]
            told = curve_at(lines, own) if len(own) == len(shots) else None
            found.setdefault(lines, []).append(msgspec.structs.replace(shot, curve=told))
    return found


def within(seen: Sequence[Seen], start: int, end: int, rate: float) -> list[Probed]:
    """What each gave in the frames from ``start`` to before ``end``; nothing where one has none.

    VMAF is unclipped. ``rate`` is the film's, in frames a second.
    """
    probes = []
    for each in seen:
        sizes = [each.size_bytes[n] for n in range(start, end) if n in each.size_bytes]
        vmaf = _raw_within(each.scores, start, end)
        if not sum(sizes) or not vmaf:
            return []
        kbps = sum(sizes) * 8 / (len(sizes) / rate) / 1000
        probes.append(Probed(each.point, kbps, statistics.fmean(vmaf)))
    return probes


def spread_within(seen: Sequence[Seen], start: int, end: int) -> float:
    """The standard deviation of the VMAF of the frames there, the mean of that of each."""
    found = [_raw_within(each.scores, start, end) for each in seen]
    return statistics.fmean(statistics.pstdev(raw) if raw else 0.0 for raw in found)


def _raw_within(scores: Scores, start: int, end: int) -> list[float]:
    first, last = (bisect.bisect_left(scores.frames, frame) for frame in (start, end))
    return scores.raw[first:last]


def _held(shot: Curve, title: Curve) -> Curve:
    return msgspec.structs.replace(
        shot,
        rate_per_crf=max(
            title.rate_per_crf * _STEEPER, min(title.rate_per_crf / _STEEPER, shot.rate_per_crf)
        ),
        loss_per_crf=min(
            title.loss_per_crf * _STEEPER, max(title.loss_per_crf / _STEEPER, shot.loss_per_crf)
        ),
    )


def plan(shots: Sequence[Shot], crf: float, vmaf: float) -> ShotPlan:
    """The crf of each shot of a rung that is planned to measure a mean of ``vmaf``.

    That was told from the probes, so it is the mean over the frames that they saw, were all shots
    to have one crf. What the whole film measures with that crf, it also does with the plan.
    ``crf`` is the rung's own: the middle of what a shot may get, and what a shot gets that has no
    curve. Of all ``SHARES`` that one is taken which needs the fewest bits and is fair: with those
    bits, one crf for all shots would have neither a harmonic mean nor a fifth percentile that is
    better by ``FAIR_VMAF``. Where none of them spares ``LEAST_GAIN``, all have one crf.
    """
    if level(shots, crf).probed_vmaf is None:
        return level(shots, crf)
    exact = _crf_where(shots, crf, lambda at: (at.probed_vmaf or 0.0) < vmaf - _SAME_VMAF)
    even, target = level(shots, _stepped(exact)), level(shots, exact).vmaf
    found = [at_target(shots, crf, target, share) for share in SHARES]
    best = min(
        (each for each in found if _is_fair(shots, each, crf)),
        key=lambda each: _price(shots, each, even),
        default=even,
    )
    return best if _price(shots, best, even) <= -LEAST_GAIN else even


def _is_fair(shots: Sequence[Shot], found: ShotPlan, crf: float) -> bool:
    same_rate = level(
        shots, _crf_where(shots, crf, lambda other: other.rate_kbps <= found.rate_kbps)
    )
    return all(
        of(shots, found) >= of(shots, same_rate) - FAIR_VMAF
        for of in (harmonic_mean, fifth_percentile)
    )


def _price(shots: Sequence[Shot], found: ShotPlan, even: ShotPlan) -> float:
    """The doublings of rate by which a plan differs from an equal crf, its mean brought to the
    same: crfs are rounded, and so no plan meets the target to a hair."""
    better = level(shots, even.crfs[0] - 1)
    vmaf_per_doubling = max(0.1, better.vmaf - even.vmaf) / max(
        0.02, math.log2(better.rate_kbps / even.rate_kbps)
    )
    return (
        math.log2(found.rate_kbps / even.rate_kbps) - (found.vmaf - even.vmaf) / vmaf_per_doubling
    )


def level(shots: Sequence[Shot], crf: float) -> ShotPlan:
    """One crf for all shots."""
    return _outcome(shots, [crf] * len(shots))


def untold(shots: int, crf: float) -> ShotPlan:
    """One crf for so many shots, and nothing told of them."""
    return ShotPlan([crf] * shots, 0.0, 0.0, [None] * shots)


def _crf_where(shots: Sequence[Shot], crf: float, enough: Callable[[ShotPlan], bool]) -> float:
    """The least crf around ``crf`` that is ``enough`` for all shots."""
    least, most = crf - SPREAD_CRF, crf + SPREAD_CRF
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        if enough(level(shots, middle)):
            most = middle
        else:
            least = middle
    return most


def at_target(shots: Sequence[Shot], crf: float, vmaf: float, share: float) -> ShotPlan:
    """The plan ``share`` of the way to one slope with which the film measures a mean of ``vmaf``,
    or what is nearest to that within the spread."""
    low, high = -60.0, 60.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _outcome(shots, _at_slope(shots, crf, middle, share)).vmaf < vmaf:
            low = middle
        else:
            high = middle
    return _outcome(shots, [_stepped(each) for each in _at_slope(shots, crf, high, share)])


def _at_slope(shots: Sequence[Shot], crf: float, log_slope: float, share: float) -> list[float]:
    """``share`` of the way to where a point of VMAF costs ``exp(log_slope)`` kbit/s in each shot.

    The price falls as crf rises. A shot whose price is above or below that within the spread lies
    at its end.
    """
    crfs = []
    for shot in shots:
        if shot.curve is None:
            crfs.append(crf)
            continue
        low = min(crf, max(shot.crfs[0], crf - SPREAD_CRF))
        high = max(crf, min(shot.crfs[1], crf + SPREAD_CRF))
        for _ in range(_CRF_HALVINGS):
            middle = (low + high) / 2
            if shot.log_price_at(middle) > log_slope:
                low = middle
            else:
                high = middle
        crfs.append(crf + share * ((low + high) / 2 - crf))
    return crfs


def _stepped(crf: float) -> float:
    return min(MOST_CRF, max(LEAST_CRF, round(crf / STEP_CRF) * STEP_CRF))


def _outcome(shots: Sequence[Shot], crfs: list[float]) -> ShotPlan:
    frames = probed = 0
    kbits = quality = of_probed = 0.0
    by_shot = [shot.vmaf_at(crf) for shot, crf in zip(shots, crfs, strict=True)]
    for shot, crf, vmaf in zip(shots, crfs, by_shot, strict=True):
        if shot.curve is None or vmaf is None:
            continue
        frames += shot.frames
        probed += shot.probed
        kbits += shot.frames * shot.curve.rate_at(crf)
        quality += shot.frames * vmaf
        of_probed += shot.probed * vmaf
    return ShotPlan(
        crfs=crfs,
        rate_kbps=kbits / frames if frames else 0.0,
        vmaf=quality / frames if frames else 0.0,
        shot_vmaf=by_shot,
        probed_vmaf=of_probed / probed if probed else None,
    )


def harmonic_mean(shots: Sequence[Shot], found: ShotPlan) -> float:
    """The harmonic mean of VMAF + 1, less 1 (as libvmaf pools it), weighted by duration."""
    pairs = list(_weighted(shots, found))
    if not pairs:
        return 0.0
    return sum(n for n, _ in pairs) / math.fsum(n / (vmaf + 1) for n, vmaf in pairs) - 1


def fifth_percentile(shots: Sequence[Shot], found: ShotPlan) -> float:
    """The VMAF that the shots of 95 % of the film's duration reach."""
    pairs = sorted(_weighted(shots, found), key=lambda pair: pair[1])
    left = 0.05 * sum(n for n, _ in pairs)
    for frames, vmaf in pairs:
        left -= frames
        if left < 0:
            return vmaf
    return 0.0


def _weighted(shots: Sequence[Shot], found: ShotPlan) -> Iterator[tuple[int, float]]:
    for shot, vmaf in zip(shots, found.shot_vmaf, strict=True):
        if vmaf is not None:
            yield shot.frames, vmaf


def moved(found: Sequence[float], change: float) -> list[float]:
    """The crfs of all shots moved by as much, where that is possible."""
    return [_stepped(crf + change) for crf in found]
