"""The report of a version as one page that needs nothing but itself.

Its style is inline and named by hash in the page's own policy, its pictures are ``data:`` URLs:
what is saved to a file looks as what is served, and can load nothing from anywhere.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from cuemark.contracts.encoding.reports import EncodePoint, RenditionReport, VersionReport
from cuemark.contracts.encoding.versions import AudioTrack, CaptionTrack, Rendition
from cuemark.gateway.operations import plots
from cuemark.gateway.operations.html import Html, el, join, table
from cuemark.gateway.operations.plots import Series
from cuemark.gateway.operations.report_costs import costs_section
from cuemark.gateway.operations.report_master import RANGES, master_section
from cuemark.gateway.operations.report_shots import complexity_plot, shots_section

_FOLDER = Path(__file__).parent
_COLORS = 6
_NAMES: Mapping[str, str] = {"h264": "H.264", "hevc": "HEVC", "av1": "AV1"}


@functools.cache
def style() -> str:
    return (_FOLDER / "operations.css").read_text(encoding="utf-8")


@functools.cache
def policy() -> str:
    """The Content-Security-Policy of a report: its own style, pictures in the text, no more."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def report_page(report: VersionReport, title_name: str, pictures: Mapping[str, bytes]) -> Html:
    """The whole document. ``pictures`` are JPEGs by their key in the object store."""
    version = report.version
    heading = f"{title_name}: {version.quality} version"
    sections = [
        _summary(report),
        _findings(report),
        master_section(report.master) if report.master else None,
        _validation(report),
        _ladder(report),
        _hull(report),
        _vmaf(report),
        _shots(report),
        _worst(report, pictures),
        _segments(report),
        _costs(report),
        _artworks(report, pictures),
    ]
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy()),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", heading),
        el("style", Html(style())),
    )
    body = el("body", el("header", el("h1", heading)), el("main", *sections, class_="report"))
    return Html(f"<!doctype html>{el('html', head, body, lang='en')}\n")


def _summary(report: VersionReport) -> Html:
    version = report.version
    facts = {
        "Version": version.version_id,
        "Published": f"{version.published_at:%Y-%m-%d %H:%M:%S} UTC",
        "Length": f"{version.duration_s:.2f} s at {float(_rate(report)):.3f} frames a second",
        "Sound": "; ".join(_sound(each) for each in version.audio) or "none",
        "Captions": ", ".join(_captions(c) for c in version.captions) or "none",
        "Effort": report.effort,
        "Mark": "each segment in two variants" if version.marked else "none",
        "Trace": report.trace_id or "unknown",
    }
    rows = [join([el("dt", name), el("dd", value)]) for name, value in facts.items()]
    return el("section", el("dl", *rows))


def _sound(track: AudioTrack) -> str:
    """A rendition of a sound; one of an older release does not say its name and codec."""
    kind = f"{track.codec or 'aac'} {'5.1' if track.channels > 2 else 'stereo'}"
    return f"{track.name or track.language}, {kind}, {track.bitrate_kbps:.0f} kbit/s"


def _captions(track: CaptionTrack) -> str:
    return track.language + {"subtitles": "", "sdh": " (SDH)", "forced": " (forced)"}[track.role]


def _findings(report: VersionReport) -> Html:
    said = report.findings or ["Nothing that a person should look at."]
    return _section("Findings", el("ul", *(el("li", each) for each in said)))


def _validation(report: VersionReport) -> Html | None:
    """What the version passed through before it was published, and what was found on the way."""
    if not report.checks:
        return None
    made = el("p", f"Checked before publication: {', '.join(report.checks)}.", class_="note")
    if not report.validation:
        return _section("Validation", el("p", "No check found anything."), made)
    rows = [[each.check, each.severity, each.action, each.text] for each in report.validation]
    heads = ["Check", "Severity", "Policy", "What was found"]
    return _section("Validation", table("What the checks found", heads, rows, numbers=0), made)


