"""The data folder: secrets and ports."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cuemark.app.folder import DataFolder, FolderUnusable


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return folder


def test_a_secret_is_made_once_and_only_its_owner_reads_it(folder: DataFolder) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: folder.secret("master_key"), range(32)))
    assert len(found) == 1
    assert len(found.pop()) == 32
    files = list((folder.root / "secrets").iterdir())
    assert [(f.name, stat.S_IMODE(f.stat().st_mode)) for f in files] == [("master_key", 0o600)]


def test_ports_are_chosen_once(folder: DataFolder) -> None:
    first = folder.ports("127.0.0.1", 18080, 2)
    assert folder.ports("127.0.0.1", 18080, 2) == first
    everything = [first.public, first.internal, first.origin, *first.appliances, *first.agents]
    assert len(set(everything)) == 7


def test_past_the_last_port_there_is_none(folder: DataFolder) -> None:
    with pytest.raises(FolderUnusable, match=r"no port is free on .*: set `port`"):
        folder.ports("127.0.0.1", 65535, 1)


def test_a_torn_record_of_the_ports_is_none(folder: DataFolder) -> None:
    for torn in (b"{", b'{"x": "\xff"}', b'{"x": ' + b"[" * 5000):
        (folder.run / "ports.json").write_bytes(torn)
        assert folder.kept_ports() is None


def test_the_token_key_in_use_is_the_newest_and_the_older_still_count(folder: DataFolder) -> None:
    assert [key.kid for key in folder.token_keys()] == ["1"]
    folder.secret("cat_2")
    assert [key.kid for key in folder.token_keys()] == ["2", "1"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match="choose another with --data"):
        DataFolder(tmp_path / "file" / "data").prepare()


def test_without_a_token_the_operator_is_told_to_start(tmp_path: Path) -> None:
    with pytest.raises(FolderUnusable, match="run `cuemark up` there first"):
        DataFolder(tmp_path).operator_token()
