"""From a folder as it was left to one that this release can use, before anything serves.

``python -m cuemark.app.upgrade --data DIR`` does that and prints ``UpToDate`` as JSON, or ends
with 1 and one sentence. It is a process of its own so that the supervisor stays small.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import structlog

from cuemark.app import folder_format, schemas, settings
from cuemark.app.backup.taking import take_database
from cuemark.app.farm import role as farm
from cuemark.app.folder import DataFolder
from cuemark.app.staff import roles_in
from cuemark.app.storage import open_objects
from cuemark.app.system import Install, UpToDate, install_on
from cuemark.kit.database import MigrationFailed
from cuemark.kit.errors import OperatorError
from cuemark.kit.logs import configure_logs
from cuemark.kit.objects import Objects


def bring_up_to_date(install: Install, now: datetime) -> Path | None:
    """Migrate the database; the backup of it that was made before, where it had to change.

    What was being encoded begins again where another pipeline began it. Raises ``SchemaTooNew``
    before anything is changed, and ``MigrationFailed`` with everything as it was.
    """
    from cuemark.contexts.encoding import wiring as encoding

    folder, url = install.folder, install.database_url
    found = schemas.found_in(url)
    schemas.check(found)
    written, pipeline = folder_format.read(folder), encoding.pipeline()
    other_pipeline = bool(found) and written.pipeline != pipeline
    kept = None
    just_restored = written.release == folder_format.RELEASE and not written.pipeline
    if (other_pipeline and not just_restored) or (found and schemas.behind(found)):
        kept = take_database(folder, url, now)
        structlog.get_logger().info(
            "upgrade_begins", wrote=written.release, now=folder_format.RELEASE, kept=str(kept)
        )
    farm.shut(install)
    try:
        schemas.migrate_all(url)
    except MigrationFailed as error:
        release = f"Cuemark {written.release}" if written.release else "the release before"
        raise MigrationFailed(
            f"{error}; {release} can use {folder.root} as before"
            + (f", and its database is also in {kept}" if kept else "")
        ) from error
    if other_pipeline:
        jobs = encoding.begin_again(url, open_objects(folder, install.settings.objects, "upgrade"))
        structlog.get_logger().info("encoding_begins_again", jobs=jobs)
    folder_format.write(folder, pipeline)
    farm.open_to_workers(install)
    return kept


@click.command()
@click.option("--data", "root", type=click.Path(path_type=Path), required=True)
def main(root: Path) -> None:
    from cuemark.contexts.encoding.wiring import sweep

    folder = DataFolder(root)
    configure_logs("upgrade", folder.log_file)
    install = install_on(folder, settings.load(root))
    try:
        roles_in(folder.root, install.settings.staff_policies)
        kept = bring_up_to_date(install, datetime.now(UTC))
    except OperatorError as error:
        sys.exit(str(error))
    asyncio.run(sweep(install.database_url, Objects(folder.objects)))
    print(msgspec.json.encode(UpToDate(kept_backup=str(kept or ""))).decode())


if __name__ == "__main__":
    main()
