"""A real S3 for the tests: SeaweedFS on a folder of its own, which can be away and come back."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from cuemark.kit.bucket import BucketAt
from cuemark.kit.process import kill_group, launch_argv

BUCKET = "films"
ACCESS_KEY_ID, SECRET_ACCESS_KEY = "cuemark-tests", "cuemark-tests-secret"
READY_S = 60.0
_PARTS = ("master.port", "volume.port", "filer.port")
_GRPC = 10_000
"""Each part listens on a second port, so far above the first."""


class Wire:
    """TCP to a server of this machine, on a port of its own, that can be cut."""

    def __init__(self, host: str, behind: int) -> None:
        self._host = host
        self._behind = behind
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._accept()

    def cut(self) -> None:
        """Nobody answers from now on, and what was under way breaks off."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._listener = socket.create_server((self._host, self.port))
        self._accept()

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection((self._host, self._behind))
                for source, to in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=(source, to), daemon=True).start()

    def _carry(self, source: socket.socket, to: socket.socket) -> None:
        self._open.add(source)
        with source, contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)
        self._open.discard(source)


class BucketServer:
    """SeaweedFS on ``folder``, serving S3 on ``host`` with one bucket."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.host = host
        ports = _free_ports(host, len(_PARTS) + 1)
        self.port = ports[0]
        self._parts = dict(zip(_PARTS, ports[1:], strict=True))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}"

    def at(self, prefix: str = "", secret: str = SECRET_ACCESS_KEY, port: int = 0) -> BucketAt:
        return BucketAt(
            bucket=BUCKET,
            prefix=prefix,
            endpoint=f"http://{self.host}:{port or self.port}",
            access_key_id=ACCESS_KEY_ID,
            secret_access_key=secret,
        )

    def start(self) -> None:
        """Start it; returns when the bucket is there."""
        self.folder.mkdir(exist_ok=True)
        keys = {"accessKey": ACCESS_KEY_ID, "secretKey": SECRET_ACCESS_KEY}
        actions = ["Admin", "Read", "Write", "List"]
        config = self.folder / "s3.json"
        identity = {"name": "tests", "credentials": [keys], "actions": actions}
        config.write_text(json.dumps({"identities": [identity]}))
        argv = [str(Path(sys.executable).parent / "weed"), "-logtostderr", "server"]
        argv += [f"-dir={self.folder}", f"-ip={self.host}", f"-ip.bind={self.host}", "-s3"]
        argv += [f"-s3.port={self.port}", f"-s3.config={config}", "-master.telemetry=false"]
        argv += ["-volume.max=40", "-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0"]
        argv += ["-s3.port.lance=0", "-volume.minFreeSpace=0"]
        argv += [f"-{part}={port}" for part, port in self._parts.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                launch_argv(argv, on_parent_death=signal.SIGKILL), stdout=log, stderr=log
            )
        self._wait_ready()

    def stop(self) -> None:
        """Kill it: nobody answers from then on."""
        if self._process is not None:
            kill_group(self._process.pid)
            self._process.wait()
            self._process = None
        for port in (self.port, *self._parts.values()):
            for socket_file in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket_file.unlink(missing_ok=True)
            for socket_file in Path("/tmp").glob(f"seaweedfs-*-grpc-{port + _GRPC}.sock"):
                socket_file.unlink(missing_ok=True)

    def _wait_ready(self) -> None:
        deadline_s = time.monotonic() + READY_S
        while time.monotonic() < deadline_s:
            assert self._process is not None
            assert self._process.poll() is None, self._said()
            with contextlib.suppress(OSError):
                socket.create_connection((self.host, self.port), 1).close()
                if self._make_bucket():
                    return
            time.sleep(0.1)
        raise AssertionError(f"no S3 within {READY_S} s: {self._said()}")

    def _make_bucket(self) -> bool:
        """Whether the bucket takes an object: this server makes one at the first."""
        store = S3Store(
            BUCKET,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key_id=ACCESS_KEY_ID,
            secret_access_key=SECRET_ACCESS_KEY,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
        with contextlib.suppress(BaseError, FileNotFoundError):
            store.put("ready", b"")
            return True
        return False

    def _said(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]


def _free_ports(host: str, count: int) -> list[int]:
    """Ports whose gRPC neighbors are free as well."""
    found: list[int] = []
    candidate = 12_000 + os.getpid() % 4000
    while len(found) < count:
        candidate += 1
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in (candidate, candidate + _GRPC):
                stack.enter_context(socket.create_server((host, port)))
            found.append(candidate)
    return found


@pytest.fixture(scope="session")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    """One S3 for a test process."""
    server = BucketServer(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()
