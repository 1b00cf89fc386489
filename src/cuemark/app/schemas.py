"""The schemas of an install: where they stand, what this release knows, how they get there."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import create_engine

from cuemark.kit import mail, outbox
from cuemark.kit.database import head_of, known_to, migrate_together, standing, too_new


def lines() -> Mapping[str, Path]:
    """The folder of migrations of each schema."""
    from cuemark.contexts.billing import wiring as billing
    from cuemark.contexts.catalog import wiring as catalog
    from cuemark.contexts.encoding import wiring as encoding
    from cuemark.contexts.experiments import wiring as experiments
    from cuemark.contexts.fill import wiring as fill
    from cuemark.contexts.fraud import wiring as fraud
    from cuemark.contexts.functions import wiring as functions
    from cuemark.contexts.identity import wiring as identity
    from cuemark.contexts.licensing import wiring as licensing
    from cuemark.contexts.playback import wiring as playback
    from cuemark.contexts.rights import wiring as rights
    from cuemark.contexts.search import wiring as search
    from cuemark.contexts.steering import wiring as steering
    from cuemark.contexts.telemetry import wiring as telemetry
    from cuemark.contexts.viewers import wiring as viewers

    owners = (
        billing,
        catalog,
        encoding,
        experiments,
        fill,
        fraud,
        functions,
        identity,
        licensing,
        playback,
        rights,
        search,
        steering,
        telemetry,
        viewers,
    )
    ours = {outbox.SCHEMA: outbox.MIGRATIONS, mail.SCHEMA: mail.MIGRATIONS}
    return ours | {each.SCHEMA: each.MIGRATIONS for each in owners}


def found_in(database_url: str) -> dict[str, str]:
    """The revision of each schema that the database has; empty for a fresh one."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            return standing(connection, lines())
    finally:
        engine.dispose()


def check(revisions: Mapping[str, str]) -> None:
    """Raise ``SchemaTooNew`` where a revision is none that this release knows."""
    folders = lines()
    for schema, revision in sorted(revisions.items()):
        if schema not in folders or not known_to(folders[schema], revision):
            raise too_new(schema, revision)


def behind(revisions: Mapping[str, str]) -> list[str]:
    """The schemas that this release would migrate."""
    folders = lines()
    return [schema for schema in folders if revisions.get(schema) != head_of(folders[schema])]


def migrate_all(database_url: str) -> None:
    """Bring every schema to this release's head; ours in one transaction, all or none.

    Those of the workflow library go first: it builds indexes outside of any transaction, and a
    release before can use what a newer library has added.
    """
    from cuemark.contexts.encoding.wiring import migrate_workflows

    check(found_in(database_url))
    migrate_workflows(database_url)
    migrate_together(database_url, lines())
