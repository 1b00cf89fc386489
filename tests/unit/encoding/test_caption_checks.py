"""Captions are held to written rules, and only what nobody could see stops a job."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.captions.checks import POLICY, Rule, findings
from cuemark.contexts.encoding.model.captions.cues import Captions, Cue
from cuemark.contracts.encoding.versions import CaptionRole

FILM_MS = 60_000
GOOD = Cue(1000, 3000, "", ["Two lines,", "one cue"])


def told(captions: Captions, language: str, role: CaptionRole = "subtitles") -> dict[Rule, str]:
    return {each.rule: each.text for each in findings(captions, language, role, FILM_MS)}


def found(*cues: Cue, language: str = "en", role: CaptionRole = "subtitles") -> dict[Rule, str]:
    return told(Captions(cues=list(cues)), language, role)


def test_good_captions_raise_nothing() -> None:
    assert found(GOOD, Cue(3000, 5000, "", ["Next"]), language="en-GB") == {}


BROKEN: dict[Rule, tuple[Captions, str]] = {
    "outside": (Captions(cues=[Cue(FILM_MS, FILM_MS + 400, "", ["x"])]), "which lasts 0:01:00.0"),
    "too_much_text": (
        Captions(cues=[Cue(0, 6000, "", ["x" * 2001])]),
        "with more than 2000 characters",
    ),
    "late": (Captions(cues=[GOOD, Cue(59_000, 60_501, "", ["x"])]), "the first at 0:00:59.0"),
    "dropped": (Captions(cues=[GOOD], dropped=3), "3 of 4 left out"),
    "overlap": (Captions(cues=[GOOD, Cue(2999, 5000, "", ["x"])]), "1 of 2 beginning while"),
    "fast": (Captions(cues=[Cue(0, 1000, "", ["x" * 21])]), "more than 20 characters a second"),
    "short": (Captions(cues=[Cue(0, 832, "", ["x"])]), "less than 0.83 s"),
    "long": (Captions(cues=[Cue(0, 7001, "", ["x"])]), "more than 7 s"),
    "lines": (Captions(cues=[Cue(0, 2000, "", ["a", "b", "c"])]), "more than 2 lines"),
    "encoding": (Captions(cues=[GOOD], guessed_encoding=True), "read as Windows-1252"),
    "language": (Captions(cues=[GOOD], language="de-AT"), "the file itself says 'de-AT'"),
}


def test_every_rule_of_the_policy_has_its_example() -> None:
    assert set(BROKEN) == set(POLICY) == set(get_args(Rule))


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_finds_what_breaks_it(rule: Rule) -> None:
    captions, says = BROKEN[rule]
    said = told(captions, "en")
    assert says in said[rule]
    assert "\n" not in said[rule]


def test_only_what_cannot_be_shown_blocks() -> None:
    assert {rule for rule, severity in POLICY.items() if severity == "block"} == {
        "outside",
        "too_much_text",
    }


def test_two_voices_in_two_places_do_not_overlap() -> None:
    assert found(GOOD, Cue(1000, 3000, "line:5%", ["Above"])) == {}


def test_markup_is_not_read() -> None:
    assert found(Cue(0, 1000, "", ["<v Somebody With A Long Name>Hi &amp; <i>bye</i></v>"])) == {}


@pytest.mark.parametrize(("language", "fast"), [("ja", True), ("zh-Hant", True), ("en", False)])
def test_a_language_of_few_characters_is_read_slower(language: str, fast: bool) -> None:
    assert ("fast" in found(Cue(0, 1000, "", ["一二三四五六七八九十"]), language=language)) is fast


def test_a_sign_may_stand_as_long_as_it_is_seen() -> None:
    assert found(Cue(0, 20_000, "", ["EXIT"]), role="forced") == {}


@pytest.mark.parametrize("stated", ["pt", "PT", "por", "pt-PT", "", "und"])
def test_a_language_is_compared_by_what_it_is(stated: str) -> None:
    captions = Captions(cues=[GOOD], language=stated)
    assert told(captions, "pt-BR") == {}
    assert list(told(captions, "es")) == (["language"] if stated not in ("", "und") else [])


@given(
    st.lists(
        st.tuples(st.integers(0, 10**7), st.integers(1, 10**6), st.text(max_size=50)),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_the_cues_are_each_rule_is_told_once(
    drawn: list[tuple[int, int, str]],
) -> None:
    cues = sorted(
        (Cue(start, start + lasts, "", [text]) for start, lasts, text in drawn),
        key=lambda cue: (cue.start_ms, cue.end_ms),
    )
    said = findings(Captions(cues=cues), "en", "sdh", FILM_MS)
    assert len({each.rule for each in said}) == len(said)
    assert all(len(each.text) < 120 for each in said)
