"""A run of the lab as one HTML file that needs nothing else: each viewer's line through time."""

from html import escape

from cuemark.lab.cdn.outcome import Outcome, Viewer

_WIDTH, _LEFT, _ROW, _TOP = 1000, 90, 24, 40
_COLORS = (
    "#0b6e4f",
    "#3057b5",
    "#c05a00",
    "#7b3fa0",
    "#007c91",
    "#9c2f4b",
    "#5c6b00",
    "#6b4f3a",
)
_STYLE = (
    "body{font:15px system-ui,sans-serif;max-width:1040px;margin:2em auto;padding:0 1em;"
    "color:#222;background:#fff}table{border-collapse:collapse}td,th{padding:.2em 1em .2em 0;"
    "text-align:right;font-variant-numeric:tabular-nums}td:first-child,th:first-child"
    "{text-align:left}text{font-size:12px;fill:#444}.key span{margin-right:1.5em}"
    ".key i{display:inline-block;width:1em;height:1em;margin-right:.4em;vertical-align:-.15em}"
)


def page(of: Outcome) -> str:
    """The page."""
    names = sorted({span.appliance_id for viewer in of.viewers for span in viewer.spans})
    colors = {name: _COLORS[number % len(_COLORS)] for number, name in enumerate(names)}
    key = "".join(
        f'<span><i style="background:{color}"></i>{escape(name)}</span>'
        for name, color in colors.items()
    )
    told = (
        f"{len(of.viewers)} viewers, {of.failed} plays failed, {of.stalls} stalls; "
        f"{of.rebuffer_ratio:.2%} of their time they waited. Starts took "
        f"{of.startup_p50_ms / 1000:.1f} s at the median."
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>A network in the lab</title>'
        f"<style>{_STYLE}</style><h1>A network in the lab</h1><p>{told}</p>"
        f'<p class="key">{key}<span><i style="background:#d00"></i>waits</span>'
        '<span><i style="background:#f3d9a4"></i>a fault</span></p>'
        f"{_chart(of, colors)}{_faults(of)}{_viewers(of)}</html>\n"
    )


def _chart(of: Outcome, colors: dict[str, str]) -> str:
    height = _TOP + _ROW * len(of.viewers) + 30
    bottom = height - 24
    parts = []
    for number, fault in enumerate(of.faults):
        left = _x(fault.at_s, of)
        right = _x(of.seconds if fault.until_s is None else min(fault.until_s, of.seconds), of)
        parts.append(
            f'<rect x="{left:.1f}" y="{_TOP - 6}" width="{max(right - left, 2):.1f}" '
            f'height="{bottom - _TOP + 6}" fill="#f3d9a4" opacity=".5"/>'
            f'<text x="{left:.1f}" y="{14 + 12 * (number % 2)}">{escape(fault.fault)}</text>'
        )
    for number, viewer in enumerate(of.viewers):
        parts.append(_row(viewer, _TOP + _ROW * number, of, colors))
    step = max(1, round(of.seconds / 10))
    for at_s in range(0, int(of.seconds) + 1, step):
        parts.append(f'<text x="{_x(at_s, of):.1f}" y="{height - 4}">{at_s} s</text>')
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="Whom each viewer fetched from, and when">{"".join(parts)}</svg>'
    )


def _row(viewer: Viewer, top: int, of: Outcome, colors: dict[str, str]) -> str:
    parts = [f'<text x="0" y="{top + 14}">{escape(viewer.name)}</text>']
    for span in viewer.spans:
        left, right = _x(span.from_s, of), _x(span.to_s, of)
        about = f"{span.appliance_id}, {span.from_s:.1f} to {span.to_s:.1f} s"
        parts.append(
            f'<rect x="{left:.1f}" y="{top + 2}" width="{max(right - left, 1):.1f}" height="14" '
            f'fill="{colors[span.appliance_id]}"><title>{escape(about)}</title></rect>'
        )
    for wait in viewer.waits:
        left, right = _x(wait.from_s, of), _x(wait.to_s, of)
        parts.append(
            f'<rect x="{left:.1f}" y="{top + 16}" width="{max(right - left, 2):.1f}" height="4" '
            f'fill="#d00"><title>waited {wait.to_s - wait.from_s:.1f} s</title></rect>'
        )
    return "".join(parts)


def _faults(of: Outcome) -> str:
    rows = "".join(
        f"<tr><td>{escape(each.fault)}</td><td>{each.moved} of {len(of.viewers)}</td>"
        f"<td>{_seconds(each.first_s)}</td><td>{_seconds(each.last_s)}</td></tr>"
        for each in of.faults
    )
    head = "<tr><th>Fault</th><th>viewers moved</th><th>the first after</th><th>the last</th></tr>"
    return f"<h2>What the faults did</h2><table>{head}{rows}</table>" if rows else ""


def _viewers(of: Outcome) -> str:
    rows = "".join(
        f"<tr><td>{escape(each.name)}</td><td>{escape(each.network)}</td>"
        f"<td>{each.startup_ms / 1000:.1f} s</td><td>{each.stalls}</td>"
        f"<td>{each.stall_ms / 1000:.1f} s</td><td>{each.mean_kbps:.0f}</td>"
        f"<td>{sum(each.moves.values())}</td><td>{escape(each.error or 'to the end')}</td></tr>"
        for each in of.viewers
    )
    head = (
        "<tr><th>Viewer</th><th>network</th><th>start</th><th>stalls</th><th>waited</th>"
        "<th>kbit/s</th><th>moves</th><th>ended</th></tr>"
    )
    return f"<h2>The viewers</h2><table>{head}{rows}</table>"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _x(at_s: float, of: Outcome) -> float:
    return _LEFT + (_WIDTH - _LEFT) * at_s / max(of.seconds, 1e-9)
