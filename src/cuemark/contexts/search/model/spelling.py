"""Which words of the index somebody may have meant, and how they are asked for."""

from collections.abc import Iterable, Mapping, Sequence

from rapidfuzz.distance import OSA

from cuemark.contexts.search.model import folding

MOST_MEANT = 10
Meant = Mapping[str, float]
"""Words of the index that a word of the question may be, and how surely: 1 is the word itself."""


def meant(
    asked: str, found: Iterable[tuple[str, int, str]], *, unfinished: bool
) -> dict[str, float]:
    """Of the words that were ``found`` near to one, with how often they are there and their
    sounds, the likeliest.

    A word of ``unfinished`` is also held against the beginnings of others.
    """
    most, heard = _most_wrong(asked), folding.sound(asked)
    sure: list[tuple[float, int, str]] = []
    for word, often, sound in found:
        strength = _strength(asked, word, most)
        if heard and heard == sound:
            strength = max(strength, 0.7 - 0.02 * abs(len(word) - len(asked)))
        if unfinished and len(word) > len(asked) >= folding.SHORTEST_SOUND + 1:
            strength = max(
                strength,
                *(_strength(asked, word[: len(asked) + more], most) - 0.1 for more in (0, 1)),
            )
        if strength > 0:
            sure.append((strength, often, word))
    sure.sort(key=lambda each: (-each[0], -each[1], each[2]))
    return {word: strength for strength, _, word in sure[:MOST_MEANT]}


def word_query(asked: str, words: Meant, *, unfinished: bool) -> str:
    """A ``tsquery`` for one word: it or another that may be meant, or a word that begins so."""
    itself = f"'{asked}':*" if unfinished else f"'{asked}'"
    return "(" + " | ".join([itself, *(f"'{word}'" for word in words if word != asked)]) + ")"


def all_of(asked: Sequence[str], queries: Sequence[str]) -> str:
    """All words, or two neighbours of them written as one."""
    pairs = [
        " & ".join([f"'{asked[at]}{asked[at + 1]}'", *queries[:at], *queries[at + 2 :]])
        for at in range(len(asked) - 1)
    ]
    return " | ".join(f"({each})" for each in [" & ".join(queries), *pairs])


def all_but_one(queries: Sequence[str]) -> str:
    return " | ".join(
        "(" + " & ".join([*queries[:at], *queries[at + 1 :]]) + ")" for at in range(len(queries))
    )


def _most_wrong(asked: str) -> int:
    return 0 if len(asked) < 3 else 1 if len(asked) < 6 else 2 if len(asked) < 11 else 3


def _strength(asked: str, word: str, most: int) -> float:
    if asked == word:
        return 1.0
    wrong = OSA.distance(asked, word, score_cutoff=most)
    if wrong > most:
        return 0.0
    elsewhere = 0.05 if asked[:1] != word[:1] else 0.0
    short = 0.2 if len(asked) < 4 else 0.0
    return 1.0 - 0.15 * wrong - elsewhere - short
