"""The report as a page, and its plots."""

import base64
import hashlib
import math
import re
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.report import Kept, of_version
from cuemark.contracts.encoding import StageTime
from cuemark.gateway.operations import plots
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
    for name in ("hull", "vmaf", "crf", "segments"):
        assert f'aria-labelledby="{name}-title {name}-desc"' in text
    for rendition in version().renditions:
        assert f'<th scope="row">{rendition.rendition_id}</th>' in text
    assert "5th percentile" in text
    assert '<th scope="row">0.00 s</th><td class="n">22.5</td><td class="n">75.7</td>' in text
    assert "VMAF NEG" in text
    assert "probes" in text


def test_a_report_without_measurements_is_a_page_all_the_same() -> None:
    text = report_page(of_version(version(), Kept(), [], ""), "Film", {})
    assert "No measurements were kept" in text
    assert "Ladder" in text


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    st.none() | st.floats(0, 100),
)
def test_an_axis_has_room_for_its_values_and_few_ticks(
    values: list[float], least: float | None
) -> None:
    axis = plots.axis_over(values, "unit", least=least)
    assert axis.low <= min(values) + 1e-6 * abs(min(values)) + 1e-6
    assert axis.high >= max(values) - 1e-6 * abs(max(values)) - 1e-6
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
