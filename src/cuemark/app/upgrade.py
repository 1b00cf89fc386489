"""From the folder of an earlier release to one of this release, before anything serves."""

from datetime import datetime
from pathlib import Path

import structlog

from cuemark.app import folder_format, schemas
from cuemark.app.backup.taking import take_database
from cuemark.app.system import Install
from cuemark.kit.database import MigrationFailed
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
    try:
        schemas.migrate_all(url)
    except MigrationFailed as error:
        release = f"Cuemark {written.release}" if written.release else "the release before"
        raise MigrationFailed(
            f"{error}; {release} can use {folder.root} as before"
            + (f", and its database is also in {kept}" if kept else "")
        ) from error
    if other_pipeline:
        jobs = encoding.begin_again(url, Objects(folder.objects))
        structlog.get_logger().info("encoding_begins_again", jobs=jobs)
    folder_format.write(folder, pipeline)
    return kept
