"""Which text a reader gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.catalog.model import texts
from cuemark.contexts.catalog.model.languages import (
    LanguageUnknown,
    by_preference,
    canonical,
    fitting,
)
from cuemark.contracts.catalog.metadata import NameIn, Text

TAGS = st.sampled_from(
    ["en", "en-GB", "de", "de-CH", "zh-Hant", "zh-Hant-TW", "sr-Latn", "und", "pt-BR"]
)


@pytest.mark.parametrize(
    ("ranges", "there", "expected"),
    [
        (["de-CH"], ["en", "de"], ["de"]),
        (["DE-ch-1996"], ["de-CH", "de"], ["de-CH", "de"]),
        # RFC 4647 section 3.4: a single letter goes with what it introduces.
        (["zh-Hant-CN-x-private1-private2"], ["zh-Hant", "zh", "en"], ["zh-Hant", "zh"]),
        (["zh-x-wadegile"], ["zh-x"], []),
        # Not found by lookup, and closer than any other language.
        (["de"], ["en", "de-AT", "de-CH"], ["de-AT", "de-CH"]),
        (["fr", "de"], ["en", "de-AT"], ["de-AT"]),
        (["fr", "en-US"], ["de", "en"], ["en"]),
        (["*"], ["de"], []),
        ([""], ["de"], []),
        (["d"], ["de"], []),
    ],
)
def test_a_language_is_looked_up_with_less_and_less_of_its_tag(
    ranges: list[str], there: list[str], expected: list[str]
) -> None:
    assert fitting(ranges, there) == expected


@given(st.lists(TAGS, max_size=4), st.lists(TAGS, min_size=1, max_size=6, unique=True))
def test_every_text_is_wanted_once_and_the_readers_own_before_others(
    ranges: list[str], there: list[str]
) -> None:
    order = by_preference(ranges, there)
    assert sorted(order) == sorted(there)
    own = fitting(ranges, there)
    assert order[: len(own)] == own
    rest = [tag for tag in there if tag not in own]
    assert order[len(own) :] == rest
    if ranges and ranges[0] in there:
        assert order[0] == ranges[0]


def test_a_tag_is_written_in_one_form_and_nonsense_is_refused() -> None:
    assert [canonical(tag) for tag in ("EN", "eng", "iw", "zh-hant-tw", "und")] == [
        *("en", "en", "he", "zh-Hant-TW", "und")
    ]
    for tag in ("", "english please", "xx-nope", "en_US; drop", "a" * 40, "de-"):
        with pytest.raises(LanguageUnknown):
            canonical(tag)


def test_what_one_language_lacks_the_next_one_tells() -> None:
    told = texts.told(
        [
            Text(language="en", name="Film", synopsis="Long.", synopsis_short="Short."),
            Text(language="de", name="Der Film", synopsis="Lang."),
            Text(language="de-CH", name="Dä Film", artwork_key="art/ch"),
        ],
        ["de-CH", "fr"],
    )
    assert (told.name, told.synopsis, told.synopsis_short) == ("Dä Film", "Lang.", "Short.")
    assert (told.language, told.artwork_key) == ("de-CH", "art/ch")
    assert told.languages == ["de-CH", "de", "en"]


def test_the_first_text_stands_where_no_language_fits() -> None:
    given = [Text(language="und", name="A"), Text(language="de", name="B", artwork_key="art/de")]
    told = texts.told(given, ["fr"])
    assert (told.name, told.language, told.languages, told.artwork_key) == ("A", "und", [], "")
    assert (
        texts.name_for([NameIn(language="ja", name="あ"), NameIn(language="en", name="A")], [])
        == "あ"
    )
