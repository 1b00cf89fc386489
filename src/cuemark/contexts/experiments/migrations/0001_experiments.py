"""The runs of experiments: each from its start to its stop."""

from alembic import op

revision = "experiments_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table experiments.run (
          run_id text primary key,
          name text not null,
          layer text not null,
          first_bucket integer not null,
          share_bp integer not null,
          cells text not null,
          started_at timestamptz not null,
          stopped_at timestamptz
        );
        create unique index run_running on experiments.run (name) where stopped_at is null;
        create index run_of_name on experiments.run (name, run_id);
        """
    )