def _ladder(report: VersionReport) -> Html:
    has_grain = report.grain_sigma is not None
    rows = [
        [
            each.rendition_id,
            f"{each.width}x{each.height}",
            each.codec_string,
            f"{each.bitrate_kbps:.0f}",
            f"{each.peak_bitrate_kbps:.0f}",
            f"{each.vmaf_mean:.1f}",
            "" if each.vmaf_predicted is None else f"{each.vmaf_predicted:.1f}",
            f"{each.vmaf_p5:.1f}",
            f"{min(measured.vmaf_least):.1f}" if measured.vmaf_least else "",
            "" if measured.vmaf_neg_mean is None else f"{measured.vmaf_neg_mean:.1f}",
            "" if measured.cambi_mean is None else f"{measured.cambi_mean:.2f}",
            "" if measured.psnr_mean is None else f"{measured.psnr_mean:.1f}",
            *_grain(measured, has_grain=has_grain),
        ]
        for each, measured in _pairs(report)
    ]
    heads = [
        *("Rendition", "Size", "Codec", "kbit/s", "Peak kbit/s"),
        *(
            "Mean VMAF",
            "Predicted",
            "5th percentile",
            "Worst",
            "VMAF NEG",
            "CAMBI",
            "PSNR of HDR, dB",
        ),
        *(("Grain level", "VMAF with grain") if has_grain else ()),
    ]
    numbers = 11 if has_grain else 9
    return _section("Ladder", table("Renditions, the smallest first", heads, rows, numbers=numbers))


def _grain(measured: RenditionReport, *, has_grain: bool) -> list[str]:
    """What a rendition's grain is made at, and how it measures as it is shown."""
    if not has_grain:
        return []
    level, vmaf = measured.grain_level, measured.vmaf_with_grain_mean
    return ["" if level is None else str(level), "" if vmaf is None else f"{vmaf:.1f}"]


def _hull(report: VersionReport) -> Html | None:
    if not report.probes:
        return None
    published = _published(report.version.renditions)
    points = [*report.probes, *report.hull, *report.planned]
    x = plots.axis_over(
        [*(p.rate_kbps for p in points), *(rate for rate, _ in published)],
        "kbit/s (each tick doubles)",
        logarithmic=True,
    )
    y = plots.axis_over([*(p.vmaf for p in points), *(vmaf for _, vmaf in published)], "VMAF")
    series = _of_codecs(report)
    picture = plots.plot(
        "hull",
        "Rate and quality",
        f"{len(report.probes)} probes, their convex hull, {len(report.planned)} rungs chosen on "
        "it and the renditions that were published; the tables hold the same figures.",
        x,
        y,
        series,
    )
    planned = {(p.height, p.crf) for p in report.planned}
    rows = [
        [kind, _name(p), str(p.height), f"{p.crf:g}", f"{p.rate_kbps:.0f}", f"{p.vmaf:.1f}"]
        for kind, some in (("Probe", report.probes), ("Planned rung", report.planned))
        for p in some
    ]
    note = "" if planned else "No rung was planned."
    return _section(
        "Rate and quality",
        picture,
        el("p", note) if note else None,
        table(
            "Probes and planned rungs",
            ["", "Codec", "Lines", "crf", "kbit/s", "VMAF"],
            rows,
            numbers=4,
        ),
    )


def _published(renditions: Sequence[Rendition]) -> list[tuple[float, float]]:
    return [(each.bitrate_kbps, each.vmaf_mean) for each in renditions]


def _of_codecs(report: VersionReport) -> list[Series]:
    """What is drawn of each codec. One alone has a color for each kind of mark; several have one
    each, and their probes are left to the table."""
    renditions = report.version.renditions
    names = list(dict.fromkeys(_name(probe) for probe in report.probes))
    if len(names) == 1:
        return [
            _points("Convex hull", report.hull, "line", 0),
            _points("Probes", report.probes, "dots", 3),
            _points("Planned rungs, as predicted", report.planned, "rings", 1),
            Series(
                name="Published renditions, as measured",
                points=_published(renditions),
                mark="dots",
                color=2,
            ),
        ]
    series = []
    for color, name in enumerate(names):
        hull = [point for point in report.hull if _name(point) == name]
        planned = [point for point in report.planned if _name(point) == name]
        made = _published([each for each in renditions if _name(each) == name])
        series += [
            _points(f"{name}: convex hull", hull, "line", color),
            _points(f"{name}: planned rungs, as predicted", planned, "rings", color),
            Series(name=f"{name}: published, as measured", points=made, mark="dots", color=color),
        ]
    return series


def _name(made: EncodePoint | Rendition) -> str:
    """A codec as people call it, with its range where that is high."""
    codec = _NAMES[made.codec]
    return codec if made.dynamic_range == "sdr" else f"{codec} {RANGES[made.dynamic_range]}"


def _points(name: str, some: Sequence[EncodePoint], mark: plots.Mark, color: int) -> Series:
    return Series(
        name=name,
        points=[(p.rate_kbps, p.vmaf) for p in some],
        mark=mark,
        color=color,
        labels=[f"{p.height} lines, crf {p.crf:g}: VMAF {p.vmaf:.1f}" for p in some],
    )


