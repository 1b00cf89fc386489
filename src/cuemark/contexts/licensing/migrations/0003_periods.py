"""Keys of crypto periods. A version of an older release has one, the first.

A release before this one writes rows without a period while both run, and they are of the first.
"""

from alembic import op

revision = "licensing_0003"
down_revision = "licensing_0002"


def upgrade() -> None:
    op.execute(
        """
        alter table licensing.content_key add column period integer not null default 0;
        alter table licensing.content_key drop constraint content_key_pkey;
        alter table licensing.content_key add primary key (version_id, label, period);
        """
    )
