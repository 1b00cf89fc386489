"""What runs in the namespaces of a lab: an install, appliances, routers and viewers."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from cuemark.lab.cdn.client import Ending, Glance
from cuemark.lab.cdn.layout import (
    AGENT_PORT,
    ASN,
    BGP_PORT,
    CONTROL_PORT,
    FIRST_NETWORK_ASN,
    HUB,
    ORIGIN_PORT,
    VISITOR,
    WEB_PORT,
    Layout,
    Place,
    prefix_of,
)
from cuemark.lab.cdn.network import LabUnable, Network, call
from cuemark.lab.cdn.visitor import Visit

COMMAND_S, INGEST_S = 180.0, 900.0
STOP_S = 20.0


class Lab:
    """Everything on ``folder``, in the namespaces of ``network``."""

    def __init__(self, folder: Path, layout: Layout, network: Network) -> None:
        self._folder = folder
        self._layout = layout
        self._network = network
        self._started: list[subprocess.Popen[bytes]] = []
        self._groups: dict[str, int] = {}

    @property
    def api_url(self) -> str:
        return f"http://{self._layout.hub.address}:{WEB_PORT}"

    def make_install(self, capacity_kbps: int) -> None:
        """An install without appliances of its own, told of those elsewhere."""
        hub = self._folder / HUB
        hub.mkdir(mode=0o700, parents=True)
        settings = {
            "bind": self._layout.hub.address,
            "port": WEB_PORT,
            "appliances": 0,
            "thumbnails": False,
            "appliances_elsewhere": [edge.name for edge in self._layout.edges],
            "sites": {edge.name: self._site(edge, capacity_kbps) for edge in self._layout.edges},
        }
        (hub / "cuemark.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
        self.start_install()

    def start_install(self) -> None:
        """The install, and the way to it from the appliances."""
        hub = self._folder / HUB
        self.cuemark("up", "--detach")
        ports = msgspec.json.decode((hub / "run" / "ports.json").read_bytes())
        for port, to_port in ((CONTROL_PORT, ports["internal"]), (ORIGIN_PORT, ports["origin"])):
            argv = ["-m", "cuemark.lab.cdn.relay", self._layout.hub.address, str(port)]
            self._start(HUB, [sys.executable, *argv, str(to_port)], "relay")

    def stop(self) -> None:
        """End all that was started, in order where it can be."""
        for place in self._layout.places:
            self._network.send(place.name, signal.SIGCONT)
        for child in reversed(self._started):
            if child.poll() is None:
                child.terminate()
        for child in self._started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_S)
        with contextlib.suppress(LabUnable, subprocess.TimeoutExpired):
            self.cuemark("down")

    def ingest(self, film: Path, name: str) -> None:
        flags = ["--title", name, "--effort", "fast", "--wait"]
        self.cuemark("ingest", str(film), *flags, limit_s=INGEST_S)

    def start_appliance(self, name: str) -> None:
        file = self._folder / f"{name}.toml"
        if not file.exists():
            place, hub = self._layout.named(name), self._layout.hub.address
            self.cuemark(
                *("host", "appliance", name, str(file)),
                f"--url=http://{place.address}:{WEB_PORT}",
                f"--control-url=http://{hub}:{CONTROL_PORT}",
                f"--origin-url=http://{hub}:{ORIGIN_PORT}",
            )
            said = tomllib.loads(file.read_text(encoding="utf-8"))
            said |= {"port": WEB_PORT, "agent_port": AGENT_PORT}
            file.write_text(tomli_w.dumps(said), encoding="utf-8")
        data = self._folder / name
        argv = ["appliance", f"--config={file}", f"--data={data}"]
        self._start(name, [sys.executable, "-m", "cuemark.app.cli", *argv], name)

    def start_router(self, network: Place, *, tells: bool = True) -> None:
        """BIRD, which tells the appliances of its network that its clients are theirs."""
        folder = self._folder / network.name
        folder.mkdir(exist_ok=True)
        (folder / "bird.conf").write_text(self._bird(network, tells), encoding="ascii")
        argv = ["bird", "-f", "-c", "bird.conf", "-s", "bird.ctl", "-P", "bird.pid"]
        self._start(network.name, argv, f"{network.name}-bird", folder)

    def route(self, network: Place, *, tells: bool) -> None:
        """Announce the network's prefix, or withdraw it."""
        folder = self._folder / network.name
        (folder / "bird.conf").write_text(self._bird(network, tells), encoding="ascii")
        call("birdc", "-s", str(folder / "bird.ctl"), "configure")

    def silence(self, network: Place) -> None:
        """Kill the network's router; its lines go on carrying."""
        self._network.send(network.name, signal.SIGKILL)

    def wait_ready(self, versions: int, limit_s: float) -> None:
        """Until each appliance is healthy, holds the versions and is told routes."""

        def ready() -> bool:
            found = self.json("appliances", "list")["appliances"]
            return len(found) == len(self._layout.edges) and all(
                each["healthy"] and each["versions"] >= versions and each["routes"] > 0
                for each in found
            )

        self._until(ready, limit_s, "an appliance is not ready")

    def start_viewer(
        self, place: Place, title: str, seconds: float, form: str
    ) -> subprocess.Popen[bytes]:
        """One play; what it tells is in ``glances_of``."""
        email = f"{place.name}@lab.example"
        code = self.json("account", "login-link", email, "--create")["code"]
        argv = ["-m", "cuemark.lab.cdn.client", title, self.api_url, code, str(seconds), form]
        return self._start(place.name, [sys.executable, *argv], place.name)

    def start_visitor(self, title: str) -> None:
        """One who browses until the lab ends; what he tells is in ``visits``."""
        email = "visitor@lab.example"
        code = self.json("account", "login-link", email, "--create")["code"]
        argv = ["-m", "cuemark.lab.cdn.visitor", title, self.api_url, code]
        self._start(VISITOR, [sys.executable, *argv], VISITOR)

    def visits(self) -> list[Visit]:
        visits = []
        for line in (self._folder / f"{VISITOR}.out").read_bytes().splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                visits.append(msgspec.json.decode(line, type=Visit))
        return visits

    def glances_of(self, place: Place) -> tuple[list[Glance], Ending | None]:
        """What a viewer told, and how the play ended, where it did."""
        glances, ending = list[Glance](), None
        for line in (self._folder / f"{place.name}.out").read_bytes().splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                told = msgspec.json.decode(line, type=Glance | Ending)
                if isinstance(told, Glance):
                    glances.append(told)
                else:
                    ending = told
        return glances, ending

    def stored_files(self, appliance: str) -> list[Path]:
        """All that an appliance holds, in a fixed order."""
        return sorted((self._folder / appliance).glob(f"appliances/{appliance}/store/??/*"))

    def send(self, part: str, number: signal.Signals) -> None:
        """Signal a part of the install, control or origin, with its processes.

        Which they are is asked for once: who stands still does not answer.
        """
        if part not in self._groups:
            self._groups[part] = int(self.json("status")["pids"][part])
        os.killpg(self._groups[part], number)

    def cuemark(self, *arguments: str, limit_s: float = COMMAND_S) -> str:
        """Run a command of the install's operator; its stdout. Raises ``LabUnable``."""
        argv = [sys.executable, "-m", "cuemark.app.cli", *arguments]
        argv += [f"--data={self._folder / HUB}"]
        done = subprocess.run(
            self._network.inside(HUB, argv),
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
        )
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines()
            raise LabUnable(f"cuemark {arguments[0]}: {words[-1] if words else 'no message'}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return msgspec.json.decode(self.cuemark(*arguments, "--json").strip().splitlines()[-1])

    def _site(self, edge: Place, capacity_kbps: int) -> dict[str, Any]:
        router = self._layout.networks[edge.network - 1]
        peer = {
            "address": router.address,
            "asn": FIRST_NETWORK_ASN + edge.network - 1,
            "local_address": edge.address,
            "allow": [prefix_of(edge.network)],
            "private": True,
            "port": BGP_PORT,
            "hold_time_s": 3,
        }
        bgp = {"asn": ASN, "router_id": edge.address, "peers": [peer]}
        return {"capacity_kbps": capacity_kbps, "bgp": bgp}

    def _bird(self, network: Place, tells: bool) -> str:
        route = f"route {prefix_of(network.network)} blackhole;" if tells else ""
        sessions = "".join(
            f"""
protocol bgp edge{number} {{
  local {network.address} port {BGP_PORT} as {FIRST_NETWORK_ASN + network.network - 1};
  neighbor {edge.address} as {ASN};
  passive on;
  multihop;
  ipv4 {{ import none; export all; }};
}}
"""
            for number, edge in enumerate(self._layout.edges_of(network.network), start=1)
        )
        return (
            f"router id {network.address};\nprotocol device {{}}\n"
            f"protocol static {{ ipv4; {route} }}\n{sessions}"
        )

    def _start(
        self, name: str, argv: Sequence[str], log: str, folder: Path | None = None
    ) -> subprocess.Popen[bytes]:
        with (
            (self._folder / f"{log}.out").open("ab") as out,
            (self._folder / f"{log}.err").open("ab") as err,
        ):
            child = subprocess.Popen(
                self._network.inside(name, argv), stdout=out, stderr=err, cwd=folder
            )
        self._started.append(child)
        return child

    def _until(self, true: Callable[[], bool], limit_s: float, what: str) -> None:
        deadline_s = time.monotonic() + limit_s
        while not true():
            if time.monotonic() > deadline_s:
                raise LabUnable(f"{what} after {limit_s:.0f} s: see {self._folder}")
            time.sleep(0.5)