def _vmaf(report: VersionReport) -> Html | None:
    measured = [(each, found) for each, found in _pairs(report) if found.frames]
    if not measured:
        return None
    rate = float(_rate(report))
    x = plots.axis_over([0, report.version.duration_s], "seconds")
    y = plots.axis_over([v for _, found in measured for v in found.vmaf_least], "VMAF", least=90)
    series = []
    for number, (each, found) in enumerate(measured):
        times = [frame / rate for frame in found.frames]
        color = number % _COLORS
        series += [
            Series(
                name="",
                points=list(zip(times, found.vmaf_least, strict=True)),
                color=color,
                faint=True,
            ),
            Series(
                name=each.rendition_id,
                points=list(zip(times, found.vmaf_mean, strict=True)),
                color=color,
            ),
        ]
    picture = plots.plot(
        "vmaf",
        "VMAF over time",
        "The mean VMAF of each rendition over the film's time, the least behind it, paler; "
        "the table of the ladder has mean, fifth percentile and worst.",
        x,
        y,
        series,
    )
    frames = round(report.version.duration_s * rate)
    shots = None
    if report.shots and frames:
        shots = join(
            [
                plots.strip("shots", f"{len(report.shots)} shots", frames, report.shots),
                el("p", f"{len(report.shots)} shots, each as long as it lasts.", class_="note"),
                *([complexity_plot(report, rate)] if report.complexity else []),
            ]
        )
    return _section("VMAF over time", picture, shots)


def _shots(report: VersionReport) -> Html | None:
    content = shots_section(report, float(_rate(report)))
    return _section("Shots", content) if content else None


def _worst(report: VersionReport, pictures: Mapping[str, bytes]) -> Html | None:
    rate = float(_rate(report))
    rows = []
    for each, found in _pairs(report):
        encoded, master = pictures.get(found.picture_key), pictures.get(found.master_picture_key)
        if encoded is None or master is None:
            continue
        when = f"frame {found.worst_frame}, at {found.worst_frame / rate:.2f} s"
        rows.append(
            el(
                "div",
                el("h3", f"{each.rendition_id}: VMAF {min(found.vmaf_least):.1f} in {when}"),
                _picture(encoded, f"{each.rendition_id}", f"{each.rendition_id}, {when}"),
                _picture(master, "master", f"the master, {when}"),
                class_="beside",
            )
        )
    return _section("Worst frames", *rows) if rows else None


def _picture(jpeg: bytes, caption: str, alt: str) -> Html:
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return el("figure", el("img", src=source, alt=alt), el("figcaption", caption))


def _artworks(report: VersionReport, pictures: Mapping[str, bytes]) -> Html | None:
    shown = []
    for each in report.artworks:
        if (jpeg := pictures.get(each.picture_key)) is not None:
            when = f"frame {each.frame.frame}, at {each.at_s:.2f} s"
            caption = f"{each.number}: {when}, sharpness {each.frame.sharpness:.1f}"
            shown.append(_picture(jpeg, caption, f"artwork {each.number}, {when}"))
    how = "Pick one with: cuemark artwork TITLE --pick NUMBER"
    return _section("Artwork", el("p", how), el("div", *shown, class_="beside")) if shown else None


def _segments(report: VersionReport) -> Html | None:
    timeline = report.version.video_timeline
    seconds = [ticks / timeline.timescale for ticks in timeline.durations]
    series = []
    for number, found in enumerate(report.renditions):
        if len(found.segment_bytes) != len(seconds):
            continue
        at, points = 0.0, []
        for size, lasts in zip(found.segment_bytes, seconds, strict=True):
            points.append((at, size * 8 / lasts / 1000))
            at += lasts
        points.append((at, points[-1][1]))
        series.append(
            Series(name=found.rendition_id, points=points, mark="steps", color=number % _COLORS)
        )
    if not series:
        return None
    x = plots.axis_over([0, sum(seconds)], "seconds")
    y = plots.axis_over([rate for one in series for _, rate in one.points], "kbit/s", least=0)
    picture = plots.plot(
        "segments",
        "Bitrate of each segment",
        f"The bitrate of each of {len(seconds)} segments, by rendition, over the film's time; "
        "the table of the ladder has mean and peak.",
        x,
        y,
        series,
    )
    return _section("Bitrate of each segment", picture)


def _costs(report: VersionReport) -> Html | None:
    content = costs_section(report)
    return _section("Cost", content) if content else None


def _section(heading: str, *content: Html | None) -> Html:
    return el("section", el("h2", heading), *content)


def _pairs(report: VersionReport) -> list[tuple[Rendition, RenditionReport]]:
    return list(zip(report.version.renditions, report.renditions, strict=True))


def _rate(report: VersionReport) -> Fraction:
    return Fraction(report.version.frame_rate)
