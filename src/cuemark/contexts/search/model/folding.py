"""One form for all writing: what is written in any script or case is compared as ASCII words.

Names and questions go the same way: compatibility forms are resolved (Unicode NFKC), each script
is transliterated (anyascii), case and punctuation go. Han characters become a word each, as there
are no spaces between words; kana becomes a word where its kind changes.
"""

import re
import unicodedata

from anyascii import anyascii

LONGEST = 400
"""Characters of a name or a question that are read."""
LONGEST_WORD = 40
_NEAR_CHARS = 14
"""Of a word's beginning in which one letter may be wrong."""
_APOSTROPHES = re.compile("['\u2019\u02bc`\u00b4]")
_WORD = re.compile(r"[a-z0-9]+")
_HAN = re.compile("([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
_KANA = re.compile("([\u3041-\u309f]+|[\u30a0-\u30ff\u31f0-\u31ff]+)")
_SOUNDS = (
    ("gh", ""), ("ph", "f"), ("x", "ks"), ("qu", "kv"), ("q", "k"), ("sch", "s"),
    ("sh", "s"), ("ch", "k"), ("th", "t"),
    ("ts", "s"), ("tz", "s"), ("ck", "k"), ("c", "k"), ("w", "v"), ("z", "s"), ("g", "k"),
    ("d", "t"), ("p", "b"),
)  # fmt: skip
_MUTE = re.compile("[aeiouyhj]")
_TWICE = re.compile(r"(.)\1+")
SHORTEST_SOUND = 3


def folded(text: str) -> str:
    """The words of ``text``, as ASCII in lower case with a space between."""
    return " ".join(words(text))


def words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text[:LONGEST])
    parted = _KANA.sub(r" \1 ", _HAN.sub(r" \1 ", plain))
    ascii_text = _APOSTROPHES.sub("", anyascii(parted)).lower()
    return [word[:LONGEST_WORD] for word in _WORD.findall(ascii_text)]


def joined(text: str) -> str:
    """A name of two to four words as one word, as it is often written; else nothing."""
    parts = text.split()
    whole = "".join(parts)
    return whole if 2 <= len(parts) <= 4 and len(whole) <= LONGEST_WORD else ""


def near_keys(word: str) -> list[str]:
    """Keys that two words share where one letter of one is missing, added or another one, or
    where two neighbours changed places (symmetric deletion, W. Garbe's SymSpell)."""
    head = word[:_NEAR_CHARS]
    if len(head) < SHORTEST_SOUND:
        return [head]
    return sorted({head, *(head[:at] + head[at + 1 :] for at in range(len(head)))})


def sound(word: str) -> str:
    """What is left of a word where vowels and spellings of one sound are not told apart: the same
    for a name in several scripts. Empty where too little is left to tell anything."""
    if word.isdecimal():
        return ""
    for written, heard in _SOUNDS:
        word = word.replace(written, heard)
    left = _TWICE.sub(r"\1", _MUTE.sub("", word))
    return left if len(left) >= SHORTEST_SOUND else ""
