"""Small films of high dynamic range, and of ten bits: two shots each, rendered here."""

from pathlib import Path

from tests.e2e.installation import ffmpeg

RATE, SHOT_FRAMES = 25, 25
FRAMES = 2 * SHOT_FRAMES
WIDTH, HEIGHT = 256, 144
MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
"""P3 on a display of 0.005 to 1000 cd/m2, as x265 takes it."""

MAX_CLL, MAX_FALL = 980, 180
PQ, HLG = "smpte2084", "arib-std-b67"
BRIGHTEST_CODE = 722
"""Of luma in ten bits, limited range: 1000 cd/m2 in PQ."""


def high_range(
    target: Path,
    transfer: str = PQ,
    *,
    primaries: str = "bt2020",
    matrix: str = "bt2020nc",
    light: str = f":hdr10=1:master-display={MASTERING}:max-cll={MAX_CLL},{MAX_FALL}",
    samples: str = "yuv420p10le",
) -> Path:
    """A film of HEVC with these tags; ``light`` is x265's parameters."""
    part = f"trim=end_frame={SHOT_FRAMES},scale={WIDTH}:{HEIGHT}:flags=area,format=yuv420p10le"
    span = f"64+(val-64)*{(BRIGHTEST_CODE - 64) / 876:.4f}"
    tags = f"range=tv:color_primaries={primaries}:color_trc={transfer}:colorspace={matrix}"
    graph = (
        f"[0:v]{part}[a];[1:v]{part},hflip,negate[b];[a][b]concat=n=2,"
        f"lutyuv=y='{span}',format={samples},setparams={tags}[v]"
    )
    ffmpeg(
        *["-f", "lavfi", "-i", f"mandelbrot=s={3 * WIDTH}x{3 * HEIGHT}:r={RATE}:start_scale=0.5"],
        *["-f", "lavfi", "-i", f"testsrc2=s={WIDTH}x{HEIGHT}:r={RATE}"],
        *["-filter_complex", graph, "-map", "[v]", "-c:v", "libx265", "-preset", "ultrafast"],
        *["-crf", "8", "-x265-params", f"log-level=error{light}", "-tag:v", "hvc1", str(target)],
    )
    return target
