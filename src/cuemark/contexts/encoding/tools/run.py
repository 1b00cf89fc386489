"""The one place that runs a media tool: as a confined child of our own, at low priority.

A tool reads what strangers uploaded, so it gets the files it is to read, one folder to write in,
no network, none of our environment, and bounds on all that it can use up.

ToolFailed
|-- ToolTimedOut    it ran past its wall time
`-- ToolOverLimit   it wanted more CPU, memory or output than the work can need
Hindered            the machine kept the tool from its work, which says nothing of the film
Interrupted         nobody wants the work any more, and the tool was ended
"""

import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

import msgspec

from cuemark.contexts.encoding.model.bounds import Bounds
from cuemark.contexts.encoding.model.hindrance import Hindrance, of_tool
from cuemark.contexts.encoding.model.setting_aside import Said
from cuemark.kit.confinement import Confinement
from cuemark.kit.process import kill_group, launch_argv

NICENESS = 10
OPEN_FILES = 256
_LAST_LINES, _LINE = 3, 300
_UNSEEN = "\N{REPLACEMENT CHARACTER}"
_LAST_BYTES = 256 << 10
_PART_BYTES = 1 << 20
_NO_MEMORY = ("cannot allocate memory", "bad_alloc", "out of memory", "memoryerror")

Limit = Literal["cpu", "memory", "file", "output"]


def _nobody_asks() -> None:
    """Where nothing can interrupt the work."""


interruption: ContextVar[Callable[[], None]] = ContextVar("interruption", default=_nobody_asks)
"""Asked every ``_LOOK_S`` while a tool runs: raises ``Interrupted`` where it is to end."""
_LOOK_S = 0.25


class ToolFailed(Exception):
    """The tool ended with an error; the text is one sentence with its last words.

    ``said`` is what it was called with and how it ended, where it ran.
    """

    said: Said | None = None


class ToolTimedOut(ToolFailed):
    """The tool was ended because it ran past its time."""


class ToolOverLimit(ToolFailed):
    """The tool ended because it came to a limit: ``limit`` says which."""

    def __init__(self, sentence: str, limit: Limit) -> None:
        super().__init__(sentence)
        self.limit = limit


class Hindered(Exception):
    """The work can be done when the machine allows it; ``hindrance`` says what is in the way.

    ``said`` as in ``ToolFailed``.
    """

    def __init__(self, hindrance: Hindrance, text: str, said: Said | None = None) -> None:
        super().__init__(text)
        self.hindrance = hindrance
        self.said = said


class Interrupted(Exception):
    """The work is not wanted any more: the text says why."""


class Finished(msgspec.Struct, frozen=True):
    """What a tool printed and what it cost. CPU is that of this process's children meanwhile.

    ``stderr`` is its end, where it is long.
    """

    stdout: bytes
    stderr: str
    cpu_s: float
    wall_s: float


def run(
    argv: Sequence[str], bounds: Bounds, *, reads: Sequence[Path] = (), folder: Path | None = None
) -> Finished:
    """Run a tool to its end on the files ``reads``; ``folder`` is where it works and writes.

    Raises ``ToolFailed``.
    """
    cpu_s, began_s = _children_cpu_s(), time.monotonic()
    stdout = bytearray()
    with _running(argv, bounds, reads, folder) as tool:
        for part in tool.output():
            stdout += part
            if len(stdout) > bounds.stdout_bytes:
                raise tool.over("output")
        tool.finish()
    spent_s = _children_cpu_s() - cpu_s
    return Finished(bytes(stdout), tool.stderr(), spent_s, time.monotonic() - began_s)


def read_frames(
    argv: Sequence[str],
    frame_bytes: int,
    bounds: Bounds,
    *,
    reads: Sequence[Path] = (),
    folder: Path | None = None,
    at_once: int = 64,
) -> Iterator[bytes]:
    """Run a tool that writes raw frames to its stdout; yield up to ``at_once`` of them a time."""
    block = bytearray()
    with _running(argv, bounds, reads, folder) as tool:
        for part in tool.output():
            block += part
            while len(block) >= frame_bytes * at_once:
                yield bytes(block[: frame_bytes * at_once])
                del block[: frame_bytes * at_once]
        if whole := len(block) // frame_bytes * frame_bytes:
            yield bytes(block[:whole])
        tool.finish()


