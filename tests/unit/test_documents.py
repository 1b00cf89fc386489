"""The documents point at what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([a-z_0-9./-]+/[A-Za-z_0-9./-]*)`")
PLACES = (".", "src", "src/cuemark", "src/cuemark/contexts", "src/cuemark/contexts/encoding")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(document.read_text("utf-8"))]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


def test_the_architecture_names_files_that_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    modules = {name for name in CODE.findall(text) if name.endswith((".py", ".js"))}
    assert len(modules) > 20
    for name in modules:
        in_playback = ROOT / "src/cuemark/contexts/playback" / name
        assert in_playback.exists() or any((ROOT / at / name).exists() for at in PLACES), name


def test_the_licence_of_each_package_that_is_installed_is_told() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    installed = {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)\S*==", lock, re.M)}
    told = (ROOT / "THIRD_PARTY.md").read_text("utf-8").rpartition("## Python packages")[2]
    assert len(installed) > 50
    assert installed == set(re.findall(r"^\| `([^`]+)` \| \S", told, re.M))


def test_the_glossary_says_once_what_a_word_means() -> None:
    text = (ROOT / "GLOSSARY.md").read_text("utf-8")
    words = [word for word in re.findall(r"^\| ([^|]+?) \|", text, re.M) if word != "word"]
    assert len(words) > 100
    assert [word for word in words if words.count(word) > 1] == []
