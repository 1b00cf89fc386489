"""What was found, the best first, and why it was found.

A candidate is scored by how well each word of the question is met and in which field, by how like
the whole question is to a name, by how popular it is, and by what the profile reads and watched.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import msgspec
from rapidfuzz import fuzz

from cuemark.contexts.search.model import popularity
from cuemark.contexts.search.model.entries import Called, Facts
from cuemark.contexts.search.model.spelling import Meant
from cuemark.contracts.search import Field, Match, What

LEAST_MET = 0.34
_FIELDS: dict[Field, float] = {
    "title": 1.0,
    "series": 0.85,
    "person": 0.8,
    "genre": 0.7,
    "theme": 0.75,
    "text": 0.45,
}
_MISSING = 1.5
_KINDS = {"supplemental": 1.0, "episode": 0.4, "season": 0.3}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question as it was understood: for each word what it may mean."""

    words: Sequence[str]
    meant: Sequence[Meant]
    unfinished: bool
    languages: Sequence[str]
    now: datetime

    @cached_property
    def whole(self) -> str:
        return " ".join(self.words)

    @cached_property
    def parted(self) -> list[tuple[str, ...]]:
        """For each word, what it and a neighbour are as one word."""
        pairs = [one + other for one, other in itertools.pairwise(self.words)]
        return [tuple(pairs[max(at - 1, 0) : at + 1]) for at in range(len(self.words))]


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """``in_text`` says for each word whether it is anywhere in the work, synopses included.
    ``taste`` is how like it is to what was watched, ``popular`` as ``popularity`` has it."""

    work_id: str
    facts: Facts
    in_text: Sequence[bool]
    popular: float
    taste: float = 0.0


class NameCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """``weight`` is the logarithm of how many works name it."""

    name_id: str
    what: What
    names: Sequence[Called]
    weight: float


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """``likeness`` is that of the whole question to a name."""

    score: float
    found_id: str
    what: What
    why: list[Match]
    likeness: float = 0.0
    names: Sequence[Called] = ()


def ranked(
    asked: Asked, works: Sequence[Candidate], names: Sequence[NameCandidate]
) -> list[Ranked]:
    """The best first; what meets too little of the question is left out."""
    found = [each for work in works if (each := _work(asked, work)) is not None]
    found += [each for name in names if (each := _name(asked, name)) is not None]
    return in_order(found)


def in_order(found: Sequence[Ranked]) -> list[Ranked]:
    return sorted(found, key=lambda each: (-each.score, each.found_id))


def like(found: Sequence[tuple[Candidate, float]], name: str, now: datetime) -> list[Ranked]:
    """Works by how like they are to another, of this name."""
    return in_order(
        [
            Ranked(
                score=round(
                    likeness
                    + 0.01 * min(popularity.standing(work.popular, now), 12)
                    - 0.1 * _KINDS.get(work.facts.kind, 0.0),
                    6,
                ),
                found_id=work.work_id,
                what="work",
                why=[Match(field="like", text=name)],
            )
            for work, likeness in found
        ]
    )


def _work(asked: Asked, work: Candidate) -> Ranked | None:
    facts = work.facts
    fields: list[tuple[Field, Sequence[Called]]] = [
        ("title", facts.names),
        ("series", facts.series),
        ("person", facts.people),
        ("theme", facts.themes),
        ("genre", facts.genres),
    ]
    whole = likest(asked, facts.names)
    met, why, missing = 0.0, [], False
    for at in range(len(asked.words)):
        best, match = 0.0, None
        for field, names in fields:
            if best >= _FIELDS[field]:
                break
            strength, name = _met(asked, at, names)
            if strength * _FIELDS[field] > best:
                best, match = strength * _FIELDS[field], Match(field=field, text=name)
        if match is None and work.in_text[at]:
            best, match = _FIELDS["text"], Match(field="text", text=asked.words[at])
        met += best
        missing = missing or not best
        if match is not None and match not in why:
            why.append(match)
    met /= max(len(asked.words), 1)
    if whole >= 1.0 and met < 1.0:
        met, why = 1.0, [Match(field="title", text=facts.names[0].name), *why]
    if whole >= 1.0:
        missing = False
    if met < LEAST_MET or not why:
        return None
    score = 4 * met + 3 * whole + 0.08 * min(popularity.standing(work.popular, asked.now), 20)
    score += 0.6 * work.taste + (0.2 if _reads(asked.languages, facts) else 0.0)
    score -= _KINDS.get(facts.kind, 0.0) + (_MISSING if missing else 0.0)
    return Ranked(
        score=round(score, 6), found_id=work.work_id, what="work", why=why, likeness=whole
    )


def _name(asked: Asked, name: NameCandidate) -> Ranked | None:
    met = [_met(asked, at, name.names)[0] for at in range(len(asked.words))]
    whole = likest(asked, name.names)
    if whole >= 1.0:
        met = [1.0]
    if not met or min(met) == 0.0:
        return None
    score = 4 * sum(met) / len(met) + 3 * whole + 0.08 * min(name.weight, 12) - 0.3
    field: Field = "person" if name.what == "person" else "genre"
    field = "theme" if name.what == "theme" else field
    return Ranked(
        score=round(score, 6),
        found_id=name.name_id,
        what=name.what,
        why=[Match(field=field, text=name.names[0].name)],
        names=name.names,
    )


def likest(asked: Asked, names: Sequence[Called]) -> float:
    """How like the whole question is to a name: more than 1 where it is the name, and so much more
    where nothing is to come that no popularity outweighs it."""
    best, whole = 0.0, asked.whole
    close = whole.replace(" ", "")
    for name in names:
        if not name.folded:
            continue
        if name.folded == whole:
            likeness = 1.15 if asked.unfinished else 1.9
        elif name.folded.replace(" ", "") == close:
            likeness = 1.1
        else:
            likeness = fuzz.ratio(whole, name.folded) / 100
            if asked.unfinished and name.folded.startswith(whole):
                likeness = max(likeness, 0.7 + 0.25 * len(whole) / len(name.folded))
        best = max(best, likeness)
    return best


def _met(asked: Asked, at: int, names: Sequence[Called]) -> tuple[float, str]:
    """How well one word of the question is met by names, and by which."""
    word, meant = asked.words[at], asked.meant[at]
    parted = asked.parted[at]
    begins = asked.unfinished and at == len(asked.words) - 1
    best, which = 0.0, ""
    for name in names:
        for each in name.folded.split():
            if each == word or each in parted:
                return 1.0, name.name
            strength = meant.get(each, 0.0)
            if begins and each.startswith(word):
                strength = max(strength, 0.8 + 0.2 * len(word) / len(each))
            if strength > best:
                best, which = strength, name.name
    return best, which


def _reads(languages: Sequence[str], facts: Facts) -> bool:
    tags = {each.language.partition("-")[0].lower() for each in facts.names}
    tags.add(facts.original_language.partition("-")[0].lower())
    return any(each.partition("-")[0].lower() in tags for each in languages)
