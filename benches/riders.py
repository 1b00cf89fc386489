"""Player processes, and orders to them."""

import contextlib
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benches.failure import BenchFailed
from benches.rider import Done, Order, Ride
from cuemark.kit.process import kill_group, launch_argv


class Riders:
    """Some player processes; an order's plays are dealt out among them."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]], output: Path) -> None:
        self._processes = processes
        self._output = output

    def ask(
        self, api_url: str, title_id: str, rides: Sequence[Ride], *, decode: bool = True
    ) -> Done:
        """Play all of them at once, to the end."""
        count = len(self._processes)
        asked = []
        for number, process in enumerate(self._processes):
            mine = list(rides[number::count])
            if mine:
                order = Order(api_url=api_url, title_id=title_id, rides=mine, decode=decode)
                assert process.stdin is not None
                process.stdin.write(msgspec.json.encode(order) + b"\n")
                process.stdin.flush()
                asked.append(process)
        answers = [self._answer(process) for process in asked]
        return Done(
            [outcome for answer in answers for outcome in answer.outcomes],
            sum(answer.cpu_s for answer in answers),
        )

    def _answer(self, process: subprocess.Popen[bytes]) -> Done:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise BenchFailed(f"a player process ended: {self._output.read_text()[-400:]}")
        return msgspec.json.decode(line, type=Done)


@contextlib.contextmanager
def riders(count: int, folder: Path) -> Iterator[Riders]:
    """So many player processes, as long as the block runs."""
    output = folder / "riders.out"
    argv = launch_argv([sys.executable, "-m", "benches.rider"])
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(output.open("ab"))
        processes = []
        for _ in range(count):
            process = stack.enter_context(
                subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stream)
            )
            stack.callback(kill_group, process.pid)
            processes.append(process)
        yield Riders(processes, output)


def spread_out(
    tokens: Sequence[str], *, film_s: float, seconds: float, within_s: float, seed: int
) -> list[Ride]:
    """Plays that begin at times and places of their own, the same at each run of a seed."""
    chance = random.Random(seed)
    latest_s = max(0.0, film_s - seconds - 0.5)
    return [
        Ride(
            token=token,
            from_s=chance.uniform(0, latest_s),
            seconds=min(seconds, film_s),
            after_s=chance.uniform(0, within_s),
        )
        for token in tokens
    ]
