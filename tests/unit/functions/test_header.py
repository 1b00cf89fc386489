"""What a function's header says, and what is said about one that is not right."""

import contextlib
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.app.events import EVENTS
from cuemark.contexts.functions.model import header as rules
from cuemark.contexts.functions.model import retrying
from cuemark.contexts.functions.model.header import FunctionInvalid, Kinds
from cuemark.contexts.functions.tools.shelf import Shelf, code_at
from cuemark.contexts.functions.wiring import kinds_of

PEP_723 = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
KINDS = kinds_of(EVENTS)
PUBLISHED = "encoding.VersionPublished"
SAMPLES = Path(__file__).parents[3] / "samples" / "functions"


def script(*lines: str) -> bytes:
    head = ["# /// script", "# [tool.cuemark]", *(f"# {line}" for line in lines), "# ///"]
    return "\n".join(["#!/usr/bin/python3", *head, "print(1)", ""]).encode()


def read(*lines: str) -> rules.Bound:
    toml = rules.inline(script(*lines))
    assert toml is not None
    return rules.read(toml, KINDS, is_inline=True)


def test_an_inline_header_is_read() -> None:
    bound = read('on = ["encoding.VersionPublished"]', "timeout_s = 7", 'reads = ["report"]')
    assert bound.kinds == (PUBLISHED,)
    assert bound.topics == ["encoding"]
    assert (bound.header.timeout_s, bound.header.retries) == (7, 3)


def test_a_star_means_every_event_of_a_topic() -> None:
    kinds = set(read('on = ["encoding.*", "encoding.MasterLanded"]').kinds)
    assert kinds == {kind for kind in KINDS.fields if kind.startswith("encoding.")}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "name the events"),
        (['on = "encoding.VersionPublished"'], "Expected `array`"),
        (['on = ["encoding.VersionPublish"]'], "no event is called 'encoding.VersionPublish'"),
        (['on = ["encoding.VersionPublished"]', "timeout = 3"], "the fields are on, timeout_s"),
        (['on = ["encoding.VersionPublished"]', "timeout_s = 0"], "timeout_s"),
        (['on = ["encoding.VersionPublished"]', "memory_mb = 1e9"], "memory_mb"),
        (['on = ["catalog.TitleCreated"]', 'reads = ["report"]'], "no version_id"),
        (['on = ["catalog.TitleCreated"]', 'reads = ["passwords"]'], "it reads title, titles"),
        (['on = ["catalog.TitleCreated"]', 'environment = {PATH = "/"}'], "are ours"),
        (["on = ["], "not TOML"),
    ],
)
def test_a_header_that_is_not_right_is_refused_in_a_sentence(lines: list[str], says: str) -> None:
    with pytest.raises(FunctionInvalid, match=says.replace("[", r"\[")):
        read(*lines)


@given(st.text(max_size=200))
def test_no_text_is_more_than_refused(text: str) -> None:
    code = f"# /// script\n# {text}\n# ///\n".encode(errors="replace")
    with contextlib.suppress(FunctionInvalid):
        toml = rules.inline(code)
        if toml is not None:
            rules.read(toml, Kinds({}), is_inline=True)


@given(st.lists(st.sampled_from(["# /// script", "# ///", "#", "# a = 1", "#x", ""])))
def test_a_block_is_found_where_the_regular_expression_of_the_specification_finds_it(
    lines: list[str],
) -> None:
    code = "".join(f"{line}\n" for line in lines)
    found = [match["content"] for match in PEP_723.finditer(code) if match["type"] == "script"]
    if len(found) > 1:
        with pytest.raises(FunctionInvalid, match="more than one"):
            rules.inline(code.encode())
        return
    expected = None
    if found:
        stripped = [
            line[2:] if line.startswith("# ") else line[1:] for line in found[0].split("\n")
        ]
        expected = "\n".join(stripped[:-1])
    assert rules.inline(code.encode()) == expected


def test_a_file_full_of_beginnings_is_read_at_once() -> None:
    began_s = time.monotonic()
    assert rules.inline(b"# /// script\n" * 5000) is None
    assert time.monotonic() - began_s < 1


def test_the_shelf_says_what_is_wrong_with_each_file(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_bytes(script('on = ["catalog.*"]'))
    (tmp_path / "bare.py").write_text("print(1)\n")
    (tmp_path / "Bad_Name.py").write_bytes(script('on = ["catalog.*"]'))
    (tmp_path / "twice.py").write_bytes(script('on = ["catalog.*"]'))
    (tmp_path / "twice.sh").write_bytes(script('on = ["catalog.*"]'))
    (tmp_path / "idle.sh").write_bytes(script('on = ["catalog.*"]'))
    (tmp_path / "beside.bin").write_bytes(b"\x7fELF")
    (tmp_path / "beside.bin").chmod(0o755)
    (tmp_path / "beside.toml").write_text('on = ["catalog.TitleCreated"]\n')
    (tmp_path / ".hidden.py").write_text("")
    (tmp_path / "_shared.py").write_text("")
    found = {each.name: each for each in Shelf(tmp_path, KINDS).look()}
    assert set(found) == {"good", "bare", "Bad_Name", "twice", "idle", "beside"}
    assert {name for name, each in found.items() if each.bound} == {"good", "beside"}
    assert "has no header" in found["bare"].complaint
    assert "more than one file" in found["twice"].complaint
    assert "chmod +x" in found["idle"].complaint
    assert "its name may have" in found["Bad_Name"].complaint


def test_the_shelf_sees_an_edit(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, KINDS)
    path = tmp_path / "moody.py"
    path.write_bytes(script('on = ["catalog.TitleCreated"]'))
    assert shelf.look()[0].bound is not None
    path.write_bytes(script("on = 3"))
    assert shelf.look()[0].bound is None
    path.unlink()
    assert shelf.look() == []


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_the_samples_are_functions(path: Path) -> None:
    assert code_at(path, KINDS).bound.kinds


def test_pauses_double_up_to_an_hour() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    pauses = [(retrying.next_at(now, n, 10) - now).total_seconds() for n in (1, 2, 3, 20, 10**6)]
    assert pauses == [10, 20, 40, 3600, 3600]


def test_a_run_has_one_attempt_more_than_retries() -> None:
    assert not retrying.is_last(3, 3)
    assert retrying.is_last(4, 3)
    assert retrying.is_last(1, 0)


def test_who_was_away_for_long_begins_anew() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert not retrying.begins_anew(now, None)
    assert not retrying.begins_anew(now, now - timedelta(seconds=5))
    assert retrying.begins_anew(now, now - timedelta(hours=1))
