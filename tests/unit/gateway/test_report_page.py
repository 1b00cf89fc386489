"""The report as a page, and its plots."""

import base64
import hashlib
import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.costs import Outcome, Spent, Total, costs_of, stored_parts
from cuemark.contexts.encoding.model.report import Kept, of_version
from cuemark.contracts.encoding.jobs import Stage
from cuemark.contracts.encoding.reports import EnergyModel, StageTime
from cuemark.contracts.encoding.versions import Quality
from cuemark.gateway.operations import bars, plots
from cuemark.gateway.operations.html import el
from cuemark.gateway.operations.report_page import policy, report_page
from tests.unit.encoding.test_report import measures
from tests.unit.gateway.test_operations import Seen
from tests.unit.playback.versions import version

JPEG = b"\xff\xd8 not much of a picture"


def page() -> str:
    film = version()
    names = [each.rendition_id for each in film.renditions]
    segments = len(film.video_timeline.durations)
    kept = Kept(
        measures=measures(),
        segment_bytes={name: [100_000] * segments for name in names},
        pictures={names[0]: ("worst", "master")},
    )
    stages = [StageTime(stage="probes", units=5, wall_s=10.0, cpu_s=9.5, elapsed_s=6.0)]
    report = of_version(film, kept, stages, "trace")
    return report_page(report, "<Film> & more", {"worst": JPEG, "master": JPEG})


def costs_page(quality: Quality = "full", title_jobs: int = 1) -> str:
    film = msgspec.structs.replace(version(), quality=quality)
    work: list[tuple[Stage, str, Outcome, float]] = [
        ("probes", "", "done", 40.0),
        ("quick", "quick, 360 lines", "done", 10.0),
        ("encode", "first", "done", 20.0),
        ("encode", "<second>", "done", 25.0),
        ("encode", "first", "lost", 5.0),
    ]
    spent = [
        Spent(stage=stage, made_for=made_for, outcome=outcome, cpu_s=cpu_s, written_bytes=1000)
        for stage, made_for, outcome, cpu_s in work
    ]
    files = {"v360/1.m4s": 250_000, "a-en/1.m4s": 40_000, "index.json": 500}
    model = EnergyModel(core_w=3.6)
    costs = costs_of(
        spent,
        stored_parts(film, files, 10_000_000, model),
        Total(jobs=title_jobs, cpu_s=700.0),
        quality,
        {"quick": {"quick, 360 lines": "v360"}, "full": {"first": "v360"}},
        model,
    )
    stages = [
        StageTime(
            stage="encode", units=2, wall_s=60, cpu_s=50, elapsed_s=30, lost_cpu_s=5, energy_wh=0.05
        )
    ]
    report = msgspec.structs.replace(
        of_version(film, Kept(), stages, ""), effort="best", costs=costs
    )
    return report_page(report, "Film", {})


def test_a_report_shows_what_the_job_took_and_that_energy_is_estimated() -> None:
    text = costs_page()
    assert Seen(text).dangers == []
    assert "<b>100.0 s</b>" in text
    assert "Effort: <b>best</b>" in text
    assert "<b>113 mWh</b>" in text, "100 s of 3.6 W, times 1.135"
    assert "probes and ladder: 40.0 s" in text
    assert "the quick version: 10.0 s" in text
    assert "<b>30 %</b>" in text
    assert "&lt;second&gt;: 25.0 s" in text
    assert "attempts that ended with no result: 5.0 s" in text
    assert "estimated, not measured: 3.6 W for a busy core" in text
    assert "red is what ended with no result" in text
    assert "in all" not in text


def test_the_report_of_a_quick_version_shows_its_own_rungs() -> None:
    text = costs_page("quick", title_jobs=3)
    assert "the full version: 20.0 s" in text
    assert "The title was made 3 times until now: 12 min of CPU" in text


def test_a_report_of_nothing_that_was_counted_has_no_cost() -> None:
    assert "<h2>Cost</h2>" not in page()


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=8))
def test_a_whole_bar_is_as_wide_as_its_parts(values: list[float]) -> None:
    parts = [
        bars.Part(name=f"<{n}>", value=value, label="x", color=n % 6)
        for n, value in enumerate(values)
    ]
    root = ElementTree.fromstring(str(bars.whole("w", "Title", "Words", parts)))
    drawn = [(float(r.get("x", 0)), float(r.get("width", 0))) for r in root.iter("rect")]
    assert all(left >= 0 and width >= 0 and left + width <= 720.2 for left, width in drawn)
    assert [left for left, _ in drawn] == sorted(left for left, _ in drawn)


