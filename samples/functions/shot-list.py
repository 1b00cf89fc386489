# /// script
# [tool.cuemark]
# on = ["encoding.VersionPublished"]
# reads = ["title", "report"]
# timeout_s = 30
# ///
"""The shots of a film as an edit decision list (CMX 3600) and as a table, for an editing room.

A film's quick and full version have the same shots: the second run writes the same again.
"""

import csv
import json
import re
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path


def main() -> None:
    told = json.load(sys.stdin)
    title = json.loads(Path(told["reads"]["title"]).read_text())
    report = json.loads(Path(told["reads"]["report"]).read_text())
    version = report["version"]
    rate = Fraction(version["frame_rate"])
    end = round(Fraction(version["duration_s"]) * rate)
    shots = list(pairwise([*report["shots"], end]))
    output = Path(told["output"])
    name = re.sub(r"[^a-z0-9]+", "-", title["name"].lower()).strip("-") or "film"
    (output / f"{name}.edl").write_text(edl(title["name"], shots, round(rate)))
    with (output / f"{name}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["shot", "first_frame", "frames", "begins_s", "seconds"])
        for number, (first, after) in enumerate(shots, 1):
            begins_s, seconds = float(first / rate), float((after - first) / rate)
            table.writerow([number, first, after - first, f"{begins_s:.3f}", f"{seconds:.3f}"])
    print(f"{len(shots)} shots of {title['name']}")


def edl(name: str, shots: list[tuple[int, int]], fps: int) -> str:
    """Non-drop-frame timecode, which counts frames: nothing is lost at 23.976 frames a second."""
    lines = [f"TITLE: {' '.join(name.upper().split())[:70]}", "FCM: NON-DROP FRAME", ""]
    for number, (first, after) in enumerate(shots[:9999], 1):
        begin, end = timecode(first, fps), timecode(after, fps)
        lines.append(f"{number:03}  AX       V     C        {begin} {end} {begin} {end}")
    return "\n".join(lines) + "\n"


def timecode(frame: int, fps: int) -> str:
    seconds, frames = divmod(frame, fps)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}:{frames:02}"


if __name__ == "__main__":
    main()
