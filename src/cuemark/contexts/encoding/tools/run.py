"""The one place that runs a media tool: as a child of our own, at low priority, bounded in time.

ToolFailed
`-- ToolTimedOut
Hindered             the machine kept the tool from its work, which says nothing of the film
"""

import resource
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from cuemark.contexts.encoding.model.hindrance import Hindrance, of_tool
from cuemark.kit.process import kill_group, launch_argv

NICENESS = 10
_LAST_LINES = 3


class ToolFailed(Exception):
    """The tool ended with an error; the text is one sentence with its last words."""


class ToolTimedOut(ToolFailed):
    """The tool was ended because it ran past its time."""


class Hindered(Exception):
    """The work can be done when the machine allows it; ``hindrance`` says what is in the way."""

    def __init__(self, hindrance: Hindrance, text: str) -> None:
        super().__init__(text)
        self.hindrance = hindrance


class Finished(msgspec.Struct, frozen=True):
    """What a tool printed and what it cost. CPU is that of this process's children meanwhile."""

    stdout: bytes
    stderr: str
    cpu_s: float
    wall_s: float


def run(argv: Sequence[str], *, cwd: Path | None = None, timeout_s: float = 3600) -> Finished:
    """Run a tool to its end; raises ``ToolFailed``."""
    cpu_s, began_s = _children_cpu_s(), time.monotonic()
    with _child(argv, cwd, subprocess.PIPE) as child:
        try:
            stdout, stderr = child.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ToolTimedOut(f"{_name(argv)} ran longer than {timeout_s:.0f} s") from error
        text = stderr.decode(errors="replace")
        if child.returncode:
            raise _failure(child.returncode, text, _last_words(argv, child.returncode, text))
    return Finished(stdout, text, _children_cpu_s() - cpu_s, time.monotonic() - began_s)


def read_frames(
    argv: Sequence[str], frame_bytes: int, *, at_once: int = 64, timeout_s: float = 14_400
) -> Iterator[bytes]:
    """Run a tool that writes raw frames to its stdout; yield up to ``at_once`` of them a time."""
    deadline_s = time.monotonic() + timeout_s
    with _child(argv, None, subprocess.DEVNULL) as child:
        assert child.stdout is not None
        while block := _read_whole(child.stdout, frame_bytes * at_once):
            if time.monotonic() > deadline_s:
                raise ToolTimedOut(f"{_name(argv)} ran longer than {timeout_s:.0f} s")
            if whole := len(block) // frame_bytes * frame_bytes:
                yield block[:whole]
        if code := child.wait():
            raise _failure(code, "", f"{_name(argv)} could not read the film to its end")


@contextmanager
def _child(argv: Sequence[str], cwd: Path | None, stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    nice = ["nice", "-n", str(NICENESS)]
    with subprocess.Popen(
        launch_argv([*nice, *argv]),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
    ) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                kill_group(child.pid)


def _failure(code: int, said: str, sentence: str) -> ToolFailed | Hindered:
    """What the end of a tool means: for the film, or for the machine."""
    met = of_tool(code, said)
    return ToolFailed(sentence) if met is None else Hindered(met, sentence)


def _read_whole(stream: IO[bytes], size: int) -> bytes:
    parts = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _name(argv: Sequence[str]) -> str:
    return Path(argv[0]).name.split("-")[0]


def _last_words(argv: Sequence[str], code: int, stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()][-_LAST_LINES:]
    return f"{_name(argv)} ended with {code}: {'; '.join(lines) or 'no message'}"
