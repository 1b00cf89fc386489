"""Whose turn it is, who works, how often a piece of work was begun, and how a job was ended."""

from alembic import op

revision = "encoding_0008"
down_revision = "encoding_0007"


def upgrade() -> None:
    # The beats of workers outlive no crash of the database: each comes again within seconds, and
    # an install at rest writes no log for them.
    op.execute(
        """
        alter table encoding.job
          add column priority text not null default 'normal',
          add column tries integer not null default 0,
          add column overrun_s double precision not null default 0,
          add column canceled_by text not null default '',
          add column failure json,
          add column swept boolean not null default true;
        create index job_unswept on encoding.job (version_id) where not swept;
        alter table encoding.attempt
          add column told boolean not null default false,
          add column tries integer not null default 0,
          add column worker text not null default '';
        create table encoding.virtual_time (
          band integer primary key,
          base bigint not null default 0,
          now bigint not null default 0
        );
        create unlogged table encoding.worker (
          executor_id text primary key,
          host text not null,
          slot integer not null,
          pid integer not null,
          beat bigint not null,
          heard_at timestamptz not null,
          lost boolean not null default false,
          in_hand json
        );
        """
    )
