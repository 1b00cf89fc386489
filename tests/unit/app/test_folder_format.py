"""A folder that this release must leave alone is refused with one sentence."""

from pathlib import Path

import pytest

from cuemark.app import folder_format
from cuemark.app.engines import postgres
from cuemark.app.folder import DataFolder
from cuemark.app.folder_format import FolderTooNew, FolderTooOld
from cuemark.kit.objects import write_private


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


def cluster_of(folder: DataFolder, major: int) -> None:
    write_private(folder.postgres / "PG_VERSION", f"{major}\n".encode())


def test_what_this_release_wrote_it_takes(folder: DataFolder) -> None:
    folder_format.check(folder)
    folder_format.write(folder, "pipeline")
    cluster_of(folder, postgres.bundled_major())
    folder_format.check(folder)
    assert folder_format.read(folder).release == folder_format.RELEASE


def test_a_folder_of_a_newer_format_is_refused(folder: DataFolder) -> None:
    newer = b'{"format":99,"release":"9.9.0","unheard_of":true}'
    write_private(folder.root / "format.json", newer)
    with pytest.raises(FolderTooNew) as refused:
        folder_format.check(folder)
    assert str(refused.value) == (
        f"the data folder {folder.root} was written by Cuemark 9.9.0 in a format that Cuemark "
        f"{folder_format.RELEASE} does not know: run that release, or a newer one"
    )


def test_a_newer_cluster_is_refused(folder: DataFolder) -> None:
    cluster_of(folder, postgres.bundled_major() + 1)
    with pytest.raises(FolderTooNew, match="run that release, or a newer one"):
        folder_format.check(folder)


def test_an_older_cluster_is_refused_with_the_way_over(folder: DataFolder) -> None:
    cluster_of(folder, postgres.bundled_major() - 1)
    with pytest.raises(FolderTooOld, match="make a backup with that release and restore it"):
        folder_format.check(folder)
