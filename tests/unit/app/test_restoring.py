"""The end of a restore, wherever it is cut off."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from cuemark.app.backup import moving_in
from cuemark.app.backup.manifest import BackupInvalid, Manifest, opened, sealed
from cuemark.app.backup.restoring import RestoreRefused, check_target
from cuemark.app.backup.taking import fingerprints_of
from cuemark.app.folder import DataFolder

LEAVING = ["appliances", "objects", "postgres", "secrets"]
ARRIVING = ["objects", "postgres", "secrets"]
OLD = ["appliances", "objects", "postgres"]
STEPS = 1 + 2 + 2 + 1


def cut_off_after(root: Path, steps: int) -> None:
    """The folder as a restore leaves it that is killed after so many of its renames."""
    moving, aside = root / moving_in.MOVING, root / "replaced-then"
    for name in OLD:
        (root / name).mkdir(parents=True)
        (root / name / "old").touch()
    for name in ARRIVING:
        (moving / name).mkdir(parents=True)
        (moving / name / "new").touch()
    plan = {"replaced": aside.name, "leaving": LEAVING, "arriving": ARRIVING}
    (moving / "plan.json").write_bytes(msgspec.json.encode(plan))
    renames = []
    for name in LEAVING:
        renames += [(root / name, aside / name)] if name in OLD else []
        renames += [(moving / name, root / name)] if name in ARRIVING else []
    assert len(renames) == STEPS
    for source, target in renames[:steps]:
        target.parent.mkdir(exist_ok=True)
        source.rename(target)


@pytest.mark.parametrize("steps", range(STEPS + 1))
def test_a_restore_that_was_cut_off_while_moving_in_is_finished(tmp_path: Path, steps: int) -> None:
    cut_off_after(tmp_path, steps)
    moving_in.finish(DataFolder(tmp_path))
    found = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert found == {f"{name}/new" for name in ARRIVING} | {
        f"replaced-then/{name}/old" for name in OLD
    }
    moving_in.finish(DataFolder(tmp_path))


def test_a_database_goes_back_to_the_folder_that_it_was_made_of(tmp_path: Path) -> None:
    """Also where an upgrade has made a secret more since; and to no other."""
    folder, other = DataFolder(tmp_path / "one"), DataFolder(tmp_path / "two")
    for each in (folder, other):
        each.prepare()
        each.secret("master_key")
    made = Manifest(
        release="1.0.0",
        folder_format=1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        postgres_major=18,
        revisions={},
        files={},
        fingerprints=fingerprints_of(folder.root / "secrets"),
        objects=False,
    )
    folder.secret("fingerprint_key")
    check_target(folder, made, force=True)
    with pytest.raises(RestoreRefused, match="has the database alone"):
        check_target(other, made, force=True)
    (folder.root / "secrets" / "master_key").unlink()
    with pytest.raises(RestoreRefused, match="has the database alone"):
        check_target(folder, made, force=True)


def test_a_manifest_that_was_altered_is_refused() -> None:
    made = Manifest(
        release="1.0.0",
        folder_format=1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        postgres_major=18,
        revisions={"catalog": "catalog_0001"},
        files={},
        fingerprints={},
        objects=True,
        object_files=7,
    )
    data = sealed(made)
    assert opened(data, Path("manifest.json")).object_files == 7
    with pytest.raises(BackupInvalid, match="it was altered"):
        opened(data.replace(b'"object_files":7', b'"object_files":6'), Path("manifest.json"))
