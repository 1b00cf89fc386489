"""A router of a test's own: BIRD in a network namespace, with a cable to the test."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

OUR_ASN, ITS_ASN, PORT = 64500, 64501, 1790


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr or done.stdout}"
    return done.stdout


@dataclass
class Router:
    """``address`` is the router's, ``here`` the test's on the same cable."""

    namespace: str
    folder: Path
    address: str
    here: str
    process: subprocess.Popen[bytes] | None = None

    def start(self, routes: Sequence[str]) -> None:
        """Serve BGP, announcing ``routes``: BIRD's words for static ones, after ``route``."""
        self._configure(routes)
        files = ["-c", "bird.conf", "-s", "bird.ctl", "-P", "bird.pid"]
        argv = ["ip", "netns", "exec", self.namespace, "bird", "-f", *files]
        self.process = subprocess.Popen(argv, cwd=self.folder)

    def announce(self, routes: Sequence[str]) -> None:
        """Announce these instead of those before."""
        self._configure(routes)
        self._say("configure")

    def kill(self) -> None:
        """The router is gone, and its kernel closes what it had open."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _say(self, *words: str) -> None:
        _run("birdc", "-s", str(self.folder / "bird.ctl"), *words)

    def _configure(self, routes: Sequence[str]) -> None:
        kinds = {
            kind: " ".join(f"route {each};" for each in routes if (":" in each) == (kind == "ipv6"))
            for kind in ("ipv4", "ipv6")
        }
        (self.folder / "bird.conf").write_text(
            f"""
router id {self.address};
protocol device {{}}
protocol static {{ ipv4; {kinds["ipv4"]} }}
protocol static {{ ipv6; {kinds["ipv6"]} }}
protocol bgp edge {{
  local {self.address} port {PORT} as {ITS_ASN};
  neighbor {self.here} as {OUR_ASN};
  passive on;
  multihop;
  ipv4 {{ import none; export all; }};
  ipv6 {{ import none; export all; next hop address 2001:db8::2; }};
}}
"""
        )


@contextlib.contextmanager
def router(folder: Path, number: int = 1) -> Iterator[Router]:
    """A router that does not serve yet; skips where namespaces may not be."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a router of a test's own needs root and iproute2")
    assert shutil.which("bird"), "bird is missing: run apt-get install bird2"
    name = f"cm{os.getpid()}r{number}"
    # A network of its own for each process of tests, of those for benchmarks (RFC 2544).
    base = f"198.{18 + os.getpid() % 2}.{os.getpid() // 2 % 256}"
    here, there = f"{base}.{4 * number + 1}", f"{base}.{4 * number + 2}"
    _run("ip", "netns", "add", name)
    made = Router(name, folder, there, here)
    folder.mkdir(parents=True, exist_ok=True)
    cable = f"c{os.getpid()}n{number}"
    try:
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", "cable", "netns", name)
        _run("ip", "addr", "add", f"{here}/30", "dev", cable)
        _run("ip", "link", "set", cable, "up")
        _run("ip", "-n", name, "addr", "add", f"{there}/30", "dev", "cable")
        _run("ip", "-n", name, "link", "set", "cable", "up")
        yield made
    finally:
        made.kill()
        subprocess.run(["ip", "netns", "del", name], check=False)
        subprocess.run(["ip", "link", "del", cable], check=False, capture_output=True)
