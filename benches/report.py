"""The figures as a table on the screen and as ``docs/reference/benchmarks.md``."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.table import Table

from benches.figures import Figure
from benches.spread import shown

_HEAD = """\
# Benchmarks

`make bench` measures all of this and writes this page and [benchmarks.json](benchmarks.json);
nobody edits them. `python -m benches NAME...` runs some of the benches and keeps the figures of
the others; `--quick` takes a clip of 8 s and few repetitions, to see whether a bench runs, not to
quote it. Each is the median of its samples where there are several; *spread* is the least and
the greatest. A ratio is the value divided by its anchor, measured in the same run on the same
machine unless the anchor says otherwise: ratios carry over to other machines, times do not.

Load comes and goes over 127.0.0.1, so no figure holds a network. Of the programs that make the
load (players, clients, `wrk`) every process shares the cores with what is measured.
"""


def table(figures: Sequence[Figure]) -> Table:
    """The figures for a terminal."""
    shows = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Bench", "Figure"):
        shows.add_column(column)
    for column in ("Value", "Unit", "Anchor's", "Ratio"):
        shows.add_column(column, justify="left" if column == "Unit" else "right")
    for column in ("Anchor", "Spread"):
        shows.add_column(column, style="dim")
    last = ""
    for each in figures:
        anchor_value, ratio = _anchored(each)
        shows.add_row(
            each.bench if each.bench != last else "",
            each.what,
            shown(each.value),
            each.unit,
            anchor_value,
            ratio,
            each.anchor or "",
            each.spread,
        )
        last = each.bench
    return shows


def page(figures: Sequence[Figure], about: Mapping[str, str]) -> str:
    """The reference page; ``about`` tells of each bench what it does."""
    parts = [_HEAD]
    for bench, rows in groupby(figures, key=lambda each: each.bench):
        of_bench = list(rows)
        parts.append(f"\n## {bench}\n\n{about.get(bench, '').strip()}\n")
        for measured, together in groupby(of_bench, key=lambda each: each.measured):
            parts.append(
                f"\nMeasured {measured}.\n\n"
                "| figure | value | unit | anchor | anchor's value | ratio | spread |\n"
                "|---|---:|---|---|---:|---:|---|\n"
            )
            parts += [_line(each) for each in together]
    return "".join(parts)


def _line(each: Figure) -> str:
    anchor_value, ratio = _anchored(each)
    cells = (each.what, shown(each.value), each.unit, each.anchor or "")
    return "| " + " | ".join([*cells, anchor_value, ratio, each.spread]) + " |\n"


def _anchored(each: Figure) -> tuple[str, str]:
    value = "" if each.anchor_value is None else shown(each.anchor_value)
    return value, "" if each.ratio is None else shown(each.ratio)
