"""What is wrong with captions that can be read, by rules that are written down here.

The limits are those of Netflix's Timed Text Style Guides (General Requirements, and the guide of
each language), the most used public ones.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import msgspec

from cuemark.contexts.encoding.model import languages
from cuemark.contexts.encoding.model.captions.cues import Captions, Cue, plain
from cuemark.contracts.encoding.versions import CaptionRole

READING_CPS = 20.0
"""Characters a second that an adult reads of captions; 17 in a film for children."""
READING_CPS_OF = {"ja": 4.0, "ko": 12.0, "zh": 9.0}
"""Where a character says more than a letter does."""
LEAST_MS = 833
"""Five sixths of a second, rounded down."""
MOST_MS = 7000
MOST_LINES = 2
MOST_CHARS = 2000
"""No screen holds more text than that."""
AFTER_END_MS = 500

Severity = Literal["block", "warn"]
Rule = Literal[
    "outside",
    "too_much_text",
    "late",
    "dropped",
    "overlap",
    "fast",
    "short",
    "long",
    "lines",
    "encoding",
    "language",
]
POLICY: dict[Rule, Severity] = {
    "outside": "block",
    "too_much_text": "block",
    "late": "warn",
    "dropped": "warn",
    "overlap": "warn",
    "fast": "warn",
    "short": "warn",
    "long": "warn",
    "lines": "warn",
    "encoding": "warn",
    "language": "warn",
}
"""Only what cannot be shown stops a job."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``text`` follows the name of the captions and a colon in a sentence."""

    rule: Rule
    severity: Severity
    text: str


def findings(captions: Captions, language: str, role: CaptionRole, film_ms: int) -> list[Finding]:
    """What the rules find in the captions of a film of ``film_ms``; at most one for each rule."""
    found = [
        *_on_the_whole(captions, language, film_ms),
        *_on_cues(captions.cues, language, role, film_ms),
    ]
    return [Finding(rule=rule, severity=POLICY[rule], text=text) for rule, text in found]


def _on_the_whole(captions: Captions, language: str, film_ms: int) -> Iterator[tuple[Rule, str]]:
    if captions.cues[0].start_ms >= film_ms:
        yield (
            "outside",
            f"all begin after the film, which lasts {clock(film_ms)}: the first at "
            f"{clock(captions.cues[0].start_ms)}",
        )
    if captions.dropped:
        total = len(captions.cues) + captions.dropped
        yield "dropped", f"{captions.dropped} of {total} left out for want of text or of a time"
    if captions.guessed_encoding:
        yield "encoding", "not in UTF-8 and read as Windows-1252: look at the accents"
    if captions.language and _primary(captions.language) not in ("", "und", _primary(language)):
        yield "language", f"the file itself says {captions.language[:35]!r}"


def _on_cues(
    cues: Sequence[Cue], language: str, role: CaptionRole, film_ms: int
) -> Iterator[tuple[Rule, str]]:
    fastest = READING_CPS_OF.get(_primary(language), READING_CPS)
    rules: list[tuple[Rule, str, Callable[[Cue], bool]]] = [
        (
            "too_much_text",
            f"with more than {MOST_CHARS} characters",
            lambda cue: _characters(cue) > MOST_CHARS,
        ),
        (
            "late",
            f"shown past the end of the film, which is at {clock(film_ms)}",
            lambda cue: cue.end_ms > film_ms + AFTER_END_MS,
        ),
        (
            "fast",
            f"with more than {fastest:g} characters a second to read",
            lambda cue: _characters(cue) * 1000 > fastest * (cue.end_ms - cue.start_ms),
        ),
        (
            "short",
            f"shown for less than {LEAST_MS / 1000:.2f} s",
            lambda cue: cue.end_ms - cue.start_ms < LEAST_MS,
        ),
        (
            "long",
            f"shown for more than {MOST_MS // 1000} s",
            lambda cue: role != "forced" and cue.end_ms - cue.start_ms > MOST_MS,
        ),
        (
            "lines",
            f"with more than {MOST_LINES} lines",
            lambda cue: len(cue.lines) > MOST_LINES,
        ),
    ]
    for rule, text, broken in rules:
        if met := [cue for cue in cues if broken(cue)]:
            yield rule, f"{len(met)} of {len(cues)} {text}, the first at {clock(met[0].start_ms)}"
    if overlaps := _overlaps(cues):
        text = f"{len(overlaps)} of {len(cues)} beginning while another is shown"
        yield "overlap", f"{text}, the first at {clock(overlaps[0].start_ms)}"


def _overlaps(cues: Sequence[Cue]) -> list[Cue]:
    """The cues that begin while one is shown in the same place of the picture."""
    found, shown_until_ms = [], dict[str, int]()
    for cue in cues:
        if cue.start_ms < shown_until_ms.get(cue.settings, 0):
            found.append(cue)
        shown_until_ms[cue.settings] = max(shown_until_ms.get(cue.settings, 0), cue.end_ms)
    return found


def _characters(cue: Cue) -> int:
    return sum(len(plain(line)) for line in cue.lines)


def _primary(language: str) -> str:
    with contextlib.suppress(languages.LanguageUnknown):
        language = languages.canonical(language)
    return language.partition("-")[0].lower()


def clock(ms: int) -> str:
    """A time as people say it: ``0:01:02.5``."""
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}.{rest // 100}"
