"""The part of a version's report on its shots: what crf each had, and whether that came true."""

from collections.abc import Sequence

from cuemark.contracts.encoding.reports import RenditionReport, ShotReport, VersionReport
from cuemark.gateway.operations import plots
from cuemark.gateway.operations.html import Html, el, join, table
from cuemark.gateway.operations.plots import Series

MOST_ROWS = 200
_COLORS = 6


def complexity_plot(report: VersionReport, rate: float) -> Html:
    """How much is in the pictures of each shot, over how much of it moves."""
    found = report.complexity
    return plots.plot(
        "complexity",
        "Complexity of the shots",
        f"The spatial information of each of {len(found)} shots over its temporal information "
        "(ITU-T P.910); the farther up and to the right, the more bits a shot takes.",
        plots.axis_over([each.temporal for each in found], "temporal information", least=0),
        plots.axis_over([each.spatial for each in found], "spatial information", least=0),
        [
            Series(
                name="a shot",
                points=[(each.temporal, each.spatial) for each in found],
                mark="dots",
                labels=[
                    f"shot at {each.start / rate:.2f} s: SI {each.spatial:g}, TI {each.temporal:g}"
                    for each in found
                ],
            )
        ],
    )


def shots_section(report: VersionReport, rate: float) -> Html | None:
    """For each codec a plot of its renditions' crf over time, and a table of its shots."""
    codec_of = {each.rendition_id: each.codec for each in report.version.renditions}
    found: dict[str, list[RenditionReport]] = {}
    for each in report.renditions:
        if each.shots:
            found.setdefault(codec_of[each.rendition_id], []).append(each)
    if not found:
        return None
    parts = [_of_codec(report, codec, some, rate) for codec, some in found.items()]
    return join(part for pair in parts for part in pair)


def _of_codec(
    report: VersionReport, codec: str, renditions: Sequence[RenditionReport], rate: float
) -> tuple[Html, Html]:
    end_s = report.version.duration_s
    series = [
        Series(
            name=each.rendition_id,
            points=[
                *((shot.start / rate, shot.crf) for shot in each.shots),
                (end_s, each.shots[-1].crf),
            ],
            mark="steps",
            color=number % _COLORS,
        )
        for number, each in enumerate(renditions)
    ]
    picture = plots.plot(
        f"crf-{codec}",
        "Crf of each shot",
        f"The crf of each of {len(report.shots)} shots, by rendition, over the film's time; the "
        "table of the shots has the same figures.",
        plots.axis_over([0, end_s], "seconds"),
        plots.axis_over([crf for one in series for _, crf in one.points], "crf"),
        series,
    )
    return picture, _rows(renditions, rate)


def _rows(renditions: Sequence[RenditionReport], rate: float) -> Html:
    count = len(renditions[0].shots)
    heads = ["Shot at"]
    for each in renditions:
        heads += [f"{each.rendition_id} crf", "VMAF", "Predicted"]
    rows = []
    for number, first in enumerate(renditions[0].shots[:MOST_ROWS]):
        cells = [f"{first.start / rate:.2f} s"]
        for each in renditions:
            cells += _cells(each.shots[number])
        rows.append(cells)
    caption = "Shots: the crf of each, its mean VMAF, and what the probes had predicted"
    shown = table(caption, heads, rows, numbers=len(heads) - 1)
    if count <= MOST_ROWS:
        return shown
    note = f"The first {MOST_ROWS} of {count} shots; the report as JSON has all."
    return join([shown, el("p", note, class_="note")])


def _cells(shot: ShotReport) -> list[str]:
    return [
        f"{shot.crf:g}",
        "" if shot.vmaf is None else f"{shot.vmaf:.1f}",
        "" if shot.vmaf_predicted is None else f"{shot.vmaf_predicted:.1f}",
    ]
