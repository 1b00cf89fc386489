"""Figures are kept in one file, of which a bench that runs replaces its own."""

import re
from pathlib import Path

import msgspec

from benches.figures import Anchor, Figure, figure, load, merged, save
from benches.pages import BENCHES
from benches.report import page, table

ORDER = ["ingest", "start", "hits"]


def test_a_figure_is_the_median_beside_its_anchor() -> None:
    made = figure("hits: 4 KB, CPU", [30.0, 10.0, 20.0], "us", Anchor("nginx", 8.0))
    assert (made.value, made.anchor, made.anchor_value, made.ratio) == (20, "nginx", 8, 2.5)
    assert made.spread == "10 to 30, n = 3"
    assert (made.bench, made.what) == ("hits", "4 KB, CPU")


def test_a_figure_without_an_anchor_has_no_ratio() -> None:
    made = figure("start: p50", 123.456, "ms")
    assert (made.value, made.anchor, made.anchor_value, made.ratio) == (123, None, None, None)


def test_an_anchor_of_nothing_gives_no_ratio() -> None:
    assert figure("start: p50", 1.0, "ms", Anchor("none", 0.0)).ratio is None


def test_a_bench_replaces_its_own_figures_and_keeps_the_others() -> None:
    kept = [
        figure("ingest: a", 1, "s"),
        figure("ingest: gone", 2, "s"),
        figure("later: of another release", 3, "s"),
        figure("hits: b", 4, "us"),
    ]
    fresh = [figure("ingest: a", 10, "s"), figure("start: c", 5, "ms")]
    names = [(each.name, each.value) for each in merged(kept, fresh, {"ingest", "start"}, ORDER)]
    assert names == [
        ("ingest: a", 10),
        ("start: c", 5),
        ("hits: b", 4),
        ("later: of another release", 3),
    ]


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    assert load(path) == []
    figures = [figure("hits: b", 4, "us", Anchor("nginx", 2)), figure("start: c", 5, "ms")]
    save(path, figures)
    assert load(path) == figures


def test_every_row_of_the_file_has_the_form_that_readers_expect(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    save(path, [figure("start: c", 5, "ms")])
    (row,) = msgspec.json.decode(path.read_bytes())
    form = {"name", "value", "unit", "anchor", "anchor_value", "ratio"}
    assert form <= set(row)
    assert row["anchor"] is row["anchor_value"] is row["ratio"] is None


def test_the_page_has_a_section_for_each_bench_and_tells_the_machine_of_each_run() -> None:
    figures = [
        Figure(name="ingest: a", value=1, unit="s", measured="yesterday"),
        Figure(name="ingest: b", value=2000, unit="s", measured="today"),
        figure("hits: c", [1.0, 2.0], "us", Anchor("nginx", 1.0)),
    ]
    written = page(figures, {"ingest": "\nHow films are ingested.\n", "hits": "How hits are."})
    assert written.index("## ingest\n\nHow films") < written.index("## hits\n\nHow hits")
    assert "Measured yesterday." in written
    assert "Measured today." in written
    assert "| b | 2,000 | s |  |  |  |  |" in written
    assert "| c | 1.5 | us | nginx | 1 | 1.5 | 1 to 2, n = 2 |" in written


def test_the_table_has_a_row_for_each_figure() -> None:
    assert table([figure("hits: c", 1, "us"), figure("hits: d", 1, "us")]).row_count == 2


def test_the_guide_tells_of_each_bench_once() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "how-to" / "measure.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| `(\w+)` \|", guide, re.M)) == sorted(BENCHES)
