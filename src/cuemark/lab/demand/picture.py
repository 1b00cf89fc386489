"""A comparison as one HTML file that needs nothing else: the backbone, hour by hour."""

from html import escape

import numpy as np

from cuemark.contexts.fill.model.catalog import DAY_H, Floats
from cuemark.lab.demand.comparison import CLAIRVOYANT, LRU, PLAN, S3_FIFO, Comparison

SHOWN_DAYS = 7
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 1000, 320, 60, 24
_COLORS = {PLAN: "#0b6e4f", S3_FIFO: "#c05a00", LRU: "#9a9a9a", CLAIRVOYANT: "#3057b5"}
_STYLE = (
    "body{font:15px system-ui,sans-serif;max-width:1040px;margin:2em auto;padding:0 1em;"
    "color:#222;background:#fff}td,th{padding:.2em 1em;text-align:right}"
    "td:first-child,th:first-child{text-align:left}text{font-size:12px;fill:#555}"
)


def page(of: Comparison) -> str:
    """The page. Bytes are gigabytes of all regions together; time is UTC."""
    wish = of.world.wish
    asked = of.outcomes["asked for"]
    rows = "".join(
        f'<tr><td style="color:{color}">{escape(name)}</td>'
        f"<td>{of.outcomes[name].evening_mean_bytes / asked.evening_mean_bytes:.1%}</td>"
        f"<td>{of.outcomes[name].evening_worst_bytes / asked.evening_worst_bytes:.1%}</td>"
        f"<td>{of.outcomes[name].total_bytes / asked.total_bytes:.1%}</td></tr>"
        for name, color in _COLORS.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Weeks of demand</title>'
        f"<style>{_STYLE}</style><h1>Weeks of demand</h1>"
        f"<p>Seed {wish.seed}, {wish.days} days, {of.world.catalog.files:,} files, "
        f"Zipf {wish.zipf}, {of.cache_share:.0%} of the catalog in each region.</p>"
        f"<h2>Over the backbone, the last {SHOWN_DAYS} days, GB an hour</h2>{_chart(of)}"
        "<h2>Of what was asked for</h2><table><tr><th></th><th>evenings, mean</th>"
        f"<th>worst evening</th><th>all hours</th></tr>{rows}</table></html>\n"
    )


def _chart(of: Comparison) -> str:
    last = SHOWN_DAYS * DAY_H
    lines = {name: of.backbones[name].all.sum(axis=0)[-last:] / 1e9 for name in _COLORS}
    top = max(float(line.max()) for line in lines.values()) or 1.0
    marks = "".join(
        f'<text x="0" y="{_y(value, top):.0f}">{value:.0f}</text>'
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{_y(value, top):.0f}" y2="{_y(value, top):.0f}" '
        'stroke="#ddd"/>'
        for value in np.linspace(0, top, 5)
    )
    drawn = "".join(
        f'<polyline fill="none" stroke-width="1.5" stroke="{_COLORS[name]}" '
        f'points="{_points(line, top)}"><title>{escape(name)}</title></polyline>'
        for name, line in lines.items()
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="Bytes over the backbone, by hour">{marks}{drawn}</svg>'
    )


def _points(line: Floats, top: float) -> str:
    step = (_WIDTH - _LEFT) / max(len(line) - 1, 1)
    return " ".join(
        f"{_LEFT + number * step:.1f},{_y(value, top):.1f}"
        for number, value in enumerate(line.tolist())
    )


def _y(value: float, top: float) -> float:
    return (_HEIGHT - _BOTTOM) * (1 - value / top) + 12
