"""Functions, their runs and the attempts at each."""

from alembic import op

revision = "functions_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table functions.function (
          name text primary key,
          is_on boolean not null default true,
          gone_at timestamptz
        );
        create table functions.run (
          run_id text primary key,
          number bigint generated always as identity unique,
          function text not null,
          event_id text not null,
          topic text not null,
          key text not null,
          kind text not null,
          body json not null,
          occurred_at timestamptz not null,
          trace_id text not null,
          state text not null,
          attempts integer not null default 0,
          failures integer not null default 0,
          made_at timestamptz not null,
          due_at timestamptz not null,
          ended_at timestamptz,
          reason text not null default '',
          output text not null default '',
          unique (function, event_id)
        );
        create index run_open on functions.run (function, due_at, number)
          where state in ('waiting', 'running');
        create index run_of_function on functions.run (function, number);
        create index run_dead on functions.run (number) where state = 'dead';
        create table functions.attempt (
          run_id text not null references functions.run on delete cascade,
          number integer not null,
          begun_at timestamptz not null,
          ended_at timestamptz,
          code_sha256 text not null,
          reason text not null default '',
          wall_s double precision not null default 0,
          cpu_s double precision not null default 0,
          peak_bytes bigint not null default 0,
          printed_bytes bigint not null default 0,
          stdout text not null default '',
          stderr text not null default '',
          primary key (run_id, number)
        );
        """
    )
