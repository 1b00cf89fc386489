"""From the ladders of the clips to figures."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from benches.encoding.bd import bd_rate
from benches.encoding.lab import Measure
from benches.encoding.methods import Ladder
from benches.figures import Anchor, Figure, figure
from cuemark.contracts.encoding.versions import Codec

WITHIN_VMAF = 1.0
NAMES: dict[Codec, str] = {"av1": "AV1", "hevc": "HEVC"}
QUALITIES: dict[str, Callable[[Measure], float]] = {
    "mean VMAF": lambda each: each.vmaf,
    "5th percentile": lambda each: each.p5,
}


class Result(msgspec.Struct, frozen=True):
    """What one clip gave; ``hull``, ``by_chunk`` and ``others`` where they were asked for."""

    clip: str
    shots: int
    fixed: Ladder
    per_title: Ladder
    per_shot: Ladder
    hull: Ladder | None
    by_chunk: Ladder | None
    others: dict[Codec, Ladder] = {}


def figures(results: Sequence[Result]) -> list[Figure]:
    """The medians first, then each clip's own."""
    several = [each for each in results if each.shots > 1]
    rows: list[Figure] = []
    for quality in QUALITIES:
        for what, some, anchor, test in (
            ("per title against fixed", results, _fixed, _per_title),
            ("per shot against fixed", results, _fixed, _per_shot),
            ("per shot against per title, several shots", several, _per_title, _per_shot),
            ("per shot against per title, all clips", results, _per_title, _per_shot),
            ("per shot against chunk by chunk", results, _by_chunk, _per_shot),
            *(
                (f"{NAMES[codec]} against fixed H.264", results, _fixed, _in(codec))
                for codec in NAMES
            ),
            *(
                (f"{NAMES[codec]} against per shot H.264", results, _per_shot, _in(codec))
                for codec in NAMES
            ),
        ):
            found = [bd for each in some if (bd := _bd(each, quality, anchor, test)) is not None]
            if found:
                rows.append(figure(f"encoding: {what}, BD-rate on {quality}", found, "%"))
    rows += _of_search(results)
    rows += _of_prediction(results)
    rows += _of_codecs(results)
    for each in results:
        rows += _of_clip(each)
    return rows


def _fixed(each: Result) -> Ladder | None:
    return each.fixed


def _per_title(each: Result) -> Ladder | None:
    return each.per_title


def _per_shot(each: Result) -> Ladder | None:
    return each.per_shot


def _by_chunk(each: Result) -> Ladder | None:
    return each.by_chunk


def _hull(each: Result) -> Ladder | None:
    return each.hull


_Pick = Callable[[Result], Ladder | None]


def _in(codec: Codec) -> _Pick:
    return lambda each: each.others.get(codec)


def _bd(each: Result, quality: str, anchor: _Pick, test: _Pick) -> float | None:
    first, second = anchor(each), test(each)
    if first is None or second is None:
        return None
    of = QUALITIES[quality]
    return bd_rate(
        [(rung.rate_kbps, of(rung)) for rung in first.rungs],
        [(rung.rate_kbps, of(rung)) for rung in second.rungs],
    )


def _of_search(results: Sequence[Result]) -> Iterator[Figure]:
    pairs = [(each, each.hull) for each in results if each.hull]
    lost = [
        bd for each, _ in pairs if (bd := _bd(each, "mean VMAF", _hull, _per_title)) is not None
    ]
    if lost:
        yield figure("encoding: per title against the grid's hull, BD-rate on mean VMAF", lost, "%")
        yield figure(
            "encoding: search, CPU of the probes",
            sum(each.per_title.search_cpu_s for each, _ in pairs),
            "s",
            Anchor("the grid", sum(hull.cpu_s for _, hull in pairs)),
        )
    by_chunk = [(each, each.by_chunk) for each in results if each.by_chunk]
    if by_chunk:
        yield figure(
            "encoding: per shot, CPU of the whole ladder",
            sum(each.per_shot.cpu_s for each, _ in by_chunk),
            "s",
            Anchor("chunk by chunk", sum(found.cpu_s for _, found in by_chunk)),
        )


def _of_prediction(results: Sequence[Result]) -> Iterator[Figure]:
    ladders = {"": [each.per_shot for each in results]}
    for codec, name in NAMES.items():
        ladders[f" in {name}"] = [each.others[codec] for each in results if codec in each.others]
    for where, some in ladders.items():
        rungs = [rung for ladder in some for rung in ladder.rungs]
        told = [
            abs(rung.vmaf - rung.predicted) <= WITHIN_VMAF
            for rung in rungs
            if rung.predicted is not None
        ]
        if told:
            said = f"within {WITHIN_VMAF:g} VMAF of their prediction"
            yield figure(f"encoding: rungs{where} {said}", 100 * sum(told) / len(told), "%")
        if 0 < len(told) < len(rungs):
            said = f"of {len(rungs)} taken as they are, better than planned"
            yield figure(f"encoding: rungs{where}, {said}", len(rungs) - len(told), "rungs")


def _of_codecs(results: Sequence[Result]) -> Iterator[Figure]:
    for codec, name in NAMES.items():
        pairs = [(each.per_shot, each.others[codec]) for each in results if codec in each.others]
        if pairs:
            yield figure(
                f"encoding: {name} besides H.264, CPU of both ladders",
                sum(both.cpu_s for _, both in pairs),
                "s",
                Anchor("H.264 alone", sum(alone.cpu_s for alone, _ in pairs)),
            )


def _of_clip(each: Result) -> Iterator[Figure]:
    name = f"encoding: {each.clip} ({each.shots} {'shot' if each.shots == 1 else 'shots'})"
    for what, anchor, test in (
        ("per title against fixed", _fixed, _per_title),
        ("per shot against fixed", _fixed, _per_shot),
        ("per shot against per title", _per_title, _per_shot),
        ("per shot against chunk by chunk", _by_chunk, _per_shot),
        ("per title against the grid's hull", _hull, _per_title),
        *((f"{NAMES[codec]} against fixed H.264", _fixed, _in(codec)) for codec in NAMES),
    ):
        if each.shots == 1 and "per shot" in what and "chunk" not in what:
            continue
        for quality in QUALITIES:
            if anchor is _hull and quality != "mean VMAF":
                continue
            found = _bd(each, quality, anchor, test)
            if found is not None:
                yield figure(f"{name}, {what}, {quality}", found, "%")
