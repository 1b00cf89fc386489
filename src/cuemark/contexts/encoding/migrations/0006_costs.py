"""The effort of a job; what work was done for, what it wrote, and attempts that gave no result."""

from alembic import op

revision = "encoding_0006"
down_revision = "encoding_0005"


def upgrade() -> None:
    op.execute(
        """
        alter table encoding.job add column effort text not null default 'balanced';
        alter table encoding.version add column made_for json;
        alter table encoding.unit
          add column made_for text not null default '',
          add column written_bytes bigint not null default 0;
        create table encoding.attempt (
          attempt_id text primary key,
          version_id text not null references encoding.job,
          stage text not null,
          unit text not null,
          made_for text not null,
          ended boolean not null,
          begun_at timestamptz not null,
          wall_s double precision not null,
          cpu_s double precision not null,
          written_bytes bigint not null
        );
        create index attempt_by_unit on encoding.attempt (version_id, unit);
        create index job_by_title on encoding.job (title_id);
        """
    )
