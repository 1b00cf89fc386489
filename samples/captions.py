"""Captions as SRT or WebVTT."""

from collections.abc import Sequence

from samples.film import Cue, Recipe


def cues(languages: tuple[str, str], *rows: tuple[float, float, str, str]) -> tuple[Cue, ...]:
    """Cues from rows of start and end in seconds and the text in each language."""
    return tuple(
        Cue(start_s, end_s, dict(zip(languages, texts, strict=True)))
        for start_s, end_s, *texts in rows
    )


def languages_of(recipe: Recipe) -> list[str]:
    """The languages in which every cue of the film is written, in the order of the first."""
    return [
        language
        for language in recipe.cues[0].text
        if all(language in cue.text for cue in recipe.cues)
    ]


def to_srt(cues: Sequence[Cue], language: str) -> str:
    """SubRip: numbered cues, decimal commas."""
    blocks = [
        f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n{cue.text[language]}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return "\n".join(blocks)


def to_vtt(cues: Sequence[Cue], language: str) -> str:
    """WebVTT: a signature, decimal points."""
    blocks = [
        f"{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n{cue.text[language]}\n"
        for cue in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _time(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
