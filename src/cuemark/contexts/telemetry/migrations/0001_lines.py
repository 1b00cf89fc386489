"""Sums by the minute, batches that were taken, the files that have their lines, and the plays that
were led past an appliance."""

from alembic import op

revision = "telemetry_0001"
down_revision = None

_WAITS = ", ".join(f"wait_{number} bigint not null" for number in range(13))


def upgrade() -> None:
    op.execute(
        f"""
        create table telemetry.minute (
          at timestamptz not null,
          appliance_id text not null,
          version_id text not null,
          outcome text not null,
          source text not null,
          requests bigint not null,
          sent_bytes bigint not null,
          told bigint not null,
          starved bigint not null,
          lost_lines bigint not null,
          {_WAITS},
          primary key (at, appliance_id, version_id, outcome, source)
        );
        create table telemetry.batch (
          number bigint generated always as identity primary key,
          appliance_id text not null,
          epoch text not null,
          sequence bigint not null,
          taken_at timestamptz not null,
          lines integer not null,
          file text not null,
          first_byte bigint not null,
          bytes bigint not null,
          unique (appliance_id, epoch, sequence)
        );
        create index batch_taken on telemetry.batch (taken_at);
        create table telemetry.file (
          file text primary key,
          bytes bigint not null
        );
        create table telemetry.led_past (
          trace_id text primary key,
          at timestamptz not null
        );
        create index led_past_at on telemetry.led_past (at);
        """
    )
