"""Inspect and shots: what the master is, and where it is cut."""

from pathlib import Path

import msgspec
import numpy as np

from cuemark.contexts.encoding.model import master, shots
from cuemark.contexts.encoding.model.chunks import Chunk, chunk_plan
from cuemark.contexts.encoding.model.master import Master, Picture
from cuemark.contexts.encoding.stages.work import Bench
from cuemark.contexts.encoding.tools import ffmpeg, ffprobe
from cuemark.contexts.encoding.tools.ffmpeg import Film
from cuemark.contexts.encoding.tools.programs import Programs
from cuemark.contexts.encoding.tools.run import ToolFailed, read_frames, run
from cuemark.contracts.encoding import MasterRejected

_INDEXED = "film.mkv"
_INSPECT_S = 120


class Survey(msgspec.Struct, frozen=True):
    """What every later stage needs to know of a master.

    ``file`` is the object key of the file that encodes read: the master itself, or a copy of
    its streams in a container with an index.
    """

    key: str
    file: str
    master: Master
    shot_starts: list[int]
    artwork_frame: int

    @property
    def frames(self) -> int:
        return self.master.frames

    @property
    def picture(self) -> Picture:
        return self.master.picture

    @property
    def duration_s(self) -> float:
        return float(self.frames / self.picture.rate)

    def chunks(self) -> list[Chunk]:
        return chunk_plan(self.shot_starts, self.frames, self.picture.rate)


def inspect(programs: Programs, file: Path) -> Master:
    """What ffprobe says of a file; raises ``MasterRejected`` where that is no film."""
    try:
        report = run(ffprobe.report_argv(programs.ffprobe, file), timeout_s=_INSPECT_S)
        probe = msgspec.json.decode(report.stdout, type=master.Probe)
        stream = master.film_stream(probe)
        packets = run(
            ffprobe.packets_argv(programs.ffprobe, file, stream.index), timeout_s=_INSPECT_S
        )
    except (ToolFailed, msgspec.MsgspecError) as error:
        raise MasterRejected("the file is no film that ffprobe can read") from error
    return master.master_of(probe, master.frame_pts(packets.stdout.decode(errors="replace")))


def survey(bench: Bench, master_key: str) -> Survey:
    """Inspect the master stored under ``master_key`` and find its shots.

    Raises ``MasterRejected``; also where fewer frames decode than the container lists.
    """
    key = bench.key("survey", master_key)

    def make(result: Path) -> Survey:
        source = bench.objects.path(master_key)
        found = inspect(bench.programs, source)
        file = master_key
        if not found.seekable:
            indexed = result / _INDEXED
            run(ffmpeg.index_argv(bench.programs.ffmpeg, source, indexed))
            source, file = indexed, f"work/{key}/{_INDEXED}"
            found = inspect(bench.programs, source)
        measures = _measures(bench.programs, Film(source, found))
        decoded = len(measures.differences)
        if decoded != found.frames:
            raise MasterRejected(
                f"the film lists {found.frames} frames and {decoded} can be decoded: "
                "it is damaged, upload it again"
            )
        starts = shots.shot_starts(measures.differences, float(found.picture.rate))
        return Survey(
            key=key,
            file=file,
            master=found,
            shot_starts=starts,
            artwork_frame=shots.artwork_frame(measures, starts),
        )

    return bench.once(key, Survey, make)


def film_of(bench: Bench, survey: Survey) -> Film:
    return Film(bench.objects.path(survey.file), survey.master)


def _measures(programs: Programs, film: Film) -> shots.FrameMeasures:
    shape = (-1, shots.THUMB_HEIGHT, shots.THUMB_WIDTH)
    whole = shots.FrameMeasures([], [], [])
    before: shots.Luma | None = None
    blocks = read_frames(
        ffmpeg.thumbs_argv(programs.ffmpeg, film), shots.THUMB_HEIGHT * shots.THUMB_WIDTH
    )
    for block in blocks:
        frames = np.frombuffer(block, dtype=np.uint8).reshape(shape)
        part = shots.measure(frames, before)
        before = frames[-1]
        whole.differences.extend(part.differences)
        whole.brightness.extend(part.brightness)
        whole.detail.extend(part.detail)
    return whole
