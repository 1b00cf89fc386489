"""What a question asks for."""

import re

import msgspec

from cuemark.contexts.search.model import folding
from cuemark.contracts.search import LONGEST_TEXT, SearchInvalid

MOST_WORDS = 8
_LIKE = re.compile(
    r"^\s*(?P<sure>something\s+like|anything\s+like|(?:movies?|films?|shows?|series|titles?)\s+"
    r"(?:like|similar\s+to)|similar\s+to|more\s+like|(?:etwas|filme|serien)\s+wie|"
    r"(?:quelque\s+chose|films|s[ée]ries)\s+comme|(?:algo|pel[ií]culas|series)\s+como|"
    r"like|wie|comme|como)\s+(?P<name>\S.*)$",
    re.IGNORECASE | re.DOTALL,
)
_PERHAPS = frozenset({"like", "wie", "comme", "como"})


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """``words`` are ASCII; the last may be the beginning of one where ``unfinished``. ``like`` is
    the name of the title whose like is asked for; ``surely``, where it can hardly be a name."""

    text: str
    words: list[str]
    unfinished: bool = False
    like: str = ""
    surely: bool = False

    @property
    def whole(self) -> str:
        return " ".join(self.words)


def question(text: str) -> Question:
    """Raises ``SearchInvalid``."""
    if len(text) > LONGEST_TEXT:
        raise SearchInvalid(f"Search for at most {LONGEST_TEXT} characters.")
    if "\0" in text:
        raise SearchInvalid("The text holds a control character: write it as plain text.")
    found = folding.words(text)[:MOST_WORDS]
    asked = _LIKE.match(text)
    return Question(
        text=text,
        words=found,
        unfinished=bool(found) and not text[-1:].isspace(),
        like=asked["name"] if asked else "",
        surely=bool(asked) and asked["sure"].lower() not in _PERHAPS if asked else False,
    )
