"""When a version was first held by an appliance.

Every appliance is asked for its inventory anew, so that versions which are held already are told
as placed.
"""

from alembic import op

revision = "steering_0002"
down_revision = "steering_0001"


def upgrade() -> None:
    op.execute(
        """
        alter table steering.published add column placed_at timestamptz;
        create index published_unplaced on steering.published (version_id) where placed_at is null;
        update steering.appliance set inventory_revision = null;
        """
    )