class _Tool:
    """A tool that runs: its output as it comes, and how it ended."""

    def __init__(self, argv: Sequence[str], child: subprocess.Popen[bytes], bounds: Bounds) -> None:
        self._argv = argv
        self._name = Path(argv[0]).name.split("-")[0]
        self._child = child
        self._bounds = bounds
        self._deadline_s = time.monotonic() + bounds.wall_s
        self._began_cpu_s = _children_cpu_s()
        self._stderr = bytearray()

    def output(self) -> Iterator[bytes]:
        """Parts of stdout until both pipes are closed; raises ``ToolTimedOut``."""
        stdout, stderr = self._child.stdout, self._child.stderr
        assert stdout is not None
        assert stderr is not None
        with selectors.DefaultSelector() as pipes:
            pipes.register(stdout, selectors.EVENT_READ)
            pipes.register(stderr, selectors.EVENT_READ)
            while pipes.get_map():
                ready = pipes.select(min(_LOOK_S, self._left_s()))
                interruption.get()()
                if not ready and not self._left_s():
                    raise self._late()
                for key, _ in ready:
                    pipe = stdout if key.fileobj is stdout else stderr
                    part = pipe.read1(_PART_BYTES)  # type: ignore[attr-defined]
                    if not part:
                        pipes.unregister(pipe)
                    elif pipe is stdout:
                        yield part
                    else:
                        self._stderr += part
                        del self._stderr[:-_LAST_BYTES]

    def stderr(self) -> str:
        return self._stderr.decode(errors="replace")

    def finish(self) -> None:
        """Wait for the end; raises ``ToolFailed`` or ``Hindered`` where that was no success."""
        code = self._ended()
        if code == 0:
            return
        if code == -signal.SIGXFSZ:
            raise self.over("file")
        if code < 0 and _children_cpu_s() - self._began_cpu_s >= self._bounds.cpu_s - 1:
            raise self.over("cpu")
        said = self.stderr()
        if any(words in said.lower() for words in _NO_MEMORY):
            raise self.over("memory")
        sentence = f"{self._name} ended with {code}: {_last_words(said)}"
        met = of_tool(code, said)
        raise ToolFailed(sentence) if met is None else Hindered(met, sentence)

    def _ended(self) -> int:
        while True:
            try:
                return self._child.wait(min(_LOOK_S, self._left_s()))
            except subprocess.TimeoutExpired as error:
                interruption.get()()
                if not self._left_s():
                    raise self._late() from error

    def said(self) -> Said:
        """What it was called with, and how it ended."""
        return Said([str(each) for each in self._argv], self._child.poll(), self.stderr())

    def over(self, limit: Limit) -> ToolOverLimit:
        bounds = self._bounds
        wanted = {
            "cpu": f"{bounds.cpu_s} s of CPU time",
            "memory": f"{bounds.memory_bytes >> 20} MiB of memory",
            "file": f"a file of {bounds.file_bytes >> 20} MiB",
            "output": f"{bounds.stdout_bytes >> 20} MiB of output",
        }[limit]
        return ToolOverLimit(f"{self._name} wanted more than {wanted}, which no film needs", limit)

    def _left_s(self) -> float:
        return max(0.0, self._deadline_s - time.monotonic())

    def _late(self) -> ToolTimedOut:
        return ToolTimedOut(f"{self._name} ran longer than {self._bounds.wall_s} s")


@contextmanager
def _running(
    argv: Sequence[str], bounds: Bounds, reads: Sequence[Path], folder: Path | None
) -> Iterator[_Tool]:
    confined = Confinement(
        cpu_s=bounds.cpu_s,
        memory_bytes=bounds.memory_bytes,
        file_bytes=bounds.file_bytes,
        open_files=OPEN_FILES,
        niceness=NICENESS,
        readable=tuple(str(path) for path in reads),
        writable=() if folder is None else (str(folder),),
    )
    with subprocess.Popen(
        launch_argv(argv, confined=confined),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        tool = _Tool(argv, child, bounds)
        try:
            yield tool
        except (ToolFailed, Hindered) as error:
            error.said = error.said or tool.said()
            raise
        finally:
            if child.poll() is None:
                kill_group(child.pid)


def _last_words(said: str) -> str:
    """The end of what a tool said; what a film's own text could do to a terminal is left out."""
    lines = [line.strip()[-_LINE:] for line in said.splitlines() if line.strip()][-_LAST_LINES:]
    words = "; ".join(lines) or "no message"
    return "".join(letter if letter.isprintable() else _UNSEEN for letter in words)


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
