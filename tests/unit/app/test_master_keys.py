"""Master keys as files of an install."""

from pathlib import Path

from cuemark.app.folder import DataFolder
from cuemark.app.master_key_settings import MasterKeysIn
from cuemark.app.master_keys import vault_in
from cuemark.contexts.licensing.wiring import MasterKey, Vault
from cuemark.kit.clock import ManualClock


def folder_in(path: Path) -> DataFolder:
    folder = DataFolder(path)
    folder.prepare()
    return folder


def files_of(folder: DataFolder) -> Vault:
    return vault_in(folder, MasterKeysIn(), ManualClock())


def test_an_install_begins_with_one_master_key_that_stays(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    vault = files_of(folder)
    (first,) = vault.load()
    assert isinstance(first, MasterKey)
    assert (first.number, first.secret) == (1, folder.secret("master_key"))
    assert list(files_of(folder).load()) == [first]


def test_what_is_made_is_kept_for_its_owner_alone_and_what_is_destroyed_never_comes_back(
    tmp_path: Path,
) -> None:
    folder = folder_in(tmp_path)
    vault = files_of(folder)
    vault.load()
    vault.make(2)
    second = folder.root / "secrets" / "master_key_2"
    kept = second.read_text()
    vault.make(2)
    assert (second.read_text(), second.stat().st_mode & 0o777) == (kept, 0o600)
    assert {key.number for key in vault.load()} == {1, 2}
    vault.destroy(1)
    assert {key.number for key in vault.load()} == {2}
    vault.make(10)
    assert {key.number for key in vault.load()} == {2, 10}


def test_files_of_other_names_are_no_master_keys(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    for name in ("master_key_", "master_key_x", "master_key_02", "master_key.bak"):
        (folder.root / "secrets" / name).write_text("00" * 32)
    assert {key.number for key in files_of(folder).load()} == {1}
