# /// script
# [tool.cuemark]
# on = ["encoding.MasterLanded"]
# reads = ["master"]
# timeout_s = 600
# memory_mb = 2048
# retries = 1
# ///
"""Twenty frames of a master on one sheet, as soon as it has landed.

FFmpeg is in the same box: a broken master can make this run fail, and nothing else.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

COLUMNS, ROWS, WIDTH = 5, 4, 320


def main() -> None:
    told = json.load(sys.stdin)
    ffmpeg, ffprobe = told["tools"]["ffmpeg"], told["tools"]["ffprobe"]
    master = told["reads"]["master"]
    shown = ["-v", "error", "-print_format", "json", "-show_format", "-show_streams"]
    probed = json.loads(subprocess.run([ffprobe, *shown, master], stdout=subprocess.PIPE).stdout)
    kinds = {stream["codec_type"] for stream in probed.get("streams", [])}
    if "video" not in kinds:
        print("no pictures: a file of captions, say")
        return
    seconds = float(probed["format"]["duration"])
    name = re.sub(r"[^A-Za-z0-9]+", "-", Path(told["event"]["body"]["name"]).stem).strip("-")
    sheet = Path(told["output"]) / f"{name or 'master'}.jpg"
    every = seconds / (COLUMNS * ROWS)
    picture = f"fps=1/{every:.6f}:round=up,scale={WIDTH}:-2,tile={COLUMNS}x{ROWS}"
    subprocess.run(
        [ffmpeg, "-v", "error", "-i", master, "-vf", picture, "-frames:v", "1", str(sheet)],
        check=True,
    )
    print(f"{COLUMNS * ROWS} frames of {seconds:.1f} s")


if __name__ == "__main__":
    main()
