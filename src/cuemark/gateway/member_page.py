"""The member page: what the build left in a folder, served with the right lifetimes."""

import functools
import gzip
from pathlib import Path, PurePosixPath
from typing import NamedTuple

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_SHRINKS = frozenset({".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".webmanifest"})
_SHRUNK_FILES = 128
_ABSENT = (
    b"<!doctype html><title>No page</title>"
    b"<p>The member page is not part of this install: build it from the folder web/.</p>"
)


class PageFile(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


def page_file(folder: Path, path: str, *, takes_gzip: bool) -> PageFile | None:
    """What a browser gets for ``path``: a file of the page, or ``index.html`` for a view of it.

    None for an asset that is not there. Nothing outside ``folder`` is read, whatever ``path``
    says. Reads from disk: call it in a thread.
    """
    if not (folder / "index.html").is_file():
        absent = {"content-type": _MEDIA_TYPES[".html"], "cache-control": "no-store"}
        return PageFile(503, _ABSENT, absent)
    wanted = _inside(folder, path)
    is_asset = path == "/assets" or path.startswith("/assets/")
    if wanted is None and is_asset:
        return None
    file = wanted or folder / "index.html"
    headers = {
        "content-type": _MEDIA_TYPES.get(file.suffix, "application/octet-stream"),
        "cache-control": IMMUTABLE if is_asset else REVALIDATE,
    }
    if file.suffix not in _SHRINKS:
        return PageFile(200, file.read_bytes(), headers)
    headers["vary"] = "accept-encoding"
    if not takes_gzip:
        return PageFile(200, file.read_bytes(), headers)
    headers["content-encoding"] = "gzip"
    return PageFile(200, _shrunk(file, file.stat().st_mtime_ns), headers)


@functools.lru_cache(maxsize=_SHRUNK_FILES)
def _shrunk(file: Path, mtime_ns: int) -> bytes:
    return gzip.compress(file.read_bytes(), mtime=0)


def _inside(folder: Path, path: str) -> Path | None:
    """The file of ``folder`` that ``path`` names, links followed; None where there is none."""
    parts = PurePosixPath(path.lstrip("/")).parts
    if "\x00" in path or any(part in ("..", "/") or part.startswith(".") for part in parts):
        return None
    root = folder.resolve()
    try:
        file = root.joinpath(*parts).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None
    except OSError:
        return None