def test_a_report_needs_nothing_but_itself() -> None:
    found = Seen(page())
    assert found.dangers == []
    assert "script" not in found.tags
    assert "link" not in found.tags
    picture = base64.b64encode(JPEG).decode()
    assert found.addresses == [f"data:image/jpeg;base64,{picture}"] * 2
    assert "url(" not in page()


def test_the_policy_allows_the_style_that_the_page_has_and_no_other() -> None:
    (style,) = re.findall("<style>(.*?)</style>", page(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy()
    assert "unsafe" not in policy()


def test_every_picture_has_a_title_and_every_figure_stands_in_a_table() -> None:
    text = page()
    assert "&lt;Film&gt; &amp; more" in text
    for name in ("hull", "vmaf", "crf-h264", "segments"):
        assert f'aria-labelledby="{name}-title {name}-desc"' in text
    for rendition in version().renditions:
        assert f'<th scope="row">{rendition.rendition_id}</th>' in text
    assert "5th percentile" in text
    assert '<th scope="row">0.00 s</th><td class="n">22.5</td><td class="n">75.7</td>' in text
    assert "VMAF NEG" in text
    assert "probes" in text


def test_a_report_tells_what_the_master_is() -> None:
    text = page()
    assert Seen(text).dangers == []
    for told in (
        "ffv1 in matroska,webm",
        "640 by 360, interlaced, the upper field first",
        "23.976 frames a second, of which one in 5 repeats the one before it",
        "HDR10, 10 bit, bt2020, bt2020nc, mastered at 1000 cd/m2, MaxCLL 900, MaxFALL 300",
        "2, the longest 2.1 s",
        "SI 40.2, TI 8.4",
        "The file has &lt;2&gt; films.",
        '<th scope="row">1</th><td>de</td><td>main</td><td>5.1</td>'
        '<td class="n">-27.1</td><td class="n">-3.0</td>',
        "<td>description, &lt;AD&gt;</td>",
    ):
        assert told in text


def test_a_report_without_measurements_is_a_page_all_the_same() -> None:
    text = report_page(of_version(version(), Kept(), [], ""), "Film", {})
    assert "No measurements were kept" in text
    assert "<h2>Master</h2>" not in text
    assert "Ladder" in text


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    st.none() | st.floats(0, 100),
)
def test_an_axis_has_room_for_its_values_and_few_ticks(
    values: list[float], least: float | None
) -> None:
    axis = plots.axis_over(values, "unit", least=least)
    less_than_seen = 1e-6 + 1e-6 * (axis.high - axis.low)
    assert axis.low <= min(values) + less_than_seen
    assert axis.high >= max(values) - less_than_seen
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 12
    assert all(-1e-6 <= axis.place(tick) <= 1 + 1e-6 for tick in ticks)


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=30))
def test_a_logarithmic_axis_doubles_from_tick_to_tick(values: list[float]) -> None:
    axis = plots.axis_over(values, "kbit/s", logarithmic=True)
    ticks = axis.ticks()
    assert len(ticks) <= 8
    for lower, upper in pairwise(ticks):
        doublings = math.log2(upper / lower)
        assert doublings == round(doublings) >= 1
    ascending = [axis.place(value) for value in sorted(values)]
    assert ascending == sorted(ascending)


def test_marks_lie_where_their_values_are() -> None:
    x = plots.Axis(unit="s", low=0, high=10)
    y = plots.Axis(unit="VMAF", low=0, high=100)
    series = [
        plots.Series(name="a", points=[(0, 0), (10, 100)]),
        plots.Series(name="b", points=[(5, 50)], mark="dots", labels=["<half>"]),
        plots.Series(name="c", points=[(0, 100), (5, 0), (10, 0)], mark="steps"),
    ]
    root = ElementTree.fromstring(plots.plot("p", "Title", "Words", x, y, series))
    paths = [each.get("d") for each in root.iter("path")]
    assert paths == ["M56 256L704 16", "M56 16H380L380 256H704L704 256"]
    (dot,) = root.iter("circle")
    assert (dot.get("cx"), dot.get("cy")) == ("380", "136")
    assert "".join(dot.itertext()) == "<half>"


@given(st.text(max_size=40))
def test_no_text_breaks_out_of_its_element(text: str) -> None:
    found = Seen(el("p", text, title=text))
    assert found.tags == ["p"]
    assert found.dangers == []
