"""Two control processes with different targets, and a play through both."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.conftest import FILM, FRAME_RATE
from tests.e2e.installation import Installation, wait_until
from tests.e2e.test_installation import answers

DECIDING = "playback,steering"
REST = "gateway,identity,catalog,viewers,licensing,rights,encoding,fill"


@pytest.fixture
def gateway_url(running_cuemark: Installation, free_ports: list[int]) -> Iterator[str]:
    public, first, second = free_ports
    at_first, at_second = f"http://127.0.0.1:{first}", f"http://127.0.0.1:{second}"
    deciding = ["run", DECIDING, f"--internal-port={first}"]
    deciding += [f"--peer={name}={at_second}" for name in REST.split(",")[1:]]
    rest = ["run", REST, f"--port={public}", f"--internal-port={second}"]
    rest += [f"--peer={name}={at_first}" for name in DECIDING.split(",")]
    with ExitStack() as stack:
        for argv in (deciding, rest):
            process = stack.enter_context(subprocess.Popen(running_cuemark.command(*argv)))
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
        url = f"http://127.0.0.1:{public}"
        wait_until(lambda: answers(url) and answers(at_first), 30, "both processes serve")
        yield url


def test_a_play_crosses_both_processes(running_cuemark: Installation, gateway_url: str) -> None:
    argv = [sys.executable, "-m", "cuemark.player", "--api", gateway_url, "--json"]
    argv += ["--code", running_cuemark.login_code(), FILM, "--seconds", "2", "--from", "0"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert (report["frames"], report["decode_errors"]) == (2 * FRAME_RATE, 0)
    processes = {event["process"] for event in running_cuemark.log(report["trace_id"])}
    assert f"control:{REST}" in processes
