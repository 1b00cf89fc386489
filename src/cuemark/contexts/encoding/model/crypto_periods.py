"""Where the crypto periods of a film are cut, in all tracks at one time.

A period begins with a segment of the pictures, which all renditions have at the same ticks. Frames
of sound do not end there: that one in which the boundary falls is the first of the new period, so
that no period is short of sound at its end. All of this is counted from the film's beginning in
integer ticks, each boundary by itself, so that nothing adds up over many.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import msgspec

from cuemark.contracts.encoding.uploads import UploadInvalid
from cuemark.contracts.encoding.versions import Timeline, Version
from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import AUDIO

_BEFORE = Fraction(1, 1000)
"""Of a tick: the packager compares times in floating point, where they must not be equal."""


class PeriodsDiffer(ValueError):
    """A track has no segment where a period begins; the text says which period."""


class Keyed(msgspec.Struct, frozen=True):
    """A key and from which segment of a track on (counted from 1) it encrypts it.

    ``init`` is the file name of the init segment that those need.
    """

    first: int
    init: str
    key: ContentKey


class Stretch(msgspec.Struct, frozen=True):
    """What is known of a ``Keyed`` from outside: the key by its id alone."""

    first: int
    init: str
    kid: str


def stretches(version: Version) -> dict[str, list[Stretch]]:
    """Of each rendition and audio track, the key of every crypto period."""
    if not version.periods:
        pictures = [(each.rendition_id, each.kid) for each in version.renditions]
        sounds = [(each.track_id, each.kid) for each in version.audio]
        return {name: [Stretch(1, init_name(0), kid)] for name, kid in [*pictures, *sounds]}
    found = {}
    for rendition in version.renditions:
        found[rendition.rendition_id] = [
            Stretch(each.video, each.init, each.kids[rendition.label]) for each in version.periods
        ]
    for track in version.audio:
        found[track.track_id] = [
            Stretch(each.sounds[track.codec_string], each.init, each.kids[AUDIO])
            for each in version.periods
        ]
    return found


def chosen_s(asked_s: float | None, set_s: float) -> float:
    """How long the periods of a job are: what was asked for, or else what the install has set.

    Any length can be packaged; how short one may be is for whoever takes a person's word to say.
    Raises ``UploadInvalid``.
    """
    seconds = set_s if asked_s is None else asked_s
    if not 0 <= seconds < math.inf:
        raise UploadInvalid("the seconds of a crypto period are 0 or more")
    return seconds


def init_name(period: int) -> str:
    """The init segment of a track in a period, which counts from 0."""
    return f"init-{period + 1}.mp4" if period else "init.mp4"


def cuts(timeline: Timeline, longest_s: float) -> list[int]:
    """The segments (from 0) with which periods begin, none of which lasts longer than that.

    A segment that does is a period by itself. With 0 there is one period.
    """
    longest = Fraction(longest_s) * timeline.timescale
    found, lasts = [0], 0
    for number, ticks in enumerate(timeline.durations):
        if longest and lasts and lasts + ticks > longest:
            found.append(number)
            lasts = 0
        lasts += ticks
    return found


def starts_of(timeline: Timeline, firsts: Sequence[int]) -> list[int]:
    """When the segments ``firsts`` (from 0, ascending) begin, in ticks of the timeline."""
    found, at = [], timeline.start
    wanted = set(firsts)
    for number, ticks in enumerate(timeline.durations):
        if number in wanted:
            found.append(at)
        at += ticks
    return found


def presented(timeline: Timeline, shift: int) -> Timeline:
    """The timeline without the ``shift`` ticks at its beginning that an edit list leaves out.

    The packager gives no edit list to a part that begins later, and times as they are presented.
    """
    first, *others = timeline.durations
    left_out = max(0, shift - timeline.start)
    if not shift:
        return timeline
    return Timeline(
        timescale=timeline.timescale,
        start=timeline.start + left_out - shift,
        durations=[first - left_out, *others],
    )


def sound_cues(boundaries: Sequence[Fraction], frame: int, timescale: int) -> list[Fraction]:
    """When the packager must be told to cut a sound, for its frames in which ``boundaries`` fall to
    be the first after each cut; all in seconds.

    It cuts before the first frame whose middle is presented then or later. ``frame`` is how many
    ticks a frame lasts.
    """
    back = (Fraction(frame, 2) - _BEFORE) / timescale
    return [boundary - back for boundary in boundaries]


def sound_cuts(timeline: Timeline, boundaries: Sequence[Fraction], frame: int) -> list[int]:
    """The segments (from 0) of a sound with whose first frame a boundary (in seconds) falls.

    Raises ``PeriodsDiffer`` where it falls into another frame.
    """
    found, number, at = [], 0, timeline.start
    for period, boundary in enumerate(boundaries, 2):
        ticks = boundary * timeline.timescale
        while number < len(timeline.durations) and at + timeline.durations[number] <= ticks:
            at += timeline.durations[number]
            number += 1
        if number == len(timeline.durations) or not at <= ticks < at + frame:
            raise PeriodsDiffer(f"no segment of sound begins where period {period} does")
        found.append(number)
    return found
