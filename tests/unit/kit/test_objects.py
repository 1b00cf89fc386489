"""What is written is there whole, and what died on the way can be swept away."""

import os
import stat
from pathlib import Path

import pytest

from cuemark.kit.objects import Objects, make_folder, new_draft, sweep_drafts, write_private


def half_made(root: Path, writer: str) -> Path:
    """What a writer leaves that dies at work."""
    left = root / "tmp" / writer / "0123456789abcdef"
    left.mkdir(parents=True)
    (left / "half").write_text("made")
    return left


def test_a_writer_sweeps_its_own_leftovers_and_nobody_elses(tmp_path: Path) -> None:
    left = half_made(tmp_path, "worker-1")
    with Objects(tmp_path, "worker-2").scratch() as in_use:
        Objects(tmp_path, "worker-1").sweep()
        assert not left.exists()
        assert in_use.is_dir()


def test_one_without_a_name_sweeps_what_any_writer_left(tmp_path: Path) -> None:
    half_made(tmp_path, "worker-1")
    everybody = Objects(tmp_path)
    everybody.sweep()
    assert list((tmp_path / "tmp").iterdir()) == []
    everybody.put("masters/one", b"still writes")
    assert everybody.read("masters/one") == b"still writes"


def test_a_private_file_is_replaced_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "made" / "too" / "state.json"
    write_private(path, b"old")
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["state.json"]


def test_drafts_are_swept_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    write_private(tmp_path / "state.json", b"in use")
    for name in (".hidden", ".s.PGSQL.5432", ".s.PGSQL.5432.lock", "lock"):
        (tmp_path / name).touch()
    draft = new_draft(tmp_path / "state.json", b"half a")
    sweep_drafts(tmp_path, tmp_path / "not there")
    assert not draft.exists()
    assert len(os.listdir(tmp_path)) == 5


def test_a_draft_that_cannot_be_written_is_not_left(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        new_draft(tmp_path / ("n" * 300), b"")
    make_folder(tmp_path / "a" / "b", 0o700)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
