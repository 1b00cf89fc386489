"""What a release is called: the same for the same code, and a safe name of a folder."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.release import build_of, is_release, release_here


def package(folder: Path) -> Path:
    (folder / "edge").mkdir(parents=True)
    (folder / "edge" / "agent.py").write_text("serve()")
    (folder / "__init__.py").write_text("")
    return folder


def test_the_same_code_has_the_same_name_wherever_it_lies(tmp_path: Path) -> None:
    here, there = package(tmp_path / "a"), package(tmp_path / "b")
    made = there / "edge" / "__pycache__"
    made.mkdir()
    (made / "agent.pyc").write_bytes(b"made of it")
    page = there / "gateway" / "page"
    page.mkdir(parents=True)
    (page / "index.html").write_text("built of web/")
    assert build_of(here) == build_of(there)


@pytest.mark.parametrize("change", ["byte", "name", "place"])
def test_any_change_of_the_code_is_another_build(tmp_path: Path, change: str) -> None:
    here, there = package(tmp_path / "a"), package(tmp_path / "b")
    file = there / "edge" / "agent.py"
    if change == "byte":
        file.write_text("serve();")
    elif change == "name":
        file.rename(there / "edge" / "agents.py")
    else:
        file.rename(there / "agent.py")
    assert build_of(here) != build_of(there)


def test_this_release_has_a_name_that_can_be_asked_for() -> None:
    assert is_release(release_here())
    assert release_here().startswith("0.")


@given(st.text())
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    if is_release(name):
        folder = Path("/opt/cuemark/releases")
        assert (folder / name).resolve().parent == folder
        assert len(name) <= 64
